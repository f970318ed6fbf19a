"""The tiny policy: Pi0.5's shape at 1.8 M parameters, with transformers' Gemma attention in both stacks.

images + words + state --> prefix stack (bidirectional) --> keys and values of every layer
                                                                   |
noise ----------------> action expert, n_steps Euler steps <-------+   keys = prefix keys, then action keys
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.models.gemma.configuration_gemma import GemmaConfig
from transformers.models.gemma.modeling_gemma import GemmaAttention, GemmaRotaryEmbedding

from ingest.demo.config import TinyConfig
from ingest.demo.tokenizer import FIRST_STATE_ID, N_STATE_BINS

# openpi's value for a key that may not be seen: finite, and exactly 0 after the softmax of any row with a seen key.
MASKED = -2.3819763e38


class PrefixCache:
    """Keys and values of the prefix, one pair a layer: filled by the prefix pass, read unchanged by every step.

    Has the one method of a transformers ``Cache`` that ``GemmaAttention`` calls. A ``DynamicCache`` would grow by
    the action keys in each denoising step and would have to be cropped. ``room`` is the number of action keys where
    it is known and no gradient is wanted: each step then writes its keys behind the prefix's, over those of the step
    before, instead of copying all of them.
    """

    def __init__(self, room: int = 0) -> None:
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}
        self._room = room
        self.is_filling = True

    def update(self, keys: Tensor, values: Tensor, layer_idx: int) -> tuple[Tensor, Tensor]:
        """[B, heads, new, head_dim] in; while reading, the prefix's keys and values are put in front."""
        if self.is_filling:
            self._layers[layer_idx] = (self._with_room(keys), self._with_room(values))
            return keys, values
        prefix_keys, prefix_values = self._layers[layer_idx]
        if not self._room:
            return torch.cat([prefix_keys, keys], dim=2), torch.cat([prefix_values, values], dim=2)
        prefix_keys[:, :, -self._room :] = keys
        prefix_values[:, :, -self._room :] = values
        return prefix_keys, prefix_values

    def _with_room(self, prefix: Tensor) -> Tensor:
        return nn.functional.pad(prefix, (0, 0, 0, self._room)) if self._room else prefix


class PrefixBlock(nn.Module):
    """Pre-norm transformer block of the prefix stack."""

    def __init__(self, config: TinyConfig, attention: GemmaConfig, layer: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.width)
        self.self_attn = GemmaAttention(attention, layer)
        self.norm_mlp = nn.LayerNorm(config.width)
        self.mlp = _mlp(config.width, config.mlp_ratio)

    def forward(self, x: Tensor, mask: Tensor, rope: tuple[Tensor, Tensor], cache: PrefixCache) -> Tensor:
        attended, _ = self.self_attn(
            hidden_states=self.norm_attention(x),
            position_embeddings=rope,
            attention_mask=mask,
            past_key_values=cache,
        )
        x = x + attended
        return x + self.mlp(self.norm_mlp(x))


class ExpertBlock(nn.Module):
    """Block of the action expert; the denoising time shifts, scales and gates both halves (adaLN)."""

    def __init__(self, config: TinyConfig, attention: GemmaConfig, layer: int) -> None:
        super().__init__()
        width = config.expert_width
        self.norm_attention = nn.LayerNorm(width, elementwise_affine=False)
        self.self_attn = GemmaAttention(attention, layer)
        self.norm_mlp = nn.LayerNorm(width, elementwise_affine=False)
        self.mlp = _mlp(width, config.mlp_ratio)
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(
        self, x: Tensor, time: Tensor, mask: Tensor, rope: tuple[Tensor, Tensor], cache: PrefixCache
    ) -> Tensor:
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = self.modulation(time).chunk(6, dim=-1)
        attended, _ = self.self_attn(
            hidden_states=self.norm_attention(x) * (1 + scale_a) + shift_a,
            position_embeddings=rope,
            attention_mask=mask,
            past_key_values=cache,
        )
        x = x + (1 + gate_a) * attended
        return x + (1 + gate_m) * self.mlp(self.norm_mlp(x) * (1 + scale_m) + shift_m)


