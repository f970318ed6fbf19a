"""Attention weights -> masses, maps and sinks, on the device. Only the reduced numbers leave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.attention.layout import Layout, LayoutError, PassLayout
from ingest.attention.rollout import Rollout, can_roll_out
from ingest.attention.selection import Selection
from ingest.attention.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor

MEAN_OF_HEADS = -1
MAX_OF_HEADS = -2
ROLLOUT = -3
Array = NDArray[np.float64]
# (head, rows) of a group's maps -> where :class:`_Layer` has them.
_FIELDS = {
    (MEAN_OF_HEADS, "mean"): "mean_maps",
    (MEAN_OF_HEADS, "max"): "row_max_maps",
    (MAX_OF_HEADS, "mean"): "max_maps",
    (MAX_OF_HEADS, "max"): "max_maps_of_max",
    (ROLLOUT, "mean"): "rollout_maps",
}


@dataclass(frozen=True)
class Item:
    """One inference of a batch: its layout, and camera -> coverage [objects, patches] of the frame's objects.

    Every camera lists all objects of the frame; rows of objects seen by another camera are 0.
    """

    layout: Layout
    coverage: Mapping[str, Array]


class MapKind(NamedTuple):
    """Which maps of a pass are kept together: those of some of its queries, under one (head, rows) choice."""

    head: int
    rows: str
    query_indices: tuple[int, ...]


def map_kinds(layout: PassLayout, selection: Selection, *, rolls_out: bool) -> list[MapKind]:
    """The maps that are kept of a pass, in the order in which they are stored."""
    groups = group_indices(layout)
    kinds = [
        MapKind(MEAN_OF_HEADS, "mean", groups),
        MapKind(MEAN_OF_HEADS, "max", groups),
        MapKind(MAX_OF_HEADS, "mean", groups),
    ]
    if rolls_out:
        kinds.append(MapKind(ROLLOUT, "mean", groups))
    # The seed's map of causal fidelity is of the instruction's words alone.
    words = tuple(index for index in groups if layout.queries[index].name == "instruction")
    if words:
        kinds.append(MapKind(MAX_OF_HEADS, "max", words))
    if selection.is_full:
        every = tuple(range(len(layout.queries)))
        kinds.append(MapKind(MEAN_OF_HEADS, "mean", tuple(index for index in every if index not in groups)))
        kinds += [MapKind(head, "mean", every) for head in selection.heads]
    return kinds


def group_indices(layout: PassLayout) -> tuple[int, ...]:
    return tuple(index for index, query in enumerate(layout.queries) if query.kind == "group")


@dataclass(frozen=True)
class MapBlock:
    """Maps of one (head, rows) choice: ``values`` [layers, queries, patches of all cameras], raw sums of weights."""

    head: int
    rows: str
    query_indices: tuple[int, ...]
    values: Array


@dataclass(frozen=True)
class PassCapture:
    """What is kept of one inference, pass and denoising step. Axes: layer, head, query of the layout's pass."""

    pass_name: str
    step: int
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    masses: Array  # [L, H, Q, regions]
    object_masses: Array  # [L, H, Q, objects]
    top_key: NDArray[np.int64]  # [L, H, Q]
    top_share: Array  # [L, H, Q]
    sink_share: Array | None  # [L, H, Q]
    group_indices: tuple[int, ...]
    head_maps: Array  # [L, H, groups, patches of all cameras]
    maps: tuple[MapBlock, ...]


@dataclass
class _Layer:
    """Reduced tensors of one layer, batch first."""

    masses: Tensor
    object_masses: Tensor
    top_key: Tensor
    top_share: Tensor
    sink_share: Tensor
    head_maps: Tensor
    mean_maps: Tensor
    max_maps: Tensor
    row_max_maps: Tensor
    max_maps_of_max: Tensor
    token_maps: Tensor | None
    rollout_maps: Tensor | None


