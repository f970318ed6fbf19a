"""The sampler of cosmos-policy, for a network that is loaded without it.

Sigmas from 80 to 4, evenly spaced in their seventh root (Karras et al. 2022, arXiv:2206.00364, eq. 5); second-order
Adams-Bashforth steps of the exponential integrator (Zhang et al. 2023, arXiv:2308.02157); a last call at the smallest
sigma gives the sample. Rectified-flow preconditioning with sigma_data = 1: t = sigma / (sigma + 1).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

SIGMA_MAX, SIGMA_MIN, RHO = 80.0, 4.0, 7.0

Network = Callable[[Tensor, Tensor], Tensor]
"""(input [B, C, T, H, W], noise level of each frame [B, 1, T, 1, 1]) -> output [B, C, T, H, W], all float32."""


def n_calls(denoising_steps: int) -> int:
    """Calls of the network; one for two steps, as cosmos-policy counts its last call among the steps."""
    return denoising_steps if denoising_steps > 2 else 1


def sigmas(denoising_steps: int) -> Tensor:
    """Noise levels of the calls, highest first, float64."""
    n_intervals = max(denoising_steps - 1, 1)
    share = torch.arange(n_intervals + 1, dtype=torch.float64) / n_intervals
    levels = (SIGMA_MAX ** (1 / RHO) + share * (SIGMA_MIN ** (1 / RHO) - SIGMA_MAX ** (1 / RHO))) ** RHO
    return levels[: n_calls(denoising_steps)]


def sample(network: Network, noise: Tensor, given: Tensor, is_given: Tensor, denoising_steps: int) -> Tensor:
    """Denoises standard normal ``noise`` [B, C, T, H, W] into a sample of the same shape.

    ``given`` [B, C, T, H, W] are the clean frames, ``is_given`` [T] which frames of it count.
    """
    levels = sigmas(denoising_steps).to(noise.device)
    x = (noise * SIGMA_MAX).double()
    before: tuple[Tensor, Tensor] | None = None
    for sigma, following in pairwise(levels):
        clean = _clean(network, x, sigma, given, is_given)
        x, before = _step(x, clean, sigma, following, before), (clean, sigma)
    return _clean(network, x, levels[-1], given, is_given).float()


def _clean(network: Network, x: Tensor, sigma: Tensor, given: Tensor, is_given: Tensor) -> Tensor:
    """The network's estimate of the clean sample, in float64; the given frames are themselves."""
    x = x.float()
    mask = is_given.to(x).view(1, 1, -1, 1, 1)
    level = sigma.float() / (sigma.float() + 1)
    noisy = given * mask + x * (1 - level) * (1 - mask)
    output = network(noisy, (level * (1 - mask)).expand(len(x), -1, -1, -1, -1))
    clean = (1 - level) * x - level * output
    return (given * mask + clean * (1 - mask)).double()


def _step(
    x: Tensor, clean: Tensor, sigma: Tensor, following: Tensor, before: tuple[Tensor, Tensor] | None
) -> Tensor:
    """From ``sigma`` to ``following``: Euler at first, then with the estimate before it."""
    if before is None:
        return (sigma - following) / sigma * clean + following / sigma * x
    last, last_sigma = before
    step = sigma.log() - following.log()
    ratio = (sigma.log() - last_sigma.log()) / step
    phi1 = torch.expm1(-step) / -step
    phi2 = (phi1 - 1) / -step
    return (-step).exp() * x + step * ((phi1 - phi2 / ratio) * clean + phi2 / ratio * last)
