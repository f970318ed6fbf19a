"""What a command says is one line that tells what to do next, and a command that it names works as it stands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest.study import PACKAGE_ROOT
from tests.episodes import builders
from tests.ingest.world import World, cli, make_world, start

COMMAND = re.compile(r"`python -m (ingest|reports) ?([^`]*)`")


def said(text: str) -> list[list[str]]:
    """The commands in a message, as a shell would take them."""
    return [[module, *shlex.split(arguments)] for module, arguments in COMMAND.findall(text)]


def a_line(text: str) -> str:
    """The only line of what went wrong."""
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    return text


@pytest.fixture(scope="module")
def spaced(one_unit: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A lake, and a warehouse with marts of it, whose paths a shell would take apart."""
    folder = tmp_path_factory.mktemp("one's own $HOME")
    lake, warehouse = folder / "the lake", folder / "ware house.duckdb"
    shutil.copytree(one_unit.lake, lake)
    return lake, warehouse


@pytest.mark.slow
def test_each_command_names_the_next_one_whole(one_unit: World, spaced: tuple[Path, Path]) -> None:
    """From load to the pages by what the messages say alone."""
    lake, warehouse = spaced
    loaded = cli("load", "--lake", lake, "--warehouse", warehouse)
    ((module, *publish),) = said(loaded.out)
    assert (module, publish) == ("ingest", ["publish", "--lake", str(lake), "--warehouse", str(warehouse)])

    asked = cli("sql", "--warehouse", warehouse, "from marts.coverage")
    assert asked.code == 2
    assert a_line(asked.err).startswith(f"error: {warehouse} has no marts yet, only what was loaded: run ")
    assert said(asked.err) == [["ingest", "publish", "--warehouse", str(warehouse)]]
    other = cli("sql", "--warehouse", warehouse, "from raw.nothing")
    assert a_line(other.err).startswith("error: the query failed: Catalog Error")

    published = cli(*publish)
    assert published.code == 0
    ((module, *reports),) = said(published.out)
    assert (module, reports) == ("reports", ["--lake", str(lake), "--warehouse", str(warehouse)])
    site = lake.parent / "site"
    subprocess.run(
        [sys.executable, "-m", "reports", *reports, "--out", str(site)], cwd=PACKAGE_ROOT, check=True
    )
    assert (site / "index.html").is_file()

    measured = cli("measure", "--study", one_unit.study_file, "--lake", lake)
    assert said(measured.out) == [["ingest", "publish", "--lake", str(lake)]]


def test_the_flags_are_left_out_where_they_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.cli import options

    monkeypatch.delenv("GAZEHOUSE_LAKE", raising=False)
    monkeypatch.delenv("GAZEHOUSE_WAREHOUSE", raising=False)
    assert options.flags(Path("lake"), Path("warehouse.duckdb")) == ""
    # Where the variable names another, the default has to be said.
    monkeypatch.setenv("GAZEHOUSE_LAKE", "elsewhere")
    assert options.flags(Path("lake"), Path("warehouse.duckdb")) == " --lake lake"


def test_stale_conditions_are_run_again_by_the_options_of_the_same_study(tmp_path: Path) -> None:
    """Without `--limit` it would be another run."""
    conditions = {"occlusion": {"controls": 1, "regions": [{"name": "it", "object": "target"}]}}
    world = make_world(tmp_path / "it's", {"conditions": conditions}, count=2)
    given = ["--study", str(world.study_file), "--limit", "1", "--seed", "9", "--lake", str(world.lake)]
    assert cli("run", *given, "--no-load").code == 0
    for episode in world.root.glob("*/*/*"):
        for path in (episode / "masks").glob("*.npy"):
            np.save(path, np.roll(np.load(path), 40, axis=1))
    ended = cli("measure", *given)
    assert ended.code == 0
    (command,) = (words for words in said(ended.err) if "--study" in words)
    assert sorted(command) == sorted(["ingest", "run", "--fresh", *given])


def test_sql_while_another_process_writes(one_unit: World, tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        ended = cli("sql", "--warehouse", warehouse, "from raw.runs")
    finally:
        writer.communicate(b"\n")
    assert ended.code == 2
    assert a_line(ended.err) == (
        f"error: {warehouse} is being written by another process (PID {writer.pid}); wait for it to end, then ask again\n"
    )


def test_sql_of_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "w.duckdb").write_text("not a database")
    ended = cli("sql", "--warehouse", tmp_path / "w.duckdb", "from raw.runs")
    assert ended.code == 2
    assert "w.duckdb is no DuckDB database; name another with --warehouse" in a_line(ended.err)


