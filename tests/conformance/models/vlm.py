"""What the small vision-language models have in common: a camera or two, a prompt, one answer token as the action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ingest.attention.layout import (
    Camera,
    Layout,
    PassLayout,
    Query,
    Token,
    instruction_queries,
    patch_tokens,
)
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Letterbox, resize_with_pad
from ingest.policies.base import Geometry, Seen
from ingest.policies.huggingface import Encoded, HuggingFacePolicy, Inputs
from ingest.policies.text import Piece, mark, spans_of
from tests.conformance.models.tokens import toy_tokenizer

TEMPLATE = "In: What action should the robot take to {instruction}?\nOut:"
N_TEXT = 40
N_ANSWERS = 8
CAMERAS = ("base", "wrist")


@dataclass(frozen=True)
class Shape:
    """Pictures of ``image`` pixels a side become ``grid`` x ``grid`` tokens; <bos> comes first or behind them."""

    image: int
    grid: int
    cameras: tuple[str, ...] = CAMERAS
    bos_first: bool = False


def spread(model: nn.Module, factor: float = 6.0) -> nn.Module:
    """Larger query and key projections: with fresh weights attention is nearly uniform."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "q_proj" in name or "k_proj" in name:
                parameter.mul_(factor)
    return model.eval()


def vlm_policy(
    model: nn.Module,
    attention: Sequence[nn.Module],
    n_heads: int,
    shape: Shape,
    pixels: Callable[[Tensor], dict[str, Tensor]],
    forward: Callable[[nn.Module, Inputs], Tensor],
    *,
    attention_impl: str = "sdpa",
) -> HuggingFacePolicy:
    """``pixels`` [cameras, 3, S, S] in -1..1 -> the model's picture inputs; ``forward`` -> logits [B, T, vocabulary]."""
    cameras = tuple(Camera(name, shape.grid, shape.grid) for name in shape.cameras)

    def look(observation: Observation) -> Seen:
        pictures = {name: resize_with_pad(observation.images[name], shape.image) for name in shape.cameras}
        boxes = {
            name: Letterbox.from_size(*observation.images[name].shape[:2], shape.image)
            for name in shape.cameras
        }
        return Seen(pictures, boxes, observation.state)

    def encode(seen: Seen, prompt: str, queries: Sequence[str]) -> Encoded:
        text, spans = spans_of(TEMPLATE, instruction=prompt)
        tokenizer = toy_tokenizer()
        found = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        pieces = [Piece("<bos>", 0, 0)]
        pieces += [Piece(text[begin:end], begin, end) for begin, end in found["offset_mapping"]]
        ids = [tokenizer.bos_token_id, *found["input_ids"]][:N_TEXT]
        n_valid = len(ids)
        marked = mark(text, pieces, spans, N_TEXT)
        ids += [tokenizer.pad_token_id] * (N_TEXT - n_valid)
        patches = [
            token
            for camera in cameras
            for token in patch_tokens(camera, seen.letterboxes[camera.name].picture_share(camera.rows))
        ]
        image_ids = [tokenizer.convert_tokens_to_ids("<image>")] * len(patches)
        if shape.bos_first:
            tokens: list[Token] = [marked.tokens[0], *patches, *marked.tokens[1:]]
            row_ids = [ids[0], *image_ids, *ids[1:]]
        else:
            tokens = [*patches, *marked.tokens]
            row_ids = [*image_ids, *ids]
        last = len(patches) + n_valid - 1
        layout = Layout(
            "huggingface", cameras, (PassLayout("prefix", tuple(tokens), _queries(tokens, last, queries)),)
        )
        pictures = np.stack([seen.pictures[name] for name in shape.cameras]).transpose(0, 3, 1, 2)
        is_valid = [token.is_valid for token in tokens]
        return Encoded(
            {
                **pixels(torch.from_numpy(pictures).float() / 127.5 - 1),
                "input_ids": torch.tensor([row_ids]),
                "attention_mask": torch.tensor([is_valid]).long(),
                "last": torch.tensor([[last]]),
            },
            tuple(row_ids),
            layout,
            (f"the prompt is too long: cut {', '.join(marked.lost_words)}",) if marked.lost_words else (),
        )

    def act(model: nn.Module, inputs: Inputs, noise: Tensor) -> Tensor:
        logits = forward(model, {name: values for name, values in inputs.items() if name != "last"})
        answers = logits[torch.arange(len(logits)), inputs["last"][:, 0], :N_ANSWERS]
        return answers[:, None] + 0 * noise

    return HuggingFacePolicy(
        model=model,
        geometry=Geometry(
            n_layers=len(attention),
            n_heads=n_heads,
            head_dim=attention[0].head_dim,  # type: ignore[arg-type]
            passes={"prefix": 0},
            noise_shape=(1, N_ANSWERS),
            cameras=dict.fromkeys(shape.cameras, shape.grid),
        ),
        attention={"prefix": attention},
        look=look,
        encode=encode,
        act=act,
        attention_impl=attention_impl,
    )


def _queries(tokens: Sequence[Token], last: int, queries: Sequence[str]) -> tuple[Query, ...]:
    """The instruction and its words; 'action' is the row that predicts the answer."""
    found = instruction_queries(tokens, 0, queries)
    if "action" in queries:
        found += (Query("action", "group", (last,)), Query("action:0", "token", (last,)))
    return found
