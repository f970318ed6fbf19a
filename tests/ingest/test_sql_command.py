"""``ingest sql`` gives every row and column in every form, and writes nowhere, be the warehouse tables or views."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.study import PACKAGE_ROOT
from ingest.warehouse import load
from tests.ingest.world import World, cli, files_below

# A column of each kind that csv or JSON have no word for.
VALUES = """
    select
        [1, 2] as list,
        {'day': date '2020-01-01', 'of': [null, 'a']} as struct,
        map {'k': 1} as map,
        interval 14 months as span,
        '\\xAA\\x00b'::blob as bytes,
        ['nan'::double, 1.5] as numbers,
        'infinity'::float as endless,
        12345678901234567890123456789::hugeint as huge,
        1.10::decimal(5, 2) as price,
        time '12:00' as noon,
        1 as list,
        'NaN, "é"' as text,
        null as nothing
"""


@pytest.fixture(scope="module")
def views(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's lake as views, in a lake and folder with names that must be quoted."""
    path = tmp_path_factory.mktemp("it's") / "w.duckdb"
    load(world.lake, path, views=True)
    return path


@pytest.fixture(params=["tables", "views"])
def either(request: pytest.FixtureRequest, warehouse: Path, views: Path) -> Path:
    return warehouse if request.param == "tables" else views


# --- forms ----------------------------------------------------------------------------------------------------------


def test_csv_has_every_kind_of_value(either: Path) -> None:
    ended = cli("sql", VALUES, "--format", "csv", "--warehouse", either)
    assert (ended.code, ended.err) == (0, "")
    names, row = csv.reader(io.StringIO(ended.out))
    assert names == [
        *("list", "struct", "map", "span", "bytes", "numbers", "endless", "huge", "price", "noon"),
        *("list_1", "text", "nothing"),
    ]
    assert row == [
        "[1, 2]",
        "{'day': 2020-01-01, 'of': [NULL, a]}",
        "{k=1}",
        "1 year 2 months",
        "\\xAA\\x00b",
        "[nan, 1.5]",
        "inf",
        "12345678901234567890123456789",
        "1.10",
        "12:00:00",
        "1",
        'NaN, "é"',
        "",
    ]


def test_json_has_every_kind_of_value_and_is_strict(either: Path) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    ended = cli("sql", VALUES, "--format", "json", "--warehouse", either)
    assert (ended.code, ended.err) == (0, "")
    (row,) = json.loads(ended.out, parse_constant=refuse)
    assert row == {
        "list": [1, 2],
        "struct": {"day": "2020-01-01", "of": [None, "a"]},
        "map": {"k": 1},
        "span": "1 year 2 months",
        "bytes": "\\xAA\\x00b",
        "numbers": [None, 1.5],
        "endless": None,
        "huge": 12345678901234567890123456789,
        "price": 1.1,
        "noon": "12:00:00",
        "list_1": 1,
        "text": 'NaN, "é"',
        "nothing": None,
    }


