"""Rows of the raw tables, gathered column by column and turned into Arrow at the end."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.schema import arrow_schema


class TableBuilder:
    """Collects blocks of rows of one raw table; :meth:`finish` gives them the table's exact schema."""

    def __init__(self, table: str, run_id: str) -> None:
        self._schema = arrow_schema(table)
        self._run_id = run_id
        self._blocks: list[pa.Table] = []

    def add_row(self, row: Mapping[str, Any]) -> None:
        """One row; columns left out are null. Raises KeyError for a column the table does not have."""
        self.add_block(1, {name: _Single(value) for name, value in row.items()})

    def add_block(self, n_rows: int, columns: Mapping[str, Any]) -> None:
        """``n_rows`` rows at once.

        A column is a scalar for every row, a sequence or 1-D array of ``n_rows``, or a 2-D array [n_rows, width] for
        a list column. NaN becomes null, and so does a list with a NaN in it. Columns left out are null.
        """
        unknown = set(columns) - set(self._schema.names)
        if unknown:
            raise KeyError(f"no such columns: {sorted(unknown)}")
        if n_rows == 0:
            return
        given = {**columns, "run_id": self._run_id}
        arrays = [_column(given.get(field.name), field.type, n_rows) for field in self._schema]
        self._blocks.append(pa.Table.from_arrays(arrays, schema=self._schema))

    def finish(self) -> pa.Table:
        """All rows in the order they came, as one chunk."""
        if not self._blocks:
            return self._schema.empty_table()
        return pa.concat_tables(self._blocks).combine_chunks()


class Tables:
    """One builder a raw table, made on first use."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._builders: dict[str, TableBuilder] = {}

    def __getitem__(self, table: str) -> TableBuilder:
        if table not in self._builders:
            self._builders[table] = TableBuilder(table, self._run_id)
        return self._builders[table]

    def finish(self) -> dict[str, pa.Table]:
        return {name: builder.finish() for name, builder in self._builders.items()}


def grid_columns(**axes: Sequence[Any]) -> tuple[int, dict[str, NDArray[Any]]]:
    """The rows of a grid, last axis fastest: their number, and a column for each axis."""
    sizes = [len(values) for values in axes.values()]
    total = int(np.prod(sizes))
    columns = {}
    for position, (name, values) in enumerate(axes.items()):
        inner = int(np.prod(sizes[position + 1 :]))
        outer = int(np.prod(sizes[:position]))
        columns[name] = np.tile(np.repeat(np.asarray(values), inner), outer)
    return total, columns


class _Single:
    """A value of one row, kept apart from a column of values."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _column(values: Any, kind: pa.DataType, n_rows: int) -> pa.Array:
    if isinstance(values, _Single):
        return pa.array([_plain(values.value)], kind)
    if values is None:
        return pa.nulls(n_rows, kind)
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return _lists(values, kind)
    if isinstance(values, np.ndarray):
        return pa.array(values, from_pandas=True).cast(kind)
    if isinstance(values, list | tuple):
        return pa.array(values, kind)
    return pa.repeat(pa.scalar(values, kind), n_rows)


def _lists(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    n_rows, width = values.shape
    offsets = np.arange(0, (n_rows + 1) * width, width) if width else np.zeros(n_rows + 1)
    flat = pa.array(np.ascontiguousarray(values).ravel()).cast(kind.value_type)
    is_null = np.isnan(values).any(axis=1) if values.dtype.kind == "f" else np.zeros(n_rows, dtype=bool)
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), flat, type=kind, mask=pa.array(is_null) if is_null.any() else None
    )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def dense_lists(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """A list column whose lists are equally long or null -> [rows, width], null as NaN.

    Raises ValueError for lists of different lengths.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    lengths = {length for length in array.value_lengths().to_pylist() if length is not None}
    if len(lengths) > 1:
        raise ValueError(f"lists of different lengths: {sorted(lengths)}")
    width = lengths.pop() if lengths else 0
    dense = np.full((len(array), width), np.nan, dtype=np.float32)
    is_valid = np.asarray(array.is_valid())
    dense[is_valid] = np.asarray(array.flatten(), dtype=np.float32).reshape(-1, width)
    return dense


def runs_of(values: Sequence[Any]) -> list[tuple[Any, slice]]:
    """Consecutive equal values, as (value, slice)."""
    found = []
    start = 0
    for value, members in itertools.groupby(values):
        stop = start + sum(1 for _ in members)
        found.append((value, slice(start, stop)))
        start = stop
    return found
