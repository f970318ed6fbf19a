"""Taps and knock-outs of SmolVLA, whose layers call no attention module and return no weights.

Each layer calls ``forward_attn_layer`` or ``forward_cross_attn_layer`` of ``vlm_with_expert``, and these
``eager_attention_forward(mask, batch, head_dim, query, key, value)``, looked up on the instance at every call. All three
are wrapped there while open: the outer two tell pass and layer, the inner one holds queries and keys after the rotary
embedding, from which the asked rows are computed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch.nn.functional as F

from ingest.attention.edit import Knockout, without_edges
from ingest.attention.taps import NO_STEP, TapPoint, WeightSink, is_wanted
from ingest.attention.weights import RowsOnDemand

if TYPE_CHECKING:
    from torch import Tensor

_SELF, _CROSS, _ATTEND = "forward_attn_layer", "forward_cross_attn_layer", "eager_attention_forward"
Points = dict[tuple[str, int], TapPoint]


@contextmanager
def smolvla_tap(
    model: Any, points: Sequence[TapPoint], sink: WeightSink
) -> Iterator[Counter[tuple[str, int]]]:
    """Gives every attention of ``model`` (vlm_with_expert) to ``sink``; yields the calls of each (pass, layer).

    A layer of cross-attention sees the prefix alone. Its rows span the keys of the whole pass all the same, with
    nothing on those of the suffix, so that every layer of a pass has the same keys.
    """
    calls: Counter[tuple[str, int]] = Counter()
    known = _by_place(points)
    here: list[tuple[TapPoint, int]] = []  # the layer that runs, and how many keys its pass has

    def enter(layer: Callable[..., Any]) -> Callable[..., Any]:
        def entered(
            layers: Any, inputs: Any, index: int, positions: Any, mask: Tensor, *rest: Any, **options: Any
        ) -> Any:
            here.append((known[_pass_of(inputs), index], mask.shape[-1]))
            try:
                return layer(layers, inputs, index, positions, mask, *rest, **options)
            finally:
                here.pop()

        return entered

    def attend(original: Callable[..., Any]) -> Callable[..., Any]:
        def attended(
            mask: Tensor, batch: int, head_dim: int, query: Tensor, key: Tensor, value: Tensor
        ) -> Any:
            output = original(mask, batch, head_dim, query, key, value)
            point, n_keys = here[-1]
            place = point.pass_name, point.layer
            step = calls[place] if point.has_steps else NO_STEP
            calls[place] += 1
            if is_wanted(sink, *place, step):
                unseen = n_keys - key.shape[1]
                weights = RowsOnDemand(
                    query.transpose(1, 2),
                    F.pad(key.transpose(1, 2), (0, 0, 0, unseen)),
                    head_dim**-0.5,
                    F.pad(mask[:, None], (0, unseen)),
                )
                sink(*place, step, weights)
            return output

        return attended

    with _replaced(model, {_SELF: enter, _CROSS: enter, _ATTEND: attend}):
        yield calls


@contextmanager
def smolvla_edits(
    model: Any, points: Sequence[TapPoint], batch: Sequence[Sequence[Knockout]]
) -> Iterator[Counter[tuple[str, int]]]:
    """Closes the batch's forbidden edges in the mask that a layer is given; yields how often each (pass, layer) was.

    Raises EditError from inside the model where a row would have no key left.
    """
    edited: Counter[tuple[str, int]] = Counter()
    known = _by_place(points)

    def edit(layer: Callable[..., Any], sees_suffix: bool) -> Callable[..., Any]:
        def changed(
            layers: Any, inputs: Any, index: int, positions: Any, mask: Tensor, *rest: Any, **options: Any
        ) -> Any:
            point = known[_pass_of(inputs), index]
            edges = [
                [one for one in item if one.pass_name == point.pass_name and one.cuts(index)]
                for item in batch
            ]
            if any(edges):
                edited[point.pass_name, index] += 1
                seen = mask if sees_suffix else _of_prefix(mask)
                mask = without_edges(seen[:, None], edges, point)[:, 0]
            return layer(layers, inputs, index, positions, mask, *rest, **options)

        return changed

    with _replaced(model, {_SELF: lambda layer: edit(layer, True), _CROSS: lambda layer: edit(layer, False)}):
        yield edited


def _of_prefix(mask: Tensor) -> Tensor:
    """[B, S, P + S] without the suffix's keys, which cross-attention does not have."""
    closed = mask.clone()
    closed[..., mask.shape[-1] - mask.shape[-2] :] = False
    return closed


def _pass_of(inputs: Sequence[Tensor | None]) -> str:
    return "suffix" if inputs[0] is None else "prefix"


def _by_place(points: Sequence[TapPoint]) -> Points:
    return {(point.pass_name, point.layer): point for point in points}


@contextmanager
def _replaced(model: Any, wrappers: dict[str, Callable[[Any], Any]]) -> Iterator[None]:
    """Methods of one instance, wrapped while open; then as they were, also after an error."""
    before = {name: vars(model).get(name) for name in wrappers}
    try:
        for name, wrap in wrappers.items():
            setattr(model, name, wrap(getattr(model, name)))
        yield
    finally:
        for name, own in before.items():
            if own is None:
                vars(model).pop(name, None)
            else:
                setattr(model, name, own)
