"""Metrics again for units that are in the lake: new masks or a new metric, the model is not even loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest.bench import study_objects
from ingest.conditions.groups import group_names
from ingest.episodes.base import Episode, EpisodeRef, EpisodeSource
from ingest.episodes.preprocess import Fit
from ingest.errors import DataError, UserError
from ingest.identity import canonical_json, unit_of
from ingest.issues import Issues, printable
from ingest.lake import RunFolder, run_ids
from ingest.metric_rows import Baseline, add_metrics
from ingest.objects.base import EpisodeObjects, ObjectsSource
from ingest.objects.nulls import OtherEpisodes
from ingest.plan import episode_source, limited_refs
from ingest.rows import Tables
from ingest.scene import FrameScene, mask_stacks, read_objects
from ingest.schema import arrow_schema
from ingest.stale import placed_by_objects, with_issue_of_old_masks
from ingest.study import Study
from ingest.tabulate import add_objects, label_maps
from ingest.views import views_of

_MEASURED = ("object_metrics", "map_shifts", "layer_links", "camera_links", "action_effects")
_STALE = (
    "masks changed: per-head object masses need the model (`python -m ingest run --fresh`); they are null now"
)


@dataclass(frozen=True)
class Remeasured:
    """What a call did. ``messages`` are lines for the user, one an issue; ``n_stale`` episodes hold conditions that were
    placed by masks which have changed since."""

    n_units: int
    n_changed: int
    n_failed: int
    messages: tuple[str, ...]
    n_stale: int = 0


def remeasure(study: Study, lake: Path) -> Remeasured:
    """Recomputes the metrics of every finished unit of the study's runs.

    Raises UserError when the lake has no run of this study.
    """
    source = episode_source(study.episodes)
    refs = limited_refs(source.discover(), study.episodes.limit)
    totals = Remeasured(0, 0, 0, ())
    folders = _runs_of(study, lake)
    if not folders:
        raise UserError(
            f"{lake}: no run of the study {study.study!r} as given; run `python -m ingest run` first"
        )
    for folder in folders:
        objects = study_objects(study, _fits_in(folder, refs))
        nulls = OtherEpisodes(source, objects, refs, study.objects.null_masks, study.seed)
        with folder.writer():
            for ref in refs:
                done = _Remeasure(study, folder, source, objects, nulls, ref).run()
                totals = Remeasured(
                    totals.n_units + done.n_units,
                    totals.n_changed + done.n_changed,
                    totals.n_failed + done.n_failed,
                    totals.messages + done.messages,
                    totals.n_stale + done.n_stale,
                )
    return totals


class _Remeasure:
    """One episode of one run."""

    def __init__(
        self,
        study: Study,
        folder: RunFolder,
        source: EpisodeSource,
        objects: ObjectsSource,
        nulls: OtherEpisodes,
        ref: EpisodeRef,
    ) -> None:
        self._study = study
        self._folder = folder
        self._source = source
        self._objects = objects
        self._nulls = nulls
        self._ref = ref

    def run(self) -> Remeasured:
        issues = Issues(self._unit("baseline"), self._ref.episode_id)
        stored = [name for name in group_names(self._study.conditions) if self._is_stored(name)]
        damaged = [name for name in stored if self._is_damaged(name, issues)]
        stored = [name for name in stored if name not in damaged]
        if "baseline" in damaged or not stored:
            return Remeasured(len(stored), 0, int(issues.has_losses), self._lines(issues))
        try:
            episode = self._source.open(self._ref)
            frames = self._frames(episode, self._objects.open(episode), issues)
        except DataError as error:
            issues.add("open", error.subject, error.reason, str(error), is_loss=True)
            return Remeasured(len(stored), 0, len(stored), self._lines(issues))
        objects = Tables(self._folder.run_id)
        for frame in frames:
            add_objects(objects, episode, frame)
        found = objects["objects"].finish()
        # Asked before the baseline's unit, which holds the old masks, is rewritten.
        if not _same(self._folder.read(self._unit("baseline"), "objects"), found):
            issues.add("measure", episode.episode_id, "stale_object_masses", _STALE, is_loss=False)
            is_stale = True
        else:
            is_stale = False
        placed = placed_by_objects(self._study.conditions) if is_stale else {}
        placed = {group: names for group, names in placed.items() if group in stored}
        for group, names in placed.items():
            self._tell_of_old_masks(group, names)
        # The baseline last: until it is rewritten, a killed `measure` finds the old masks there again.
        changed = sum([self._measure(group, episode, frames, found, is_stale) for group in reversed(stored)])
        return Remeasured(
            len(stored), changed, int(issues.has_losses), self._lines(issues), int(bool(placed))
        )

    def _tell_of_old_masks(self, group: str, names: Sequence[str]) -> None:
        """Its effects stay as they are: they belong to the places that the model was asked about."""
        unit = self._unit(group)
        manifest = self._folder.manifest(unit) or {}
        tables = {
            name: table for name in manifest["tables"] if (table := self._stored(unit, name)) is not None
        }
        episode_id = self._ref.episode_id
        issues = with_issue_of_old_masks(tables.get("issues"), self._folder.run_id, unit, episode_id, names)
        if not _same(tables.get("issues"), issues):
            self._folder.write(unit, tables | {"issues": issues}, _facts(manifest))

    def _frames(self, episode: Episode, objects: EpisodeObjects, issues: Issues) -> list[FrameScene]:
        frames = []
        unread, cameras = self._unread_frames(), self._cameras()
        grids = {name: camera["rows"] for name, camera in cameras.items()}
        kept = {name: camera.get("kept", 1.0) for name, camera in cameras.items()}
        for index in episode.keyframes():
            if index in unread:  # the policy did not see it, so its objects do not count
                frames.append(FrameScene(index, progress=0.0))
                continue
            found = read_objects(episode, objects, index, issues)
            boxes = {
                camera: _fit_of(cameras[camera]).letterbox(*episode.frame_size(camera, index))
                for camera in episode.cameras
                if camera in grids
            }
            progress = index / max(episode.n_frames - 1, 1)
            of_objects = {one.camera for one in found.objects}
            with_objects = {camera: box for camera, box in boxes.items() if camera in of_objects}
            stacks = mask_stacks(found, with_objects, grids, kept)
            views = views_of(episode, index, boxes, grids, kept, issues)
            frames.append(FrameScene(index, progress, objects=found, stacks=stacks, views=views))
        return frames

    def _cameras(self) -> dict[str, dict[str, Any]]:
        return _cameras_of(self._folder, self._ref)

    def _unread_frames(self) -> set[int]:
        """Keyframes that failed when the policy ran."""
        frames = self._folder.read(self._unit("baseline"), "frames")
        rows = [] if frames is None else frames.to_pylist()
        return {row["frame_index"] for row in rows if row["status"] != "ok"}

    def _measure(
        self, group: str, episode: Episode, frames: Sequence[FrameScene], objects: pa.Table, is_stale: bool
    ) -> bool:
        """Rewrites the unit where its numbers changed."""
        unit = self._unit(group)
        manifest = self._folder.manifest(unit) or {}
        before = {name: self._stored(unit, name) for name in manifest["tables"]}
        inferences, maps = before.get("inferences"), before.get("attention_maps")
        if inferences is None or maps is None:
            return False
        tables = Tables(self._folder.run_id)
        baseline = None if group == "baseline" else self._baseline()
        if group != "baseline" and baseline is None:
            return False
        height = self._study.episodes.table_height
        add_metrics(tables, inferences, maps, frames, episode.episode_id, self._nulls, baseline, height)
        after: dict[str, pa.Table] = {name: table for name, table in before.items() if table is not None}
        for name in _MEASURED:
            after[name] = tables[name].finish()
        if is_stale:
            after["attention_masses"] = _without_object_masses(after["attention_masses"])
        if group == "baseline":
            after["objects"] = objects
            after["frames"] = _with_label_maps(after["frames"], self._folder.path, episode, frames)
        if all(_same(before.get(name), table) for name, table in after.items()):
            return False
        self._folder.write(unit, after, _facts(manifest))
        return True

    def _stored(self, unit: str, name: str) -> pa.Table | None:
        """A table in the schema it was written with, so that it is written again with the same bytes."""
        table = self._folder.read(unit, name)
        try:
            return None if table is None else table.cast(arrow_schema(name)).combine_chunks()
        except ValueError as error:  # Arrow's own errors of names and types among them
            path = self._folder.unit_path(unit) / f"{name}.parquet"
            raise DataError(
                f"{path} is no table of {name} ({str(error).splitlines()[0]}); delete the unit's folder and run the study again",
                subject=path.relative_to(self._folder.path).as_posix(),
                reason="damaged_unit",
            ) from error

    def _baseline(self) -> Baseline | None:
        unit = self._unit("baseline")
        inferences, maps = self._folder.read(unit, "inferences"), self._folder.read(unit, "attention_maps")
        return None if inferences is None or maps is None else Baseline(inferences, maps)

    def _unit(self, group: str) -> str:
        return unit_of(self._folder.run_id, self._ref.episode_id, group)

    def _is_stored(self, group: str) -> bool:
        manifest = self._folder.manifest(self._unit(group))
        return manifest is not None and manifest["status"] in ("done", "partial")

    def _is_damaged(self, group: str, issues: Issues) -> bool:
        """Whether the unit lost what its numbers come from; says so."""
        paths = self._folder.damaged_files(self._unit(group), verify=False)
        for path in paths:
            name = path.relative_to(self._folder.path).as_posix()
            detail = f"{name} is missing or damaged; run the study again, which makes its unit anew"
            issues.add("measure", name, "damaged_unit", detail, is_loss=True)
        return bool(paths)

    def _lines(self, issues: Issues) -> tuple[str, ...]:
        return tuple(f"{printable(self._ref.episode_id)}: {line}" for line in issues.lines())


def _facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of the unit, its tables apart."""
    return {name: value for name, value in manifest.items() if name not in ("tables", "unit", "run_id")}


