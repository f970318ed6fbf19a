"""Full attention weights, taken where torch computes them: without the adapter's hooks, names or layer numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Records = list[Tensor]


@contextmanager
def watch_attention() -> Iterator[Records]:
    """Every softmax over keys and every scaled dot-product attention while open, as weights [B, H, Q, K] in call order.

    Sees models that call ``softmax`` on scores (eager) or ``scaled_dot_product_attention``, through the functional
    module or a name imported from it.
    """
    records: Records = []
    softmax, sdpa, method = F.softmax, F.scaled_dot_product_attention, torch.Tensor.softmax
    depth = 0

    def keep(weights: Tensor) -> None:
        if depth == 0 and weights.dim() == 4:
            records.append(weights.detach().double().clone())

    def watched_softmax(values: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        found = softmax(values, *args, **kwargs)
        keep(found)
        return found

    def watched_method(values: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return method(values, *args, **kwargs)

    def watched_sdpa(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        nonlocal depth
        keep(full_weights(query, key, *args, **kwargs))
        depth += 1
        try:
            return sdpa(query, key, value, *args, **kwargs)
        finally:
            depth -= 1

    F.softmax, F.scaled_dot_product_attention = watched_softmax, watched_sdpa  # type: ignore[assignment]
    torch.nn.functional.softmax = watched_softmax  # type: ignore[assignment]
    try:
        yield records
    finally:
        F.softmax, F.scaled_dot_product_attention = softmax, sdpa


def full_weights(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """[B, H, Q, K] in float64, by torch's description of scaled_dot_product_attention."""
    query, key = query.double(), key.double()
    if key.shape[1] != query.shape[1]:
        key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        scores = scores.masked_fill(~allowed, -math.inf)
    if attn_mask is not None:
        scores = (
            scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
        )
    raised = torch.exp(scores - scores.amax(-1, keepdim=True))
    return raised / raised.sum(-1, keepdim=True)
