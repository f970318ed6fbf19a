"""Every table and column of the warehouse, as the warehouse itself describes them."""

from __future__ import annotations

import itertools
from typing import Any

from reports.context import Context

SCHEMAS = {
    "marts": "What pages read, and what a question to the warehouse should start from.",
    "raw": "The rows of the lake as they were loaded.",
}


def content(ctx: Context) -> dict[str, Any]:
    """What the template shows: schemas, their tables, their columns."""
    found = ctx.query("dictionary")
    tables = [
        {
            "schema": schema,
            "name": name,
            "meaning": columns[0]["table_meaning"],
            "columns": columns,
        }
        for (schema, name), columns in (
            (key, list(rows))
            for key, rows in itertools.groupby(found, lambda row: (row["schema_name"], row["table_name"]))
        )
    ]
    return {
        "schemas": [
            (name, told, [t for t in tables if t["schema"] == name]) for name, told in SCHEMAS.items()
        ],
        "is_described": any(row["column_meaning"] for row in found),
        "queries": [found],
        "warehouse_name": ctx.warehouse.path.name,
    }
