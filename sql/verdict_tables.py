"""Between tables and the rules of verdicts: columns over layers as arrays, verdicts as rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from measures.arrays import Floats
from measures.verdict import Verdict, insufficient

Run = dict[str, Any]
Tables = dict[str, pl.DataFrame]
Rule = Callable[[Run, Tables], Verdict]
VERDICTS = {
    **dict.fromkeys(["run_id", "hypothesis", "criteria", "verdict"], pl.String),
    **dict.fromkeys(["estimate", "low", "high"], pl.Float64),
    **dict.fromkeys(["n", "family_size"], pl.Int64),
    "because": pl.String,
    "p": pl.Float64,
}
"""Columns of a table of verdicts."""


def verdict_table(runs: pl.DataFrame, tables: Tables, rules: Mapping[tuple[str, str], Rule]) -> pl.DataFrame:
    """One row a run and (hypothesis, criteria) of ``rules``; each rule gets the run and its own rows of the tables."""
    rows = []
    for run in runs.sort("run_id").iter_rows(named=True):
        of_run = {name: table.filter(pl.col("run_id") == run["run_id"]) for name, table in tables.items()}
        for (hypothesis, criteria), rule in rules.items():
            verdict = rule(run, of_run)
            key = {"run_id": run["run_id"], "hypothesis": hypothesis, "criteria": criteria}
            rows.append({**key, **verdict._asdict(), "verdict": str(verdict.verdict)})
    return pl.DataFrame(rows, schema=VERDICTS).with_columns(pl.col(pl.Float64).fill_nan(None))


def over_layers(frame: pl.DataFrame, column: str, n_layers: int) -> Floats:
    """The column as [n_layers], NaN where a layer has no row or no number."""
    values = np.full(n_layers, np.nan)
    for layer, value in frame.select("layer", pl.col(column).cast(pl.Float64)).iter_rows():
        if 0 <= layer < n_layers:
            values[layer] = number(value)
    return values


def number(value: float | None) -> float:
    """NaN for nothing."""
    return math.nan if value is None else float(value)


def nothing_done(tables: Tables) -> Verdict | None:
    """The verdict of a run without a completed inference; ``tables`` hold its ``coverage``."""
    return None if tables["coverage"]["n_ok"].sum() else insufficient(0, None, "no inference was completed")
