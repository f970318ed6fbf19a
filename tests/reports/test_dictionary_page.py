"""The page of tables says what the warehouse says of itself, and its words are text."""

from __future__ import annotations

from pathlib import Path

import duckdb

from reports import site
from tests.reports import synthetic
from tests.reports.conftest import Site, Visit

HOSTILE = "</script><img src=x onerror=document.title='run'> {{ 7 * 7 }}"


def test_comments_of_the_warehouse_are_on_the_page(visit: Visit, tmp_path: Path) -> None:
    warehouse, lake = synthetic.build(tmp_path)
    with duckdb.connect(str(warehouse)) as connection:
        quoted = HOSTILE.replace("'", "''")
        connection.execute(f"comment on column marts.runs.study is '{quoted}'")
        connection.execute("comment on table marts.runs is 'One row per run.'")
        columns = connection.execute(
            "select column_name, lower(data_type) from duckdb_columns() "
            "where schema_name = 'marts' and table_name = 'runs' order by column_index"
        ).fetchall()
    site.build(site.Options(warehouse, lake, tmp_path / "site"), say=lambda _: None)

    page = visit.open(tmp_path / "site" / "dictionary.html")
    table = page.locator("#marts-runs")
    table.locator("summary").click()
    shown = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert [(name, kind) for name, kind, _ in shown] == columns
    assert dict((name, meaning) for name, _, meaning in shown)["study"] == HOSTILE
    assert table.get_by_text("One row per run.").is_visible()
    assert page.title() != "run"


def test_a_warehouse_without_descriptions_says_so(visit: Visit, rich: Site) -> None:
    page = visit.open(rich.root / "dictionary.html")
    assert page.get_by_text("To fill them in: dbt build").is_visible()
