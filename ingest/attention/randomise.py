"""Sanity: the attention weights of the top layers shuffled, from the top down (Adebayo et al. 2018, arXiv:1810.03292).

Measures that stay the same on such a model say nothing about what it learnt. Shuffling the entries of each tensor
keeps its distribution and needs no knowledge of how the model was initialised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingest.attention.taps import TapPoint
from ingest.identity import digest


@contextmanager
def shuffled_weights(points: Sequence[TapPoint], n_top: int, seed: int) -> Iterator[None]:
    """While open, the parameters of the attention modules of the top ``n_top`` layers are shuffled; restored after.

    The top is counted in each pass. The same seed gives the same shuffle.
    """
    import torch

    n_layers: dict[str, int] = {}
    for point in points:
        n_layers[point.pass_name] = max(n_layers.get(point.pass_name, 0), point.layer + 1)
    modules = {
        id(point.module): point for point in points if point.layer >= n_layers[point.pass_name] - n_top
    }
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    try:
        with torch.no_grad():
            for point in modules.values():
                for name, tensor in point.module.named_parameters():
                    key = digest("shuffle", seed, point.pass_name, point.layer, name)
                    generator = torch.Generator().manual_seed(int.from_bytes(key[:7], "little"))
                    order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
                    kept.append((tensor, tensor.detach().clone()))
                    tensor.copy_(tensor.reshape(-1)[order].reshape(tensor.shape))
        yield
    finally:
        with torch.no_grad():
            for tensor, before in kept:
                tensor.copy_(before)
