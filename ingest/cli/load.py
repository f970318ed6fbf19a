"""``python -m ingest load``: the warehouse's raw tables from the lake, anew."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.cli import options
from ingest.warehouse import load


def command(
    lake: options.Lake = options.DEFAULT_LAKE,
    warehouse: options.Warehouse = options.DEFAULT_WAREHOUSE,
    views: Annotated[
        bool,
        typer.Option(
            "--views", help="Views over the lake's files in place of tables (small, needs the lake)."
        ),
    ] = False,
) -> int:
    """Rebuild the DuckDB file from the lake; marts come back with `dbt build`, or with `publish` at once."""
    counts = load(lake, warehouse, views=views)
    width = max(map(len, counts))
    for table, count in counts.items():
        print(f"raw.{table:<{width}} {count:>10}")
    print(
        f"loaded {warehouse}; marts and pages need `python -m ingest publish{options.flags(lake, warehouse)}`"
    )
    return 0
