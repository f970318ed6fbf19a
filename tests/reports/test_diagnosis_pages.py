"""Diagnoses on the pages, and the page of planted truths, which only a warehouse with such runs has."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from reports import site
from tests.reports.conftest import Site
from tests.reports.synthetic_diagnoses import TOLD, add_truths
from tests.reports.test_what_pages_say import sections, text_of


def rows_of(section: str) -> list[list[str]]:
    """The cells of a section's first table."""
    body = section.split("<tbody>")[1].split("</tbody>")[0]
    return [
        [
            " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)
        ]
        for row in body.split("</tr>")
        if "<td" in row
    ]


@pytest.fixture(scope="module")
def planted(little: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The little site's warehouse with a planted run in it."""
    folder = tmp_path_factory.mktemp("planted")
    warehouse = folder / "warehouse.duckdb"
    shutil.copyfile(little.warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as con:
        add_truths(con, little.shape.run_id)
    report = site.build(site.Options(warehouse, little.lake, folder / "site"), say=lambda _: None)
    assert not report.failures
    return folder / "site"


def test_answers_stand_on_causes_and_on_the_index(rich: Site) -> None:
    text = text_of(rich.root / "index.html")
    assert "Which camera do the actions depend on? base" in text
    assert TOLD in text
    found = rows_of(sections(rich.root / "causes.html")["diagnosis"])
    assert [row[:2] for row in found] == [
        ["Does the prompt control the actions?", "undecided"],
        ["Which camera do the actions depend on?", "base"],
    ]
    assert "0.750 to 2.00" in " ".join(found[1])
    tested = sections(rich.root / "causes.html")["diagnosis"].split("<bdi>Every candidate")[1]
    (prompt, camera) = rows_of(tested)
    assert prompt[-4:] == ["insufficient data", "n/a", "n/a", "no repeats"]
    assert [camera[i] for i in (1, 2, 3, 4, 11)] == ["base", "1.50", "0.500", "75 %", "1.00"]


def test_a_study_that_changes_nothing_has_no_diagnosis_and_says_what_it_takes(little: Site) -> None:
    assert "Diagnosis" not in text_of(little.root / "index.html")
    said = sections(little.root / "causes.html")["diagnosis"]
    assert "nothing can be said about what the actions depend on" in said
    assert "python -m ingest" in said


def test_only_a_warehouse_with_planted_runs_has_the_page(rich: Site, planted: Path) -> None:
    assert not (rich.root / "planted.html").exists()
    assert "planted.html" not in (rich.root / "index.html").read_text()
    assert 'href="planted.html"' in (planted / "index.html").read_text()


def test_the_page_says_what_was_right_and_where_attention_misleads(planted: Path) -> None:
    found = sections(planted / "planted.html")
    assert (
        "1 of 3 answers about 1 policy are right, 1 wrong, and 1 not given or undecided." in found["truths"]
    )
    right = {row[1]: row for row in rows_of(found["truths"])}
    assert right["camera"][2:6] == [
        "wrist",
        "its training alone",
        "wrist",
        "right",
    ]
    assert right["prompt"][2:6] == ["yes", "its model card", "no", "WRONG"]
    assert right["object"][5] == "no answer"
    assert "disagree in 1 of 2 answers" in found["attention"]
    assert "<b>wrist</b>" not in (planted / "planted.html").read_text()
