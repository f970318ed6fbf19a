"""Knock-outs: chosen queries may not see chosen keys, inside the softmax, so that the rest of a row still sums to 1.

Geva et al. 2023 (arXiv:2304.14767), section 4: attention knock-out sets the scores of an edge to minus infinity before
the softmax. Here the model's own attention mask is changed on its way into the chosen modules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.attention.layout import PassLayout
from ingest.attention.taps import TapPoint
from ingest.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor, nn


class EditError(RuntimeError):
    """A knock-out that cannot be made in this model, or would leave a query nothing to see."""


@dataclass(frozen=True)
class Knockout:
    """Forbids ``rows`` of a pass to see ``keys``, for one inference; ``layers`` None means all.

    ``rows`` count the rows of the pass's weights, as in ``Query.rows``; ``keys`` count its keys.
    """

    pass_name: str
    rows: tuple[int, ...]
    keys: tuple[int, ...]
    layers: frozenset[int] | None = None

    def cuts(self, layer: int) -> bool:
        return self.layers is None or layer in self.layers


def knockout(
    layout: PassLayout, query: str, region: str, layers: Sequence[int] | None = None, keys: Sequence[int] = ()
) -> Knockout:
    """The knock-out of a query (group) of the layout from one of its regions, or from ``keys`` where those are given.

    Raises UnknownNameError for a query or region that the layout does not have.
    """
    rows = {one.name: one.rows for one in layout.queries}
    regions = {one.name: one.keys for one in layout.regions}
    for kind, name, known in (("query", query, rows), ("region", region, regions)):
        if name not in known and not (kind == "region" and keys):
            raise UnknownNameError(f"no {kind} {name!r} in the {layout.name} pass; it has {sorted(known)}")
    return Knockout(
        layout.name,
        rows[query],
        tuple(keys) or regions[region],
        None if layers is None else frozenset(layers),
    )


OpenMask = Callable[[tuple[Any, ...], dict[str, Any]], "Tensor"]
"""Takes a module's arguments and gives a mask [B, 1, Q, K] that forbids nothing."""


@contextmanager
def masked_modules(
    points: Sequence[TapPoint], batch: Sequence[Sequence[Knockout]], open_mask: OpenMask | None = None
) -> Iterator[Counter[tuple[str, int]]]:
    """While open, every point's module gets a mask without the batch's forbidden edges; undone at the end.

    ``batch`` holds the knock-outs of each inference of the batch, in its order. The modules must take the mask as the
    keyword ``attention_mask``, [B or 1, 1 or H, Q, K], boolean (True = may be seen) or additive; where they get none,
    ``open_mask`` makes the one that is changed. Open this before a tap, so that the tap sees the edited attention.
    Yields how often each (pass, layer) was edited. Raises EditError from inside the model where a module gets no such
    mask, or where a row would have no key left.
    """
    edited: Counter[tuple[str, int]] = Counter()
    handles = []
    try:
        for point in points:
            if any(
                one.pass_name == point.pass_name and one.cuts(point.layer) for item in batch for one in item
            ):
                handles.append(
                    point.module.register_forward_pre_hook(
                        _hook(point, batch, edited, open_mask), with_kwargs=True
                    )
                )
        yield edited
    finally:
        for handle in handles:
            handle.remove()


def _hook(
    point: TapPoint,
    batch: Sequence[Sequence[Knockout]],
    edited: Counter[tuple[str, int]],
    open_mask: OpenMask | None,
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]:
    edges = [
        [one for one in item if one.pass_name == point.pass_name and one.cuts(point.layer)] for item in batch
    ]

    def hook(
        _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        mask = kwargs.get("attention_mask")
        if mask is None and open_mask is not None:
            mask = open_mask(args, kwargs)
        if mask is None or mask.dim() != 4:
            raise EditError(
                f"{point.pass_name} layer {point.layer} gets no attention mask of four dimensions: "
                "knock-outs need one to change"
            )
        edited[point.pass_name, point.layer] += 1
        return args, {**kwargs, "attention_mask": without_edges(mask, edges, point)}

    return hook


def without_edges(mask: Tensor, edges: Sequence[Sequence[Knockout]], point: TapPoint) -> Tensor:
    """A copy of the mask [B or 1, 1 or H, Q, K] as [B, 1 or H, Q, K] with the forbidden edges closed."""
    import torch

    if mask.shape[0] not in (1, len(edges)):
        raise EditError(f"a mask for {mask.shape[0]} inferences, knock-outs for {len(edges)}")
    is_boolean = mask.dtype == torch.bool
    closed = False if is_boolean else torch.finfo(mask.dtype).min
    result = mask.expand(len(edges), -1, -1, -1).clone()
    for item, knockouts in zip(result, edges, strict=True):
        for one in knockouts:
            rows = torch.tensor(one.rows, device=mask.device)[:, None]
            item[:, rows, torch.tensor(one.keys, device=mask.device)] = closed
            left = item[:, rows[:, 0]]
            may_see = left if is_boolean else left > closed / 2
            if not may_see.any(-1).all():
                raise EditError(
                    f"{point.pass_name} layer {point.layer}: a knock-out leaves a query without any key to see"
                )
    return result
