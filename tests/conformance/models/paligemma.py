"""PaliGemma: SigLIP patches, then text, all seeing all."""

from __future__ import annotations

import torch
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

from ingest.policies.huggingface import HuggingFacePolicy
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import Shape, spread, vlm_policy

SHAPE = Shape(image=56, grid=4)


def make(attention_impl: str = "sdpa", shape: Shape = SHAPE) -> HuggingFacePolicy:
    torch.manual_seed(3)
    tokenizer = toy_tokenizer()
    config = PaliGemmaConfig(
        text_config={
            "model_type": "gemma",
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": shape.image,
            "patch_size": 14,
            "projection_dim": 32,
        },
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=32,
    )
    model = spread(PaliGemmaForConditionalGeneration(config))
    return vlm_policy(
        model,
        [layer.self_attn for layer in model.model.language_model.layers],
        n_heads=4,
        shape=shape,
        pixels=lambda pictures: {"pixel_values": pictures[None]},
        forward=forward,
        attention_impl=attention_impl,
    )


def forward(model, inputs):  # type: ignore[no-untyped-def]
    pixels = inputs["pixel_values"].flatten(0, 1)
    return model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        pixel_values=pixels,
        token_type_ids=torch.zeros_like(inputs["input_ids"]),
    ).logits
