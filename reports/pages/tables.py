"""Tables that stand behind charts, and columns that several pages share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.html.blocks import Column, Table, text_column
from reports.marts.warehouse import Row
from reports.words import interval, p_value

LAYER = Column("layer", "layer")


def interval_table(
    rows: Sequence[Row], value: str, series: str = "series", more: Sequence[Column] = ()
) -> Table:
    """Layer, series, value, interval and n of an interval chart, and what else stands beside."""
    columns = [
        *([LAYER] if rows and "layer" in rows[0] else []),
        text_column("series", series) if not rows or "name" not in rows[0] else text_column("name", series),
        Column("y", value),
        Column("low", "from"),
        Column("high", "to"),
        Column("n", "episodes"),
        *(column for column in more if any(row.get(column.key) is not None for row in rows)),
    ]
    return Table(columns, rows)


def with_interval(
    rows: Sequence[Row], *, series: str, y: str, low: str, high: str, n: str, **extra: Any
) -> list[Row]:
    """Rows renamed for a chart: layer, series, y, low, high, n."""
    return [
        {"layer": r["layer"], "series": series, "y": r[y], "low": r[low], "high": r[high], "n": r[n], **extra}
        for r in rows
        if r[y] is not None
    ]


def test_columns() -> list[Column]:
    """Raw and corrected p-values with the effect sizes of a comparison of outcomes."""
    return [
        text_column("metric_name", "measure"),
        text_column("view", "what looks"),
        text_column("camera", "camera"),
        LAYER,
        Column("n_success", "n success"),
        Column("n_failure", "n failure"),
        Column("mean_success", "mean, success"),
        Column("mean_failure", "mean, failure"),
        Column("p_student_seed", "p, Student", p_value, hint="as in the original protocol; not corrected"),
        Column("p_welch", "p, Welch", p_value),
        Column("p_mann_whitney", "p, Mann-Whitney", p_value),
        Column("p_permutation", "p, permutation", p_value),
        Column("p_welch_holm", "Welch, Holm", p_value, hint="corrected over the layers of the family"),
        Column("p_permutation_holm", "permutation, Holm", p_value),
        Column("p_welch_bh", "Welch, BH", p_value, hint="Benjamini-Hochberg"),
        Column("family_size", "family"),
        Column("hedges_g", "Hedges g"),
        Column("g_range", "95 % interval of g", str),
        Column("cliffs_delta", "Cliff's delta"),
        text_column("reason", "why there is no test"),
    ]


def paired_columns(unit: str) -> list[Column]:
    """Columns of the paired tests by layer."""
    return [
        text_column("estimand_name", "estimand"),
        text_column("view", "what looks"),
        text_column("camera", "camera"),
        text_column("condition", "prompt"),
        LAYER,
        Column("n_episodes", "episodes"),
        Column("estimate", f"estimate{unit}"),
        Column("range", "95 % interval", str),
        Column("p", "p", p_value),
        Column("p_holm", "p, Holm", p_value),
        Column("p_bh", "p, BH", p_value),
        Column("family_size", "family"),
        text_column("alternative", "alternative"),
        text_column("reason", "why there is no test"),
    ]


def with_reasons(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """The columns, without that of reasons where no row has one."""
    return [c for c in columns if c.key != "reason" or any(row["reason"] for row in rows)]


def range_text(row: Row, low: str = "low", high: str = "high") -> str:
    """The interval of a row as text; empty where there is none."""
    return "" if row[low] is None or row[high] is None else interval(row[low], row[high])