class TinyPolicy(nn.Module):
    """Two cameras, an instruction and the gripper's state -> a chunk of actions."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        side = config.patch_size
        self._prefix_attention = _gemma_config(config, config.width)
        self._expert_attention = _gemma_config(config, config.expert_width)

        self.patch_embedding = nn.Sequential(
            nn.Linear(3 * side * side, config.width), nn.GELU(), nn.Linear(config.width, config.width)
        )
        # A place means something else in each camera, so each camera has its own table of places.
        self.patch_place = nn.Parameter(_places(config).repeat(len(config.cameras), 1, 1))
        self.camera_embedding = nn.Parameter(0.02 * torch.randn(len(config.cameras), 1, config.width))
        self.token_embedding = nn.Embedding(config.vocabulary_size, config.width)
        nn.init.normal_(self.token_embedding.weight, std=0.5)
        self._order_state_bins()
        self.prefix_layers = nn.ModuleList(
            PrefixBlock(config, self._prefix_attention, layer) for layer in range(config.n_layers)
        )

        self.action_in = nn.Linear(config.action_dim, config.expert_width)
        self.action_place = nn.Parameter(0.02 * torch.randn(config.horizon, config.expert_width))
        self.time_embedding = nn.Sequential(
            nn.Linear(config.expert_width, config.expert_width),
            nn.SiLU(),
            nn.Linear(config.expert_width, config.expert_width),
            nn.SiLU(),
        )
        self.expert_layers = nn.ModuleList(
            ExpertBlock(config, self._expert_attention, layer) for layer in range(config.n_layers)
        )
        self.norm_out = nn.LayerNorm(config.expert_width)
        self.action_out = nn.Linear(config.expert_width, config.action_dim)

        self.rope = GemmaRotaryEmbedding(self._prefix_attention)
        _check_rope(self.rope, config)
        self.set_attention("sdpa")

    def set_attention(self, implementation: Literal["eager", "sdpa"]) -> None:
        """``eager`` makes every ``self_attn`` return its weights [B, H, Q, K]; ``sdpa`` returns None in their place."""
        if implementation not in ("eager", "sdpa"):
            raise ValueError(f"attention must be 'eager' or 'sdpa', found {implementation!r}")
        self._prefix_attention._attn_implementation = implementation
        self._expert_attention._attn_implementation = implementation

    @torch.no_grad()
    def _order_state_bins(self) -> None:
        """Starts neighbouring bins of a state dimension near each other; the table is learnt all the same."""
        table = self.token_embedding.weight
        waves = _waves(torch.linspace(-1, 1, N_STATE_BINS), table.shape[1])
        for first in range(FIRST_STATE_ID, len(table), N_STATE_BINS):
            offset = 0.3 * torch.randn(table.shape[1])
            table[first : first + N_STATE_BINS] = 0.5 * waves[:, torch.randperm(table.shape[1])] + offset

    # --- the prefix ---------------------------------------------------------------------------------------------

    def patchify(self, images: Tensor) -> Tensor:
        """[B, cameras, 3, H, W] -> [B, patches, 3 * side * side], camera after camera, patches row-major."""
        side, n = self.config.patch_size, self.config.patches_per_side
        batch, cameras = images.shape[:2]
        patches = images.reshape(batch, cameras, 3, n, side, n, side).permute(0, 1, 3, 5, 2, 4, 6)
        return patches.reshape(batch, cameras * n * n, 3 * side * side)

    def embed_patches(self, patches: Tensor) -> Tensor:
        """[B, patches, pixels] of all cameras -> [B, patches, width], with camera and place added."""
        place = (self.patch_place + self.camera_embedding).flatten(0, 1)
        return self.patch_embedding(patches) + place

    def encode_prefix(
        self, x: Tensor, is_valid: Tensor, positions: Tensor, cache: PrefixCache
    ) -> list[Tensor]:
        """Runs the prefix stack and fills the cache. Returns the hidden states after every layer (for training).

        x [B, P, width], is_valid [B, P] bool, positions [B or 1, P].
        """
        one = _additive(is_valid, x.dtype)[
            :, 0
        ]  # both ways in floats: torch is slow at broadcasting booleans
        mask = torch.minimum(one[:, None, :], one[:, :, None])[:, None]
        rope = self.rope(x, positions)
        hidden = []
        for layer in self.prefix_layers:
            x = layer(x, mask, rope, cache)
            hidden.append(x)
        cache.is_filling = False
        return hidden

    def prefix_positions(self, n_tokens: int, device: torch.device | None = None) -> Tensor:
        """[1, patches + tokens]: 0, 1, 2, ... whatever else is in the batch."""
        return torch.arange(self.config.n_patches + n_tokens, device=device)[None]

    # --- the action expert --------------------------------------------------------------------------------------

    def velocity(
        self, actions: Tensor, time: Tensor, mask: Tensor, cache: PrefixCache, positions: Tensor | None = None
    ) -> Tensor:
        """The flow at noisy ``actions`` [B, Q, action_dim] and ``time`` [B, Q] (1 = noise, 0 = action).

        Q is ``horizon``, or several chunks in a row when training. ``mask`` is additive [B, 1, Q, P + Q].
        """
        chunks = actions.shape[1] // self.config.horizon
        if positions is None:
            # Behind the longest text, so that the place of an action does not hang on the length of the prompt.
            positions = (
                self.config.prefix_len + torch.arange(self.config.horizon, device=actions.device)[None]
            )
            positions = positions.repeat(1, chunks)
        x = self.action_in(actions) + self.action_place.repeat(chunks, 1)
        conditioning = self.time_embedding(_sinusoids(time, self.config.expert_width))
        rope = self.rope(x, positions)
        for layer in self.expert_layers:
            x = layer(x, conditioning, mask, rope, cache)
        return self.action_out(self.norm_out(x))

    @torch.no_grad()
    def sample_actions(self, images: Tensor, tokens: Tensor, token_mask: Tensor, noise: Tensor) -> Tensor:
        """One prefix pass, then ``n_steps`` Euler steps from noise (step 0) to actions.

        images [B, cameras, 3, 224, 224] in [-1, 1]; tokens and token_mask [B, T]; noise [B, horizon, action_dim].
        Returns actions [B, horizon, action_dim] in the policy's units. Raises ValueError for other shapes.
        """
        self._check(images, tokens, token_mask, noise)
        return self.sample_from_patches(self.embed_patches(self.patchify(images)), tokens, token_mask, noise)

    @torch.no_grad()
    def sample_from_patches(
        self, patches: Tensor, tokens: Tensor, token_mask: Tensor, noise: Tensor
    ) -> Tensor:
        """:meth:`sample_actions` for pictures that were embedded before: patches [B, n_patches, width]."""
        batch, n_tokens = tokens.shape
        x = torch.cat([patches, self.token_embedding(tokens)], dim=1)
        is_valid = torch.cat(
            [torch.ones_like(token_mask[:, :1]).expand(batch, self.config.n_patches), token_mask], 1
        )
        horizon = self.config.horizon
        cache = PrefixCache(room=horizon)
        self.encode_prefix(x, is_valid, self.prefix_positions(n_tokens, x.device), cache)

        seen = torch.cat([is_valid, is_valid.new_ones(batch, horizon)], dim=1)
        mask = _additive(seen[:, None, :].expand(batch, horizon, -1), x.dtype)
        actions = noise
        for step in range(self.config.n_steps):
            time = noise.new_full((batch, horizon), 1.0 - step / self.config.n_steps)
            actions = actions - self.velocity(actions, time, mask, cache) / self.config.n_steps
        return actions

    def _check(self, images: Tensor, tokens: Tensor, token_mask: Tensor, noise: Tensor) -> None:
        c = self.config
        batch = tokens.shape[0]
        wanted = {
            "images": (images, (batch, len(c.cameras), 3, c.image_size, c.image_size)),
            "token_mask": (token_mask, tuple(tokens.shape)),
            "noise": (noise, (batch, c.horizon, c.action_dim)),
        }
        for name, (tensor, shape) in wanted.items():
            if tuple(tensor.shape) != shape:
                raise ValueError(f"{name}: expected {shape}, found {tuple(tensor.shape)}")
        if token_mask.dtype != torch.bool:
            raise ValueError(f"token_mask must be boolean, found {token_mask.dtype}")

    # --- files --------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
        """Writes ``model.safetensors`` (rounded to ``dtype``) and ``config.json``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: tensor.to(dtype).contiguous() for name, tensor in self.state_dict().items()},
            folder / "model.safetensors",
        )
        self.config.write(folder / "config.json")

    @classmethod
    def from_folder(cls, folder: str | Path) -> TinyPolicy:
        """Loads weights as float32, in evaluation mode, with ``sdpa`` attention. Nothing is unpickled."""
        folder = Path(folder)
        policy = cls(TinyConfig.read(folder / "config.json"))
        weights = load_file(folder / "model.safetensors")
        policy.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        return policy.eval()