def _cameras_of(folder: RunFolder, ref: EpisodeRef) -> dict[str, dict[str, Any]]:
    """Each camera's grid, crop and fit, as the model had them; none where the episode's baseline is not stored."""
    layouts = folder.read(unit_of(folder.run_id, ref.episode_id, "baseline"), "layouts")
    texts = [] if layouts is None else layouts["cameras"].to_pylist()
    return {camera["name"]: camera for text in texts for camera in json.loads(text)}


def _fits_in(folder: RunFolder, refs: Sequence[EpisodeRef]) -> dict[str, Fit]:
    """How the run's policy fits the pictures of its cameras: the same in every episode."""
    cameras = next(filter(None, (_cameras_of(folder, ref) for ref in refs)), {})
    return {name: _fit_of(camera) for name, camera in cameras.items()}


def _fit_of(camera: Mapping[str, Any]) -> Fit:
    standard = Fit()
    return Fit(camera.get("input_size", standard.size), camera.get("placed", standard.at))


def _runs_of(study: Study, lake: Path) -> list[RunFolder]:
    """The runs of exactly this study, whatever their checkpoint."""
    config = canonical_json(study.resolved())
    folders = [RunFolder(lake, run_id) for run_id in run_ids(lake)]
    stored = [(folder, folder.read(folder.run_unit, "runs")) for folder in folders]
    return [folder for folder, runs in stored if runs is not None and runs["config"][0].as_py() == config]


def _without_object_masses(masses: pa.Table) -> pa.Table:
    column = masses.schema.get_field_index("object_masses")
    field = masses.schema.field(column)
    return masses.set_column(column, field, pa.nulls(masses.num_rows, field.type))


def _with_label_maps(
    stored: pa.Table, run_folder: Path, episode: Episode, frames: Sequence[FrameScene]
) -> pa.Table:
    paths = {frame.index: label_maps(run_folder, episode, frame) for frame in frames}
    column = stored.schema.get_field_index("masks")
    values = [paths.get(index) for index in stored["frame_index"].to_pylist()]
    return stored.set_column(column, stored.schema.field(column), pa.array(values, pa.string()))


def _same(left: pa.Table | None, right: pa.Table) -> bool:
    if left is None:
        return right.num_rows == 0
    return bool(left.cast(right.schema).combine_chunks().equals(right.combine_chunks()))
