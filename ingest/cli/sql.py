"""``python -m ingest sql``: a read-only query."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Annotated, Literal

import duckdb
import typer

from ingest.cli import options
from ingest.errors import UserError, WarehouseLockedError
from ingest.issues import printable

# A query may start with a comment, which is no option.
CONTEXT = {"ignore_unknown_options": True}


def command(
    query: Annotated[str | None, typer.Argument(help="SQL, such as 'from marts.coverage'.")] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", help="A file with the query, such as sql/queries/*.sql; - is stdin."),
    ] = None,
    warehouse: options.Warehouse = options.DEFAULT_WAREHOUSE,
    rows: Annotated[int, typer.Option("--rows", min=1, help="At most this many rows (as a table).")] = 40,
    form: Annotated[
        Literal["table", "csv", "json"],
        typer.Option("--format", help="csv and json print every row and column."),
    ] = "table",
) -> int:
    """Query the warehouse: it cannot write, neither to the warehouse nor to a file."""
    text = _text_of(query, file)
    if not warehouse.is_file():
        raise UserError(
            f"{warehouse}: no warehouse; run `python -m ingest` first, or name one with --warehouse"
        )
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            if not _is_over_files(connection):
                connection.execute("set enable_external_access = false")
            found = connection.sql(text)
            if found is not None:
                _show(found, form, rows)
    except duckdb.IOException as error:
        raise WarehouseLockedError(f"{warehouse}: cannot be opened ({str(error).splitlines()[0]})") from error
    except duckdb.Error as error:
        raise UserError(f"the query failed: {_one_line(error)}") from error
    return 0


def _text_of(query: str | None, file: str | None) -> str:
    if (query is None) == (file is None):
        raise UserError("give either a query or --file")
    if query is not None:
        return query
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(str(file)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--file {file}: cannot be read ({error})") from error


def _is_over_files(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether `raw` holds views over the lake (`load --views`), which must read its files."""
    found = connection.execute(
        "select 1 from duckdb_views() where schema_name = 'raw' and not internal limit 1"
    )
    return found.fetchone() is not None


def _show(found: duckdb.DuckDBPyRelation, form: str, rows: int) -> None:
    if form == "csv":
        found.pl().write_csv(sys.stdout)
    elif form == "json":
        print(found.pl().write_json())
    else:
        table = io.StringIO()
        with contextlib.redirect_stdout(table):
            found.show(max_rows=rows, max_width=200)
        # DuckDB escapes control characters, but not the marks that turn the direction of text.
        print("\n".join(map(printable, table.getvalue().splitlines())))


def _one_line(error: duckdb.Error) -> str:
    """The message without the drawing of where in the query it was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ^")]
    return " ".join(line for line in lines if not line.startswith("LINE "))
