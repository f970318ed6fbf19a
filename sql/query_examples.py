"""Compare the example in every file of `sql/queries` with what its query answers on the demo's warehouse.

python -m sql.query_examples             # after `make demo`
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from sql.example_text import NO_ROW, NOT_SHOWN, Example, agrees, line_of, read_example, shown_value, written
from sql.generate_sources import ROOT
from sql.query_catalogue import QUERIES
from sql.verdict_queries import file_name, literal

_STUDY = "demo"


class Answer(NamedTuple):
    """A query's result."""

    columns: list[str]
    rows: list[tuple[object, ...]]


class Difference(NamedTuple):
    """What an example says and what the query answers; ``line`` is the file's."""

    path: Path
    line: int
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        path = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{path}:{self.line}: {self.what}: expected {self.expected}, found {self.found}"


class Demo:
    """The demo's warehouse, opened read-only. Raises ValueError where it holds anything but one run of the demo."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        runs = connection.execute("select run_id, study from marts.runs").fetchall()
        if [study for _, study in runs] != [_STUDY]:
            found = sorted(study for _, study in runs)
            raise ValueError(
                f"the examples are of one run of the study {_STUDY!r}; this warehouse has {found}"
            )
        self._run_id = runs[0][0]
        verdicts = connection.execute("select hypothesis, criteria, camera from marts.hypothesis_verdicts")
        self._cameras = {file_name(*names): camera for *names, camera in verdicts.fetchall()}

    def answer(self, path: Path) -> Answer:
        """With the variables that a verdict's query reads. Raises duckdb.Error."""
        variables = {"run_id": self._run_id, "camera": self._cameras.get(path.stem) or ""}
        for name, value in variables.items():
            self._connection.execute(f"set variable {name} = {literal(value)}")
        result = self._connection.execute(path.read_text(encoding="utf-8"))
        return Answer([column[0] for column in result.description], result.fetchall())


def differences(path: Path, demo: Demo) -> list[Difference]:
    """Between a file's example and what its query answers."""
    text = path.read_text(encoding="utf-8")
    try:
        example = read_example(text)
    except ValueError as error:
        return [
            Difference(
                path, line_of(text, "For example, ") or 1, "example", "one that can be read", str(error)
            )
        ]
    try:
        answer = demo.answer(path)
    except duckdb.Error as error:
        return [Difference(path, 1, "query", "an answer", str(error).splitlines()[0])]
    found = list(_of_rows_there_are_none(path, text, answer))
    if example is None:
        return found or list(_without_example(path, text, answer))
    if not example.is_of_demo:
        return found + list(_unknown_columns(path, example, answer))
    return found + list(_of_names(path, example, answer)) + list(_of_values(path, example, answer))


def _of_rows_there_are_none(path: Path, text: str, answer: Answer) -> Iterator[Difference]:
    line = line_of(text, NO_ROW)
    if line is not None and answer.rows:
        yield Difference(path, line, "rows", "none", f"{len(answer.rows)}: {written(*answer)}")


def _without_example(path: Path, text: str, answer: Answer) -> Iterator[Difference]:
    if answer.rows:
        yield Difference(path, 1, "example", "one of the demo", f"none; it would be: {written(*answer)}")
    elif line_of(text, NO_ROW) is None:
        yield Difference(path, 1, "example", f"one, or '{NO_ROW}'", "neither, and the query has no row")


def _unknown_columns(path: Path, example: Example, answer: Answer) -> Iterator[Difference]:
    for cell in (cell for row in example.rows for cell in row):
        if cell.column not in answer.columns:
            yield Difference(
                path, cell.line, f"column {cell.column}", "in the result", f"only {answer.columns}"
            )


def _of_names(path: Path, example: Example, answer: Answer) -> Iterator[Difference]:
    yield from _unknown_columns(path, example, answer)
    due = [name for name in answer.columns if name != NOT_SHOWN]
    for row in example.rows:
        shown = [cell.column for cell in row]
        if set(shown) <= set(due) and shown != due:
            yield Difference(path, row[0].line, "columns", str(shown), str(due))


def _of_values(path: Path, example: Example, answer: Answer) -> Iterator[Difference]:
    if (example.n, example.total) != (len(example.rows), len(answer.rows)):
        expected = f"{example.n} of {example.total}"
        yield Difference(path, example.line, "rows", expected, f"{len(example.rows)} of {len(answer.rows)}")
    for number, (cells, row) in enumerate(zip(example.rows, answer.rows, strict=False), start=1):
        values = dict(zip(answer.columns, row, strict=True))
        for cell in cells:
            if cell.column in values and not agrees(cell.value, values[cell.column]):
                what = f"row {number}, {cell.column}"
                yield Difference(path, cell.line, what, cell.value, shown_value(values[cell.column]))


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every example is right, 1 where one is not, 2 without a warehouse of the demo."""
    parser = argparse.ArgumentParser(prog="python -m sql.query_examples", description=__doc__)
    default = Path(os.environ.get("GAZEHOUSE_WAREHOUSE", "warehouse.duckdb"))
    parser.add_argument("--warehouse", type=Path, default=default, help="The demo's warehouse.")
    parser.add_argument("--queries", type=Path, default=QUERIES, help="A folder of .sql files.")
    chosen = parser.parse_args(arguments)
    paths = sorted(chosen.queries.glob("*.sql"))
    try:
        with duckdb.connect(str(chosen.warehouse), read_only=True) as connection:
            demo = Demo(connection)
            found = [one for path in paths for one in differences(path, demo)]
    except (ValueError, duckdb.Error) as error:
        print(f"{chosen.warehouse}: {str(error).splitlines()[0]}; `make demo` builds one", file=sys.stderr)
        return 2
    for one in found:
        print(one)
    wrong = len({one.path for one in found})
    print(f"{len(paths)} queries, {wrong} of them with an example that is not what they answer")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
