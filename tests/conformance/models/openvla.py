"""A Llama that gets projected patches behind <bos>, as OpenVLA has it: causal attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from ingest.policies.huggingface import HuggingFacePolicy, Inputs
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import Shape, spread, vlm_policy

SHAPE = Shape(image=56, grid=4, cameras=("base",), bos_first=True)


class SmallOpenVLA(nn.Module):
    """Patches through one linear map, between <bos> and the prompt."""

    def __init__(self) -> None:
        super().__init__()
        config = LlamaConfig(
            vocab_size=len(toy_tokenizer()),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
        self.projector = nn.Linear(3 * 14 * 14, 32)
        self.language_model = LlamaForCausalLM(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, pixel_values: Tensor) -> Tensor:
        batch, side, grid = len(input_ids), 14, SHAPE.grid
        patches = pixel_values.reshape(batch, 3, grid, side, grid, side).permute(0, 2, 4, 1, 3, 5)
        embedded = self.language_model.get_input_embeddings()(input_ids).clone()
        embedded[:, 1 : 1 + grid * grid] = self.projector(patches.reshape(batch, grid * grid, -1))
        found = self.language_model(inputs_embeds=embedded, attention_mask=attention_mask, use_cache=False)
        return found.logits


def make(attention_impl: str = "sdpa") -> HuggingFacePolicy:
    torch.manual_seed(4)
    model = spread(SmallOpenVLA())
    return vlm_policy(
        model,
        [layer.self_attn for layer in model.language_model.model.layers],
        n_heads=4,
        shape=SHAPE,
        pixels=lambda pictures: {"pixel_values": pictures},
        forward=lambda model, inputs: model(**inputs),
        attention_impl=attention_impl,
    )


__all__ = ["SHAPE", "Inputs", "make"]
