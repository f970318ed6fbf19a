"""Pi0 and Pi0.5 of openpi, as small random models built with openpi's own classes; runs in openpi's environment.

What each key must be is written from openpi's rules: its transforms' slots and masks, its prompt templates, and
sentencepiece asked directly. Needs no download: tokenizer, norm stats and weights are made here.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import openpi.models.gemma as gemma
import openpi.shared.normalize as normalize
import safetensors.torch
import sentencepiece
import torch
from numpy.typing import NDArray
from openpi.models_pytorch import gemma_pytorch
from openpi.models_pytorch.pi0_pytorch import PI0Pytorch
from openpi.training import config as openpi_config

from ingest.episodes.base import Observation
from ingest.policies.base import Policy
from ingest.policies.registry import load_policy
from ingest.study import PolicySection
from tests.conformance.case import Case, Key, folder_until_exit, random_observation

CAMERAS = {"base": (180, 320), "wrist": (180, 320)}
BARS = (0, 1, 2, 13, 14, 15)  # rows of the 16 x 16 grid that are letterbox alone at 180 x 320
SMALL = gemma.Config(width=32, depth=2, mlp_dim=48, num_heads=2, num_kv_heads=1, head_dim=16)
STATE_LOW, STATE_HIGH = -0.5, 1.5  # quantiles of the norm stats
SENTENCES = (
    "pick up the duck",
    "find the banana and lift it",
    "Task: put the cube in the bowl, State: 1 2 3 45 67 128 255;\nAction: ",
)
LONG = " ".join(["find the banana and the cube and then put it into the bowl and lift the duck"] * 9)
LENGTHS = {"pi0_droid": 48, "pi05_droid": 200, "pi05_libero": 200}
HORIZONS = {"pi0_droid": 10, "pi05_droid": 15, "pi05_libero": 10}


@lru_cache
def tokenizer_model() -> bytes:
    """A toy sentencepiece model with the settings of PaliGemma's: bytes for what it lacks, text left as it is."""
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_writer=stream,
        model_type="bpe",
        vocab_size=340,
        byte_fallback=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        user_defined_symbols=["\n"],
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return stream.getvalue()


def tokenizer() -> Any:
    return sentencepiece.SentencePieceProcessor(model_proto=tokenizer_model())


@contextmanager
def small_models() -> Iterator[None]:
    """While open, openpi builds its model small: it has no setting for the sizes of the vision tower."""

    def small(cls: type) -> Any:
        def build(config: Any) -> Any:
            text = getattr(config, "text_config", config)
            text.vocab_size = tokenizer().vocab_size()
            if hasattr(config, "vision_config"):
                config.image_token_index = config._vocab_size = text.vocab_size
                config.vision_config.update(
                    {
                        "hidden_size": 16,
                        "intermediate_size": 24,
                        "num_hidden_layers": 1,
                        "num_attention_heads": 2,
                        "projection_dim": SMALL.width,
                    }
                )
            return cls(config=config)

        return build

    with ExitStack() as stack:
        for name in ("PaliGemmaForConditionalGeneration", "GemmaForCausalLM"):
            stack.enter_context(patch.object(gemma_pytorch, name, small(getattr(gemma_pytorch, name))))
        stack.enter_context(patch.object(gemma, "get_config", lambda _variant: SMALL))
        yield


def write_checkpoint(folder: Path, name: str) -> None:
    """``model.safetensors`` in float32, with attention far from uniform, and norm stats."""
    torch.manual_seed(5)
    config = openpi_config.get_config(name)
    model = PI0Pytorch(replace(config.model, dtype="float32"))
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "layernorm" in parameter_name or "model.norm" in parameter_name:
                parameter.normal_(0, 0.3)
            elif re.search(r"gemma|language_model", parameter_name) and parameter.dim() == 2:
                scale = 3.0 if re.search(r"[qk]_proj", parameter_name) else 1.0
                parameter.normal_(0, scale * parameter.shape[1] ** -0.5)
    safetensors.torch.save_model(model, folder / "model.safetensors")
    low, high = np.full(8, STATE_LOW), np.full(8, STATE_HIGH)
    one = normalize.NormStats(mean=(low + high) / 2, std=(high - low) / 4, q01=low, q99=high)
    asset = "physical-intelligence/libero" if "libero" in name else "droid"
    normalize.save(folder / "assets" / asset, {"state": one, "actions": one})


