"""Cosmos Policy through cosmos-policy: its real network, sampler and `get_action`, with small random weights.

The VAE and the text conditioner are stand-ins; without CUDA so are the packages of tests/conformance/models/cosmos_standins.py.
"""

from __future__ import annotations

from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import cosmos_policy  # noqa: F401 - an ImportError leaves this case out
import numpy as np
import torch
from torch import Tensor, nn

from ingest.policies.base import Policy
from ingest.policies.cosmos import CosmosAdapter, eval_config, imported_for
from ingest.policies.cosmos_layout import CosmosOptions
from tests.conformance.case import Case
from tests.conformance.models import cosmos_standins
from tests.conformance.models import cosmos_world as world

cosmos_standins.install()


class FakeVae:
    latent_ch = world.CHANNELS
    spatial_compression_factor = 8

    def get_latent_num_frames(self, n_pictures: int) -> int:
        return 1 + (n_pictures - 1) // 4

    def get_pixel_num_frames(self, n_frames: int) -> int:
        return 1 + 4 * (n_frames - 1)

    def encode(self, video: Tensor) -> Tensor:
        """video [B, 3, T, H, W] in -1..1."""
        pictures = ((video + 1) * 127.5).round().permute(0, 2, 3, 4, 1).numpy().astype(np.uint8)
        return torch.from_numpy(np.stack([world.latents_of(one) for one in pictures]))


class FakeConditioner(nn.Module):
    """Hands text and padding on, as the real one does at inference, in the network's dtype."""

    def forward(self, data_batch: dict[str, Any]) -> Any:
        from cosmos_policy.config.conditioner.video2world_conditioner import Video2WorldCondition

        return Video2WorldCondition(
            crossattn_emb=data_batch["t5_text_embeddings"].float(),
            padding_mask=data_batch["padding_mask"].float(),
            fps=data_batch["fps"].float(),
            use_video_condition=True,
        )

    def get_condition_uncondition(self, data_batch: dict[str, Any]) -> tuple[Any, None]:
        return self(data_batch), None


def network() -> nn.Module:
    from cosmos_policy._src.predict2.networks.minimal_v1_lvg_dit import MinimalV1LVGDiT
    from cosmos_policy._src.predict2.networks.minimal_v4_dit import SACConfig

    torch.manual_seed(0)
    net: nn.Module = MinimalV1LVGDiT(
        max_img_h=32,
        max_img_w=32,
        max_frames=16,
        in_channels=world.CHANNELS,
        out_channels=world.CHANNELS,
        patch_spatial=2,
        patch_temporal=1,
        model_channels=72,
        num_blocks=2,
        num_heads=3,
        mlp_ratio=2.0,
        crossattn_emb_channels=world.TEXT_DIM,
        pos_emb_cls="rope3d",
        rope_h_extrapolation_ratio=3.0,
        rope_w_extrapolation_ratio=3.0,
        rope_enable_fps_modulation=False,
        use_adaln_lora=True,
        adaln_lora_dim=8,
        atten_backend="torch",
        sac_config=SACConfig(mode="none"),
    )
    # Fresh modulation and norms leave attention nearly uniform, and every gate shut.
    with torch.no_grad():
        for name, values in net.named_parameters():
            if "adaln" in name and name.endswith("2.weight"):
                values.normal_(0, 0.3)
            elif "q_norm" in name or "k_norm" in name:
                values.normal_(1.0, 0.6)
            elif name == "final_layer.linear.weight":
                values.normal_(0, 0.1)
    net.disable_context_parallel = lambda: None  # it opens a stream of CUDA
    return net.eval()


def model() -> nn.Module:
    """A `CosmosPolicyVideo2WorldModel`; its own constructor puts everything on CUDA."""
    from cosmos_policy._src.imaginaire.modules.denoiser_scaling import RectifiedFlowScaling
    from cosmos_policy.models.policy_video2world_model import CosmosPolicyVideo2WorldModel
    from cosmos_policy.modules.cosmos_sampler import CosmosPolicySampler
    from cosmos_policy.modules.hybrid_edm_sde import HybridEDMSDE

    made: Any = CosmosPolicyVideo2WorldModel.__new__(CosmosPolicyVideo2WorldModel)
    nn.Module.__init__(made)
    made.config = SimpleNamespace(
        state_ch=world.CHANNELS,
        state_t=len(world.FRAMES),
        min_num_conditional_frames=4,
        max_num_conditional_frames=4,
        conditional_frames_probs=None,
        sigma_data=1.0,
        sigma_conditional=0.0,
        denoise_replace_gt_frames=True,
        use_wan_fp32_strategy=False,
        use_flowunipc_scheduler=False,
    )
    made.precision, made.sigma_data = torch.float32, 1.0
    made.tensor_kwargs = {"device": "cpu", "dtype": torch.float32}
    made.input_data_key, made.input_image_key = "video", "images"
    made.sde = HybridEDMSDE(sigma_max=80.0, sigma_min=4.0)
    made.sampler, made.scaling = CosmosPolicySampler(), RectifiedFlowScaling(1.0)
    made.tokenizer, made.conditioner, made.net = FakeVae(), FakeConditioner(), network()
    made.eval()
    return made


def smaller(utils: ModuleType) -> ModuleType:
    """cosmos-policy's module with the sizes of the small world, and its prompts' embeddings."""
    utils.COSMOS_IMAGE_SIZE, utils.ACTION_DIM = world.SIDE, world.CHUNK[1]
    utils.get_t5_embedding_from_cache = lambda prompt: torch.from_numpy(world.embedding_of(prompt))[None]
    return utils


def build(with_pieces: bool) -> Policy:
    return CosmosAdapter(
        model(),
        smaller(imported_for("libero")),
        eval_config("libero", chunk_size=world.CHUNK[0]),
        world.STATISTICS,
        options=CosmosOptions(denoising_steps=world.N_CALLS, query_frame="curr_last"),
        pieces=(lambda prompt, _n_slots: world.pieces_of(prompt)) if with_pieces else None,
    )


CASES = [
    Case(
        name=f"cosmos-{name}",
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
