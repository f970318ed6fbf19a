"""Rows of a query on the terminal, or as csv or JSON."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Iterator

import duckdb

from ingest.issues import printable

_ROWS_AT_A_TIME = 10_000


def show(found: duckdb.DuckDBPyRelation, form: str, rows: int) -> None:
    """Prints a query's rows: at most ``rows`` of them as a table; all as csv or json.

    Control characters and marks that turn the direction of text are escaped wherever a terminal would obey them.
    """
    if form == "csv":
        _print_csv(found)
    elif form == "json":
        _print_json(found)
    else:
        table = io.StringIO()
        with contextlib.redirect_stdout(table):
            found.show(max_rows=rows, max_width=200)
        # DuckDB escapes control characters, but not the marks that turn the direction of text.
        print("\n".join(map(printable, table.getvalue().splitlines())))


def _print_csv(found: duckdb.DuckDBPyRelation) -> None:
    """Every value as DuckDB writes it as text, so that lists, structs, intervals and bytes come out too."""
    texts = found.project("cast(columns(*) as varchar)")
    is_terminal = sys.stdout.isatty()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(printable, texts.columns) if is_terminal else texts.columns)
    for row in _all_rows(texts):
        writer.writerow([value and printable(value) for value in row] if is_terminal else row)


def _print_json(found: duckdb.DuckDBPyRelation) -> None:
    """An array of one object a row; NaN and infinity are null, which JSON has no word for."""
    texts = found.project("to_json(columns(*))")
    names = [json.dumps(name) for name in texts.columns]
    print("[", end="")
    for number, row in enumerate(_all_rows(texts)):
        values = ("null" if value is None else _strict(value) for value in row)
        pairs = ",".join(f"{name}:{value}" for name, value in zip(names, values, strict=True))
        print(",\n" if number else "", "{", pairs, "}", sep="", end="")
    print("]")


def _strict(value: str) -> str:
    """JSON as DuckDB writes it -> JSON in ASCII without NaN and infinity."""
    if value.isascii() and "NaN" not in value and "Infinity" not in value:
        return value
    return json.dumps(json.loads(value, parse_constant=lambda _: None))


def _all_rows(texts: duckdb.DuckDBPyRelation) -> Iterator[tuple[str | None, ...]]:
    for batch in texts.to_arrow_table().to_batches(max_chunksize=_ROWS_AT_A_TIME):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