def test_a_run_says_where_the_issues_are(tmp_path: Path) -> None:
    """In the lake alone; in the warehouse; behind marts that were left as they are."""
    world = make_world(tmp_path, {"conditions": {}}, count=2)
    builders.truncate_jpeg(next(world.root.glob("*/*/*")))
    warehouse = tmp_path / "w.duckdb"
    given = ["--study", world.study_file, "--lake", world.lake, "--warehouse", warehouse]
    flags = ["--lake", str(world.lake), "--warehouse", str(warehouse)]
    status = ["ingest", "status", "--lake", str(world.lake)]

    unloaded = cli("run", *given, "--no-load")
    assert unloaded.code == 1
    assert "what went wrong is in raw.issues after `python -m ingest publish " in unloaded.err
    assert said(unloaded.err) == [["ingest", "publish", *flags], status]

    loaded = cli("run", *given)
    assert f"what went wrong is in raw.issues of {warehouse}, and counted by " in loaded.err
    assert said(loaded.err) == [status]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts; create table marts.coverage as select 1 as one")
    left = cli("run", *given)
    assert said(left.err) == [["ingest", "publish", *flags], status]
    assert "truncated_jpeg" in cli("status", "--lake", world.lake).out + loaded.err


def test_help_says_how_to_see_the_options_of_the_default() -> None:
    ended = cli("--help")
    assert "its options are those of `python -m ingest run --help`" in " ".join(ended.out.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["status", "--lake", "{lake}"],
        ["load", "--lake", "{lake}", "--warehouse", "{tmp}/w.duckdb"],
    ],
)
def test_a_full_disk_behind_standard_output(one_unit: World, tmp_path: Path, arguments: list[str]) -> None:
    given = [part.format(lake=one_unit.lake, tmp=tmp_path) for part in arguments]
    with open("/dev/full", "w") as full:
        process = start(*given, stdout=full)
        _, err = process.communicate()
    assert process.returncode == 1
    assert a_line(err) == (
        "error: standard output cannot be written (No space left on device); what was done before is done\n"
    )
    assert (tmp_path / "w.duckdb").exists() == ("load" in arguments)


INTERRUPTED_QUERY = """
import os, signal, sys, threading
from ingest.cli import main, sql

def confine(connection, before=sql._confine):
    before(connection)
    threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()

sql._confine = confine
main()
"""


def test_ctrl_c_while_the_database_works(warehouse: Path) -> None:
    """DuckDB tells of it by errors of its own; the query would take hours, and needs no memory."""
    query = (
        "with recursive t as (select 1 as n union all select n + 1 from t where n < 1e9) select max(n) from t"
    )
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_QUERY, "sql", "--warehouse", str(warehouse), query],
        cwd=PACKAGE_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode in (130, -signal.SIGINT), ended
    assert ended.stderr == "\ninterrupted: finished units are kept; the same command goes on from there\n"


@pytest.mark.parametrize(
    ("kind", "says"), [(RuntimeError, "Query interrupted"), (duckdb.InterruptException, "INTERRUPT Error")]
)
def test_ctrl_c_while_tables_are_filled(
    one_unit: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], says: str
) -> None:
    def interrupted(*_: object) -> None:
        raise kind(says)

    monkeypatch.setattr("ingest.warehouse.fill", interrupted)
    for command in ("load", "publish"):
        ended = cli(command, "--lake", one_unit.lake, "--warehouse", tmp_path / "w.duckdb")
        assert ended.code == 130
        assert ended.err.endswith(
            "\ninterrupted: finished units are kept; the same command goes on from there\n"
        )
    assert not list(tmp_path.glob("*.duckdb*"))


BYTES = os.fsdecode(b"\xff")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--lake", "{tmp}/l" + BYTES],
        ["check", "--study", "{tmp}/s" + BYTES],
        ["status", "--lake", "{tmp}/l" + BYTES],
        ["load", "--warehouse", "{tmp}/w" + BYTES],
        ["publish", "--warehouse", "{tmp}/w" + BYTES],
        ["sql", "from raw.runs", "--warehouse", "{tmp}/w" + BYTES],
    ],
)
def test_a_path_that_is_not_utf_8(tmp_path: Path, arguments: list[str]) -> None:
    ended = cli(*(part.replace("{tmp}", str(tmp_path)) for part in arguments))
    assert ended.code == 2
    assert a_line(ended.err).endswith("\\udcff: the path is not UTF-8; rename it, or name another\n")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_utf_8_around_it(one_unit: World, tmp_path: Path) -> None:
    """The lake's own name is text, and none of what it lies in."""
    folder = tmp_path / BYTES
    folder.mkdir()
    before = Path.cwd()
    os.chdir(folder)
    try:
        ended = cli("load", "--lake", "lake")
    finally:
        os.chdir(before)
    assert ended.code == 2
    assert "the path is not UTF-8" in a_line(ended.err)


def test_a_query_that_is_not_utf_8(warehouse: Path, tmp_path: Path) -> None:
    ended = cli("sql", "--warehouse", warehouse, f"select '{BYTES}'")
    assert ended.code == 2
    assert a_line(ended.err).startswith("error: the query: cannot be read (")
    query = tmp_path / "query.sql"
    query.write_bytes(b"select '\xff'")
    with query.open() as stream:
        process = start("sql", "--warehouse", warehouse, "--file", "-", stdin=stream)
        _, err = process.communicate()
    assert process.returncode == 2
    assert a_line(err).startswith("error: --file -: cannot be read (")
