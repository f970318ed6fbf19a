"""Attention weights as a tap finds them: all of them, or queries and keys from which the wanted rows are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Weights(Protocol):
    """Softmaxed attention of one layer and call."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(batch, heads, queries, keys)."""
        ...

    def rows(self, index: Tensor, heads: Tensor) -> Tensor:
        """index [B, R] query rows of each inference, heads [h] -> their weights [B, h, R, keys] in float64."""
        ...


@dataclass(frozen=True)
class FullWeights:
    """Weights [B, H, Q, K] that the model computed itself.

    A model that runs in 16 bits rounds its weights to them after the softmax, each by up to ``eps / 2`` of itself, and
    so the sum of a row. Rows that miss 1 by no more than that are divided by their sum, which halves the bound of a
    mass's error: ``|p (1 + a) / (p (1 + a) + q (1 + b)) - p| <= p q |a - b|``, at most ``eps / 4`` for q = 1 - p, where
    ``p |a|`` was up to ``eps / 2``. Rows that miss it by more were no softmax, and are left for the checks to find.
    """

    weights: Tensor

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return _four(self.weights.shape)

    def rows(self, index: Tensor, heads: Tensor) -> Tensor:
        # Rows first: a copy of all weights, even of the chosen heads alone, would cost more than the model's softmax.
        import torch

        rows = _gather(self.weights, index)[:, heads].double()
        if self.weights.dtype not in (torch.bfloat16, torch.float16):
            return rows
        total = rows.sum(-1, keepdim=True)
        return torch.where((total - 1).abs() <= torch.finfo(self.weights.dtype).eps / 2, rows / total, rows)


@dataclass(frozen=True)
class RowsOnDemand:
    """Queries and keys of a model that never forms the weights: softmax of the asked rows alone, in float32 and up.

    ``query`` [B, H, Q, D]; ``key`` [B, H or fewer, K, D]; ``mask`` broadcasts to [B, H, Q, K], boolean (True = may be
    seen) or additive; ``is_causal`` where the model's kernel masks the future by itself, as torch aligns it: query i
    sees keys 0 to i. Source: softmax(Q K^T * scale + mask), Vaswani et al. 2017, eq. 1.
    """

    query: Tensor
    key: Tensor
    scale: float
    mask: Tensor | None = None
    is_causal: bool = False

    @property
    def shape(self) -> tuple[int, int, int, int]:
        batch, heads, queries, _ = self.query.shape
        return batch, heads, queries, self.key.shape[2]

    def rows(self, index: Tensor, heads: Tensor) -> Tensor:
        import torch

        batch, _, n_queries, n_keys = self.shape
        scores = self._scores(_gather(self.query, index).float() * self.scale, heads).double()
        if self.mask is not None:
            mask = self.mask.expand(batch, self.mask.shape[1], n_queries, -1)[..., :n_keys]
            mask = _gather(mask, index)
            mask = mask if mask.shape[1] == 1 else mask[:, heads]
            scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
        if self.is_causal:
            future = torch.arange(n_keys, device=index.device) > index[..., None]
            scores = scores.masked_fill(future[:, None], -torch.inf)
        return scores.softmax(-1)

    def _scores(self, query: Tensor, heads: Tensor) -> Tensor:
        """query [B, H, R, D] of all heads -> products with the keys [B, h, R, K].

        Keys are many and rows few, so keys are copied only where that spares the products of other heads.
        """
        n_heads, n_key_heads = self.shape[1], self.key.shape[1]
        if len(heads) == n_heads:
            return _products(query, self.key.float())[:, heads]
        if n_key_heads == 1:
            return _products(query[:, heads], self.key.float())
        return _products(query[:, heads], self.key[:, heads // (n_heads // n_key_heads)].float())


def _products(query: Tensor, key: Tensor) -> Tensor:
    """query [B, H, R, D], key [B, G, K, D] with G dividing H, neighbouring heads sharing keys -> [B, H, R, K]."""
    batch, heads, rows, width = query.shape
    shared = query.reshape(batch, key.shape[1], heads // key.shape[1] * rows, width)
    return (shared @ key.transpose(2, 3)).view(batch, heads, rows, -1)


def _gather(values: Tensor, index: Tensor) -> Tensor:
    """values [B, H, Q, X], index [B, R] -> [B, H, R, X]."""
    import torch

    batch = torch.arange(len(index), device=index.device)[:, None]
    return values[batch, :, index].transpose(1, 2)


def _four(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    if len(shape) != 4:
        raise ValueError(f"weights must be [batch, heads, queries, keys], found {tuple(shape)}")
    return shape[0], shape[1], shape[2], shape[3]
