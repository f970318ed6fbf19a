"""Broken copies of an adapter: each does one wrong thing that a reader of the numbers would not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ingest.attention.layout import Layout, PassLayout, Query, Token
from ingest.attention.taps import WeightSink
from ingest.attention.weights import RowsOnDemand, Weights
from ingest.policies.base import Policy, Prepared, Seen


class Mutant:
    """The policy, but for what a mutation overrides."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)


class Untapped(Mutant):
    """The policy, for checks that are not to look at weights."""

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        raise TypeError("a check among WITHOUT_TAP opens a tap")


class OfLayout(Mutant):
    """Changes every layout."""

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        prepared = self._policy.prepare(seen, prompt, queries)
        layout = prepared.layout
        passes = tuple(PassLayout(p.name, *self.changed(p)) for p in layout.passes)
        return replace(prepared, layout=Layout(layout.model_family, layout.cameras, passes))

    def changed(self, part: PassLayout) -> tuple[tuple[Token, ...], tuple[Query, ...]]:
        raise NotImplementedError


class SpansShiftedByOne(OfLayout):
    def changed(self, part: PassLayout) -> tuple[tuple[Token, ...], tuple[Query, ...]]:
        return (*part.tokens[1:], part.tokens[0]), part.queries


class CamerasSwapped(OfLayout):
    def changed(self, part: PassLayout) -> tuple[tuple[Token, ...], tuple[Query, ...]]:
        names = list(dict.fromkeys(t.camera for t in part.tokens if t.camera and t.is_valid))
        if not names:  # text alone, as in cross-attention
            return part.tokens, part.queries
        other = dict(zip(names, [*names[1:], names[0]], strict=True))
        # With one camera alone, the picture upside down is the like mistake.
        if len(names) == 1:
            last = max(t.row for t in part.tokens if t.row is not None)
            return tuple(
                replace(t, row=last - t.row) if t.row is not None else t for t in part.tokens
            ), part.queries
        return tuple(
            replace(t, camera=other[t.camera]) if t.camera in other else t for t in part.tokens
        ), part.queries


class PaddedRowsKept(OfLayout):
    """The instruction's rows are joined by one of padding, or where there is none, by their neighbour.

    So are those of the first group of a pass that has neither instruction nor padding (Cosmos).
    """

    def changed(self, part: PassLayout) -> tuple[tuple[Token, ...], tuple[Query, ...]]:
        padded = [index for index, token in enumerate(part.tokens) if not token.is_valid]
        names = [query.name for query in part.queries if query.kind == "group"]
        meant = "instruction" if "instruction" in names or padded or not names else names[0]
        queries = []
        for query in part.queries:
            neighbour = min(max(query.rows) + 1, part.n_keys - 1)
            extra = padded[0] if padded else neighbour
            is_meant = query.name == meant and query.kind == "group"
            queries.append(replace(query, rows=tuple(sorted({*query.rows, extra}))) if is_meant else query)
        return part.tokens, tuple(queries)


class ARowLeftOut(OfLayout):
    """Every group of several rows goes without its last."""

    def changed(self, part: PassLayout) -> tuple[tuple[Token, ...], tuple[Query, ...]]:
        return part.tokens, tuple(
            replace(query, rows=query.rows[:-1]) if query.kind == "group" and len(query.rows) > 1 else query
            for query in part.queries
        )


class OfWeights(Mutant):
    """Changes what reaches the sink."""

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        def changed(name: str, layer: int, step: int, weights: Weights) -> None:
            sink(*self.place(name, layer, step), Changed(weights, self.rows))  # type: ignore[arg-type]

        return self._policy.tapped(changed)

    def place(self, name: str, layer: int, step: int) -> tuple[str, int, int]:
        return name, layer, step

    def rows(self, rows: Tensor) -> Tensor:
        return rows


class Changed:
    def __init__(self, weights: Weights, change: Callable[[Tensor], Tensor]) -> None:
        self._weights, self._change = weights, change
        self.shape = weights.shape

    def rows(self, index: Tensor, heads: Tensor) -> Tensor:
        return self._change(self._weights.rows(index, heads))


class UniformWeights(OfWeights):
    def rows(self, rows: Tensor) -> Tensor:
        return torch.full_like(rows, 1 / rows.shape[-1])


class ZeroWeights(OfWeights):
    def rows(self, rows: Tensor) -> Tensor:
        return torch.zeros_like(rows)


class AHeadLeftOut(OfWeights):
    def rows(self, rows: Tensor) -> Tensor:
        return torch.cat([rows[:, 1:], rows[:, :1] * 0], dim=1)


class HeadsReversed(OfWeights):
    def rows(self, rows: Tensor) -> Tensor:
        return rows.flip(1)


class LayersRenumbered(OfWeights):
    def place(self, name: str, layer: int, step: int) -> tuple[str, int, int]:
        return name, (layer + 1) % self._policy.geometry.n_layers, step


class PromptNotPassedOn(Mutant):
    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        return self._policy.prepare(seen, "do something", queries)


class RotaryLeftOut(Mutant):
    """Weights from queries and keys as the projections give them, before the rotary embedding."""

    @contextmanager
    def tapped(self, sink: WeightSink) -> Iterator[Any]:
        raw: dict[tuple[str, int, str], Tensor] = {}
        handles = []
        for point in self._policy.points():  # type: ignore[attr-defined]
            for kind, names in {"query": ("q_proj", "to_q"), "key": ("k_proj", "to_k")}.items():
                projection = next(getattr(point.module, n) for n in names if hasattr(point.module, n))
                key = (point.pass_name, point.layer, kind)
                handles.append(
                    projection.register_forward_hook(lambda _m, _i, out, key=key: raw.__setitem__(key, out))
                )

        def unrotated(name: str, layer: int, step: int, weights: Weights) -> None:
            if not isinstance(weights, RowsOnDemand):
                raise TypeError("the adapter takes the model's own weights: case.without should say so")
            query, key = (
                _by_heads(raw[name, layer, kind], like)
                for kind, like in (("query", weights.query), ("key", weights.key))
            )
            # The expert's keys hold those of the prefix, which its own projection does not give again.
            whole = key.shape == weights.key.shape
            sink(name, layer, step, replace(weights, query=query, key=key) if whole else weights)

        try:
            with self._policy.tapped(unrotated) as calls:
                yield calls
        finally:
            for handle in handles:
                handle.remove()


def _by_heads(values: Tensor, like: Tensor) -> Tensor:
    """[B, T, heads * D] -> [B, heads, T, D]."""
    return values.reshape(*values.shape[:2], -1, like.shape[-1]).transpose(1, 2)


MUTATIONS: dict[str, type[Mutant]] = {
    "a span shifted by one token": SpansShiftedByOne,
    "two cameras swapped": CamerasSwapped,
    "padded rows kept": PaddedRowsKept,
    "a row of a group left out": ARowLeftOut,
    "a uniform map returned": UniformWeights,
    "zeros returned": ZeroWeights,
    "a head left out": AHeadLeftOut,
    "heads in another order": HeadsReversed,
    "layer k reported as k + 1": LayersRenumbered,
    "the prompt not passed on": PromptNotPassedOn,
    "rotary embedding left out": RotaryLeftOut,
}
