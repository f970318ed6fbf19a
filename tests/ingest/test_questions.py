"""Questions to a model with a language head: answers, what was expected, and the question's attention."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ingest.episodes.preprocess import resize_with_pad
from tests.conformance.models import paligemma
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import N_TEXT, TEMPLATE
from tests.ingest.replay import CAMERAS
from tests.ingest.world import World, table_of, write_episodes, write_study

QUESTION = "do something with the {object}"
EPISODE = "success/2025-12-10/episode_0"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = write_study(
        tmp_path_factory.mktemp("questions"),
        {
            "policy": {"family": "huggingface", "config": "tests.ingest.answering:make"},
            "capture": {"passes": ["prefix"]},
            "conditions": {"vqa": [{"name": "what", "prompt": QUESTION, "answer": "the {object}"}]},
        },
    )
    write_episodes(world.root, 1)
    assert world.run().is_complete
    return world


def test_the_answer_is_the_models_own(asked: World) -> None:
    """Worked out with inputs of the test's own, one frame alone."""
    model, tokenizer = paligemma.make().model, toy_tokenizer()
    for row in table_of(asked.lake, "inferences", "vqa"):
        pictures = []
        for folder in CAMERAS.values():
            path = asked.root / EPISODE / "recordings" / "frames" / folder / f"{row['frame_index']:05d}.jpg"
            picture = resize_with_pad(np.asarray(Image.open(path).convert("RGB")), 56)
            pictures.append(torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1)
        text = TEMPLATE.format(instruction="do something with the duck")
        words = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        ids = [tokenizer.convert_tokens_to_ids("<image>")] * 32 + words
        padding = N_TEXT - len(words)
        with torch.no_grad():
            logits = model(
                input_ids=torch.tensor([ids + [tokenizer.pad_token_id] * padding]),
                attention_mask=torch.tensor([[1] * len(ids) + [0] * padding]),
                pixel_values=torch.stack(pictures),
                token_type_ids=torch.zeros(1, 32 + N_TEXT, dtype=torch.long),
            ).logits
        assert row["answer"] == tokenizer.decode(int(logits[0, len(ids) - 1].argmax()))
        assert row["actions"] is None
        assert json.loads(row["params"]) == {"expected": "the duck"}
        assert row["prompt"] == "do something with the duck"


def test_the_questions_attention_is_kept(asked: World) -> None:
    ids = {row["inference_id"] for row in table_of(asked.lake, "inferences", "vqa")}
    assert len(ids) == 2
    assert {row["inference_id"] for row in table_of(asked.lake, "attention_maps", "vqa")} == ids
    assert {row["inference_id"] for row in table_of(asked.lake, "object_metrics", "vqa")} == ids
    assert not table_of(asked.lake, "action_effects", "vqa")


def test_all_is_told_of_a_model_without_a_reply(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="answers no questions"):
        paligemma.make().answer([])
