"""Rows of ``camera_links``: whether the maps of two cameras of a baseline lie on the same places of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.measure import MapSet
from ingest.rows import Tables
from ingest.views import Views
from measures.cross_camera import Carry, PatchView, agreement, carry

_KEYS = ("pass", "denoise_step", "layer", "query_index")
_NO_PLANE = "no plane to meet on: episodes.table_height is not set"


def add_camera_links(
    tables: Tables,
    inferences: Mapping[int, Mapping[str, Any]],
    maps: Iterable[MapSet],
    views: Mapping[int, Views],
    table_height: float | None,
) -> None:
    """Each pair of cameras in the study's order: the second's 'mean' rows carried into the first's view.

    ``inferences`` by id, ``views`` by frame; ``table_height`` in metres. What cannot be compared has a reason. The null is
    the second camera's map from half an episode away: it keeps the habits of its picture and loses the place.
    """
    of_inference: dict[int, dict[str, MapSet]] = {}
    for one in maps:
        is_mean = one.keys["rows"] == "mean"
        of_inference.setdefault(one.inference_id, {})[one.camera] = one.where(is_mean)
    away = _half_an_episode_away(inferences, of_inference)
    for inference_id, by_camera in of_inference.items():
        seen = views[inferences[inference_id]["frame_index"]]
        for camera, other in combinations([name for name in seen if name in by_camera], 2):
            here, there = _in_step(by_camera[camera], by_camera[other])
            null = of_inference[away[inference_id]].get(other) if inference_id in away else None
            columns = _compared(here, there, null, seen[camera], seen[other], table_height)
            keys = {name: here.keys[name].tolist() for name in _KEYS}
            ids = {"inference_id": inference_id, "camera": camera, "other_camera": other}
            tables["camera_links"].add_block(len(here.maps), {**ids, **keys, **columns})


def _half_an_episode_away(
    inferences: Mapping[int, Mapping[str, Any]], measured: Iterable[int]
) -> dict[int, int]:
    """Each inference -> that of the keyframe half of the keyframes further on, round the end, under the same noise."""
    by_noise: dict[int, list[tuple[int, int]]] = {}
    for inference_id in measured:
        row = inferences[inference_id]
        by_noise.setdefault(row["noise_index"], []).append((row["frame_index"], inference_id))
    found = {}
    for members in by_noise.values():
        ordered = [inference_id for _, inference_id in sorted(members)]
        for place, inference_id in enumerate(ordered):
            if len(ordered) > 1:
                found[inference_id] = ordered[(place + len(ordered) // 2) % len(ordered)]
    return found


def _compared(
    here: MapSet,
    there: MapSet,
    null: MapSet | None,
    view: PatchView | str,
    other: PatchView | str,
    table_height: float | None,
) -> dict[str, Any]:
    """The measured columns; a reason alone where a view or the plane is missing."""
    if isinstance(view, str) or isinstance(other, str):
        return {"reason": view if isinstance(view, str) else other}
    if table_height is None:
        return {"reason": _NO_PLANE}
    carried = carry(other, view, table_height)
    columns: dict[str, Any] = agreement(here.maps, there.maps, carried)._asdict()
    if null is not None:
        columns["other_frame_correlation"] = _null_correlation(here, null, carried)
    return columns


def _null_correlation(here: MapSet, null: MapSet, carried: Carry) -> NDArray[np.float64]:
    """[M], NaN for a map that the other keyframe lacks."""
    found, known = np.full(len(here.maps), np.nan), set(_rows_of(null))
    rows = [row for row, key in enumerate(_rows_of(here)) if key in known]
    own, there = _in_step(here, null)
    found[rows] = agreement(own.maps, there.maps, carried).correlation
    return found


def _in_step(one: MapSet, other: MapSet) -> tuple[MapSet, MapSet]:
    """The maps that both cameras have, in the order of the first."""
    keys, there = _rows_of(one), {key: row for row, key in enumerate(_rows_of(other))}
    common = [row for row, key in enumerate(keys) if key in there]
    picked = [there[keys[row]] for row in common]
    return one.where(np.asarray(common, dtype=np.int64)), other.where(np.asarray(picked, dtype=np.int64))


def _rows_of(maps: MapSet) -> list[tuple[object, ...]]:
    return list(zip(*(maps.keys[name].tolist() for name in _KEYS), strict=True))
