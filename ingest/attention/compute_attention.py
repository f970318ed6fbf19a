"""Taps and knock-outs for networks whose attention modules call their own ``compute_attention(q, k, v)`` (cosmos-policy).

Queries and keys come to it normalised and rotated, [B, S, H, D]; there is no mask. The method is replaced on the
instance, and what a replaced method calls is the one that was there, so a tap around an edit sees the edited attention.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ingest.attention.edit import Knockout, without_edges
from ingest.attention.taps import NO_STEP, TapError, TapPoint, WeightSink, is_wanted
from ingest.attention.weights import RowsOnDemand

if TYPE_CHECKING:
    from torch import Tensor, nn

_METHOD = "compute_attention"


@contextmanager
def compute_attention_taps(
    points: Sequence[TapPoint], sink: WeightSink
) -> Iterator[Counter[tuple[str, int]]]:
    """The methods still compute what the model goes on with; queries and keys also go to ``sink``. Undone at the end.

    Yields the number of calls of each (pass, layer). Raises TapError from inside the model where a module attends to
    more than one set of keys.
    """
    calls: Counter[tuple[str, int]] = Counter()
    with ExitStack() as stack:
        for point in points:
            inner = getattr(point.module, _METHOD)
            stack.enter_context(_replaced(point.module, _tap(point, inner, sink, calls)))
        yield calls


@contextmanager
def compute_attention_edits(
    points: Sequence[TapPoint], batch: Sequence[Sequence[Knockout]]
) -> Iterator[Counter[tuple[str, int]]]:
    """The layers that a knock-out cuts compute masked attention; the others stay as they are. Undone at the end.

    Yields how often each (pass, layer) was edited. Raises EditError from inside the model where a row would have no
    key left.
    """
    edited: Counter[tuple[str, int]] = Counter()
    with ExitStack() as stack:
        for point in points:
            edges = [
                [one for one in item if one.pass_name == point.pass_name and one.cuts(point.layer)]
                for item in batch
            ]
            if any(edges):
                stack.enter_context(_replaced(point.module, _Edit(point, edges, edited)))
        yield edited


class _Edit:
    """A module's ``compute_attention`` without the forbidden edges."""

    def __init__(
        self, point: TapPoint, edges: Sequence[Sequence[Knockout]], edited: Counter[tuple[str, int]]
    ) -> None:
        self._point, self._edges, self._edited = point, edges, edited

    def mask(self, q: Tensor, k: Tensor) -> Tensor:
        """[B, 1, Q, K], True = may be seen."""
        import torch

        everything = q.new_ones(1, 1, q.shape[1], k.shape[1], dtype=torch.bool)
        return without_edges(everything, self._edges, self._point)

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, *more: Any, **options: Any) -> Tensor:
        from torch.nn.functional import scaled_dot_product_attention

        _refuse_more_keys(self._point, more, options)
        self._edited[self._point.pass_name, self._point.layer] += 1
        module = self._point.module
        mixed = scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=self.mask(q, k)
        )
        result: Tensor = module.output_dropout(module.output_proj(mixed.transpose(1, 2).flatten(2)))
        return result


def _tap(
    point: TapPoint, inner: Callable[..., Tensor], sink: WeightSink, calls: Counter[tuple[str, int]]
) -> Callable[..., Tensor]:
    def tapped(q: Tensor, k: Tensor, v: Tensor, *more: Any, **options: Any) -> Tensor:
        _refuse_more_keys(point, more, options)
        output = inner(q, k, v, *more, **options)
        place = point.pass_name, point.layer
        step = calls[place] if point.has_steps else NO_STEP
        calls[place] += 1
        if is_wanted(sink, *place, step):
            mask = inner.mask(q, k) if isinstance(inner, _Edit) else None
            sink(*place, step, RowsOnDemand(q.transpose(1, 2), k.transpose(1, 2), q.shape[-1] ** -0.5, mask))
        return output

    return tapped


def _refuse_more_keys(point: TapPoint, more: Sequence[Any], options: dict[str, Any]) -> None:
    if more or options.get("k_img") is not None:
        raise TapError(
            f"{point.pass_name} layer {point.layer} attends to the keys of a picture as well as its own"
        )


@contextmanager
def _replaced(module: nn.Module, function: Callable[..., Tensor]) -> Iterator[None]:
    before = vars(module).get(_METHOD)
    setattr(module, _METHOD, function)
    try:
        yield
    finally:
        if before is None:
            delattr(module, _METHOD)
        else:
            setattr(module, _METHOD, before)
