"""Write what dbt knows of schema `raw` from the DDL in `sql/schema`, so that a raw column is described once.

    python sql/generate_sources.py            # after a change of sql/schema
    python sql/generate_sources.py --check    # exit code 1 where the files are not in step

Two files come out: `models/staging/_raw__sources.yml` (the dbt source) and `models/staging/_raw__columns.md` (doc
blocks for the models' own .yml). A block has the column's name, or `<table>__<column>` where a table says
something else of a column than most tables with a column of that name.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import duckdb

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "sql" / "schema"
STAGING = ROOT / "models" / "staging"
HEADER = "Generated from sql/schema by sql/generate_sources.py: change the DDL, then run that."


class Column(NamedTuple):
    table: str
    name: str
    type: str
    description: str


class Raw(NamedTuple):
    tables: dict[str, str]
    columns: list[Column]


def read_schema(folder: Path = SCHEMA) -> Raw:
    """Tables and columns of schema `raw` with their comments, in the order of the DDL."""
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        for file in sorted(folder.glob("*.sql")):
            connection.execute(file.read_text())
        tables = connection.execute(
            "select table_name, comment from duckdb_tables() where schema_name = 'raw' order by table_name"
        ).fetchall()
        columns = connection.execute(
            "select table_name, column_name, lower(data_type), comment from duckdb_columns() "
            "where schema_name = 'raw' order by table_name, column_index"
        ).fetchall()
    return Raw(dict(tables), [Column(*row) for row in columns])


def doc_names(columns: list[Column]) -> dict[tuple[str, str], str]:
    """(table, column) -> name of its doc block."""
    texts: dict[str, Counter[str]] = {}
    for column in columns:
        texts.setdefault(column.name, Counter())[column.description] += 1
    usual = {name: counts.most_common(1)[0][0] for name, counts in texts.items()}
    return {
        (column.table, column.name): (
            column.name if column.description == usual[column.name] else f"{column.table}__{column.name}"
        )
        for column in columns
    }


def quote(text: str) -> str:
    """`text` as a YAML scalar in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def sources_yml(raw: Raw) -> str:
    lines = [
        f"# {HEADER}",
        "version: 2",
        "",
        "sources:",
        "  - name: raw",
        "    schema: raw",
        "    description: The lake's rows, loaded by `python -m ingest load`; columns as in sql/schema.",
        "    tables:",
    ]
    for table, description in raw.tables.items():
        lines += [f"      - name: {table}", f"        description: {quote(description)}", "        columns:"]
        for column in raw.columns:
            if column.table == table:
                lines += [
                    f"          - name: {column.name}",
                    f"            data_type: {column.type}",
                    f"            description: {quote(column.description)}",
                ]
    return "\n".join(lines) + "\n"


def columns_md(raw: Raw) -> str:
    names = doc_names(raw.columns)
    blocks = {names[column.table, column.name]: column.description for column in raw.columns}
    parts = [f"<!-- {HEADER} -->"]
    parts += [f"{{% docs {name} %}}{blocks[name]}{{% enddocs %}}" for name in sorted(blocks)]
    return "\n\n".join(parts) + "\n"


def generated(folder: Path = SCHEMA) -> dict[Path, str]:
    """File -> what should stand in it."""
    raw = read_schema(folder)
    return {
        STAGING / "_raw__sources.yml": sources_yml(raw),
        STAGING / "_raw__columns.md": columns_md(raw),
    }


def main() -> int:
    stale = [path for path, text in generated().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(
                f"{path.relative_to(ROOT)} is not in step with sql/schema: run python sql/generate_sources.py"
            )
        return 1 if stale else 0
    for path in stale:
        path.write_text(generated()[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
