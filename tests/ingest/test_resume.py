"""A run that is killed and resumed ends with the same unit files, byte for byte, as one that was left alone.

The commands here are real processes, killed with SIGKILL at ten random (seeded) moments: six times alone, four times
with two workers, none of which may go on writing. Two of the kills, one of either kind, hit the command as a user starts
it; the processes of the others are forked from one that has imported torch already, which spares most of the time.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import ingest.run
from ingest.bench import set_up
from ingest.plan import PlannedUnit
from ingest.study import Study
from ingest.unit import UnitResult
from tests.ingest import world as worlds
from tests.ingest.processes import descendants, is_alive
from tests.ingest.warm import start_warm
from tests.ingest.world import CUBE, World, cli, files_below, make_world, only_run, start, unit_bytes

LONGEST_WAIT = 300.0  # seconds, for a machine that is busy with something else
POLL = 0.002
CONDITIONS = {"prompts": {"cube": CUBE}, "paraphrases": ["take the {object}"]}
N_UNITS = 9
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Moment(NamedTuple):
    """When to kill: ``delay`` seconds after the start, after the n-th new unit, or after a unit began to be written."""

    after: str
    count: int
    delay: float


def moments(seed: int, kinds: Sequence[str]) -> list[Moment]:
    draw = random.Random(seed)
    longest = {"start": 0.5, "unit": 0.1, "writing": 0.02}
    return [Moment(kind, draw.randint(1, 2), draw.uniform(0, longest[kind])) for kind in kinds]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("resume"), {"conditions": CONDITIONS}, count=3)


@pytest.fixture
def untouched(
    small: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> dict[str, bytes]:
    """The unit files of an uninterrupted run in this process, with as many threads as each process of the command."""
    workers: int = request.param
    for name, value in worlds.WITHOUT_GIT.items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patch:
        patch.setattr(ingest.run, "limit_threads", worlds.limit_threads)
        patch.setattr(ingest.run, "work_in_processes", _one_after_the_other)
        assert small.run(tmp_path / "untouched", {"compute.workers": workers}).is_complete
    ingest.run.limit_threads(small.study(), 1)
    return unit_bytes(tmp_path / "untouched")


def _one_after_the_other(
    study: Study, lake: Path, episodes: Sequence[tuple[PlannedUnit, ...]], n_workers: int
) -> Iterator[UnitResult]:
    ingest.run.limit_threads(study, n_workers)
    bench = set_up(study, lake).bench()
    for units in episodes:
        for planned in units:
            yield bench.run(planned)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("untouched", "kinds", "seed"),
    [
        (1, ("unit", "writing", "start", "unit", "writing", "unit"), 11),
        (2, ("writing", "unit", "start", "writing"), 22),
    ],
    indirect=["untouched"],
)
def test_killed_runs_end_with_the_bytes_of_an_untouched_one(
    small: World, tmp_path: Path, untouched: dict[str, bytes], kinds: tuple[str, ...], seed: int
) -> None:
    lake = tmp_path / "lake"
    workers = {6: 1, 4: 2}[len(kinds)]
    command: list[Any] = ["run", "--no-load", "--study", small.study_file, "--lake", lake]
    command += ["--workers", workers]
    kills = 0
    pending = moments(seed, kinds)
    while pending:
        process = Cold(start(*command, **SILENT)) if kills == 0 else Warm(start_warm(*command))
        if kill_at(process, lake, pending[0]):
            pending.pop(0)
            kills += 1
        else:  # done before its moment came: begin again
            assert process.code() == 0
            assert unit_bytes(lake) == untouched
            shutil.rmtree(lake)
        assert_whole(lake, untouched)
    assert kills == len(kinds)

    said = tmp_path / "said"
    last = start_warm(*command, output=said)
    last.join(LONGEST_WAIT)
    out = said.read_text()
    assert last.exitcode == 0, out
    assert f"of {N_UNITS} units" in out or "nothing to do" in out
    assert unit_bytes(lake) == untouched
    folder = only_run(lake)
    assert not [
        path.name for path in folder.path.iterdir() if path.name.startswith((".writing", ".replaced"))
    ]
    assert not list(folder.path.rglob("*.writing"))
    pictures = files_below(folder.path / "pictures")
    assert pictures == files_below(only_run(tmp_path / "untouched").path / "pictures")
    assert pictures

    # A run with nothing left to do does nothing, and says so.
    before = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.*") if path.name != ".lock"}
    again = cli(*command)
    assert again.code == 0
    assert f"nothing to do, all {N_UNITS} units are in the lake" in again.out
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert unit_bytes(lake) == untouched


class Cold:
    """The command as a user starts it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()


