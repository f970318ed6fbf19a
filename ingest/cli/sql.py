"""``python -m ingest sql``: a read-only query."""

from __future__ import annotations

import contextlib
import io
from typing import Annotated

import duckdb
import typer

from ingest.cli import options
from ingest.errors import UserError, WarehouseLockedError
from ingest.issues import printable


def command(
    query: Annotated[str, typer.Argument(help="SQL, such as 'from marts.coverage'.")],
    warehouse: options.Warehouse = options.DEFAULT_WAREHOUSE,
    rows: Annotated[int, typer.Option("--rows", min=1, help="At most this many rows.")] = 40,
) -> int:
    """Query the warehouse, read-only."""
    if not warehouse.is_file():
        raise UserError(
            f"{warehouse}: no warehouse; run `python -m ingest` first, or name one with --warehouse"
        )
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            found = connection.sql(query)
            if found is not None:
                table = io.StringIO()
                with contextlib.redirect_stdout(table):
                    found.show(max_rows=rows, max_width=200)
                # DuckDB escapes control characters, but not the marks that turn the direction of text.
                print("\n".join(map(printable, table.getvalue().splitlines())))
    except duckdb.IOException as error:
        raise WarehouseLockedError(f"{warehouse}: cannot be opened ({str(error).splitlines()[0]})") from error
    except duckdb.Error as error:
        raise UserError(f"the query failed: {error}") from error
    return 0
