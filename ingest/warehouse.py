"""The lake -> ``warehouse.duckdb``, schema ``raw``. The file is built beside its place and renamed into it."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingest.errors import DataError, UserError, WarehouseLockedError
from ingest.lake import RunFolder, run_ids
from ingest.rows import Tables
from ingest.schema import RUN_TABLES, SHARED_TABLES, UNIT_TABLES, arrow_schema, create_raw_schema, raw_ddl


def load(lake: Path, warehouse: Path, *, views: bool = False, memory_limit: str = "4GB") -> dict[str, int]:
    """Builds the warehouse anew from everything in the lake; returns the number of rows of each raw table.

    With ``views`` schema raw holds views over the lake's files in place of tables. Raises UserError when the lake has
    no run, and WarehouseLockedError when another process holds the file being replaced.
    """
    if not run_ids(lake):
        raise UserError(
            f"{lake}: no run in the lake; run `python -m ingest` first, or name another with --lake"
        )
    refuse_if_locked(warehouse)
    building = warehouse.with_name(f"{warehouse.stem}.loading{warehouse.suffix}")
    build(lake, building, views=views, memory_limit=memory_limit)
    with duckdb.connect(str(building), read_only=True) as connection:
        counts = {table: _count(connection, table) for table in raw_ddl()}
    put_in_place(building, warehouse)
    return counts


def build(lake: Path, database: Path, *, views: bool, memory_limit: str = "4GB") -> None:
    """Creates ``database`` anew, with schema raw. Raises UserError where its folder cannot be written."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        remove_database(database)
        connection = duckdb.connect(str(database))
    except (OSError, duckdb.IOException) as error:
        raise UserError(
            f"{database}: cannot be written ({error}); choose another with --warehouse"
        ) from error
    with connection:
        connection.execute("set memory_limit = $limit", {"limit": memory_limit})
        connection.execute("set preserve_insertion_order = true")
        create_raw_schema(connection)
        for table in (*RUN_TABLES, *UNIT_TABLES):
            if table == "runs":
                continue
            try:
                _fill(connection, lake, table, views)
            except duckdb.Error as error:
                raise DataError(
                    f"raw.{table} cannot be loaded ({str(error).splitlines()[0]}); where a file is damaged, delete "
                    "its unit's folder and run the study again",
                    subject=table,
                    reason="damaged_unit",
                ) from error
        _fill_units_and_runs(connection, lake)


def refuse_if_locked(warehouse: Path) -> None:
    """Raises WarehouseLockedError when another process has the file open for writing."""
    if not warehouse.exists():
        return
    try:
        duckdb.connect(str(warehouse), read_only=True).close()
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseLockedError(
                f"{warehouse} is open for writing in another process; close it, or use another with --warehouse"
            ) from error
        # Not a readable database: it is about to be replaced anyway.


def put_in_place(building: Path, warehouse: Path) -> None:
    """Renames a finished database into its place.

    The write-ahead log of a killed writer goes first: it belongs to the old file, and the new one could not be opened
    beside it.
    """
    warehouse.with_name(warehouse.name + ".wal").unlink(missing_ok=True)
    building.replace(warehouse)


def remove_database(path: Path) -> None:
    """Removes a database file and its write-ahead log."""
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)


def _fill(connection: duckdb.DuckDBPyConnection, lake: Path, table: str, views: bool) -> None:
    files = sorted(str(path) for path in lake.glob(f"run_id=*/unit=*/{table}.parquet"))
    if not files:
        return
    options = "hive_partitioning = false, union_by_name = true"
    described = connection.execute(
        f"describe select * from read_parquet($files, {options})", {"files": files}
    )
    stored = {str(row[0]) for row in described.fetchall()}
    # Identifiers come from our own schema; file names are bound. A column younger than the lake is null.
    names = ", ".join(
        f'"{field.name}"' if field.name in stored else f'null as "{field.name}"'
        for field in arrow_schema(table)
    )
    distinct = "distinct" if table in SHARED_TABLES else ""
    source = f"select {distinct} {names} from read_parquet($files, {options})"
    if not views:
        order = "order by all" if distinct else ""
        connection.execute(f"insert into raw.{table} {source} {order}", {"files": files})
        return
    pattern = f"{glob.escape(str(lake.resolve()))}/run_id=*/unit=*/{table}.parquet".replace("'", "''")
    connection.execute(f"drop table raw.{table}")
    connection.execute(
        f"create view raw.{table} as select {distinct} {names} from read_parquet('{pattern}', {options})"
    )


def _fill_units_and_runs(connection: duckdb.DuckDBPyConnection, lake: Path) -> None:
    """Planned units with how they ended, and from that whether a run is complete."""
    for run_id in run_ids(lake):
        folder = RunFolder(lake, run_id)
        plan, runs = folder.read(folder.run_unit, "units"), folder.read(folder.run_unit, "runs")
        if plan is None or runs is None:
            continue
        tables = Tables(run_id)
        units = [_unit_row(row, folder.manifest(row["unit"])) for row in plan.to_pylist()]
        for row in units:
            tables["units"].add_row(row)
        status = "done" if all(row["status"] == "done" for row in units) else "partial"
        tables["runs"].add_row({**runs.to_pylist()[0], "status": status})
        for name, content in tables.finish().items():
            _insert(connection, name, content)


def _unit_row(planned: dict[str, Any], manifest: dict[str, Any] | None) -> dict[str, Any]:
    facts = ("status", "reason", "n_inferences", "n_planned")
    found = {} if manifest is None else {name: manifest[name] for name in facts}
    return {**planned, **found}


def _insert(connection: duckdb.DuckDBPyConnection, table: str, content: pa.Table) -> None:
    connection.register("incoming", content)
    connection.execute(f"insert into raw.{table} by name select * from incoming")
    connection.unregister("incoming")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from raw.{table}").fetchone()
    return int(row[0]) if row else 0
