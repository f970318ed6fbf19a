"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WAREHOUSE, LAKE = Path("warehouse.duckdb"), Path("lake")
Warehouse = Annotated[
    Path, typer.Option(envvar="GAZEHOUSE_WAREHOUSE", help="DuckDB file with the marts; opened read-only.")
]
Lake = Annotated[Path, typer.Option(envvar="GAZEHOUSE_LAKE", help="Lake with the pictures and masks.")]
Run = Annotated[str | None, typer.Option(help="Run to show: its id, the start of it, or its study.")]
