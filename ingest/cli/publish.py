"""``python -m ingest publish``: load and dbt build beside, then rename."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.cli import options
from ingest.publish import publish


def command(
    lake: options.Lake = options.DEFAULT_LAKE,
    warehouse: options.Warehouse = options.DEFAULT_WAREHOUSE,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Build everything anew, also where adding new units would do.")
    ] = False,
) -> int:
    """Build raw tables and marts beside the warehouse and, when every test passed, put them in its place."""
    publish(lake, warehouse, fresh=fresh)
    print(f"published {warehouse}; now run `python -m reports{options.flags(lake, warehouse)}`")
    return 0
