"""Every table and column of the warehouse, as the warehouse itself describes them."""

from __future__ import annotations

from typing import Any

from reports.marts.context import Context
from reports.marts.warehouse import Row

SCHEMAS = {
    "marts": "What pages read, and what a question to the warehouse should start from.",
    "raw": "The rows of the lake as they were loaded.",
}


def content(ctx: Context) -> dict[str, Any]:
    """What the template shows: schemas, their tables, their columns."""
    found = ctx.query("dictionary")
    columns: dict[str, dict[str, list[Row]]] = {schema: {} for schema in SCHEMAS}
    for row in found:
        columns[row["schema_name"]].setdefault(row["table_name"], []).append(row)
    return {
        "schemas": [(schema, told, columns[schema]) for schema, told in SCHEMAS.items()],
        "is_described": any(row["column_meaning"] for row in found),
        "queries": [found],
        "warehouse_name": ctx.warehouse.path.name,
    }
