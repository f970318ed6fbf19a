"""The raw tables as ``sql/schema`` declares them: DDL for DuckDB, schemas for Arrow. No column is named twice."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import duckdb
import pyarrow as pa

SCHEMA_VERSION = 1

# In the lake by one file a unit; the rest of the raw tables is made from the lake's manifests while loading.
RUN_TABLES = ("runs", "conditions")
UNIT_TABLES = (
    "episodes",
    "frames",
    "inferences",
    "timings",
    "layouts",
    "tokens",
    "regions",
    "queries",
    "attention_masses",
    "attention_maps",
    "head_focus",
    "objects",
    "object_metrics",
    "map_shifts",
    "layer_links",
    "camera_links",
    "action_effects",
    "issues",
)
# The same layout, episode or object may be written by several units of a run: one of the equal rows is loaded.
SHARED_TABLES = frozenset({"episodes", "frames", "layouts", "tokens", "regions", "queries", "objects"})
_IDS = frozenset({"run_id", "episode_id", "inference_id", "condition_id", "layout_id", "unit"})


@lru_cache
def raw_ddl() -> dict[str, str]:
    """Table name -> its CREATE TABLE and COMMENT statements."""
    folder = resources.files("sql") / "schema"
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    return {entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8") for entry in files}


def create_raw_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates schema ``raw`` with all its tables, empty, their comments, and the macro ``rows_kept``."""
    connection.execute("create schema if not exists raw")
    for statements in raw_ddl().values():
        connection.execute(statements)
    declare_rows_kept(connection, {})


def declare_rows_kept(connection: duckdb.DuckDBPyConnection, counts: dict[str, int]) -> None:
    """Makes ``raw.rows_kept(table_name)`` say how many rows of a raw table an append found there; 0 for others.

    A macro, because DuckDB then compares rows with a number and skips those before it; with a row of a table it would
    read them all.
    """
    cases = " ".join(f"when '{table}' then {int(counts[table])}" for table in raw_ddl() if table in counts)
    told = f"case table_name {cases} else 0 end" if cases else "0"
    connection.execute(f"create or replace macro raw.rows_kept(table_name) as {told}")


@lru_cache
def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a raw table as it is written to Parquet. Raises KeyError for an unknown table."""
    return _arrow_schemas()[table]


@lru_cache
def ids_of(table: str) -> frozenset[str]:
    """Columns of a raw table that every lake has had; none for a table that is unknown here."""
    return _IDS.intersection(_arrow_schemas()[table].names) if table in raw_ddl() else frozenset()


@lru_cache
def _arrow_schemas() -> dict[str, pa.Schema]:
    with duckdb.connect() as connection:
        create_raw_schema(connection)
        schemas = {}
        for table in raw_ddl():
            found = connection.sql(f'from raw."{table}" limit 0').to_arrow_table().schema
            # JSON is text in Parquet; DuckDB casts it back on load.
            schemas[table] = pa.schema(
                [pa.field(f.name, pa.string() if f.type == pa.string() else f.type) for f in found]
            )
        return schemas