def _mlp(width: int, ratio: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, ratio * width), nn.GELU(approximate="tanh"), nn.Linear(ratio * width, width)
    )


def _waves(at: Tensor, width: int) -> Tensor:
    """[N] in -1..1 -> [N, width]: sines and cosines of 1/4 to 4 periods, so that nearby numbers are alike."""
    periods = torch.logspace(math.log10(0.25), math.log10(4.0), width // 2)
    angles = math.pi * at[:, None] * periods
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _places(config: TinyConfig) -> Tensor:
    """[1, patches, width]: where the learnt places of the patches start, half for the row, half for the column."""
    side = config.patches_per_side
    waves = 0.3 * _waves(torch.linspace(-1, 1, side), config.width // 2)
    rows = waves[:, None].expand(side, side, -1)
    columns = waves[None].expand(side, side, -1)
    return torch.cat([rows, columns], dim=2).reshape(1, side * side, -1)


def _gemma_config(config: TinyConfig, hidden_size: int) -> GemmaConfig:
    return GemmaConfig(
        hidden_size=hidden_size,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        num_key_value_heads=config.n_kv_heads,
        head_dim=config.head_dim,
        max_position_embeddings=config.prefix_len + config.horizon,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        use_bidirectional_attention=True,
    )


def _check_rope(rope: GemmaRotaryEmbedding, config: TinyConfig) -> None:
    """transformers 4 knows no ``rope_parameters`` and would turn by other angles without a word."""
    exponents = torch.arange(0, config.head_dim, 2) / config.head_dim
    if not torch.allclose(rope.inv_freq.float(), config.rope_theta**-exponents):
        raise ImportError("the demo policy needs transformers 5 or newer: pip install -U 'transformers>=5'")


def _additive(may_see: Tensor, dtype: torch.dtype) -> Tensor:
    """[B, Q, K] booleans -> [B, 1, Q, K] with 0 where a key may be seen and ``MASKED`` elsewhere."""
    mask = torch.zeros(may_see.shape, dtype=dtype, device=may_see.device)
    return mask.masked_fill_(~may_see, MASKED)[:, None]


def _sinusoids(time: Tensor, width: int) -> Tensor:
    """[B, Q] in 0..1 -> [B, Q, width], periods from 4e-3 to 4 as in Pi0."""
    periods = torch.logspace(math.log10(4e-3), math.log10(4.0), width // 2, device=time.device)
    angles = 2 * math.pi * time[..., None] / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1).to(time.dtype)
