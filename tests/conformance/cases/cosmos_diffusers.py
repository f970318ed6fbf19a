"""Cosmos Policy through diffusers, with small random weights."""

from __future__ import annotations

from functools import partial

import torch
from diffusers import CosmosTransformer3DModel

from ingest.policies.base import Policy
from ingest.policies.cosmos_diffusers import CosmosDiffusersAdapter
from ingest.policies.cosmos_layout import CosmosOptions, Suite, Text
from tests.conformance.case import Case
from tests.conformance.models import cosmos_world as world


def model() -> CosmosTransformer3DModel:
    torch.manual_seed(0)
    made = CosmosTransformer3DModel(
        in_channels=world.CHANNELS + 1,
        out_channels=world.CHANNELS,
        num_attention_heads=3,
        attention_head_dim=24,
        num_layers=2,
        mlp_ratio=2.0,
        text_embed_dim=world.TEXT_DIM,
        adaln_lora_dim=8,
        max_size=(16, 32, 32),
        rope_scale=(1.0, 3.0, 3.0),  # of the policy's configuration
        concat_padding_mask=False,  # with it, diffusers needs torchvision
        extra_pos_embed_type=None,
    )
    # Fresh modulation and norms leave attention nearly uniform, and every gate shut.
    with torch.no_grad():
        for name, values in made.named_parameters():
            if "linear_2" in name:
                values.normal_(0, 0.3)
            elif "norm_q" in name or "norm_k" in name:
                values.normal_(1.0, 0.6)
    return made.eval()


def embed(prompt: str, *, with_pieces: bool) -> Text:
    ids, pieces, is_cut = world.pieces_of(prompt)
    embedding = world.embedding_of(prompt)
    if not with_pieces:
        return Text(embedding, Text.from_embedding(embedding).token_ids, is_cut=is_cut)
    return Text(embedding, ids, pieces, is_cut)


def build(with_pieces: bool) -> Policy:
    return CosmosDiffusersAdapter(
        model(),
        Suite(tuple(world.FRAMES), world.CHUNK, ("gripper_qpos", "eef_pos")),
        world.latents_of,
        partial(embed, with_pieces=with_pieces),
        statistics=world.STATISTICS,
        options=CosmosOptions(denoising_steps=world.N_CALLS, query_frame="curr_last"),
        image_size=world.SIDE,
    )


CASES = [
    Case(
        name=f"cosmos-diffusers-{name}",
        build=partial(build, with_pieces),
        observe=world.observe,
        keys=partial(world.keys, with_pieces),
        n_calls={"denoise": world.N_CALLS, "cross": world.N_CALLS},
        long_prompt=world.LONG_PROMPT,
        query_groups=("action",),
        groups=world.groups,
    )
    for name, with_pieces in {"words": True, "embedding": False}.items()
]
