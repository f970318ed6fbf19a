"""The lake -> ``warehouse.duckdb``, schema ``raw``. The file is built beside its place and renamed into it."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from ingest.errors import DataError
from ingest.interrupts import interruptible
from ingest.issues import printable
from ingest.loadable import Loadable, loadable
from ingest.schema import RUN_TABLES, UNIT_TABLES, create_raw_schema, raw_ddl
from ingest.warehouse_file import (
    cannot_write,
    check_replaceable,
    is_failed_write,
    not_built,
    only_builder,
    put_in_place,
    refuse_log,
    remove_database,
    remove_leftover,
)
from ingest.warehouse_rows import fill, fill_as_view, fill_units_and_runs, literal, row_counts

# Names the lake in a warehouse of views, so that `ingest sql` knows which files a query may read.
LAKE_OF_VIEWS = "lake_of_views"


def load(lake: Path, warehouse: Path, *, views: bool = False, memory_limit: str = "4GB") -> dict[str, int]:
    """Builds the warehouse anew from everything in the lake; returns the number of rows of each raw table.

    With ``views`` schema raw holds views over the lake's files in place of tables. Raises UserError when the lake has
    no run or ``warehouse`` is something else, WarehouseLockedError when another process writes it, DataError for a
    damaged lake and WarehouseError on a full disk; the old file then stays.
    """
    check_replaceable(warehouse)
    content = loadable(lake)
    building = warehouse.with_name(f"{warehouse.stem}.loading{warehouse.suffix}")
    with only_builder(warehouse):
        remove_leftover(building)
        try:
            counts = build(content, building, views=lake if views else None, memory_limit=memory_limit)
            put_in_place(building, warehouse)
        finally:
            remove_database(building)
    return counts


def build(
    content: Loadable, database: Path, *, views: Path | None = None, memory_limit: str = "4GB"
) -> dict[str, int]:
    """Creates ``database`` with schema raw and returns the number of rows of each table; ``views`` is the lake.

    Raises UserError where the file cannot be made, DataError, WarehouseError.
    """
    for warning in content.warnings():
        print(f"warning: {printable(warning)}", file=sys.stderr)
    try:
        connection = duckdb.connect(str(database))
    except duckdb.Error as error:
        raise cannot_write(database, error) from error
    try:
        with connection, interruptible(connection):
            connection.execute("set memory_limit = $limit", {"limit": memory_limit})
            connection.execute("set preserve_insertion_order = true")
            connection.begin()
            create_raw_schema(connection)
            connection.commit()
            _fill_all(connection, content, views)
            counts = row_counts(connection, raw_ddl())
            connection.execute("checkpoint")  # closing does so too, but says nothing when it cannot
    except duckdb.Error as error:
        raise not_built(database, error) from error
    refuse_log(database)
    return counts


def _fill_all(connection: duckdb.DuckDBPyConnection, content: Loadable, views: Path | None) -> None:
    if views is not None:
        connection.execute(f"create macro raw.{LAKE_OF_VIEWS}() as {literal(views.resolve())}")
    for table in (*RUN_TABLES, *UNIT_TABLES):
        if table == "runs":
            continue
        try:
            if views is None:
                fill(connection, table, content.files(table))
            else:
                fill_as_view(connection, table, content.files(table))
        except duckdb.Error as error:
            if is_failed_write(error):
                raise
            raise DataError(
                f"raw.{table} cannot be loaded ({str(error).splitlines()[0]}); where a file is damaged, delete "
                "its unit's folder and run the study again",
                subject=table,
                reason="damaged_unit",
            ) from error
    fill_units_and_runs(connection, content)
