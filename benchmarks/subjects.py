"""Networks of real size with random weights: Pi0.5's two stacks and Cosmos Policy's transformer, a few layers of each.

Sizes as in openpi (gemma_2b with gemma_300m; 968 keys of the prefix, 15 rows of the suffix) and in cosmos-policy
(LIBERO: 9 latent frames of 14 x 14 tokens). Pi0.5's pictures go through a tower of one narrow layer: the real one,
which capture does not touch, would only make every ratio look better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ingest.attention.layout import Camera, Layout, Token
from ingest.attention.processors import attention_processors
from ingest.attention.tapping import tap
from ingest.attention.taps import TapPoint, WeightSink
from ingest.policies.cosmos_layout import SUITES, cosmos_layout
from ingest.policies.pi_layout import Slot, pi_layout

WORDS = ("find", "the", "duck", "toy", "and", "pick", "it", "up")


@dataclass(frozen=True)
class Subject:
    """``run`` is one inference; ``tapped`` (sink, attention) a tap on it, 'default' or 'eager'."""

    title: str
    run: Callable[[], object]
    tapped: Callable[[WeightSink, str], AbstractContextManager[Any]]
    layout: Layout
    n_layers: int  # that run here
    real_layers: int
    n_heads: int
    passes: Mapping[str, int]
    layer_bytes: int  # the largest attention weights of one layer and call, float32


def pi05(n_layers: int = 2, n_steps: int = 10) -> Subject:
    """transformers' own Pi0 at the sizes of pi05_droid."""
    from transformers import PI0Config, PI0ForConditionalGeneration

    side, n_text, horizon, image_token = 16, 200, 14, 999
    text = {
        "model_type": "gemma",
        "vocab_size": 1000,  # an embedding table costs memory and no time
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "num_hidden_layers": n_layers,
        "num_attention_heads": 8,
        "num_key_value_heads": 1,
        "head_dim": 256,
    }
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "image_size": 224,
        "patch_size": 14,
        "projection_dim": 2048,
        "vision_use_head": False,
    }
    model: Any = _random(
        PI0ForConditionalGeneration,
        PI0Config(
            vlm_config={
                "model_type": "paligemma",
                "text_config": text,
                "vision_config": vision,
                "image_token_index": image_token,
                "projection_dim": 2048,
            },
            dit_config={**text, "hidden_size": 1024, "intermediate_size": 4096},
            chunk_size=horizon,
            max_state_dim=32,
            max_action_dim=32,
            num_inference_steps=n_steps,
        ),
    )
    tokens = _text_of_pi05(n_text)
    cameras = [Camera(name, side, side) for name in ("base", "wrist", "missing")]
    shares = (1.0,) * side**2
    slots = [Slot(camera, shares, camera.name == "missing") for camera in cameras]
    layout = pi_layout(
        "pi05", slots, tokens, horizon, ("instruction", "words", "action"), has_state_token=True
    )
    prefix = layout.of("prefix")
    inputs = {
        "input_ids": torch.tensor([[image_token] * (3 * side**2) + list(range(n_text))]),
        "attention_mask": torch.tensor([[int(token.is_valid) for token in prefix.tokens]]),
        "pixel_values": torch.randn(1, 3, 3, 224, 224),
        "pixel_attention_mask": torch.tensor([[True, True, False]]),
        "state": torch.randn(1, 32),
        "noise": torch.randn(1, horizon, 32),
    }
    stacks = {"prefix": model.model.vlm.language_model.layers, "suffix": model.model.dit.layers}
    points = [
        TapPoint(name, index, layer.self_attn, name == "suffix")
        for name, layers in stacks.items()
        for index, layer in enumerate(layers)
    ]
    return Subject(
        title=f"Pi0.5's geometry: {prefix.n_keys} keys in the prefix, {horizon + 1} rows in the suffix, {n_steps} steps",
        run=lambda: model.sample_actions(**inputs),
        tapped=lambda sink, attention: tap(points, sink, attention),
        layout=layout,
        n_layers=n_layers,
        real_layers=18,
        n_heads=8,
        passes={"prefix": 0, "suffix": n_steps},
        layer_bytes=4 * 8 * prefix.n_keys**2,
    )


def _text_of_pi05(length: int) -> list[Token]:
    words = [Token("text", "instruction", word, index) for index, word in enumerate(WORDS)]
    before = [Token("text", "bos"), *[Token("text", "template")] * 2]
    found = [*before, *words, *[Token("state", "state")] * 40, *[Token("text", "template")] * 4]
    return [*found, *[Token("pad", "pad", is_valid=False)] * (length - len(found))]


def cosmos(n_layers: int = 2) -> Subject:
    """diffusers' Cosmos transformer at the sizes of Cosmos-Predict2-2B; one call of the network, as in every step."""
    from diffusers import CosmosTransformer3DModel
    from diffusers.models.attention_dispatch import attention_backend

    suite, latent, n_slots, n_heads = SUITES["libero"], (16, 28, 28), 512, 16
    model: Any = _random(
        CosmosTransformer3DModel,
        in_channels=latent[0] + 1,
        out_channels=latent[0],
        num_attention_heads=n_heads,
        attention_head_dim=128,
        num_layers=n_layers,
        text_embed_dim=1024,
        adaln_lora_dim=256,
        max_size=(16, 240, 240),
        rope_scale=(1.0, 3.0, 3.0),
        concat_padding_mask=False,
        extra_pos_embed_type=None,
    )
    n_frames = len(suite.frames)
    text = [
        *[Token("text", "instruction")] * len(WORDS),
        *[Token("pad", "text_pad")] * (n_slots - len(WORDS)),
    ]
    layout = cosmos_layout("cosmos", suite.frames, latent, text, ("action",), suite.chunk)
    inputs = {
        "hidden_states": torch.randn(1, latent[0], n_frames, *latent[1:]),
        "timestep": torch.tensor([0.5]),
        "encoder_hidden_states": torch.randn(1, n_slots, 1024),
        "condition_mask": torch.zeros(1, 1, n_frames, *latent[1:]),
        "return_dict": False,
    }
    blocks = list(enumerate(model.transformer_blocks))
    points = [
        *(TapPoint("denoise", index, block.attn1, True) for index, block in blocks),
        *(TapPoint("cross", index, block.attn2, True) for index, block in blocks),
    ]

    @torch.no_grad()
    def run() -> object:
        return model(**inputs)

    @contextmanager
    def tapped(sink: WeightSink, attention: str) -> Iterator[None]:
        # diffusers has no eager processor; torch's math kernel is what forms all weights.
        formed = attention_backend("_native_math") if attention == "eager" else nullcontext()
        with formed, attention_processors(points, sink):
            yield

    n_keys = layout.of("denoise").n_keys
    return Subject(
        title=f"Cosmos's geometry: {n_keys} latent keys, {n_slots} of text, one call of the network",
        run=run,
        tapped=tapped,
        layout=layout,
        n_layers=n_layers,
        real_layers=28,
        n_heads=n_heads,
        passes={"denoise": 1, "cross": 1},
        layer_bytes=4 * n_heads * n_keys**2,
    )


@torch.no_grad()
def _random(make: Callable[..., nn.Module], *args: Any, **options: Any) -> nn.Module:
    """A model with small random weights, filled once: its own initialisation takes longer than the benchmark."""
    from transformers.initialization import no_init_weights

    torch.manual_seed(0)
    with no_init_weights():
        model = make(*args, **options)
    for parameter in model.parameters():
        parameter.uniform_(-0.03, 0.03)
    return model.eval()
