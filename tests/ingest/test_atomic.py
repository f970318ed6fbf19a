"""A unit is in the lake wholly or not at all, whenever its writer dies; one writer a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest import lake as lake_module
from ingest.errors import UserError
from ingest.lake import RunFolder
from ingest.study import PACKAGE_ROOT
from tests.ingest.world import World, cli, files_below, only_run, unit_bytes

RUN = "0123456789abcdef"
OLD, NEW = pa.table({"n": [1, 2]}), pa.table({"n": [3]})
FACTS = {"status": "done", "reason": None}


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours handles it, and no clean-up of ours may count on running."""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "lake", RUN)


def names(folder: RunFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir() if path.name != ".lock")


def value_of(folder: RunFolder, unit: str = "aa") -> list[int] | None:
    table = folder.read(unit, "b")
    return None if table is None else table["n"].to_pylist()


def die_at(patch: pytest.MonkeyPatch, target: Any, name: str, call: int, before: bool = True) -> None:
    """The ``call``-th call (from 0) of a function is where the process dies: just before or just after it."""
    original, seen = getattr(target, name), [0]

    def dying(*args: Any, **kwargs: Any) -> Any:
        seen[0] += 1
        if seen[0] - 1 != call:
            return original(*args, **kwargs)
        if not before:
            original(*args, **kwargs)
        raise Killed

    patch.setattr(target, name, dying)


STEPS: dict[str, tuple[Any, str, int, bool]] = {
    "before the first file": (lake_module, "_write_parquet", 0, True),
    "after the first file": (lake_module, "_write_parquet", 0, False),
    "before the manifest": (lake_module, "write_atomically", 0, True),
    "after the manifest": (lake_module, "write_atomically", 0, False),
    "before a rename": (Path, "rename", 0, True),
    "after the first rename": (Path, "rename", 0, False),
    "before the second rename": (Path, "rename", 1, True),
    "after the second rename": (Path, "rename", 1, False),
}


