"""Metrics from stored maps: object attention and shifts against the baseline. Never runs the model.

``run`` and ``measure`` both come through here with the maps as the lake holds them, so they give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.rows import Tables, dense_lists
from measures.maps import side_of
from measures.overlap import PatchOverlap, patch_overlap, seed_overlap, uniform_map
from measures.shift import map_shift

Array = NDArray[np.float64]
_MAP_KEYS = ("pass", "denoise_step", "layer", "head", "query_index", "rows")


class MaskStack(NamedTuple):
    """The objects of one camera in one frame, and how much of each patch is picture."""

    object_indices: tuple[int, ...]
    roles: tuple[str, ...]
    masks: NDArray[np.bool_]  # [O, 224, 224]
    coverage: Array  # [O, patches]
    picture: Array  # [patches]
    kept: float = 1.0  # share of each side of the picture that the patches lie on, where the model crops it


@dataclass(frozen=True)
class MapSet:
    """Stored maps of one inference and camera: ``keys`` columns in step with ``maps`` [M, patches] of unit mass."""

    inference_id: int
    camera: str
    keys: Mapping[str, NDArray[np.generic]]
    maps: NDArray[np.float32]
    mass: NDArray[np.float32]

    def where(self, is_kept: NDArray[np.bool_]) -> MapSet:
        kept = {name: values[is_kept] for name, values in self.keys.items()}
        return MapSet(self.inference_id, self.camera, kept, self.maps[is_kept], self.mass[is_kept])

    def raw(self) -> Array:
        """[M, patches] sums of attention weights, zero where the mass is zero."""
        return np.nan_to_num(self.maps.astype(np.float64)) * self.mass[:, None]


def map_sets(attention_maps: pa.Table, head: int = -1) -> Iterator[MapSet]:
    """The head-mean maps of a unit (or another ``head``'s), one inference and camera at a time, in stored order."""
    table = attention_maps.filter(pc.equal(attention_maps["head"], head))
    inferences = table["inference_id"].to_numpy()
    cameras = np.asarray(table["camera"].to_pylist(), dtype=object)
    for inference_id in dict.fromkeys(inferences.tolist()):
        of_inference = inferences == inference_id
        for camera in dict.fromkeys(cameras[of_inference].tolist()):
            part = table.filter(pa.array(of_inference & (cameras == camera)))
            keys = {name: np.asarray(part[name].to_pylist()) for name in _MAP_KEYS}
            yield MapSet(inference_id, camera, keys, dense_lists(part["map"]), part["mass"].to_numpy())


def add_object_metrics(
    tables: Tables,
    maps: MapSet,
    objects: MaskStack,
    *,
    is_baseline: bool,
    null_coverage: Callable[[str], Array],
) -> None:
    """Does attention rest on the objects of the frame?

    A baseline's maps get the seed's numbers too, and both nulls beside the 'mean' rows; those of changed conditions
    get ours on the 'mean' rows only. ``null_coverage`` gives masks [N, patches] of a role in other episodes.
    """
    chosen = maps if is_baseline else maps.where(maps.keys["rows"] == "mean")
    if not objects.object_indices or not len(chosen.maps):
        return
    attention = np.nan_to_num(chosen.maps.astype(np.float64))
    own = patch_overlap(attention, objects.coverage, objects.picture)
    columns: dict[str, Array] = {}
    if is_baseline:
        side = side_of(chosen.maps.shape[1])
        square = chosen.maps.reshape(-1, side, side)
        seed = seed_overlap(np.nan_to_num(square), objects.masks)
        columns = {f"{name}_seed": values for name, values in seed._asdict().items()}
    _add(tables, chosen, objects, "own", own, columns)
    if not is_baseline:
        return
    mean_rows = chosen.where(chosen.keys["rows"] == "mean")
    uniform = patch_overlap(uniform_map(objects.picture)[None], objects.coverage, objects.picture)
    _add(tables, mean_rows, objects, "uniform", _repeat(uniform, len(mean_rows.maps)), {})
    _add(tables, mean_rows, objects, "other_episode", _against_others(mean_rows, objects, null_coverage), {})


def n_object_metrics(n_maps: int, n_mean: int, *, is_baseline: bool) -> int:
    """Rows that :func:`add_object_metrics` adds for one object: ``n_mean`` of the maps are 'mean' rows."""
    return n_maps + 2 * n_mean if is_baseline else n_mean


def add_map_shifts(tables: Tables, changed: MapSet, baseline: MapSet, baseline_id: int) -> None:
    """Each map of a changed condition against the baseline's map of the same pass, step, layer, query and rows."""
    there = {key: row for row, key in enumerate(_keys_of(baseline))}
    pairs = [(row, there[key]) for row, key in enumerate(_keys_of(changed)) if key in there]
    if not pairs:
        return
    here_rows, there_rows = (np.asarray(rows) for rows in zip(*pairs, strict=True))
    side = side_of(changed.maps.shape[1])
    shift = map_shift(changed.raw()[here_rows], baseline.raw()[there_rows], side)
    tables["map_shifts"].add_block(
        len(here_rows),
        {
            "inference_id": changed.inference_id,
            "baseline_id": baseline_id,
            "camera": changed.camera,
            **{name: values[here_rows].tolist() for name, values in changed.keys.items()},
            **shift._asdict(),
        },
    )


def action_effect(actions: Array, baseline: Array, scale: Array) -> dict[str, object]:
    """Squared change of an action chunk [horizon, dims]; ``scale`` [dims] is the spread of each dimension, or 0."""
    squared = (actions - baseline) ** 2
    per_dim = squared.mean(axis=0)
    varies = scale > 0
    standardised = float((per_dim[varies] / scale[varies] ** 2).mean()) if varies.any() else None
    return {"mse": float(squared.mean()), "mse_standardised": standardised, "per_dim": per_dim.tolist()}


def _keys_of(maps: MapSet) -> list[tuple[object, ...]]:
    return list(zip(*(maps.keys[name].tolist() for name in _MAP_KEYS), strict=True))


def _against_others(maps: MapSet, objects: MaskStack, null_coverage: Callable[[str], Array]) -> PatchOverlap:
    """Mean of every measure over masks of the same role in other episodes, [M, O]."""
    attention = np.nan_to_num(maps.maps.astype(np.float64))
    roles = list(dict.fromkeys(objects.roles))
    masks = [null_coverage(role) for role in roles]
    # All roles at once: the cost is in the number of calls, not of masks.
    overlap = patch_overlap(attention, np.concatenate(masks), objects.picture)
    ends = np.cumsum([len(one) for one in masks]).tolist()
    by_role = {
        role: _mean_over_masks(PatchOverlap._make(values[:, end - len(own) : end] for values in overlap))
        for role, own, end in zip(roles, masks, ends, strict=True)
    }
    columns = [by_role[role] for role in objects.roles]
    return PatchOverlap._make(np.concatenate(parts, axis=1) for parts in zip(*columns, strict=True))


def _mean_over_masks(overlap: PatchOverlap) -> PatchOverlap:
    """[M, N] -> [M, 1]: the mean over the masks for which a measure is defined."""
    n_maps, n_masks = overlap.lift.shape
    means = {}
    for name, values in overlap._asdict().items():
        if name == "reason":
            continue
        defined = np.isfinite(values)
        count = defined.sum(axis=1)
        total = np.where(defined, values, 0.0).sum(axis=1)
        means[name] = np.where(count > 0, total / np.maximum(count, 1), np.nan)[:, None]
    reason = np.full((n_maps, 1), None, dtype=object)
    for row in range(n_maps):
        if not np.isfinite(means["lift"][row, 0]):
            reason[row, 0] = overlap.reason[row, 0] if n_masks else "no mask of this role in other episodes"
    return PatchOverlap(**means, reason=reason)


def _repeat(overlap: PatchOverlap, n_maps: int) -> PatchOverlap:
    return PatchOverlap._make(np.repeat(values, n_maps, axis=0) for values in overlap)


def _add(
    tables: Tables,
    maps: MapSet,
    objects: MaskStack,
    against: str,
    overlap: PatchOverlap,
    seed_columns: Mapping[str, Array],
) -> None:
    n_maps, n_objects = len(maps.maps), len(objects.object_indices)
    values = {name: block.ravel() for name, block in {**overlap._asdict(), **seed_columns}.items()}
    values["reason"] = values["reason"].tolist()
    tables["object_metrics"].add_block(
        n_maps * n_objects,
        {
            "inference_id": maps.inference_id,
            "camera": maps.camera,
            "against": against,
            **{name: np.repeat(column, n_objects).tolist() for name, column in maps.keys.items()},
            "object_index": np.tile(np.asarray(objects.object_indices), n_maps),
            **values,
        },
    )
