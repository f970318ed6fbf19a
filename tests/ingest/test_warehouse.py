"""The warehouse can be made again from the lake at any time, by replacing the file, and readers are never cut off."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import UserError
from ingest.schema import RUN_TABLES, SHARED_TABLES, UNIT_TABLES, arrow_schema, raw_ddl
from ingest.study import PACKAGE_ROOT
from ingest.warehouse import load
from tests.ingest.world import World, cli, files_below, only_run


def ask(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def rows_of(warehouse: Path, table: str) -> list[tuple[Any, ...]]:
    return ask(warehouse, f'select columns(*)::varchar from raw."{table}" order by all')


@contextmanager
def held_open(warehouse: Path, *, to_write: bool) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the warehouse open; every line written to it is a query, answered by one line."""
    code = (
        "import duckdb, sys\n"
        f"connection = duckdb.connect({str(warehouse)!r}, read_only={not to_write})\n"
        "print('open', flush=True)\n"
        "for line in sys.stdin:\n"
        "    print(connection.execute(line).fetchall(), flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PACKAGE_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


def asked(process: subprocess.Popen[str], query: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(query + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


# --- what is loaded -------------------------------------------------------------------------------------------------


def test_every_row_of_the_lake_is_loaded(world: World, warehouse: Path) -> None:
    """One row each, where several units hold the same layout; all rows of every other table."""
    folder = only_run(world.lake)
    for table in UNIT_TABLES:
        paths = sorted(folder.path.glob(f"unit=*/{table}.parquet"))
        count = sum(pq.ParquetFile(path).metadata.num_rows for path in paths)
        ((loaded,),) = ask(warehouse, f"select count(*) from raw.{table}")
        if table in SHARED_TABLES:
            distinct = {str(row) for path in paths for row in pq.ParquetFile(path).read().to_pylist()}
            count = len(distinct)
        assert loaded == count, table
    ((conditions,),) = ask(warehouse, "select count(*) from raw.conditions")
    assert conditions == 4


def test_the_filled_tables_are_the_expected_ones(warehouse: Path) -> None:
    filled = {table for table in raw_ddl() if ask(warehouse, f"select count(*) from raw.{table}") != [(0,)]}
    assert filled == set(raw_ddl()) - {"issues", "episodes_kept"}
    assert set(raw_ddl()) == {*RUN_TABLES, *UNIT_TABLES, "units", "episodes_kept"}


def test_load_says_how_many_rows(world: World, tmp_path: Path) -> None:
    path = tmp_path / "new" / "w.duckdb"
    ended = cli("load", "--lake", world.lake, "--warehouse", path)
    assert ended.code == 0
    assert f"`python -m ingest publish --lake {world.lake} --warehouse {path}`" in ended.out
    said = {}
    for line in ended.out.splitlines()[:-1]:
        table, count = line.split()
        said[table] = int(count)
    assert said == {
        f"raw.{table}": ask(path, f"select count(*) from raw.{table}")[0][0] for table in raw_ddl()
    }
    assert files_below(path.parent).keys() == {"w.duckdb"}


def test_columns_are_those_of_the_schema(warehouse: Path) -> None:
    """Names, order and types as `sql/schema` declares them, and its words on every table and column."""
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        for statements in raw_ddl().values():
            connection.execute(statements)
        query = (
            "select table_name, column_name, column_index, data_type, comment from duckdb_columns() "
            "where schema_name = 'raw' order by all"
        )
        declared = connection.execute(query).fetchall()
    assert ask(warehouse, query) == declared
    assert all(comment for *_, comment in declared)
    tables = ask(warehouse, "select table_name, comment from duckdb_tables() where schema_name = 'raw'")
    assert {name for name, _ in tables} == set(raw_ddl())
    assert all(comment for _, comment in tables)


def test_the_lakes_files_have_the_schema_too(world: World) -> None:
    """Lists compare by what they hold: Parquet names a list's items in its own way."""
    for path in only_run(world.lake).path.glob("unit=*/*.parquet"):
        found, wanted = pq.ParquetFile(path).schema_arrow, arrow_schema(path.stem)
        assert [(field.name, shape(field.type)) for field in found] == [
            (field.name, shape(field.type)) for field in wanted
        ]


def shape(kind: pa.DataType) -> str:
    return f"list of {shape(kind.value_type)}" if pa.types.is_list(kind) else str(kind)


def test_runs_and_units_say_how_it_ended(world: World, warehouse: Path) -> None:
    assert ask(warehouse, "select run_id, study, status from raw.runs") == [
        (only_run(world.lake).run_id, "test", "done")
    ]
    units = ask(
        warehouse, "select status, count(*), sum(n_inferences), sum(n_planned) from raw.units group by 1"
    )
    assert units == [("done", 12, 64, 64)]


def test_a_run_that_has_not_ended_is_partial(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    folder = only_run(lake)
    for unit in folder.units()[:5]:
        shutil.rmtree(folder.unit_path(unit))
    load(lake, tmp_path / "w.duckdb")
    assert ask(tmp_path / "w.duckdb", "select status from raw.runs") == [("partial",)]
    units = dict(ask(tmp_path / "w.duckdb", "select status, count(*) from raw.units group by 1"))
    assert units == {"done": 7, "pending": 5}


def test_two_runs_of_a_lake_are_loaded_side_by_side(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    world.run(lake, {"episodes.limit": 1, "conditions": {}, "seed": 1})
    counts = load(lake, tmp_path / "w.duckdb")
    assert (counts["runs"], counts["units"], counts["inferences"]) == (2, 13, 68)
    by_run = ask(tmp_path / "w.duckdb", "select run_id, count(*) from raw.inferences group by 1 order by 2")
    assert [count for _, count in by_run] == [4, 64]


def test_what_is_on_its_way_is_not_loaded(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    folder = only_run(lake)
    before = load(lake, tmp_path / "w.duckdb")
    shutil.copytree(folder.unit_path(folder.units()[0]), folder.path / ".writing-aa")
    shutil.copytree(folder.unit_path(folder.units()[0]), folder.path / ".replaced-bb")
    assert load(lake, tmp_path / "w.duckdb") == before


def test_loading_twice_gives_the_same_content(world: World, warehouse: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    for _ in range(2):
        load(world.lake, path)
    for table in raw_ddl():
        in_order = f'select * from raw."{table}"'
        assert ask(path, in_order) == ask(warehouse, in_order), table


def test_views_have_the_same_content(world: World, warehouse: Path, tmp_path: Path) -> None:
    path = tmp_path / "views.duckdb"
    assert cli("load", "--views", "--lake", world.lake, "--warehouse", path).code == 0
    kinds = dict(
        ask(path, "select table_name, table_type from information_schema.tables where table_schema = 'raw'")
    )
    assert kinds["attention_maps"] == kinds["inferences"] == "VIEW"
    for table in raw_ddl():
        assert rows_of(path, table) == rows_of(warehouse, table), table
    names = "select table_name, column_name from information_schema.columns where table_schema = 'raw' order by all"
    assert ask(path, names) == ask(warehouse, names)
    assert path.stat().st_size < warehouse.stat().st_size


def test_views_do_not_hang_on_the_working_directory(
    world: World, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    load(Path("lake"), tmp_path / "views.duckdb", views=True)
    monkeypatch.chdir(tmp_path)
    count = "select count(*) from raw.attention_masses"
    assert ask(tmp_path / "views.duckdb", count) == ask(warehouse, count)


# --- how it is put in place -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["load", "run", "publish"])
def test_a_warehouse_that_is_open_for_writing_is_refused(
    world: World, warehouse: Path, tmp_path: Path, command: str
) -> None:
    path, lake = tmp_path / "w.duckdb", tmp_path / "lake"
    shutil.copy(warehouse, path)
    shutil.copytree(world.lake, lake)
    before, lake_before = path.read_bytes(), files_below(lake)
    study = ["--study", world.study_file, "--seed", "5"] if command == "run" else []
    with held_open(path, to_write=True):
        ended = cli(command, *study, "--lake", lake, "--warehouse", path)
    assert ended.code == 2
    assert ended.err == (
        f"error: {path} is open for writing in another process; close it, or use another with --warehouse\n"
    )
    assert path.read_bytes() == before
    assert files_below(lake) == lake_before  # nothing was started


def test_sql_says_so_too(warehouse: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    with held_open(path, to_write=True):
        ended = cli("sql", "select 1", "--warehouse", path)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert str(path) in ended.err


def test_a_reader_of_the_old_file_keeps_working(world: World, warehouse: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    smaller = tmp_path / "lake"
    world.run(smaller, {"episodes.limit": 1, "conditions": {}})
    count = "select count(*) from raw.inferences"
    with held_open(path, to_write=False) as reader:
        assert asked(reader, count) == "[(64,)]"
        load(smaller, path)
        assert asked(reader, "select count(*), sum(len(map)) > 0 from raw.attention_maps").startswith("[(")
        assert asked(reader, count) == "[(64,)]"
        assert ask(path, count) == [(4,)]
    assert ask(path, count) == [(4,)]


def test_a_load_that_fails_leaves_the_old_file(world: World, warehouse: Path, tmp_path: Path) -> None:
    path, lake = tmp_path / "w.duckdb", tmp_path / "lake"
    shutil.copy(warehouse, path)
    shutil.copytree(world.lake, lake)
    folder = only_run(lake)
    broken = folder.unit_path(folder.units()[0]) / "attention_masses.parquet"
    broken.write_bytes(b"PAR1")
    before = path.read_bytes()
    ended = cli("load", "--lake", lake, "--warehouse", path)
    assert ended.code == 1
    assert f"{broken} is missing or damaged" in ended.err
    assert ended.err.count("\n") == 1
    assert path.read_bytes() == before
    # The next one is not disturbed by what this one left.
    assert cli("load", "--lake", world.lake, "--warehouse", path).code == 0


def test_the_log_of_a_killed_writer_does_not_spoil_the_new_file(
    world: World, warehouse: Path, tmp_path: Path
) -> None:
    """As after a `dbt build` that was killed: its write-ahead log belongs to the file that is replaced."""
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    code = (
        "import duckdb, os, signal\n"
        f"connection = duckdb.connect({str(path)!r})\n"
        "connection.execute(\"set checkpoint_threshold = '1GB'\")\n"
        "connection.execute('create table half_built as select 1 as n')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PACKAGE_ROOT, check=False)
    assert path.with_name("w.duckdb.wal").is_file()
    load(world.lake, path)
    assert ask(path, "select count(*) from raw.inferences") == [(64,)]
    assert ask(path, "select count(*) from duckdb_tables() where table_name = 'half_built'") == [(0,)]
    assert files_below(tmp_path).keys() == {"w.duckdb"}


def test_a_warehouse_in_a_place_that_cannot_be_written(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = cli("load", "--lake", world.lake, "--warehouse", tmp_path / "file" / "w.duckdb")
    assert ended.code == 2
    assert "cannot be written" in ended.err
    assert "--warehouse" in ended.err
    assert ended.err.count("\n") == 1


def test_a_lake_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run in the lake"):
        load(tmp_path / "nothing", tmp_path / "w.duckdb")
    assert not list(tmp_path.iterdir())
