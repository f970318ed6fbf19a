"""The rows of a chart as a table: what its CSV holds, here and behind the page's link (`assets/exports.js` does the same).

A chart draws several datasets (its points, a reference line, a shaded layer); its rows are those of the dataset that has
most of the columns of the table behind it, and of several such ones the longest. A chart that counts what the table lists
(a histogram) has none of them: then all columns of the longest dataset, the bins, under their own names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from reports.html.blocks import Column

Rows = Sequence[Mapping[str, Any]]


def chart_rows(datasets: Mapping[str, Rows], columns: Sequence[Column]) -> tuple[dict[str, str], Rows]:
    """Key and heading of each column that a chart's data have, in the table's order, and the rows; none of a chart without."""
    keys = {name: {key: None for row in rows for key in row} for name, rows in datasets.items()}

    def known(name: str) -> dict[str, str]:
        return {c.key: c.label for c in columns if c.key in keys[name]}

    if not datasets:
        return {}, []
    best = max(datasets, key=lambda name: (len(known(name)), len(datasets[name])))
    return known(best) or {key: key for key in keys[best]}, datasets[best]


def as_csv(datasets: Mapping[str, Rows], columns: Sequence[Column]) -> str:
    """Comma-separated text, one line a row under the table's headings; every digit, and nothing for a missing value."""
    found, rows = chart_rows(datasets, columns)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.values())
    writer.writerows([[row.get(key) for key in found] for row in rows])
    return out.getvalue()
