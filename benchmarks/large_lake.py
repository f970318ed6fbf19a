"""A large lake from a small one: copies of its units that differ, with as many layers and heads as Gemma 2B has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingest.lake import RunFolder
from ingest.loadable import LoadableRun, loadable
from ingest.schema import UNIT_TABLES, arrow_schema, create_raw_schema
from ingest.warehouse_rows import fill

ENLARGE = Path(__file__).parent / "sql" / "enlarge.sql"
OF_AN_INFERENCE, OF_AN_EPISODE = "inference_id", "episode_id"


class LargeLake:
    """Copies 0 to n - 1 of every episode of the only run of ``small``, and copy n of its first, to come later."""

    def __init__(self, small: Path, lake: Path, n_copies: int) -> None:
        (self._run,) = loadable(small).runs
        self._target = RunFolder(lake, self._run.folder.run_id)
        self._n_copies = n_copies
        first = min(row["episode_id"] for row in self._run.planned)
        self._first = [row["unit"] for row in self._run.planned if row["episode_id"] == first]

    def write(self) -> None:
        """All copies but the last, and a plan that names that one too."""
        units = [row["unit"] for row in self._run.planned]
        with self._target.writer():
            plan = [row for unit in units for row in self._copies(unit, range(self._n_copies))]
            plan += [row for unit in self._first for row in self._planned(unit, [self._n_copies])]
            source = self._run.folder
            shared = {name: source.read(source.run_unit, name) for name in ("runs", "conditions")}
            tables = {name: table for name, table in shared.items() if table is not None}
            tables["units"] = pa.Table.from_pylist(plan, arrow_schema("units"))
            self._target.write(source.run_unit, tables, {"status": "plan"})

    def add_the_last(self) -> None:
        """The one episode that comes later."""
        with self._target.writer():
            for unit in self._first:
                self._copies(unit, [self._n_copies])

    def _planned(self, unit: str, copies: Iterable[int]) -> list[dict[str, Any]]:
        with _enlarged(self._run, unit, copies) as connection:
            return _rows_of_units(connection)

    def _copies(self, unit: str, copies: Iterable[int]) -> list[dict[str, Any]]:
        """Writes copies of a unit; what the plan has to say of them."""
        facts = {
            name: value
            for name, value in self._run.manifests[unit].items()
            if name not in ("run_id", "unit", "tables")
        }
        with _enlarged(self._run, unit, copies) as connection:
            rows = _rows_of_units(connection)
            for row in rows:
                tables = {name: _of_episode(connection, name, row["episode_id"]) for name in UNIT_TABLES}
                self._target.write(row["unit"], tables, {**facts, "episode_id": row["episode_id"]})
        return rows


def _enlarged(run: LoadableRun, unit: str, copies: Iterable[int]) -> duckdb.DuckDBPyConnection:
    """A database in memory with schema raw of these copies of a unit."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as small")
    connection.execute("use small")
    create_raw_schema(connection)
    for table in UNIT_TABLES:
        fill(connection, table, run.files(table, {unit}))
    planned = [row for row in run.planned if row["unit"] == unit]
    plan = pa.Table.from_pylist(planned, arrow_schema("units"))
    connection.register("plan", plan)
    connection.execute("insert into raw.units select * from plan")
    ((n_layers, n_heads),) = connection.execute(
        "select max(layer) + 1, max(head) + 1 from raw.attention_masses"
    ).fetchall()
    connection.execute("use memory")
    create_raw_schema(connection)
    known = {"copies": list(copies), "n_layers": n_layers, "n_heads": n_heads}
    for statement in duckdb.extract_statements(ENLARGE.read_text(encoding="utf-8")):
        connection.execute(statement, {name: known[name] for name in statement.named_parameters})
    return connection


def _rows_of_units(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return connection.sql("from raw.units order by unit").to_arrow_table().to_pylist()


def _of_episode(connection: duckdb.DuckDBPyConnection, table: str, episode_id: str) -> pa.Table:
    """Its rows of a raw table, in the order in which `ingest` writes them; what episodes share is all of its."""
    schema = arrow_schema(table)
    if OF_AN_INFERENCE in schema.names:
        which = (
            "where inference_id in (select inference_id from raw.inferences where episode_id = $episode_id)"
        )
    else:
        which = "where episode_id = $episode_id" if OF_AN_EPISODE in schema.names else ""
    order = ", ".join(name for name in ("inference_id", "layer", "head") if name in schema.names) or "all"
    query = f"from raw.{table} {which} order by {order}"
    found = connection.sql(query, params={"episode_id": episode_id} if which else None)
    return found.to_arrow_table().cast(schema)
