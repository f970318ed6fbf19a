"""What the policy is taught by: the flow of the expert's actions, and two questions put to hidden states.

Nothing here looks at attention weights. The two auxiliary losses do train the link from a toy's name to its place
in the pictures, which is the very link that the demo's report later finds: the model card says so.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ingest.demo.model import MASKED, PrefixCache, TinyPolicy
from ingest.demo.training.dataset import Batch

GROUNDING_LAYER = 1  # hidden states after this layer must know which patches show the named toy
EARLIEST = 0.1  # smallest denoising time that is trained
POSITION_LAYER = 4  # and after this one the name's token must know where it stands
_TABLE_CENTRE, _TABLE_SCALE = (0.455, 0.0), 0.1  # metres


class Losses(NamedTuple):
    flow: Tensor
    position: Tensor
    grounding: Tensor
    position_error: Tensor  # metres, mean over the batch


class Probes(nn.Module):
    """The linear readouts of the auxiliary losses; thrown away after training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.position = nn.Linear(width, 4)  # on the table, and relative to the gripper
        self.patch = nn.Linear(width, 32)
        self.name = nn.Linear(width, 32)
        self.grounding_bias = nn.Parameter(torch.tensor(-3.0))


def losses(
    policy: TinyPolicy, probes: Probes, batch: Batch, n_noise: int, generator: torch.Generator
) -> Losses:
    """All losses of one batch, with ``n_noise`` noisy chunks on each prefix."""
    config = policy.config
    n_patches = batch.patches.shape[1]
    place = (policy.patch_place + policy.camera_embedding).flatten(0, 1)
    patches = policy.patch_embedding(batch.patches) + place[batch.patch_index]
    patches = patches.repeat_interleave(batch.n_prompts, dim=0)
    x = torch.cat([patches, policy.token_embedding(batch.tokens)], dim=1)
    is_valid = torch.cat([batch.token_mask.new_ones(len(patches), n_patches), batch.token_mask], dim=1)
    text_positions = config.n_patches + torch.arange(batch.tokens.shape[1])
    positions = torch.cat(
        [
            batch.patch_index.repeat_interleave(batch.n_prompts, dim=0),
            text_positions.expand(len(patches), -1),
        ],
        dim=1,
    )
    cache = PrefixCache()
    hidden = policy.encode_prefix(x, is_valid, positions, cache)

    rows = torch.arange(len(patches))
    name_at = n_patches + batch.name_index
    position, error = _position_loss(probes, hidden[POSITION_LAYER][rows, name_at], batch)
    grounding = _grounding_loss(probes, hidden[GROUNDING_LAYER], n_patches, name_at, batch)
    flow = _flow_loss(policy, cache, is_valid, batch, n_noise, generator)
    return Losses(flow, position, grounding, error)


def _position_loss(probes: Probes, name_states: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    toys = batch.toys.flatten(0, 1)
    hand = batch.state[:, :2].repeat_interleave(batch.n_prompts, dim=0)
    wanted = torch.cat([(toys - toys.new_tensor(_TABLE_CENTRE)), toys - hand], dim=1) / _TABLE_SCALE
    found = probes.position(name_states)
    error = ((found - wanted)[:, :2] * _TABLE_SCALE).norm(dim=1).mean().detach()
    return (found - wanted).square().mean(), error


def _grounding_loss(probes: Probes, hidden: Tensor, n_patches: int, name_at: Tensor, batch: Batch) -> Tensor:
    rows = torch.arange(len(hidden))
    patches = probes.patch(hidden[:, :n_patches])
    names = probes.name(hidden[rows, name_at])
    logits = torch.einsum("bkd,bd->bk", patches, names) / patches.shape[-1] ** 0.5 + probes.grounding_bias
    # Sequence s asks for the toy s % n_prompts of picture s // n_prompts.
    shares = batch.on_toy.permute(0, 2, 1).flatten(0, 1)
    return nn.functional.binary_cross_entropy_with_logits(
        logits, (shares > 0.15).to(logits.dtype), pos_weight=logits.new_tensor(5.0)
    )


def _flow_loss(
    policy: TinyPolicy,
    cache: PrefixCache,
    is_valid: Tensor,
    batch: Batch,
    n_noise: int,
    generator: torch.Generator,
) -> Tensor:
    horizon = policy.config.horizon
    count = len(batch.chunks)
    noise = torch.randn(count, n_noise, horizon, policy.config.action_dim, generator=generator)
    # Beta(1.5, 1) by its inverse distribution function: mostly noisy, as in Pi0. Times below EARLIEST are left out:
    # the last Euler step starts at 0.2, and near 0 the error of the velocity is that of the action divided by time.
    time = torch.rand(count, n_noise, 1, 1, generator=generator) ** (1 / 1.5) * (1 - EARLIEST) + EARLIEST
    chunks = batch.chunks[:, None]
    noisy = time * noise + (1 - time) * chunks
    velocity = policy.velocity(
        noisy.flatten(1, 2),
        time.expand(-1, -1, horizon, -1).reshape(count, n_noise * horizon),
        _chunks_apart(is_valid, n_noise, horizon),
        cache,
    )
    error = (velocity - (noise - chunks).flatten(1, 2)).square().mean(dim=(1, 2))
    return (error * batch.has_chunk).sum() / batch.has_chunk.sum()


def _chunks_apart(is_valid: Tensor, n_noise: int, horizon: int) -> Tensor:
    """Additive mask in which the noisy chunks of a prefix share its keys and do not see one another."""
    count, n_prefix = is_valid.shape
    chunk = torch.arange(n_noise).repeat_interleave(horizon)
    together = chunk[:, None] == chunk[None]
    seen = torch.cat(
        [
            is_valid[:, None, :].expand(count, n_noise * horizon, n_prefix),
            together.expand(count, -1, -1),
        ],
        dim=2,
    )
    return torch.zeros(seen.shape).masked_fill_(~seen, MASKED)[:, None]
