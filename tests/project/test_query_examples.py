"""The checker of the examples in `sql/queries` passes what is right and says file, line and value of what is not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sql.example_text import NO_ROW, agrees, read_example, shown_value
from sql.query_catalogue import QUERIES
from sql.query_examples import main
from sql.verdict_queries import query_text

QUERY = "select run_id, layer, lift, word from marts.lifts where lift > 0 order by layer\n"
RIGHT = """\
-- How much?
-- For example, of the demo: layer 0, lift 1.235,
-- word 'yes, it is'; layer 1, lift 0.5, word null (2 of 3 rows).
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A warehouse of three rows and a folder for queries."""
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.runs as select 'a' as run_id, 'demo' as study")
        connection.execute(
            "create table marts.hypothesis_verdicts as select 'H1' as hypothesis, 'ours' as criteria, 'wrist' as camera"
        )
        connection.execute(
            "create table marts.lifts as select * from (values ('a', 0, 1.23456, 'yes, it is'), ('a', 1, 0.5, null), "
            "('a', 2, 7.0, 'no')) as t (run_id, layer, lift, word)"
        )
    (tmp_path / "queries").mkdir()
    return tmp_path


def check(folder: Path, text: str, name: str = "one") -> int:
    (folder / "queries" / f"{name}.sql").write_text(text)
    return main(["--warehouse", str(folder / "warehouse.duckdb"), "--queries", str(folder / "queries")])


def told(folder: Path, capsys: pytest.CaptureFixture[str], text: str, name: str = "one") -> list[str]:
    """What is said of the file, without its folder."""
    assert check(folder, text, name) == 1
    *lines, total = capsys.readouterr().out.splitlines()
    assert total == "1 queries, 1 of them with an example that is not what they answer"
    return [line.removeprefix(f"{folder / 'queries'}/") for line in lines]


def test_a_right_example_passes(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert check(folder, RIGHT + QUERY) == 0
    assert capsys.readouterr().out.startswith("1 queries, 0 of them")


def test_a_changed_number_fails(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert told(folder, capsys, RIGHT.replace("1.235", "1.236") + QUERY) == [
        "one.sql:2: row 1, lift: expected 1.236, found 1.235"
    ]


def test_a_changed_word_and_a_null_are_named_by_their_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = RIGHT.replace("yes, it is", "no").replace("word null", "word none")
    assert told(folder, capsys, text + QUERY) == [
        "one.sql:3: row 1, word: expected 'no', found 'yes, it is'",
        "one.sql:3: row 2, word: expected none, found null",
    ]


def test_a_missing_column_fails(folder: Path, capsys: pytest.CaptureFixture[str]):
    (first, second) = told(folder, capsys, RIGHT + QUERY.replace("lift, word", "word"))
    assert first.startswith(
        "one.sql:2: column lift: expected in the result, found only ['run_id', 'layer', 'word']"
    )
    assert second.startswith("one.sql:3: column lift:")


def test_a_column_that_the_example_does_not_show_fails(folder: Path, capsys: pytest.CaptureFixture[str]):
    (first, _) = told(folder, capsys, RIGHT + QUERY.replace("word from", "word, 1 as more from"))
    assert first == (
        "one.sql:2: columns: expected ['layer', 'lift', 'word'], found ['layer', 'lift', 'word', 'more']"
    )


def test_another_number_of_rows_fails(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert told(folder, capsys, RIGHT + QUERY.replace("lift > 0", "lift < 7")) == [
        "one.sql:2: rows: expected 2 of 3, found 2 of 2"
    ]


def test_a_file_without_example_is_told_what_it_would_be(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert told(folder, capsys, "-- How much?\n" + QUERY) == [
        "one.sql:1: example: expected one of the demo, found none; it would be: "
        "For example, of the demo: layer 0, lift 1.235, word 'yes, it is' (1 of 3 rows)."
    ]


def test_what_has_no_row_says_so(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = f"-- How much?\n-- {NO_ROW}: it is small.\n"
    empty = QUERY.replace("lift > 0", "lift > 9")
    assert check(folder, text + empty) == 0
    capsys.readouterr()
    (line,) = told(folder, capsys, "-- How much?\n" + empty)
    assert line.startswith("one.sql:1: example: expected one, or 'The demo has no row'")
    (line,) = told(folder, capsys, text + QUERY)
    assert line.startswith("one.sql:2: rows: expected none, found 3")


def test_of_an_example_of_other_runs_the_columns_are_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    text = "-- How much?\n-- For example, of other runs: layer 99, lift 1 (1 of 7 rows).\n"
    assert check(folder, text + QUERY) == 0
    capsys.readouterr()
    (line,) = told(folder, capsys, text + QUERY.replace("lift, word", "word"))
    assert line.startswith("one.sql:2: column lift:")


def test_a_query_that_fails_and_an_example_that_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (line,) = told(folder, capsys, RIGHT + QUERY.replace("marts.lifts", "marts.nowhere"))
    assert line.startswith("one.sql:1: query: expected an answer, found Catalog Error")
    (line,) = told(folder, capsys, RIGHT.replace("layer 0", "layer") + QUERY)
    assert line.startswith("one.sql:2: example: expected one that can be read, found ")


def test_a_verdicts_query_reads_its_run_and_its_camera(folder: Path):
    text = "-- Which?\n-- For example, of the demo: run a, camera wrist (1 of 1 rows).\n"
    query = "select getvariable('run_id') as run, getvariable('camera') as camera\n"
    assert check(folder, text + query, "verdict_h1_ours") == 0


@pytest.mark.parametrize("runs", ["select 'b' as run_id, 'mine' as study", "from marts.runs limit 0"])
def test_only_the_demo_is_compared(folder: Path, capsys: pytest.CaptureFixture[str], runs: str):
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(f"create or replace table marts.runs as {runs}")
    assert check(folder, RIGHT + QUERY) == 2
    assert "the examples are of one run of the study 'demo'" in capsys.readouterr().err
    assert main(["--warehouse", str(folder / "none.duckdb"), "--queries", str(folder)]) == 2


@pytest.mark.parametrize(
    ("expected", "found", "is_right"),
    [
        ("0.33", 0.3349, True),
        ("0.33", 0.3351, False),
        ("9.999e-05", 9.999000099990002e-05, True),
        ("9.999e-05", 9.9e-05, False),
        ("1", 1.0, True),
        ("1", 0.6, False),
        ("0", 0.0004, False),
        ("-0.1", -0.1, True),
        ("0.1", float("nan"), False),
        ("True", True, True),
        ("false", True, False),
        ("1", True, False),
        ("Do the pix...", "Do the pixels?", True),
        ("Do the pix", "Do the pixels?", False),
        ("null", None, True),
        ("0", None, False),
        ("[0.5, null]", [0.501, None], True),
        ("[0.5, null]", [0.501, 1.0], False),
        ("[0.5]", [0.501, None], False),
    ],
)
def test_a_value_is_compared_as_far_as_it_is_shown(expected: str, found: object, is_right: bool):
    assert agrees(expected, found) == is_right


@pytest.mark.parametrize(
    "value", [0.1, 1099.35, 123456.7, 1.00003, 0.0, -3.2e-07, 5, True, None, "a, b", [0.1, 2]]
)
def test_what_is_written_agrees(value: object):
    assert agrees(shown_value(value), value)


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_every_query_has_an_example_or_says_why_not(path: Path):
    text = path.read_text()
    assert read_example(text) is not None or NO_ROW in text


@pytest.mark.parametrize(("hypothesis", "last"), [("H1", "fill."), ("H2.2", "one."), ("H9", "measure.")])
def test_another_runs_verdict_does_not_show_the_demos_numbers(hypothesis: str, last: str):
    comment = [
        line for line in query_text(hypothesis, "ours", "a", "base").splitlines() if line.startswith("--")
    ]
    assert len(comment) == 1
    assert comment[0].endswith(last)
