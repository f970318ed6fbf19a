"""Rows of the raw tables from the files of a lake."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest.loadable import Loadable
from ingest.rows import Tables
from ingest.schema import SHARED_TABLES, arrow_schema

_OPTIONS = "hive_partitioning = false, union_by_name = true"


def fill(
    connection: duckdb.DuckDBPyConnection, table: str, paths: list[Path], *, is_filled: bool = False
) -> None:
    """Adds the rows of ``paths`` to a raw table; with ``is_filled`` those of shared tables that are not there yet."""
    if not paths:
        return
    files = [str(path) for path in paths]
    source = f"{_select(connection, table, files)} from read_parquet($files, {_OPTIONS})"
    if table in SHARED_TABLES:
        source = f"{source} except select * from raw.{table}" if is_filled else f"{source} order by all"
    connection.execute(f"insert into raw.{table} {source}", {"files": files})


def fill_as_view(connection: duckdb.DuckDBPyConnection, table: str, paths: list[Path]) -> None:
    """Puts a view over ``paths`` in the place of a raw table."""
    if not paths:
        return
    selected = _select(connection, table, [str(path) for path in paths])
    listed = ", ".join(literal(path.resolve()) for path in paths)
    connection.execute(f"drop table raw.{table}")
    connection.execute(f"create view raw.{table} as {selected} from read_parquet([{listed}], {_OPTIONS})")


def fill_units_and_runs(connection: duckdb.DuckDBPyConnection, content: Loadable) -> None:
    """Planned units with how they ended, and from that whether a run is complete."""
    for run in content.runs:
        tables = Tables(run.folder.run_id)
        units = list(run.unit_rows())
        for row in units:
            tables["units"].add_row(row)
        status = "done" if all(row["status"] == "done" for row in units) else "partial"
        tables["runs"].add_row({**run.row, "status": status})
        for name, rows in tables.finish().items():
            _insert(connection, name, rows)


def row_counts(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, int]:
    """Rows of each of these raw tables, in one question."""
    tables = tuple(tables)
    each = " union all ".join(f"select '{table}', count(*) from raw.{table}" for table in tables)
    found = dict(connection.execute(each).fetchall())
    return {table: int(found[table]) for table in tables}


def literal(path: Path) -> str:
    """A path in the text of a view, which can bind no parameter."""
    return "'" + str(path).replace("'", "''") + "'"


def _select(connection: duckdb.DuckDBPyConnection, table: str, files: list[str]) -> str:
    """Identifiers come from our own schema; a column younger than the lake is null."""
    described = connection.execute(
        f"describe select * from read_parquet($files, {_OPTIONS})", {"files": files}
    )
    stored = {str(row[0]) for row in described.fetchall()}
    names = ", ".join(
        f'"{field.name}"' if field.name in stored else f'null as "{field.name}"'
        for field in arrow_schema(table)
    )
    return f"select {'distinct' if table in SHARED_TABLES else ''} {names}"


def _insert(connection: duckdb.DuckDBPyConnection, table: str, content: pa.Table) -> None:
    connection.register("incoming", content)
    connection.execute(f"insert into raw.{table} by name select * from incoming")
    connection.unregister("incoming")
