"""dbt knows which marts each page reads."""

from __future__ import annotations

import re

import pytest

from reports.exposures import FILE, QUERIES, exposures_yml, marts_of, queries_of
from reports.site import PAGES, page_named


def test_the_file_is_in_step_with_the_pages() -> None:
    assert FILE.read_text(encoding="utf-8") == exposures_yml(), "run `python -m reports.exposures`"


def test_every_mart_that_a_query_reads_belongs_to_a_page() -> None:
    read = {
        mart
        for path in QUERIES.glob("*.sql")
        for mart in re.findall(r"\bmarts\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert {mart for page in PAGES for mart in marts_of(page)} == read


@pytest.mark.parametrize(
    ("slug", "mart", "is_read"),
    [
        ("causes", "knockout_effects", True),
        ("causes", "head_roles", False),
        ("heads", "head_roles", True),
        ("time", "roi_lags", True),
        ("episodes", "frame_metrics", True),
        ("compare", "run_comparison", True),
    ],
)
def test_a_page_reads_what_it_shows(slug: str, mart: str, is_read: bool) -> None:
    assert (mart in marts_of(page_named(slug))) is is_read


def test_queries_are_found_where_their_names_are_handed_on() -> None:
    assert "episode_frames" in queries_of("reports.pages.episode")
    assert queries_of("reports.pages.causes") >= {"fidelity", "knockouts"}
