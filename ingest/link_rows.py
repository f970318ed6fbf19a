"""Rows of ``layer_links``: how the stored maps of a baseline follow each other over layers and keyframes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.measure import MapSet
from ingest.rows import Tables
from measures.links import flow, map_step

_KEYS = ("pass", "denoise_step", "layer", "query_index")
_Keys = Mapping[str, NDArray[np.generic]]


def add_layer_links(
    tables: Tables,
    inferences: Iterable[Mapping[str, Any]],
    maps: Iterable[MapSet],
    rollouts: Iterable[MapSet],
    keyframes: Sequence[int],
) -> None:
    """Links of each inference of a baseline, camera by camera, from its 'mean' rows.

    ``keyframes`` are all of the unit, those that could not be read too: a step is taken from the keyframe just before
    and under the same noise, or not at all. ``rollouts`` are the maps of the attention rollout, where it was captured.
    """
    frames = {row["inference_id"]: (row["frame_index"], row["noise_index"]) for row in inferences}
    inference_at = {frame: inference_id for inference_id, frame in frames.items()}
    before = dict(zip(keyframes[1:], keyframes, strict=False))
    of_rollout = {(one.inference_id, one.camera): one for one in rollouts}
    of_mean = {(one.inference_id, one.camera): one.where(one.keys["rows"] == "mean") for one in maps}
    for (inference_id, camera), own in of_mean.items():
        frame_index, noise_index = frames[inference_id]
        previous_id = inference_at.get((before.get(frame_index), noise_index))
        previous = None if previous_id is None else of_mean.get((previous_id, camera))
        _add(tables, own, previous, of_rollout.get((inference_id, camera)))


def _add(tables: Tables, own: MapSet, previous: MapSet | None, rollout: MapSet | None) -> None:
    keys = {name: own.keys[name] for name in _KEYS}
    deeper = keys | {"layer": keys["layer"] + 1}
    step = map_step(
        own.maps,
        _beside(own.maps, keys, previous, "maps"),
        own.mass,
        _beside(own.mass, keys, previous, "mass"),
    )
    tables["layer_links"].add_block(
        len(own.maps),
        {
            "inference_id": own.inference_id,
            "camera": own.camera,
            **{name: column.tolist() for name, column in keys.items()},
            "flow": flow(own.maps, _beside(own.maps, deeper, own, "maps")),
            "rollout_mass": _beside(own.mass, keys, rollout, "mass"),
            "rollout_correlation": flow(own.maps, _beside(own.maps, keys, rollout, "maps")),
            "stability_l2": step.l2,
            "stability_tv": step.total_variation,
            "stability_l2_raw": step.l2_raw,
        },
    )


def _beside(like: NDArray[np.float32], keys: _Keys, other: MapSet | None, what: str) -> NDArray[np.float32]:
    """``other``'s maps or masses under the same keys, row by row as in ``like`` [M, ...]; NaN where it has none."""
    found = np.full_like(like, np.nan)
    if other is not None:
        values: NDArray[np.float32] = getattr(other, what)
        there = {key: row for row, key in enumerate(_rows_of(other.keys))}
        for row, key in enumerate(_rows_of(keys)):
            if key in there:
                found[row] = values[there[key]]
    return found


def _rows_of(keys: _Keys) -> list[tuple[object, ...]]:
    return list(zip(*(keys[name].tolist() for name in _KEYS), strict=True))
