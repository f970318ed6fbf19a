"""Long tables: their rows lie beside the page in small scripts (a `fetch` fails on `file://`), and `assets/rows.js` sorts,
filters and turns pages over all of them. The page itself holds the first rows, for those without scripts."""

from __future__ import annotations

from pathlib import Path

from reports.html import packing
from reports.html.blocks import Table
from reports.html.render import script_json
from reports.marts.warehouse import Row

PAGED_ABOVE = 500
"""Rows that one page still holds by itself: about 250 kB of episodes."""
PER_FILE = 1000
PER_PAGE = 100


def is_paged(table: Table) -> bool:
    """Whether a table's rows lie beside the page."""
    return len(table.rows) > PAGED_ABOVE


def write(folder: Path, table: Table) -> int:
    """Write the rows of a table as `0000.js`, `0001.js` ...; the number of files."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(table.rows), PER_FILE)
    for number, start in enumerate(starts):
        rows = [stored(table, row) for row in table.rows[start : start + PER_FILE]]
        text = f"window.gazehouseRows({number},{script_json(packing.packed(rows))});\n"
        (folder / f"{number:04d}.js").write_text(text, encoding="utf-8")
    return len(starts)


def stored(table: Table, row: Row) -> Row:
    """A row as texts, in the order of the columns; of numbers also the value to sort by; and the page it leads to."""
    texts = {f"t{i}": column.show(row[column.key]) for i, column in enumerate(table.columns)}
    values = {f"v{i}": row[column.key] for i, column in enumerate(table.columns) if column.is_number}
    return {**texts, **values, "href": row.get("href") or ""}
