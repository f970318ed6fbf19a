"""The loop: a study's units, those that are not in the lake yet, one after the other or in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.bench import Setup, set_up
from ingest.identity import canonical_json
from ingest.lake import RunFolder
from ingest.names import check_names
from ingest.plan import PlannedUnit
from ingest.progress import Progress
from ingest.provenance import run_row
from ingest.rows import Tables
from ingest.study import Study
from ingest.unit import UnitResult
from ingest.workers import limit_threads, work_in_processes

DONE = "done"


@dataclass(frozen=True)
class RunSummary:
    """What a call of :func:`run` did, and how the whole run stands."""

    run_id: str
    n_planned: int
    n_already_done: int
    results: tuple[UnitResult, ...]

    @property
    def is_complete(self) -> bool:
        return all(result.status == DONE for result in self.results)


def run(study: Study, lake: Path, *, fresh: bool, progress: Progress) -> RunSummary:
    """Runs what is missing of a study, each unit atomically, and keeps its plan in the lake.

    Units that failed, were skipped or lost frames are tried again. Raises UserError before anything is started, and
    KeyboardInterrupt on Ctrl-C: what is finished by then stays.
    """
    setup = set_up(study, lake)
    check_names(setup)
    with setup.folder.writer():
        if fresh:
            setup.folder.drop()
        pending = [planned for planned in setup.plan.units if not is_done(setup.folder, planned)]
        # Not when there is nothing to do: it names the revision and the versions that the units were made with.
        if pending or setup.folder.damaged_files(setup.folder.run_unit, verify=True):
            store_plan(setup)
        already = len(setup.plan.units) - len(pending)
        results = []
        with progress.units(total=len(setup.plan.units), done=already):
            for result in _work(setup, lake, setup.plan.by_episode(pending)):
                results.append(result)
                progress.finished(result)
    return RunSummary(setup.plan.run_id, len(setup.plan.units), already, tuple(results))


def is_done(folder: RunFolder, planned: PlannedUnit) -> bool:
    """True for a unit that is in the lake without losses and with every file of its manifest."""
    manifest = folder.manifest(planned.unit)
    return (
        manifest is not None
        and manifest["status"] == DONE
        and not folder.damaged_files(planned.unit, verify=False)
    )


def store_plan(setup: Setup) -> None:
    """The run's own unit: the run, its conditions and every planned unit."""
    tables = Tables(setup.plan.run_id)
    tables["runs"].add_row(run_row(setup.study, setup.plan, setup.policy))
    for group in setup.plan.groups:
        for condition in group.conditions:
            tables["conditions"].add_row(
                {
                    "condition_id": condition.condition_id,
                    "kind": condition.kind,
                    "name": condition.name,
                    "prompt_template": condition.prompt_template,
                    "params": canonical_json(dict(condition.params)),
                }
            )
    for planned in setup.plan.units:
        tables["units"].add_row(
            {
                "unit": planned.unit,
                "episode_id": planned.ref.episode_id,
                "condition_group": planned.group.name,
                "status": "pending",
            }
        )
    setup.folder.write(setup.folder.run_unit, tables.finish(), {"status": "plan"})


def _work(setup: Setup, lake: Path, episodes: Sequence[tuple[PlannedUnit, ...]]) -> Iterator[UnitResult]:
    n_workers = min(setup.study.compute.workers, len(episodes))
    if n_workers <= 1:
        # As many as a worker has, so that a resume with one episode left gives a worker's bytes.
        limit_threads(setup.study, setup.study.compute.workers)
        bench = setup.bench()
        for units in episodes:
            for planned in units:
                yield bench.run(planned)
        return
    yield from work_in_processes(setup.study, lake, episodes, n_workers)
