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
    """Collects blocks of rows of one raw table; :meth:`finish` gives them the table's exact schema.

    Blocks are small and many, so they stay as they came, and each column is made once, at the end.
    """

    def __init__(self, table: str, run_id: str) -> None:
        self._schema = arrow_schema(table)
        self._names = frozenset(self._schema.names)
        self._run_id = run_id
        self._sizes: list[int] = []
        self._blocks: list[Mapping[str, Any]] = []
        self._finished: pa.Table | None = None

    def add_row(self, row: Mapping[str, Any]) -> None:
        """One row; columns left out are null. Raises KeyError for a column the table does not have."""
        self._add(1, {name: _Single(value) for name, value in row.items()})

    def add_block(self, n_rows: int, columns: Mapping[str, Any]) -> None:
        """``n_rows`` rows at once.

        A column is a scalar for every row, a sequence or 1-D array of ``n_rows``, or a 2-D array [n_rows, width] for
        a list column. NaN becomes null, and so does a list with a NaN in it. Columns left out are null.
        Raises KeyError for a column the table does not have, ValueError for one of another length.
        """
        for name, values in columns.items():
            if not _is_scalar(values) and len(values) != n_rows:
                raise ValueError(f"column {name!r} has {len(values)} values for {n_rows} rows")
        self._add(n_rows, {n: _Single(v) if _is_scalar(v) else v for n, v in columns.items()})

    def _add(self, n_rows: int, columns: Mapping[str, Any]) -> None:
        if not columns.keys() <= self._names:
            raise KeyError(f"no such columns: {sorted(columns.keys() - self._names)}")
        if n_rows:
            self._sizes.append(n_rows)
            self._blocks.append(columns)
            self._finished = None

    def finish(self) -> pa.Table:
        """All rows in the order they came, each column as one chunk."""
        if self._finished is None:
            columns = [self._finish_column(field) for field in self._schema]
            self._finished = pa.Table.from_arrays(columns, schema=self._schema).combine_chunks()
        return self._finished

    def _finish_column(self, field: pa.Field) -> pa.ChunkedArray:
        if field.name == "run_id":
            return pa.chunked_array([pa.repeat(pa.scalar(self._run_id, field.type), sum(self._sizes))])
        pieces = [block.get(field.name, _NULL) for block in self._blocks]
        chunks = []
        for kind, members in runs_of([_kind_of(piece) for piece in pieces]):
            chunks.append(_merge(kind, pieces[members], self._sizes[members], field.type))
        return pa.chunked_array(chunks, field.type)


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
    """One value for all rows of a block, kept apart from a column of values."""

    def __init__(self, value: Any) -> None:
        self.value = value


_NULL = _Single(None)


def _is_scalar(values: Any) -> bool:
    return not isinstance(values, np.ndarray | list | tuple)


def _kind_of(piece: Any) -> str:
    """Pieces of one kind that follow each other are merged."""
    if isinstance(piece, np.ndarray):
        # No bare dtype: numpy's float32 equals the word 'single'.
        return "lists" if piece.ndim == 2 else f"array of {piece.dtype}"
    return "single" if isinstance(piece, _Single) else "values"


def _merge(kind: str, pieces: Sequence[Any], sizes: Sequence[int], arrow_type: pa.DataType) -> pa.Array:
    if kind == "single":
        values = pa.array([_plain(piece.value) for piece in pieces], arrow_type)
        return values.take(pa.array(np.repeat(np.arange(len(pieces)), sizes)))
    if kind == "lists":
        return _lists(pieces, arrow_type)
    if kind == "values":
        return pa.array(list(itertools.chain.from_iterable(pieces)), arrow_type)
    return pa.array(np.concatenate(pieces), from_pandas=True).cast(arrow_type)


def _lists(blocks: Sequence[NDArray[Any]], arrow_type: pa.DataType) -> pa.Array:
    """Blocks [rows, width], each of its own width."""
    widths = np.concatenate([np.full(len(block), block.shape[1]) for block in blocks])
    offsets = np.concatenate([[0], np.cumsum(widths)]).astype(np.int32)
    flat = pa.array(np.concatenate([block.ravel() for block in blocks])).cast(arrow_type.value_type)
    is_null = np.concatenate([_has_nan(block) for block in blocks])
    return pa.ListArray.from_arrays(
        pa.array(offsets), flat, type=arrow_type, mask=pa.array(is_null) if is_null.any() else None
    )


def _has_nan(block: NDArray[Any]) -> NDArray[np.bool_]:
    if block.dtype.kind != "f":
        return np.zeros(len(block), dtype=bool)
    found: NDArray[np.bool_] = np.isnan(block).any(axis=1)
    return found


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
