"""Attention rollout: how much of each token reaches each other one through all layers so far.

R_l = (A_l + I) / 2 R_(l-1), with A_l the mean over heads and R_(-1) = I. Abnar & Zuidema 2020, METHODS 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.attention.layout import LayoutError
from ingest.attention.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor


def can_roll_out(weights: Weights) -> bool:
    """Whether keys are the queries' own tokens. A suffix also looks at keys whose rows are not its own."""
    _, _, n_queries, n_keys = weights.shape
    return n_queries == n_keys


class Rollout:
    """The product over the layers of one pass and step, [B, K, K] in float64 on the model's device."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._product: Tensor | None = None
        self._n_layers = 0

    def add(self, layer: int, weights: Weights) -> Tensor:
        """The rollout up to this layer. Raises LayoutError when layers do not come one after the other."""
        import torch

        if layer != self._n_layers:
            raise LayoutError(f"the rollout wants layer {self._n_layers}, and layer {layer} came")
        self._n_layers += 1
        identity = torch.eye(weights.shape[3], dtype=torch.float64, device=self._device)
        mixed = (self._mean_over_heads(weights) + identity) / 2
        self._product = mixed if self._product is None else mixed @ self._product
        return self._product

    def _mean_over_heads(self, weights: Weights) -> Tensor:
        """Head by head: all of them at once in float64 would take many times the model's own memory."""
        import torch

        batch, n_heads, n_queries, _ = weights.shape
        every_row = torch.arange(n_queries, device=self._device).expand(batch, -1)
        heads = torch.arange(n_heads, device=self._device)
        total = weights.rows(every_row, heads[:1])[:, 0]
        for head in range(1, n_heads):
            total = total + weights.rows(every_row, heads[head : head + 1])[:, 0]
        return total / n_heads