@pytest.mark.parametrize("step", STEPS)
def test_replacing_a_unit(folder: RunFolder, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whenever the writer dies, the next one finds the old unit or the new one, never half of either."""
    with folder.writer():
        folder.write("aa", {"b": OLD}, FACTS)
        folder.write("bb", {"b": OLD}, FACTS)
    with monkeypatch.context() as patch:
        die_at(patch, *STEPS[step])
        with pytest.raises(Killed), folder.writer():
            folder.write("aa", {"b": NEW, "c": NEW}, FACTS)
    # A reader that comes now, before any writer, sees a whole unit or none.
    assert value_of(folder) in ([1, 2], [3], None)
    with folder.writer():
        found = value_of(folder)
        assert found == ([3] if step == "after the second rename" else [1, 2])
        assert folder.damaged_files("aa", verify=True) == []
        assert value_of(folder, "bb") == [1, 2]
        assert names(folder) == ["unit=aa", "unit=bb"]  # leftovers are gone
        folder.write("aa", {"b": NEW}, FACTS)
        assert value_of(folder) == [3]


@pytest.mark.parametrize("step", [step for step in STEPS if "second" not in step])
def test_writing_a_new_unit(folder: RunFolder, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    with monkeypatch.context() as patch:
        die_at(patch, *STEPS[step])
        with pytest.raises(Killed), folder.writer():
            folder.write("aa", {"b": NEW, "c": NEW}, FACTS)
    is_there = step == "after the first rename"
    assert value_of(folder) == ([3] if is_there else None)
    with folder.writer():
        assert folder.units() == (["aa"] if is_there else [])
        assert names(folder) == (["unit=aa"] if is_there else [])


def test_a_replaced_unit_that_was_not_removed(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second window: the successor is in place, its predecessor half removed."""
    with folder.writer():
        folder.write("aa", {"b": OLD}, FACTS)
        folder.write("aa", {"b": NEW}, FACTS)
    half = folder.path / ".replaced-aa"
    half.mkdir()
    (half / "b.parquet").write_bytes(b"half")
    with folder.writer():
        assert value_of(folder) == [3]
        assert names(folder) == ["unit=aa"]


def test_files_left_beside_are_removed_whatever_they_are(folder: RunFolder) -> None:
    with folder.writer():
        pass
    (folder.path / ".writing-file").write_text("a file, not a folder")
    (folder.path / ".writing-link").symlink_to(folder.lake)
    (folder.path / ".writing-folder" / "deep").mkdir(parents=True)
    with folder.writer():
        assert names(folder) == []
    assert folder.lake.is_dir()  # the link's target was not followed


def test_dropping_a_run_takes_whole_units(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """--fresh, killed while it removes: units that are still in sight are whole, and so are their pictures."""
    with folder.writer():
        for unit in ("aa", "bb", folder.run_unit):
            folder.write(unit, {"b": OLD, "c": OLD}, FACTS)
        lake_module.write_atomically(folder.path / "pictures" / "ep" / "00000.jpg", b"jpeg")
    before = files_below(folder.path)
    for call in range(12):
        lake = tmp_path / f"copy{call}"
        shutil.copytree(folder.lake, lake)
        copy = RunFolder(lake, RUN)
        with monkeypatch.context() as patch, copy.writer():
            die_at(patch, os, "unlink", call)  # between two files of a folder that is being removed
            try:
                copy.drop()
            except Killed:
                pass
            else:
                assert files_below(copy.path) == {".lock": b""}
                break
        for unit in ("aa", "bb", copy.run_unit):
            if copy.unit_path(unit).exists():
                assert copy.damaged_files(unit, verify=True) == []
                assert files_below(copy.path)["pictures/ep/00000.jpg"] == b"jpeg"
        with copy.writer():
            assert not list(copy.path.glob(".writing-*"))
    else:
        pytest.fail("drop never reached its end")
    assert files_below(folder.path) == before


def test_two_writers_are_refused(folder: RunFolder) -> None:
    again, other = RunFolder(folder.lake, RUN), RunFolder(folder.lake, "f" * 16)
    refusal = pytest.raises(UserError, match=f"run {RUN} is being written by another process")
    with folder.writer(), refusal, again.writer():
        pass
    with folder.writer(), other.writer():
        pass  # another run of the same lake


def test_a_second_process_is_refused_and_a_dead_one_does_not_hold(folder: RunFolder) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ingest.lake import RunFolder\n"
        f"with RunFolder(Path({str(folder.lake)!r}), {RUN!r}).writer():\n"
        "    print('locked', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=PACKAGE_ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(UserError, match="another process"), folder.writer():
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    with folder.writer():
        pass


def test_the_command_refuses_a_run_that_is_being_written(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    before = unit_bytes(lake)
    with only_run(lake).writer():
        for command in (["run", "--no-load", "--fresh"], ["measure"]):
            ended = cli(*command, "--study", world.study_file, "--lake", lake)
            assert ended.code == 2
            assert "is being written by another process; wait for it to end" in ended.err
            assert ended.err.count("\n") == 1
    assert unit_bytes(lake) == before


def test_a_disk_that_is_full_leaves_no_half_unit(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error concerns every unit, so the run ends, with one line; the same command goes on later."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    lake = tmp_path / "lake"
    original: Callable[..., None] = lake_module._write_parquet
    calls = [0]

    def sometimes(table: pa.Table, path: Path) -> None:
        calls[0] += 1
        if calls[0] > 30:
            full()
        original(table, path)

    with monkeypatch.context() as patch:
        patch.setattr(lake_module, "_write_parquet", sometimes)
        ended = cli("run", "--no-load", "--limit", "1", "--study", world.study_file, "--lake", lake)
    assert ended.code == 1
    assert "No space left on device; free space or mend the path, then run again" in ended.err
    folder = only_run(lake)
    assert folder.units()
    for unit in folder.units():
        assert folder.damaged_files(unit, verify=True) == []
    assert cli("run", "--no-load", "--limit", "1", "--study", world.study_file, "--lake", lake).code == 0
    clean = tmp_path / "clean"
    world.run(clean, {"episodes.limit": 1})
    assert unit_bytes(lake) == unit_bytes(clean)
    assert not list(folder.path.glob(".writing-*"))
