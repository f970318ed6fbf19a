"""Qwen2-VL: pictures cut into patches by the processor, two by two merged into one token, rotary over time and place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

from ingest.policies.huggingface import HuggingFacePolicy, Inputs
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import Shape, spread, vlm_policy

SHAPE = Shape(image=112, grid=4, cameras=("base",))  # two pictures would need tokens between them
_PATCH, _MERGE, _TIME = 14, 2, 2


def make(attention_impl: str = "sdpa") -> HuggingFacePolicy:
    torch.manual_seed(6)
    tokenizer = toy_tokenizer()
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            # By its name of transformers 5, and before.
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0},
            "rope_scaling": {"type": "default", "rope_type": "default", "mrope_section": [1, 1, 2]},
        },
        vision_config={
            "depth": 2,
            "embed_dim": 16,
            "num_heads": 2,
            "hidden_size": 32,
            "patch_size": _PATCH,
            "spatial_merge_size": _MERGE,
            "temporal_patch_size": _TIME,
        },
        image_token_id=image,
        vision_start_token_id=tokenizer.bos_token_id,
    )
    model = spread(Qwen2VLForConditionalGeneration(config))
    return vlm_policy(
        model,
        [layer.self_attn for layer in model.model.language_model.layers],
        n_heads=4,
        shape=SHAPE,
        pixels=pixels,
        forward=forward,
        attention_impl=attention_impl,
    )


def pixels(pictures: Tensor) -> dict[str, Tensor]:
    """[cameras, 3, 112, 112] -> patches in the order that the merger expects, as transformers' processor gives them."""
    count, side = len(pictures), SHAPE.grid
    still = pictures[:, None].expand(-1, _TIME, -1, -1, -1)
    cut = still.reshape(count, 1, _TIME, 3, side, _MERGE, _PATCH, side, _MERGE, _PATCH)
    patches = cut.permute(0, 1, 4, 7, 5, 8, 3, 2, 6, 9).reshape(count * (side * _MERGE) ** 2, -1)
    grid = torch.tensor([[1, side * _MERGE, side * _MERGE]] * count)
    return {"pixel_values": patches[None], "image_grid_thw": grid[None]}


def forward(model: Any, inputs: Inputs) -> Tensor:
    is_image = inputs["input_ids"] == model.config.image_token_id
    found = model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        pixel_values=inputs["pixel_values"].flatten(0, 1),
        image_grid_thw=inputs["image_grid_thw"].flatten(0, 1),
        mm_token_type_ids=is_image.int(),
    )
    logits: Tensor = found.logits
    return logits