def test_every_row_comes_out_in_order(either: Path) -> None:
    query = "select range as n, 'row ' || range as name from range(25000)"
    rows = list(csv.reader(io.StringIO(cli("sql", query, "--format", "csv", "--warehouse", either).out)))
    assert rows == [["n", "name"], *([str(n), f"row {n}"] for n in range(25000))]
    found = json.loads(cli("sql", query, "--format", "json", "--warehouse", either).out)
    assert found == [{"n": n, "name": f"row {n}"} for n in range(25000)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_raw_table_can_be_written(either: Path, form: str) -> None:
    for table in ("attention_maps", "attention_masses", "frames", "timings", "runs"):
        ended = cli("sql", f"from raw.{table} limit 3", "--format", form, "--warehouse", either)
        assert (ended.code, ended.err) == (0, "")


def test_no_row_is_still_csv_and_json(either: Path) -> None:
    query = "select 1 as a, 2 as b where false"
    assert cli("sql", query, "--format", "csv", "--warehouse", either).out == "a,b\n"
    assert json.loads(cli("sql", query, "--format", "json", "--warehouse", either).out) == []


@pytest.mark.parametrize("query", ["", "  ", "-- nothing", ";"])
def test_an_empty_query_is_said_to_be_one(either: Path, query: str) -> None:
    ended = cli("sql", query, "--warehouse", either)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: the query is empty; give one such as 'from marts.coverage'\n"


# --- what it may not ------------------------------------------------------------------------------------------------


def test_views_are_read(views: Path, warehouse: Path) -> None:
    query = "select count(*) as n, sum(mass) as mass from raw.attention_maps"
    found = [cli("sql", query, "--format", "csv", "--warehouse", path) for path in (views, warehouse)]
    assert found[0] == found[1]
    assert found[0].code == 0


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to '{place}'",
        "explain analyze copy (select 1) to '{place}'",
        "/* a */ explain -- b\n analyze copy (select 1) to '{place}'",
        "copy (pivot (select 1 as a) on a) to '{place}'",
        "explain analyze copy (pivot (select 1 as a) on a) to '{place}'",
        "prepare p as copy (select 1) to '{place}'; execute p",
        "select 1; copy (select 1) to '{place}'",
        "export database '{place}'",
        "attach '{place}' as other; create table other.a as select 1",
        "set lock_configuration = false",
        "set enable_external_access = true",
        "pragma enable_profiling = 'json'; set profiling_output = '{place}'; select 1",
        "call enable_logging(storage = 'file', storage_path = '{place}')",
        "from enable_logging(storage = 'file', storage_path = '{place}')",
        "create persistent secret s (type s3)",
        "create table raw.mine as select 1",
        "delete from raw.runs",
    ],
)
def test_nothing_is_written_not_even_into_the_lake(
    world: World, either: Path, tmp_path: Path, query: str
) -> None:
    lake = files_below(world.lake)
    before = either.read_bytes()
    for place in (tmp_path / "out.csv", world.lake / "out.csv"):
        ended = cli("sql", query.replace("{place}", str(place)), "--warehouse", either)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.count("\n") == 1
    assert files_below(world.lake) == lake
    assert either.read_bytes() == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "query", ["from read_text('{place}')", "from '{place}'", "from glob('{folder}/*')", "load '{place}'"]
)
def test_files_outside_the_lake_are_not_read(either: Path, tmp_path: Path, query: str) -> None:
    place = tmp_path / "secret.csv"
    place.write_text("a,b\nsecret,2\n")
    ended = cli(
        "sql", query.replace("{place}", str(place)).replace("{folder}", str(tmp_path)), "--warehouse", either
    )
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1


# --- the terminal ---------------------------------------------------------------------------------------------------


def run_sql(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ingest", "sql", *map(str, arguments)]


ESCAPES = "select 'a\x1b[31mb\u202ec' as \"n\x1b]0;t\x07\""


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_control_characters_do_not_reach_a_terminal(warehouse: Path, form: str) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        run_sql(ESCAPES, "--format", form, "--warehouse", warehouse), cwd=PACKAGE_ROOT, stdout=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # how Linux says that the other end is closed
            pass
        finally:
            os.close(ours)
    assert process.returncode == 0
    assert b"\x1b" not in shown
    assert b"\x07" not in shown
    assert "\u202e".encode() not in shown
    assert b"[31mb" in shown


def test_csv_in_a_file_stays_what_it_is(warehouse: Path) -> None:
    ended = subprocess.run(
        run_sql(ESCAPES, "--format", "csv", "--warehouse", warehouse),
        cwd=PACKAGE_ROOT,
        capture_output=True,
        text=True,
    )
    assert list(csv.reader(io.StringIO(ended.stdout))) == [["n\x1b]0;t\x07"], ["a\x1b[31mb\u202ec"]]


@pytest.mark.parametrize(
    ("form", "rows"), [("table", 1), ("table", 100_000), ("csv", 100_000), ("json", 100_000)]
)
def test_a_closed_pipe_ends_it_silently(warehouse: Path, form: str, rows: int) -> None:
    """As `ingest sql ... | head -1` does, however much is left to write."""
    query = f"from range({rows})"
    process = subprocess.Popen(
        run_sql(query, "--format", form, "--rows", "100000", "--warehouse", warehouse),
        cwd=PACKAGE_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 141