class Warm:
    """The command in a process that had torch imported from the start."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def code(self) -> int | None:
        return self._process.exitcode


def kill_at(process: Cold | Warm, lake: Path, moment: Moment) -> bool:
    """Kills the process, and it alone, at its moment; False where it ended before. Its workers must end with it."""
    deadline = time.monotonic() + LONGEST_WAIT
    known = units(lake)
    started = time.monotonic()
    while True:
        if process.code() is not None:
            return False
        assert time.monotonic() < deadline, "the moment never came"
        if moment.after == "start":
            has_come = time.monotonic() - started > moment.delay
        elif moment.after == "unit":
            has_come = len(units(lake) - known) >= moment.count
        else:
            has_come = any(lake.glob("run_id=*/.writing-*"))
        if has_come:
            break
        time.sleep(POLL)
    if moment.after != "start":
        time.sleep(moment.delay)
    workers = descendants(process.pid)
    if process.code() is not None:  # it ended while we slept
        return False
    os.kill(process.pid, signal.SIGKILL)
    while process.code() is None:
        time.sleep(POLL)
    if process.code() == 0:
        return False
    assert process.code() == -signal.SIGKILL
    at_death = files_below(lake)
    while any(is_alive(worker) for worker in workers):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(POLL)
    # What a worker was in the middle of may differ by the instant between the two deaths, finished units may not.
    assert set(files_below(lake)) - set(at_death) <= {path for path in files_below(lake) if "/." in path}
    return True


def units(lake: Path) -> set[str]:
    return {path.name for path in lake.glob("run_id=*/unit=*")}


def assert_whole(lake: Path, untouched: dict[str, bytes]) -> None:
    """Every unit in the lake has all its files, each with the bytes it will have at the end."""
    found = unit_bytes(lake)
    there = {path.split("/")[1] for path in found}
    assert found == {path: content for path, content in untouched.items() if path.split("/")[1] in there}


# --- what is left of a run is taken up by name, not by trust --------------------------------------------------------


def test_a_unit_that_lost_a_file_is_done_again(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    folder = only_run(lake)
    broken = folder.units()[:3]
    (folder.unit_path(broken[0]) / "tokens.parquet").unlink()
    (folder.unit_path(broken[1]) / "unit.json").unlink()
    (folder.unit_path(broken[2]) / "unit.json").write_text("{")
    summary = world.run(lake)
    assert {result.unit for result in summary.results} == set(broken)
    assert summary.n_already_done == 9
    assert _without_plan(lake) == _without_plan(world.lake)


def test_a_new_episode_is_the_only_thing_done(tmp_path: Path) -> None:
    """The study is the same, so the run is; what it plans has grown."""
    world = make_world(tmp_path, {"conditions": {}}, count=2)
    world.run()
    before = _without_plan(world.lake)
    worlds.write_episodes(tmp_path / "more", 3)
    shutil.copytree(tmp_path / "more" / "success", world.root / "success", dirs_exist_ok=True)
    summary = world.run()
    assert [result.episode_id for result in summary.results] == ["success/2025-12-10/episode_2"]
    assert (summary.n_planned, summary.n_already_done) == (3, 2)
    after = _without_plan(world.lake)
    assert {path: after[path] for path in before} == before
    assert worlds.table_of(world.lake, "units")[2]["episode_id"] == "success/2025-12-10/episode_2"


def test_fresh_drops_the_run_and_no_other(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    other = lake / "run_id=ffffffffffffffff" / "unit=aa"
    other.mkdir(parents=True)
    run = only_run(world.lake)
    stray = lake / f"run_id={run.run_id}" / "stray"
    stray.write_text("")
    overrides = ["--study", world.study_file, "--lake", lake]
    ended = cli("run", "--no-load", "--fresh", *overrides)
    assert ended.code == 0
    assert "12 done of 12 units; 64 inferences" in ended.out
    assert other.is_dir()
    assert not stray.exists()
    shutil.rmtree(other.parent)
    assert _without_plan(lake) == _without_plan(world.lake)


def test_nothing_to_do_keeps_the_provenance(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later commit did not make these units: `runs` goes on naming the one that did."""
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    before = unit_bytes(lake)
    monkeypatch.setattr("ingest.provenance._git_revision", lambda _: "of another day")
    assert not world.run(lake).results
    assert unit_bytes(lake) == before


def _without_plan(lake: Path) -> dict[str, bytes]:
    run_unit = f"unit={only_run(lake).run_unit}"
    return {path: content for path, content in unit_bytes(lake).items() if run_unit not in path}


def test_one_episode_left_is_done_with_a_workers_threads(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums depend on the number of threads; a resume without worker processes must not have more of them."""
    asked: list[int] = []
    monkeypatch.setattr(ingest.run, "limit_threads", lambda _, n_processes: asked.append(n_processes))
    world.run(tmp_path, {"episodes.limit": 1, "conditions": {}, "compute.workers": 2})
    assert asked == [2]
