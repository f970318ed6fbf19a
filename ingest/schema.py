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


@lru_cache
def raw_ddl() -> dict[str, str]:
    """Table name -> its CREATE TABLE and COMMENT statements."""
    folder = resources.files("sql") / "schema"
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    return {entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8") for entry in files}


def create_raw_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates schema ``raw`` with all its tables, empty, and their comments."""
    connection.execute("create schema if not exists raw")
    for statements in raw_ddl().values():
        connection.execute(statements)


@lru_cache
def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a raw table as it is written to Parquet. Raises KeyError for an unknown table."""
    return _arrow_schemas()[table]


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
