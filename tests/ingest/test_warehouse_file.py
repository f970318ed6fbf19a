"""The warehouse's file: only what is whole on disk takes its place, only a warehouse is ever replaced."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ingest.errors import UserError
from ingest.publish import place_to_build
from ingest.study import PACKAGE_ROOT
from ingest.warehouse import load
from ingest.warehouse_file import check_replaceable, only_builder
from tests.ingest.test_warehouse import ask, held_open
from tests.ingest.warm import start_warm
from tests.ingest.world import World, cli, files_below, start

MEGABYTE = 1 << 20


def no_file_larger_than(n_bytes: int) -> Callable[[], None]:
    """A disk that is full: writing beyond it fails, as it does without space."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


@pytest.mark.parametrize("command", ["load", "publish"])
def test_a_full_disk_leaves_the_old_warehouse(
    world: World, warehouse: Path, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    before = path.read_bytes()
    process = start(
        command,
        *("--lake", world.lake, "--warehouse", path),
        preexec_fn=no_file_larger_than(len(before) // 2),
    )
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert "loaded" not in out
    errors = [line for line in err.splitlines() if not line.startswith("publish:")]
    assert len(errors) == 1
    assert errors[0].startswith("error: disk full?")
    assert "free space" in errors[0]
    assert path.read_bytes() == before
    assert files_below(tmp_path).keys() == {"w.duckdb"}


@pytest.mark.parametrize("name", ["raw.duckdb", "Marts.of.today.duckdb"])
def test_a_database_that_would_be_called_like_a_schema_is_refused(tmp_path: Path, name: str) -> None:
    """In DuckDB `raw.runs` of such a file is ambiguous, for readers too."""
    path = tmp_path / name
    with pytest.raises(UserError, match=f"'{name.partition('.')[0].lower()}', as a schema in it is called"):
        check_replaceable(path)
    assert not list(tmp_path.iterdir())


def test_no_file_may_be_called_like_any_schema_of_the_project(tmp_path: Path) -> None:
    of_models = re.findall(r"\+schema: (\w+)", (PACKAGE_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert of_models
    for schema in ("raw", *of_models):
        with pytest.raises(UserError, match="choose another name"):
            check_replaceable(tmp_path / f"{schema}.duckdb")


def test_no_two_warehouses_are_built_in_one_file() -> None:
    assert place_to_build(Path("x/w.duckdb")) == Path("x/w__being_built.duckdb")
    names = ["a.b.duckdb", "a_b.duckdb", "a b.duckdb", "a'b.duckdb", 'a"b.duckdb', "a.b.db"]
    stems = [place_to_build(Path(name)).stem for name in names]
    assert len(set(stems)) == len(names)
    assert all(re.fullmatch(r"\w+", stem) for stem in stems)


def test_a_log_that_cannot_be_emptied_keeps_a_build_from_its_place(warehouse: Path, tmp_path: Path) -> None:
    """What dbt wrote last may still be in the log when the disk fills up."""
    path, building = tmp_path / "w.duckdb", tmp_path / "w__being_built.duckdb"
    shutil.copy(warehouse, path)
    before = path.read_bytes()
    killed = (
        "import duckdb, os, signal\n"
        f"connection = duckdb.connect({str(building)!r})\n"
        "connection.execute(\"set checkpoint_threshold = '1GB'\")\n"
        "connection.execute('create table raw_like as select random() as a from range(500000)')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=PACKAGE_ROOT, check=False)
    replace = (
        "from pathlib import Path\n"
        "from ingest.warehouse_file import put_in_place\n"
        f"put_in_place(Path({str(building)!r}), Path({str(path)!r}))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", replace],
        cwd=PACKAGE_ROOT,
        capture_output=True,
        text=True,
        preexec_fn=no_file_larger_than(MEGABYTE),
    )
    assert "WarehouseError: disk full?" in ended.stderr
    assert path.read_bytes() == before


# --- what is not ours -----------------------------------------------------------------------------------------------


def text(path: Path) -> None:
    path.write_text("my thesis")


def own_database(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.runs as select 1 as mine")


@pytest.mark.parametrize("make", [text, own_database])
@pytest.mark.parametrize("command", ["load", "publish", "run"])
def test_what_is_no_warehouse_is_not_overwritten(
    one_unit: World, tmp_path: Path, make: Callable[[Path], None], command: str
) -> None:
    path, lake = tmp_path / "mine", tmp_path / "lake"
    make(path)
    shutil.copytree(one_unit.lake, lake)
    before = files_below(tmp_path)
    study = ["--study", one_unit.study_file, "--seed", "5"] if command == "run" else []
    ended = cli(command, *study, "--lake", lake, "--warehouse", path)
    assert ended.code == 2
    assert ended.err == (
        f"error: {path} is there and is no warehouse of Gazehouse, so it is not overwritten; move it, or choose "
        "another file with --warehouse\n"
    )
    assert files_below(tmp_path) == before


def test_a_database_without_tables_is_replaced(one_unit: World, tmp_path: Path) -> None:
    """As `dbt debug` or a slip of the DuckDB shell leaves one."""
    duckdb.connect(str(tmp_path / "w.duckdb")).close()
    assert load(one_unit.lake, tmp_path / "w.duckdb")["runs"] == 1


def test_the_file_beside_is_not_overwritten_either(one_unit: World, tmp_path: Path) -> None:
    beside = tmp_path / "w.loading.duckdb"
    own_database(beside)
    before = beside.read_bytes()
    ended = cli("load", "--lake", one_unit.lake, "--warehouse", tmp_path / "w.duckdb")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert str(beside) in ended.err
    assert files_below(tmp_path) == {"w.loading.duckdb": before}


def test_what_a_killed_load_left_is_cleared(one_unit: World, tmp_path: Path) -> None:
    """Killed at several moments of the load; the next one works each time."""
    path = tmp_path / "w.duckdb"
    beside = tmp_path / "w.loading.duckdb"
    for moment in range(4):
        process = start_warm("load", "--lake", one_unit.lake, "--warehouse", path)
        while process.exitcode is None and not beside.exists():
            time.sleep(0.001)
        time.sleep(moment * 0.02)
        assert process.pid is not None
        os.kill(process.pid, (signal.SIGKILL, signal.SIGTERM)[moment % 2])
        process.join(60)
        assert process.exitcode is not None
        assert load(one_unit.lake, path)["runs"] == 1
        assert {name for name in files_below(tmp_path) if not name.startswith(".")} == {"w.duckdb"}


@pytest.mark.parametrize("n_bytes", [0, 12, 4096, 8192])
def test_a_header_that_was_cut_short_is_cleared(one_unit: World, tmp_path: Path, n_bytes: int) -> None:
    """DuckDB writes it in three pieces, and cannot read the first ones alone."""
    beside = tmp_path / "w.loading.duckdb"
    duckdb.connect(str(beside)).close()
    beside.write_bytes(beside.read_bytes()[:n_bytes])
    assert load(one_unit.lake, tmp_path / "w.duckdb")["runs"] == 1
    assert {name for name in files_below(tmp_path) if not name.startswith(".")} == {"w.duckdb"}


@pytest.mark.parametrize("given", [".", "", "..", "folder", "/"])
@pytest.mark.parametrize("command", ["load", "publish"])
def test_a_folder_is_no_warehouse(
    one_unit: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, given: str
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ingest.publish.project_folder", lambda: PACKAGE_ROOT)
    ended = cli(command, "--lake", one_unit.lake, "--warehouse", given)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "--warehouse" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert not list((tmp_path / "folder").iterdir())


# --- one at a time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["load", "publish"])
def test_another_load_at_work_is_said(one_unit: World, warehouse: Path, tmp_path: Path, command: str) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    with only_builder(path):
        ended = cli(command, "--lake", one_unit.lake, "--warehouse", path)
    assert ended.code == 2
    assert ended.err == (
        f"error: another load or publish of {path} is at work; wait for it, or use another with --warehouse\n"
    )
    assert files_below(tmp_path).keys() == {"w.duckdb"}
    assert cli("load", "--lake", one_unit.lake, "--warehouse", path).code == 0


def test_loads_at_the_same_time_end_with_one_warehouse(one_unit: World, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    said = [tmp_path.with_name(f"{tmp_path.name}-said-{number}") for number in range(3)]
    processes = [
        start_warm("load", "--lake", one_unit.lake, "--warehouse", path, output=output) for output in said
    ]
    for process in processes:
        process.join(300)
    ended = [(output.read_text(), process.exitcode) for output, process in zip(said, processes, strict=True)]
    assert 0 in {code for _, code in ended}
    assert all(code == 0 or (code == 2 and "is at work" in err) for err, code in ended), ended
    assert ask(path, "select count(*) from raw.runs") == [(1,)]
    assert files_below(tmp_path).keys() == {"w.duckdb"}


def test_a_build_that_someone_looks_at_is_not_removed(one_unit: World, tmp_path: Path) -> None:
    """The failed build of `publish` is kept for a look; who has it open for writing is told."""
    beside = tmp_path / "w.loading.duckdb"
    load(one_unit.lake, beside)
    with held_open(beside, to_write=True):
        ended = cli("load", "--lake", one_unit.lake, "--warehouse", tmp_path / "w.duckdb")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert str(beside) in ended.err
    assert os.listdir(tmp_path) == ["w.loading.duckdb"]
