"""``python -m ingest sql``: a read-only query."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import duckdb
import typer

from ingest.cli import options
from ingest.cli.rows import show
from ingest.errors import UserError, WarehouseLockedError
from ingest.interrupts import interruptible
from ingest.warehouse import LAKE_OF_VIEWS

# A query may start with a comment, which is no option.
CONTEXT = {"ignore_unknown_options": True}

# The warehouse is opened read-only, so what these write is at most temporary. Others write files or run such as do.
_ALLOWED = frozenset(
    {
        "SELECT",
        "EXPLAIN",
        "MULTI",
        "SET",
        "PRAGMA",
        "TRANSACTION",
        "CREATE",
        "INSERT",
        "UPDATE",
        "DELETE",
        "DROP",
    }
)
# Statements around others: `explain analyze copy` writes, and so does `copy (pivot ...)`, which DuckDB splits.
_AROUND_OTHERS = frozenset({"EXPLAIN", "MULTI"})
_MOST_LETTERS = 1 << 20
_PID = re.compile(r"PID \d+")
_WRITING = re.compile(r"\b(copy|export)\b", re.IGNORECASE)


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
    with _opened(warehouse) as connection, interruptible(connection):
        try:
            _confine(connection)
            _refuse_writing(connection, text)
            found = connection.sql(text)
            if found is not None:
                show(found, form, rows)
        except duckdb.Error as error:
            raise UserError(
                f"{_hint(connection, warehouse, error)}the query failed: {_one_line(error)}"
            ) from error
    return 0


def _opened(warehouse: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(warehouse), read_only=True)
    except duckdb.Error as error:
        says = str(error).splitlines()[0]
        if "lock" in says.lower():
            writer = _PID.search(says)
            raise WarehouseLockedError(
                f"{warehouse} is being written by another process{f' ({writer[0]})' if writer else ''}; wait for it to end, "
                "then ask again"
            ) from error
        if "not a valid DuckDB database" in says:
            raise UserError(f"{warehouse} is no DuckDB database; name another with --warehouse") from error
        raise UserError(
            f"{warehouse}: cannot be opened ({says}); `python -m ingest publish{options.flags(warehouse=warehouse)}` "
            "builds it anew from the lake"
        ) from error


def _hint(connection: duckdb.DuckDBPyConnection, warehouse: Path, error: duckdb.Error) -> str:
    """What to do, where a query asks for marts and there are none."""
    if not isinstance(error, duckdb.CatalogException) or "marts" not in str(error):
        return ""
    marts = connection.execute(
        "select 1 from information_schema.tables where table_schema = 'marts' limit 1"
    ).fetchone()
    flags = options.flags(warehouse=warehouse)
    how = f"run `python -m ingest publish{flags}` with the lake it is of"
    return "" if marts else f"{warehouse} has no marts yet, only what was loaded: {how}; "


def _text_of(query: str | None, file: str | None) -> str:
    if (query is None) == (file is None):
        raise UserError("give either a query or --file")
    try:
        if query is not None:
            text = query
        else:
            with nullcontext(sys.stdin) if file == "-" else Path(str(file)).open(encoding="utf-8") as stream:
                text = stream.read(_MOST_LETTERS + 1)
            if len(text) > _MOST_LETTERS:
                raise UserError(f"--file {file}: more than {_MOST_LETTERS} letters; this is no query")
        text.encode()  # a locale without UTF-8 lets other bytes pass
        return text
    except (OSError, ValueError) as error:
        where = "the query" if query is not None else f"--file {file}"
        raise UserError(f"{where}: cannot be read ({error})") from error


def _confine(connection: duckdb.DuckDBPyConnection) -> None:
    """No file may be opened but, where `raw` holds views (`load --views`), those of their lake."""
    views = connection.execute(
        "select 1 from duckdb_functions() where schema_name = 'raw' and function_name = $name",
        {"name": LAKE_OF_VIEWS},
    ).fetchall()
    if views:
        folders = [row[0] for row in connection.execute(f"select raw.{LAKE_OF_VIEWS}()").fetchall()]
        connection.execute("set allowed_directories = $folders", {"folders": folders})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _refuse_writing(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Read-only is the warehouse alone: DuckDB would still write files into a folder that it may read."""
    statements = connection.extract_statements(text)
    if not statements:
        raise UserError("the query is empty; give one such as 'from marts.coverage'")
    for statement in statements:
        kind = statement.type.name
        if kind not in _ALLOWED or (kind in _AROUND_OTHERS and _WRITING.search(statement.query)):
            raise UserError(
                f"the query is refused: it only may read, and holds a statement of the kind {kind}"
            )


def _one_line(error: duckdb.Error) -> str:
    """The message without the drawing of where in the query it was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ^")]
    return " ".join(line for line in lines if not line.startswith("LINE "))
