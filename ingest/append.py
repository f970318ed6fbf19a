"""What a published warehouse already holds of a lake, and adding the rest to it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingest.identity import hash_files
from ingest.loadable import Loadable
from ingest.schema import SHARED_TABLES, UNIT_TABLES, declare_rows_kept
from ingest.warehouse_file import not_built, settle
from ingest.warehouse_rows import fill, fill_units_and_runs, row_counts

# Tells by which models the marts of a warehouse were built.
BUILT_BY = "built_by"
_FOLDERS, _SUFFIXES = ("models", "sql", "measures"), {".sql", ".py", ".yml", ".csv"}


def hash_of_models(project: Path) -> str:
    """64 hex digits over everything that decides what marts hold."""
    found = [
        path for folder in _FOLDERS for path in (project / folder).rglob("*") if path.suffix in _SUFFIXES
    ]
    return hash_files(project, [project / "dbt_project.yml", *found])


def sign(warehouse: Path, models: str) -> None:
    """Notes in a warehouse whose marts are built by which models they were. Raises WarehouseError."""
    try:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(f"create or replace macro raw.{BUILT_BY}() as '{int(models, 16):064x}'")
    except duckdb.Error as error:
        raise not_built(warehouse, error) from error


def was_built_by(warehouse: Path, models: str) -> bool:
    """Whether a published warehouse is there, and its marts were built by these models."""
    if not warehouse.exists():
        return False
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            return connection.execute(f"select raw.{BUILT_BY}()").fetchone() == (models,)
    except (duckdb.CatalogException, duckdb.BinderException):
        return False  # a load without marts, or a warehouse older than this file


def new_units(warehouse: Path, content: Loadable) -> frozenset[str] | None:
    """The units of a lake that a published warehouse lacks, or None where adding them would not be enough.

    That is so where a unit that it holds has changed or is gone from the lake.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        loaded = connection.execute(
            "select unit, manifest_hash from raw.units where manifest_hash is not null"
        ).fetchall()
    in_lake = {
        row["unit"]: row["manifest_hash"]
        for run in content.runs
        for row in run.unit_rows()
        if row.get("manifest_hash") is not None
    }
    if any(in_lake.get(unit) != manifest for unit, manifest in loaded):
        return None
    return frozenset(in_lake) - {unit for unit, _ in loaded}


def append(content: Loadable, database: Path, units: frozenset[str], memory_limit: str = "4GB") -> None:
    """Adds the rows of ``units`` to a warehouse that holds all others. Raises DataError, WarehouseError.

    Raw.episodes_kept then names the episodes that no new unit belongs to, and raw.rows_kept() how many rows are theirs.
    """
    try:
        with duckdb.connect(str(database)) as connection:
            connection.execute("set memory_limit = $limit", {"limit": memory_limit})
            declare_rows_as_kept(connection)
            for table in UNIT_TABLES:
                fill(connection, table, content.files(table, units), is_filled=True)
            for table in ("runs", "units", "conditions", "episodes_kept"):
                connection.execute(f"delete from raw.{table}")
            fill(connection, "conditions", content.files("conditions"))
            fill_units_and_runs(connection, content)
            connection.execute(
                """
                insert into raw.episodes_kept
                select run_id, episode_id from raw.episodes
                except
                select run_id, episode_id from raw.units where list_contains($units, unit)
                """,
                {"units": sorted(units)},
            )
            if _has_an_episode_with_old_rows_and_new(connection, units):
                declare_rows_kept(connection, {})
    except duckdb.Error as error:
        raise not_built(database, error) from error
    settle(database)


def declare_rows_as_kept(connection: duckdb.DuckDBPyConnection) -> None:
    """All rows that are there before others are added, of the tables that units do not share. Raises duckdb.Error."""
    declare_rows_kept(connection, row_counts(connection, set(UNIT_TABLES) - SHARED_TABLES))


def _has_an_episode_with_old_rows_and_new(
    connection: duckdb.DuckDBPyConnection, units: frozenset[str]
) -> bool:
    """Such an episode is worked out from all of its rows."""
    found = connection.execute(
        """
        from raw.units
        anti join raw.episodes_kept using (run_id, episode_id)
        where episode_id is not null and manifest_hash is not null and not list_contains($units, unit)
        limit 1
        """,
        {"units": sorted(units)},
    )
    return found.fetchone() is not None