def build(name: str, dtype: str) -> Policy:
    home = folder_until_exit("openpi")
    (home / "big_vision").mkdir()
    (home / "big_vision" / "paligemma_tokenizer.model").write_bytes(tokenizer_model())
    with small_models(), patch.dict(os.environ, {"OPENPI_DATA_HOME": str(home)}):
        write_checkpoint(home, name)
        section = PolicySection(family="openpi", config=name, checkpoint=str(home), dtype=dtype)
        return load_policy(section, "cpu")


def observe(name: str, index: int) -> Observation:
    rng = np.random.default_rng(50 + index)
    if "libero" in name:
        return random_observation(index, CAMERAS, {"state": rng.random(8)})
    state = {"joint_positions": rng.random(7), "gripper_position": rng.random(1)}
    return random_observation(index, CAMERAS, state)


def keys(name: str, pass_name: str, prompt: str, observation: Observation) -> list[Key]:
    found = [
        Key("letterbox" if row in BARS else "patch", camera, row, col)
        for camera in CAMERAS
        for row in range(16)
        for col in range(16)
    ]
    found += [Key("masked_camera", "right_wrist_0_rgb", row, col) for row in range(16) for col in range(16)]
    found += text_keys(name, prompt, observation.state)[: LENGTHS[name]]
    found += [Key("pad")] * (768 + LENGTHS[name] - len(found))
    if pass_name == "suffix":
        found += [Key("state")] * (name == "pi0_droid") + [Key("action")] * HORIZONS[name]
    return found


def text_keys(name: str, prompt: str, state: NDArray[np.float64]) -> list[Key]:
    """By bytes: what sentencepiece's pieces spell, put one behind the other, is the text."""
    clean = prompt.strip().replace("_", " ").replace("\n", " ")
    if name == "pi05_droid":
        normal = (state - STATE_LOW) / (STATE_HIGH - STATE_LOW + 1e-6) * 2 - 1
        digits = " ".join(str(int(np.floor((value + 1) * 128))) for value in normal)
        before, text = "Task: ", f"Task: {clean}, State: {digits};\nAction: "
    else:
        digits, before, text = "", "", f"{clean}\n"
    parts = ["template"] * len(text.encode())
    start, stop = len(before.encode()), len((before + clean).encode())
    parts[start:stop] = ["instruction"] * (stop - start)
    if digits:
        at = text.encode().index(b", State: ", stop) + len(b", State: ")
        parts[at : at + len(digits)] = ["state"] * len(digits)
    words = np.cumsum([0, *(byte in b" " for byte in clean.encode())])
    found, at = [Key("bos")], 0
    for piece in pieces(text):
        spelled = piece.replace("▁", " ").encode()
        if hexadecimal := re.fullmatch(r"<0x(..)>", piece):
            spelled = bytes.fromhex(hexadecimal[1])
        assert text.encode()[at : at + len(spelled)] == spelled
        visible = at + next((i for i, byte in enumerate(spelled) if byte not in b" "), len(spelled) - 1)
        role = parts[visible]
        word = None
        if role == "instruction":  # a blank counts to the word behind it
            word = int(words[visible - start] + (text.encode()[visible : visible + 1] == b" "))
        found.append(Key(role, word_index=word))
        at += len(spelled)
    assert at == len(text.encode())
    return found


def pieces(text: str) -> list[str]:
    """Pi0's text, which ends in its only line break, is tokenised without it, and then the break."""
    encode = partial(tokenizer().encode, out_type=str)
    if text.endswith("\n"):
        return [*encode(text[:-1]), *encode("\n")]
    return encode(text)


def case(name: str, dtype: str, tolerance: float) -> Case:
    return Case(
        name=f"openpi-{name}-{dtype}",
        build=partial(build, name, dtype),
        observe=partial(observe, name),
        keys=partial(keys, name),
        n_calls={"prefix": 1, "suffix": 10},
        prompts=("pick up_the duck", "find the banana and lift it", "наведи на 🦆"),
        long_prompt=LONG,
        mass_tolerance=tolerance,
        sum_tolerance=1e-4 if dtype == "float32" else 2e-3,
        batch_tolerance=max(tolerance, 1e-4),  # noise that differs in its last bit alone moves masses by 2e-5
        without={"rotary embedding left out": "the weights are the model's own"},
    )


CASES = [
    case("pi0_droid", "float32", 1e-5),
    case("pi05_droid", "float32", 1e-5),
    case("pi05_libero", "float32", 1e-5),
    case("pi0_droid", "bfloat16", 1e-2),  # the weights that openpi's server runs
]
