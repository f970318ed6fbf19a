"""A run of a warehouse, opened for whatever reads its marts and pictures: pages, single figures, summaries, videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.html import render
from reports.marts.context import Context, read_study
from reports.marts.warehouse import open_warehouse


@contextmanager
def opened(warehouse: Path, lake: Path, run: str | None, out: Path = Path()) -> Iterator[Context]:
    """The run that was asked for, with the lake its pictures lie in; `out` is where pages would be written.

    Raises ReportError where the warehouse or the run is not there.
    """
    with open_warehouse(warehouse) as marts:
        yield Context(marts, read_study(marts, run), lake, out, render.environment())
