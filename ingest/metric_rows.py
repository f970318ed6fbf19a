"""The metrics of a unit, from its stored maps, its frames' masks and, where prompts changed, its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.attention.reduce import ROLLOUT
from ingest.camera_rows import add_camera_links
from ingest.conditions.base import BASELINE_ID
from ingest.link_rows import add_layer_links
from ingest.measure import MapSet, action_effect, add_map_shifts, add_object_metrics, map_sets
from ingest.objects.nulls import OtherEpisodes
from ingest.rows import Tables
from ingest.scene import FrameScene
from measures.maps import side_of

_FrameKey = tuple[int, int]  # (frame_index, noise_index)


@dataclass(frozen=True)
class Baseline:
    """The stored baseline of an episode, by frame and noise."""

    inferences: pa.Table
    attention_maps: pa.Table

    @cached_property
    def ids(self) -> dict[_FrameKey, int]:
        return {
            (row["frame_index"], row["noise_index"]): row["inference_id"]
            for row in self.inferences.to_pylist()
            if row["condition_id"] == BASELINE_ID and row["status"] == "ok"
        }

    @cached_property
    def actions(self) -> dict[int, NDArray[np.float64]]:
        """inference_id -> [horizon, dims]."""
        return {
            row["inference_id"]: np.asarray(row["actions"], dtype=np.float64)
            for row in self.inferences.to_pylist()
            if row["actions"] is not None
        }

    @cached_property
    def action_scale(self) -> NDArray[np.float64]:
        """[dims] standard deviation (ddof = 1) over all steps of all baseline chunks of the episode."""
        steps = np.concatenate(list(self.actions.values()))
        return steps.std(axis=0, ddof=1) if len(steps) > 1 else np.zeros(steps.shape[1])

    @cached_property
    def maps(self) -> dict[tuple[int, str], MapSet]:
        return {(maps.inference_id, maps.camera): maps for maps in map_sets(self.attention_maps)}


def add_metrics(
    tables: Tables,
    inferences: pa.Table,
    attention_maps: pa.Table,
    frames: Sequence[FrameScene],
    episode_id: str,
    nulls: OtherEpisodes,
    baseline: Baseline | None,
    table_height: float | None,
) -> None:
    """Object metrics of every stored map and, given a baseline, shifts of maps and actions; for it, links of maps."""
    rows = {row["inference_id"]: row for row in inferences.to_pylist()}
    by_index = {frame.index: frame for frame in frames}
    stored = list(map_sets(attention_maps))
    if baseline is None:
        rollouts = map_sets(attention_maps, ROLLOUT)
        add_layer_links(tables, rows.values(), stored, rollouts, [frame.index for frame in frames])
        views = {frame.index: frame.views for frame in frames}
        add_camera_links(tables, rows, stored, views, table_height)
    for maps in stored:
        row = rows[maps.inference_id]
        frame = by_index[row["frame_index"]]
        if maps.camera in frame.stacks:
            stack = frame.stacks[maps.camera]
            add_object_metrics(
                tables,
                maps,
                stack,
                is_baseline=baseline is None,
                null_coverage=lambda role, f=frame, m=maps, s=stack: nulls.coverage(  # type: ignore[misc]
                    episode_id, f.progress, m.camera, role, side_of(m.maps.shape[1]), s.kept
                ),
            )
        if baseline is not None:
            baseline_id = baseline.ids.get((row["frame_index"], row["noise_index"]))
            there = None if baseline_id is None else baseline.maps.get((baseline_id, maps.camera))
            if baseline_id is not None and there is not None:  # no map where the instruction has no word
                add_map_shifts(tables, maps, there, baseline_id)
    if baseline is not None:
        _add_action_effects(tables, rows, baseline)


def _add_action_effects(tables: Tables, rows: Mapping[int, Mapping[str, object]], baseline: Baseline) -> None:
    for inference_id, row in rows.items():
        baseline_id = baseline.ids.get((row["frame_index"], row["noise_index"]))  # type: ignore[arg-type]
        if row["actions"] is None or baseline_id is None:
            continue
        actions = np.asarray(row["actions"], dtype=np.float64)
        effect = action_effect(actions, baseline.actions[baseline_id], baseline.action_scale)
        ids = {"inference_id": inference_id, "baseline_id": baseline_id, "params": row["params"]}
        tables["action_effects"].add_row({**ids, **effect})
