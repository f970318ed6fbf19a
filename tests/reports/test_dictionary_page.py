"""The page of tables says what the warehouse says of itself, and its words are text."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from reports import site
from tests.reports.conftest import Site, Visit
from tests.reports.test_build import damaged

HOSTILE = "</script><img src=x onerror=document.title='run'> {{ 7 * 7 }}"


def test_comments_of_the_warehouse_are_on_the_page(little: Site, visit: Visit, tmp_path: Path) -> None:
    quoted = HOSTILE.replace("'", "''")
    warehouse = damaged(
        little,
        tmp_path,
        f"comment on column marts.runs.study is '{quoted}'",
        "comment on table marts.runs is 'One row per run.'",
    )
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        columns = connection.execute(
            "select column_name, lower(data_type) from duckdb_columns() "
            "where schema_name = 'marts' and table_name = 'runs' order by column_index"
        ).fetchall()
    # The other pages are taken over: no comment is on them.
    shutil.copytree(little.root, tmp_path / "site", copy_function=shutil.copy2)
    report = site.build(site.Options(warehouse, little.lake, tmp_path / "site"), say=lambda _: None)
    assert report.built == []

    page = visit.open(tmp_path / "site" / "dictionary.html")
    table = page.locator("#marts-runs")
    table.locator("summary").click()
    shown = table.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText))"
    )
    assert [(name, kind) for name, kind, _ in shown] == columns
    assert dict((name, meaning) for name, _, meaning in shown)["study"] == HOSTILE
    assert table.get_by_text("One row per run.").is_visible()
    assert page.title() != "run"


def test_a_warehouse_without_descriptions_says_so(visit: Visit, rich: Site) -> None:
    page = visit.open(rich.root / "dictionary.html")
    assert page.get_by_text("To fill them in: dbt build").is_visible()
