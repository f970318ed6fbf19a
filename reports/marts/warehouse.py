"""The warehouse, read-only: named queries from `queries/*.sql` with bound parameters, and what they were."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from reports.errors import ReportError, WarehouseMissingError

Row = dict[str, Any]

# What the pages read. A mart may be empty (the study did not measure it) but not absent.
REQUIRED = (
    *(
        "runs",
        "episodes",
        "frames",
        "conditions",
        "objects",
        "coverage",
        "coverage_reasons",
        "issues_by_reason",
    ),
    *("object_attention_by_episode", "object_attention_by_layer", "prompt_shift_by_layer"),
    *("modality_balance_by_step", "modality_balance_by_episode", "modality_balance_by_layer"),
    *(
        "modality_balance_by_task",
        "modality_balance_by_suite",
        "action_shift_by_condition",
        "outcome_tests",
        "paired_tests",
    ),
    *("bootstrap_intervals", "hypothesis_verdicts", "frame_gallery", "frame_metrics", "word_attention"),
    *(
        "word_object_attention",
        "fidelity_by_layer",
        "region_effects",
        "knockout_effects",
        "effects_by_condition",
    ),
    *("head_ranking", "head_roles", "head_specialisation", "layer_flow", "roi_over_time", "roi_lags"),
    "run_comparison",
    *("diagnoses", "diagnosis_tests", "planted_truths"),
)
BUILD = "run `python -m ingest` and `dbt build` (or `python -m ingest publish`)"
PARAMETER = re.compile(r"getvariable\('(\w+)'\)")


@dataclass(frozen=True)
class Result:
    """Rows of a query with the text and the parameters they came from."""

    name: str
    sql: str
    parameters: dict[str, Any]
    rows: list[Row] = field(repr=False)
    _grouped: dict[str, dict[Any, list[Row]]] = field(default_factory=dict, repr=False, compare=False)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, **wanted: Any) -> list[Row]:
        """Rows whose columns equal the given values; the first one named is looked up, so name the finest first."""
        if not wanted:
            return list(self.rows)
        (first, value), *others = wanted.items()
        rows = self._by(first).get(value, [])
        return [row for row in rows if all(row[name] == value for name, value in others)]

    def digest(self) -> str:
        """Hex hash of the rows; floats count with all their digits."""
        return hashlib.blake2b(repr(self.rows).encode(), digest_size=12).hexdigest()

    def _by(self, name: str) -> dict[Any, list[Row]]:
        """Rows by the value of a column: asked for one value after the other, all rows would be read each time."""
        if name not in self._grouped:
            groups: dict[Any, list[Row]] = defaultdict(list)
            for row in self.rows:
                groups[row[name]].append(row)
            self._grouped[name] = dict(groups)
        return self._grouped[name]

    def distinct(self, *names: str) -> list[tuple[Any, ...]]:
        """Distinct values of some columns, in the order they first appear."""
        return list(dict.fromkeys(tuple(row[name] for name in names) for row in self.rows))


class Asked(NamedTuple):
    """A query that was asked, and a hash of its rows."""

    name: str
    parameters: dict[str, Any]
    rows: str


@cache
def query_text(name: str) -> str:
    """Text of `queries/<name>.sql`."""
    return (resources.files("reports") / "queries" / f"{name}.sql").read_text(encoding="utf-8").strip()


class Warehouse:
    """One run's view of the marts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._asked: list[Asked] | None = None
        self._bound: dict[str, Any] = {}

    @contextmanager
    def recorded(self) -> Iterator[list[Asked]]:
        """The queries that are asked meanwhile, each once."""
        found: list[Asked] = []
        self._asked = found
        try:
            yield found
        finally:
            self._asked = None

    def query(self, name: str, **parameters: Any) -> Result:
        """Run `queries/<name>.sql`; parameters that the text does not name are ignored."""
        sql, bound = self._bind(name, parameters)
        cursor = self._connection.execute(sql)
        columns = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        result = Result(name, sql, bound, rows)
        if self._asked is not None and not any(a[:2] == (name, bound) for a in self._asked):
            self._asked.append(Asked(name, bound, result.digest()))
        return result

    def table(self, name: str, **parameters: Any) -> pa.Table:
        """The same as an Arrow table, for long lists of numbers."""
        sql, _ = self._bind(name, parameters)
        table: pa.Table = self._connection.sql(sql).to_arrow_table()
        return table

    def require(self, *marts: str) -> None:
        """Check for marts that no page reads.

        Raises WarehouseMissingError with the command that makes them.
        """
        missing = _missing(self._connection, marts)
        if missing:
            raise WarehouseMissingError(
                f"{self.path} has no marts {', '.join(missing)}: {_publish(self.path)}"
            )

    def _bind(self, name: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Set the SQL variables that a query reads. They are bound here, so that its text runs as it is shown."""
        sql = query_text(name)
        bound = {key: parameters[key] for key in dict.fromkeys(PARAMETER.findall(sql))}
        for key, value in bound.items():
            # Setting a variable takes as long as a small query, and most queries are asked of the same run.
            if not isinstance(value, str) or self._bound.get(key) != value:
                self._connection.execute(f"set variable {key} = $value", {"value": value})
                self._bound[key] = value
        return sql, bound


@contextmanager
def open_warehouse(path: Path) -> Iterator[Warehouse]:
    """Open read-only and check that the marts are there.

    Raises WarehouseMissingError or ReportError with the command that mends it.
    """
    if not path.is_file():
        raise WarehouseMissingError(f"no warehouse at {path}: {BUILD}, or name one with --warehouse")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        first = str(error).splitlines()[0]
        if "lock" in first.lower():
            raise ReportError(
                f"{path} is being written by another process: wait for it, then try again"
            ) from error
        raise ReportError(f"{path} cannot be opened as a DuckDB file ({first}): {BUILD}") from error
    try:
        missing = _missing(connection, REQUIRED)
        if missing:
            named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            raise WarehouseMissingError(f"{path} has no marts {named}: {_publish(path)}")
        yield Warehouse(connection, path)
    finally:
        connection.close()


def _publish(path: Path) -> str:
    return f"run `python -m ingest publish --warehouse {shlex.quote(str(path))}`, with the lake it is of"


def _missing(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> list[str]:
    found = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'marts'"
    )
    there = {row[0] for row in found.fetchall()}
    return [name for name in names if name not in there]
