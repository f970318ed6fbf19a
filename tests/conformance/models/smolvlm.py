"""SmolVLM: SigLIP patches shuffled two by two into one token, then a causal Llama."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

from ingest.policies.huggingface import HuggingFacePolicy, Inputs
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import Shape, spread, vlm_policy

SHAPE = Shape(image=112, grid=4)


def make(attention_impl: str = "sdpa") -> HuggingFacePolicy:
    torch.manual_seed(7)
    tokenizer = toy_tokenizer()
    config = SmolVLMConfig(
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SHAPE.image,
            "patch_size": 14,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = spread(SmolVLMForConditionalGeneration(config))
    return vlm_policy(
        model,
        [layer.self_attn for layer in model.model.text_model.layers],
        n_heads=4,
        shape=SHAPE,
        pixels=lambda pictures: {"pixel_values": pictures[None]},
        forward=forward,
        attention_impl=attention_impl,
    )


def forward(model: Any, inputs: Inputs) -> Tensor:
    logits: Tensor = model(**inputs).logits
    return logits
