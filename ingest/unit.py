"""One unit of work: what happens to an episode under a condition group, and how it ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.attention.selection import Selection
from ingest.batches import BatchRunner
from ingest.errors import DataError, GazehouseError
from ingest.identity import unit_of
from ingest.issues import Issues
from ingest.jobs import Job, JobMaker
from ingest.lake import RunFolder
from ingest.metric_rows import Baseline, add_metrics
from ingest.objects.nulls import OtherEpisodes
from ingest.plan import PlannedUnit
from ingest.policies.base import Policy
from ingest.policies.pictures_once import pictures_once
from ingest.rows import Tables
from ingest.scene import FrameScene, OpenEpisode, SceneReader
from ingest.schema import arrow_schema
from ingest.study import Study
from ingest.tabulate import add_episode, add_frame, add_inferences, add_layouts, add_objects


@dataclass(frozen=True)
class UnitResult:
    """How a unit ended: for the progress line, the summary and the exit code."""

    unit: str
    episode_id: str
    group: str
    status: str
    reason: str | None
    n_inferences: int
    messages: tuple[str, ...]


@dataclass(frozen=True)
class _Ending:
    status: str
    reason: str | None = None
    n_inferences: int = 0
    n_planned: int | None = None


class Bench:
    """What the units of a run share: the study, the loaded policy, the readers and the run's folder."""

    def __init__(
        self,
        study: Study,
        policy: Policy,
        selection: Selection,
        folder: RunFolder,
        reader: SceneReader,
        nulls: OtherEpisodes,
    ) -> None:
        self._study = study
        self._policy = policy
        self._runner = BatchRunner(study, policy, selection)
        self._folder = folder
        self._reader = reader
        self._nulls = nulls

    def run(self, planned: PlannedUnit) -> UnitResult:
        """Does one unit and writes it to the lake.

        Bad data and failures of the model end as ``issues`` of the unit, never as an exception, so that the rest of
        the study goes on. Raises only what concerns every unit, such as a full disk.
        """
        issues = Issues(planned.unit, planned.ref.episode_id)
        tables = Tables(self._folder.run_id)
        try:
            ending = self._fill(planned, tables, issues)
        except DataError as error:
            tables, ending = Tables(self._folder.run_id), _Ending("failed", error.reason)
            issues.add("open", error.subject, error.reason, str(error), is_loss=True)
        except OSError:
            raise
        except Exception as error:  # a fault of the model or of ours: it costs this unit, not the study
            reason = "model_error" if isinstance(error, GazehouseError) else "internal_error"
            tables, ending = Tables(self._folder.run_id), _Ending("failed", reason)
            detail = f"{type(error).__name__}: {error}"
            issues.add("infer", planned.ref.episode_id, reason, detail, is_loss=True)
        for row in issues.rows:
            tables["issues"].add_row(row)
        facts = {
            "episode_id": planned.ref.episode_id,
            "condition_group": planned.group.name,
            "status": ending.status,
            "reason": ending.reason,
            "n_inferences": ending.n_inferences,
            "n_planned": ending.n_planned,
        }
        self._folder.write(planned.unit, tables.finish(), facts)
        return UnitResult(
            planned.unit,
            planned.ref.episode_id,
            planned.group.name,
            ending.status,
            ending.reason,
            ending.n_inferences,
            issues.lines(),
        )

    def _fill(self, planned: PlannedUnit, tables: Tables, issues: Issues) -> _Ending:
        is_baseline = planned.group.name == "baseline"
        baseline = None if is_baseline else self._stored_baseline(planned)
        if not is_baseline and baseline is None:
            return _Ending("skipped", "the baseline of the episode failed")
        clock = _Clock(tables, planned.unit)
        with clock.stage("read"):
            opened = self._reader.open(planned.ref)
            episode = opened.episode
            frames = self._frames(planned, opened, tables, issues)
        maker = JobMaker(
            self._folder.run_id,
            self._study,
            self._policy,
            planned.group,
            episode,
            opened.objects,
            baseline,
            issues,
        )
        jobs = maker.jobs(frames)
        with clock.stage("infer"), pictures_once(self._policy):
            self._runner.run(jobs, episode.episode_id, issues)
        with clock.stage("measure"):
            add_inferences(tables, planned.unit, episode, jobs, clock.host)
            add_layouts(tables, [job.prepared.layout for job in jobs])
            add_metrics(
                tables,
                tables["inferences"].finish(),
                tables["attention_maps"].finish(),
                frames,
                episode.episode_id,
                self._nulls,
                baseline,
                self._study.episodes.table_height,
            )
        return _ending(frames, jobs, maker.n_lost(frames), issues)

    def _frames(
        self, planned: PlannedUnit, opened: OpenEpisode, tables: Tables, issues: Issues
    ) -> list[FrameScene]:
        """Reads the unit's keyframes; the baseline's unit also keeps the episode, its frames and their objects."""
        episode = opened.episode
        keyframes = episode.keyframes()
        frames = [opened.frame(index, self._policy, issues) for index in planned.group.keyframes(keyframes)]
        if planned.group.name == "baseline":
            for problem in [*episode.problems, *opened.objects.problems]:
                issues.add("read", problem.subject, problem.reason, problem.detail, is_loss=False)
            add_episode(tables, episode, len(keyframes))
            for frame in frames:
                add_frame(tables, self._folder.path, episode, frame)
                add_objects(tables, episode, frame)
        return frames

    def _stored_baseline(self, planned: PlannedUnit) -> Baseline | None:
        unit = unit_of(self._folder.run_id, planned.ref.episode_id, "baseline")
        inferences, maps = self._folder.read(unit, "inferences"), self._folder.read(unit, "attention_maps")
        if inferences is None:
            return None
        # A capture of single words alone has no maps.
        baseline = Baseline(
            inferences, arrow_schema("attention_maps").empty_table() if maps is None else maps
        )
        return baseline if baseline.ids else None


def _ending(frames: list[FrameScene], jobs: list[Job], n_lost: int, issues: Issues) -> _Ending:
    n_stored = sum(job.status in ("ok", "vacuous") for job in jobs)
    n_planned = len(jobs) + n_lost
    if frames and not any(frame.seen for frame in frames):
        return _Ending("failed", frames[0].reason, 0, n_planned)
    if issues.has_losses:
        return _Ending("partial", "see issues", n_stored, n_planned)
    return _Ending("done", None, n_stored, n_planned)


class _Clock:
    """Seconds of each stage, into ``timings``."""

    def __init__(self, tables: Tables, unit: str) -> None:
        self.host = socket.gethostname()
        self._tables = tables
        self._unit = unit

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self._tables["timings"].add_row(
            {
                "unit": self._unit,
                "stage": name,
                "seconds": seconds,
                "host": self.host,
                "finished_at": datetime.now(UTC).replace(tzinfo=None),
            }
        )