class Reducer:
    """Takes the weights of one batch, layer by layer, and keeps what the selection asks for.

    Use as the sink of a tap, then read :meth:`captures`. Raises LayoutError when weights do not fit a layout.
    """

    def __init__(self, items: Sequence[Item], selection: Selection, device: str) -> None:
        self._items = items
        self._selection = selection
        self._device = device
        self._plans = {name: _PassPlan(name, items, selection, device) for name in selection.steps}
        self._kept: dict[tuple[str, int], dict[int, _Layer]] = {}
        self._fetched: dict[tuple[str, int], dict[str, Array]] = {}
        self._rollouts: dict[tuple[str, int], Rollout] = {}

    def wants(self, pass_name: str, layer: int, step: int) -> bool:
        """Whether that attention is kept: taps make nothing ready for what is not."""
        return self._selection.wants(pass_name, layer, step)

    def __call__(self, pass_name: str, layer: int, step: int, weights: Weights) -> None:
        if self.wants(pass_name, layer, step):
            rollout = None
            if self._selection.rollout and can_roll_out(weights):
                product = self._rollouts.setdefault((pass_name, step), Rollout(self._device))
                rollout = product.add(layer, weights)
            reduced = self._plans[pass_name].reduce(weights, rollout)
            self._kept.setdefault((pass_name, step), {})[layer] = reduced

    def captures(self, item: int) -> list[PassCapture]:
        """What was kept of one item, in order of pass and step. Raises LayoutError where a layer never came."""
        found = []
        for pass_name, steps in self._selection.steps.items():
            for step in steps:
                kept = self._of(pass_name, step)
                found.append(self._plans[pass_name].capture(item, step, kept))
        return found

    def _of(self, pass_name: str, step: int) -> dict[str, Array]:
        """Field of :class:`_Layer` -> its layers stacked, [L, B, ...], on the host: one transfer for the whole batch."""
        if (pass_name, step) not in self._fetched:
            layers = self._kept.pop((pass_name, step), {})
            missing = [layer for layer in self._selection.layers if layer not in layers]
            if missing:
                raise LayoutError(f"no attention seen in {pass_name} step {step}, layers {missing}")
            kept = [layers[layer] for layer in self._selection.layers]
            self._fetched[pass_name, step] = {
                name: _stacked([getattr(layer, name) for layer in kept])
                for name, values in vars(kept[0]).items()
                if values is not None
            }
        return self._fetched[pass_name, step]


