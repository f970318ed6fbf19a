"""transformers' own Pi0: pictures, <bos> and words seen both ways; state and actions in an expert that sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PI0Config, PI0ForConditionalGeneration

from ingest.attention.layout import Camera
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Letterbox, resize_with_pad
from ingest.policies.base import Geometry, Seen
from ingest.policies.huggingface import Encoded, HuggingFacePolicy, Inputs
from ingest.policies.pi_layout import Slot, pi_layout
from ingest.policies.text import Piece, mark, spans_of
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import spread

IMAGE, GRID, N_TEXT, HORIZON, ACTION_DIM, STATE_DIM, N_STEPS = 56, 4, 18, 5, 4, 6, 3
CAMERAS = ("base", "wrist")
TEMPLATE = "{instruction}\n"


def make(attention_impl: str = "sdpa") -> HuggingFacePolicy:
    torch.manual_seed(8)
    tokenizer = toy_tokenizer()
    text = {
        "model_type": "gemma",
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 8,
    }
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": IMAGE,
        "patch_size": 14,
        "projection_dim": 32,
        "vision_use_head": False,
    }
    config = PI0Config(
        vlm_config={
            "model_type": "paligemma",
            "text_config": text,
            "vision_config": vision,
            "image_token_index": tokenizer.convert_tokens_to_ids("<image>"),
            "projection_dim": 32,
        },
        dit_config={**text, "hidden_size": 24, "intermediate_size": 40},
        chunk_size=HORIZON,
        max_state_dim=STATE_DIM,
        max_action_dim=ACTION_DIM,
        num_inference_steps=N_STEPS,
    )
    model = spread(PI0ForConditionalGeneration(config))
    return HuggingFacePolicy(
        model=model,
        geometry=Geometry(
            3, 4, 8, {"prefix": 0, "suffix": N_STEPS}, (HORIZON, ACTION_DIM), dict.fromkeys(CAMERAS, GRID)
        ),
        attention={
            "prefix": [layer.self_attn for layer in model.model.vlm.language_model.layers],
            "suffix": [layer.self_attn for layer in model.model.dit.layers],
        },
        look=look,
        encode=encode,
        act=act,
        attention_impl=attention_impl,
        vision=model.model.vlm.vision_tower,
    )


def look(observation: Observation) -> Seen:
    pictures = {name: resize_with_pad(observation.images[name], IMAGE) for name in CAMERAS}
    boxes = {name: Letterbox.from_size(*observation.images[name].shape[:2], IMAGE) for name in CAMERAS}
    return Seen(pictures, boxes, observation.state)


def encode(seen: Seen, prompt: str, queries: Sequence[str]) -> Encoded:
    tokenizer = toy_tokenizer()
    text, spans = spans_of(TEMPLATE, instruction=prompt)
    found = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    pieces = [Piece("<bos>", 0, 0), *(Piece(text[a:b], a, b) for a, b in found["offset_mapping"])]
    marked = mark(text, pieces, spans, N_TEXT)
    ids = [tokenizer.bos_token_id, *found["input_ids"]][:N_TEXT]
    n_valid = len(ids)
    ids += [tokenizer.pad_token_id] * (N_TEXT - n_valid)
    n_patches = len(CAMERAS) * GRID * GRID
    row = [tokenizer.convert_tokens_to_ids("<image>")] * n_patches + ids
    slots = [
        Slot(Camera(name, GRID, GRID), tuple(seen.letterboxes[name].picture_share(GRID).tolist()))
        for name in CAMERAS
    ]
    pictures = np.stack([seen.pictures[name] for name in CAMERAS]).transpose(0, 3, 1, 2)
    return Encoded(
        {
            "input_ids": torch.tensor([row]),
            "attention_mask": torch.tensor([[1] * (n_patches + n_valid) + [0] * (N_TEXT - n_valid)]),
            "pixel_values": torch.from_numpy(pictures).float()[None] / 127.5 - 1,
            "pixel_attention_mask": torch.ones(1, len(CAMERAS), dtype=torch.bool),
            "state": torch.from_numpy(np.asarray(seen.state, dtype=np.float32))[None],
        },
        tuple(row),
        pi_layout("pi0", slots, marked.tokens, HORIZON, queries, has_state_token=True),
        (f"the prompt is too long: cut {', '.join(marked.lost_words)}",) if marked.lost_words else (),
    )


def act(model: nn.Module, inputs: Inputs, noise: Tensor) -> Tensor:
    policy: Any = model
    actions: Tensor = policy.sample_actions(noise=noise, **inputs)
    return actions