@dataclass
class _PassPlan:
    """Index tensors of one pass, padded over the batch: built once, used for every layer and step."""

    name: str
    items: Sequence[Item]
    selection: Selection
    device: str
    layouts: list[PassLayout] = field(init=False)

    def __post_init__(self) -> None:
        import torch

        self.layouts = [item.layout.of(self.name) for item in self.items]
        self.groups = [group_indices(layout) for layout in self.layouts]
        used_rows = [sorted({row for query in p.queries for row in query.rows}) for p in self.layouts]
        batch = len(self.items)
        n_keys = {p.n_keys for p in self.layouts}
        if len(n_keys) != 1:
            raise LayoutError(f"inferences of one batch have different numbers of keys: {sorted(n_keys)}")
        self.n_keys = n_keys.pop()
        # At least one row, whose weight is 0: a prompt without words has no query in the prefix.
        n_rows = max(1, *map(len, used_rows))
        n_queries = max(len(p.queries) for p in self.layouts)
        n_groups = max(map(len, self.groups))
        cameras = [item.layout.cameras_in(p) for p, item in zip(self.layouts, self.items, strict=True)]
        patches = [
            np.concatenate([np.zeros(0, dtype=np.int64), *map(p.patch_keys, own)])
            for p, own in zip(self.layouts, cameras, strict=True)
        ]

        rows = np.zeros((batch, n_rows), dtype=np.int64)
        average = np.zeros((batch, n_queries, n_rows))
        members = [np.zeros((batch, size), dtype=np.int64) for size in self._group_sizes(n_groups)]
        group_index = np.zeros((batch, n_groups), dtype=np.int64)
        regions = np.zeros((batch, self.n_keys, max(len(p.regions) for p in self.layouts)))
        n_objects = max(_object_count(item) for item in self.items)
        objects = np.zeros((batch, self.n_keys, n_objects))
        bos = np.zeros(batch, dtype=np.int64)
        for b, (p, item) in enumerate(zip(self.layouts, self.items, strict=True)):
            rows[b, : len(used_rows[b])] = used_rows[b]
            for q, query in enumerate(p.queries):
                columns = np.searchsorted(used_rows[b], query.rows)
                average[b, q, columns] = 1.0 / len(query.rows)
            for g, q in enumerate(self.groups[b]):
                group_index[b, g] = q
                own = np.flatnonzero(average[b, q])
                members[g][b] = np.resize(own, members[g].shape[1])  # repeated: a maximum does not mind
            regions[b, :, : len(p.regions)] = p.region_matrix()
            for camera in cameras[b]:
                if camera.name in item.coverage:
                    keys = p.patch_keys(camera)
                    objects[b, keys, : len(item.coverage[camera.name])] += item.coverage[camera.name].T
            bos[b] = p.bos if p.bos is not None else 0

        def on_device(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(array).to(self.device)

        self.rows = on_device(rows)
        self.average = on_device(average)
        self.members = [on_device(rows_of_group) for rows_of_group in members]
        self.group_index = on_device(group_index)
        self.regions = on_device(regions)
        self.objects = on_device(objects)
        self.bos = on_device(bos)
        self.patches = on_device(np.stack(patches))
        self.heads = torch.tensor(self.selection.heads, device=self.device)

    def reduce(self, weights: Weights, rollout: Tensor | None = None) -> _Layer:
        """The chosen rows and heads of one layer, and of its rollout [B, K, K] -> reduced numbers in float64."""
        self._check(weights.shape)
        rows = weights.rows(self.rows, self.heads)  # [B, H, rows, K]
        batch, heads = rows.shape[:2]
        query_rows = self.average[:, None] @ rows  # [B, H, Q, K]
        groups = query_rows.gather(
            2, self.group_index[:, None, :, None].expand(batch, heads, -1, self.n_keys)
        )
        row_max = self._max_of_rows(rows.mean(1))
        top_key = query_rows.argmax(-1)
        return _Layer(
            masses=query_rows @ self.regions[:, None],
            object_masses=query_rows @ self.objects[:, None],
            top_key=top_key,
            top_share=query_rows.gather(-1, top_key[..., None])[..., 0],
            sink_share=query_rows.gather(-1, self.bos[:, None, None, None].expand(*top_key.shape, 1))[..., 0],
            head_maps=self._at_patches(groups),
            mean_maps=self._at_patches(groups.mean(1)),
            max_maps=self._at_patches(groups.amax(1)),
            row_max_maps=self._at_patches(row_max),
            max_maps_of_max=self._at_patches(self._max_of_rows(rows.amax(1))),
            token_maps=self._at_patches(query_rows) if self.selection.is_full else None,
            rollout_maps=None if rollout is None else self._at_patches(self._groups_of(rollout)),
        )

    def _groups_of(self, rollout: Tensor) -> Tensor:
        """[B, K, K] -> [B, groups, K]: the mean of each group's rows."""
        rows = rollout.gather(1, self.rows[..., None].expand(-1, -1, self.n_keys))
        queries = self.average @ rows
        return queries.gather(1, self.group_index[..., None].expand(-1, -1, self.n_keys))

    def capture(self, b: int, step: int, kept: Mapping[str, Array]) -> PassCapture:
        """Item ``b`` of the batch, from fields [L, B, ...], padding cut off."""
        layout = self.layouts[b]
        n_queries, groups = len(layout.queries), self.groups[b]
        n_objects = _object_count(self.items[b])

        def stack(name: str) -> Array:
            return kept[name][:, b]

        kinds = map_kinds(layout, self.selection, rolls_out="rollout_maps" in kept)
        blocks = [MapBlock(*kind, self._values(kind, groups, stack)) for kind in kinds]
        return PassCapture(
            pass_name=self.name,
            step=step,
            layers=self.selection.layers,
            heads=self.selection.heads,
            masses=stack("masses")[:, :, :n_queries, : len(layout.regions)],
            object_masses=stack("object_masses")[:, :, :n_queries, :n_objects],
            top_key=stack("top_key")[:, :, :n_queries].astype(np.int64),
            top_share=stack("top_share")[:, :, :n_queries],
            sink_share=stack("sink_share")[:, :, :n_queries] if layout.bos is not None else None,
            group_indices=groups,
            head_maps=stack("head_maps")[:, :, : len(groups)],
            maps=tuple(blocks),
        )

    def _values(self, kind: MapKind, groups: Sequence[int], stack: Callable[[str], Array]) -> Array:
        """[layers, queries, patches] of one kind of map, from fields [L, ...] of :class:`_Layer`."""
        name = _FIELDS.get((kind.head, kind.rows))
        if name is not None and set(kind.query_indices) <= set(groups):
            return stack(name)[:, [groups.index(query) for query in kind.query_indices]]
        tokens = stack("token_maps")
        of_head = (
            tokens.mean(1) if kind.head == MEAN_OF_HEADS else tokens[:, self.selection.heads.index(kind.head)]
        )
        return of_head[:, list(kind.query_indices)]

    def _group_sizes(self, n_groups: int) -> list[int]:
        """The most rows that each group has in any item."""
        rows = [
            [len(p.queries[q].rows) for q in own] for p, own in zip(self.layouts, self.groups, strict=True)
        ]
        return [max(own[g] for own in rows if len(own) > g) for g in range(n_groups)]

    def _max_of_rows(self, rows: Tensor) -> Tensor:
        """[B, rows, K] -> [B, groups, K]: the maximum over each group's rows."""
        import torch

        if not self.members:
            return rows[:, :0]
        batch = torch.arange(len(rows), device=rows.device)[:, None]
        return torch.stack([rows[batch, own].amax(1) for own in self.members], 1)

    def _at_patches(self, values: Tensor) -> Tensor:
        """[B, ..., K] -> [B, ..., patches]."""
        index = self.patches
        while index.dim() < values.dim():
            index = index[:, None]
        return values.gather(-1, index.expand(*values.shape[:-1], -1))

    def _check(self, shape: tuple[int, int, int, int]) -> None:
        if shape[0] != len(self.items) or shape[3] != self.n_keys:
            raise LayoutError(
                f"{self.name}: weights have the shape {shape}; the layout wants "
                f"({len(self.items)}, heads, rows, {self.n_keys})"
            )


def _stacked(layers: Sequence[Tensor]) -> Array:
    import torch

    stacked: Array = torch.stack(list(layers)).cpu().numpy()
    return stacked


def _object_count(item: Item) -> int:
    return max((len(coverage) for coverage in item.coverage.values()), default=0)
