"""Ten thousand episodes: the table sorts, filters and turns its pages over all of them, from small files beside the page."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reports.vega import charts, distributions
from tests.reports import many, synthetic
from tests.reports.conftest import Visit, episodes_alone

if TYPE_CHECKING:
    from playwright.sync_api import Page

COPIES = 2000
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of 10,000 episodes and the pages of five of them; the other pages are no part of this."""
    folder = tmp_path_factory.mktemp("many")
    warehouse, lake = synthetic.build(folder, synthetic.TINY)
    many.multiply(warehouse, COPIES)
    report, out = episodes_alone(warehouse, lake, folder / "site", most=5), folder / "site"
    assert not report.failures
    assert len(list((out / "episodes").glob("*.html"))) == 5
    return out


def column(page: Page, key: str) -> list[str]:
    """The texts of a column, as far as it is shown."""
    return page.evaluate(
        """(key) => {
        const i = [...document.querySelectorAll("thead th")].findIndex((head) => head.dataset.key === key);
        return [...document.querySelectorAll("tbody tr")].map((row) => row.cells[i].textContent);
    }""",
        key,
    )


def opened(built: Path, visit: Visit) -> Page:
    page = visit.open(built / "episodes.html")
    page.wait_for_selector("html[data-rows=ready]", state="attached", timeout=60_000)
    assert not visit.troubles
    return page


def test_no_file_is_large(built: Path) -> None:
    sizes = {p.name: p.stat().st_size for p in built.rglob("*") if p.suffix in (".html", ".js")}
    sizes.pop("vega.js")  # the shared bundle
    assert max(sizes.values()) < MEGABYTE, sizes
    assert len(list((built / "episode-rows").glob("*.js"))) == 10


def test_the_table_sorts_over_all_rows_and_turns_pages(built: Path, visit: Visit) -> None:
    page = opened(built, visit)
    assert page.locator("[data-where]").inner_text() == "rows 1 to 100 of 10,000"
    page.get_by_role("button", name="lift", exact=True).click()
    rising = [float(text) for text in column(page, "lift")]
    page.get_by_role("button", name="Last").click()
    assert page.locator("[data-where]").inner_text() == "rows 9,901 to 10,000 of 10,000"
    assert rising == sorted(rising)
    highest = [float(text) for text in column(page, "lift")]
    assert highest == sorted(highest)
    assert min(highest) >= max(rising)
    page.get_by_role("button", name="Previous").click()
    assert page.locator("[data-where]").inner_text() == "rows 9,801 to 9,900 of 10,000"
    # Copy n of an episode has exp(n / 5000) times its lift: the highest of all is the last copy of the highest original.
    page.locator("[data-search]").fill("/2026-11-20/")
    page.get_by_role("button", name="lift", exact=True).click()
    assert re.search(r"/0\d{3}/01999$", column(page, "episode_id")[0])


def test_filters_look_at_all_rows(built: Path, visit: Visit) -> None:
    page = opened(built, visit)
    page.locator("[data-filter=outcome]").select_option("failure")
    assert page.locator("[data-count]").inner_text() == "4,000 of 10,000 rows"  # 2 of 5 originals failed
    assert set(column(page, "outcome")) == {"failure"}
    page.locator("[data-search]").fill("/01234")
    assert page.locator("[data-count]").inner_text() == "2 of 10,000 rows"
    assert all(name.endswith("/01234") for name in column(page, "episode_id"))
    page.locator("[data-search]").fill("no such episode")
    assert page.locator("[data-where]").inner_text() == "no row fits"


def test_the_script_shows_the_first_rows_as_the_page_has_them(built: Path, visit: Visit) -> None:
    page = opened(built, visit)
    drawn = page.locator("tbody").inner_text()
    links = page.eval_on_selector_all("tbody a", "(all) => all.map((a) => a.getAttribute('href'))")
    visit.page.route("**/rows.js", lambda route: route.abort())
    plain = visit.open(built / "episodes.html")
    assert plain.locator("tbody").inner_text() == drawn
    assert plain.eval_on_selector_all("tbody a", "(all) => all.map((a) => a.getAttribute('href'))") == links
    assert "The first 100 of 10,000 rows" in plain.inner_text("main")
    assert "5 of 10,000 episodes have a page" in plain.inner_text("main")
    assert all((built / link).is_file() for link in links)


def test_a_missing_file_of_rows_is_told(built: Path, visit: Visit) -> None:
    visit.page.route("**/0003.js", lambda route: route.abort())
    page = visit.open(built / "episodes.html")
    page.get_by_text("The other rows could not be loaded").wait_for()
    assert page.locator("tbody tr").count() == 100


def test_violins_of_many_episodes_draw_some_dots_and_say_how_many() -> None:
    logs = np.random.default_rng(42).normal(0.5, 0.4, 5000)
    rows = [{"layer": 0, "series": "success", "name": f"e{i}", "log": float(v)} for i, v in enumerate(logs)]
    with charts.unchecked():
        spec = distributions.split_violins(
            rows, colours={"success": "#000000"}, y_title="lift", reference="none", shaded=()
        )
    dots = sorted(r["y"] for data in spec["datasets"].values() for r in data if "name" in r)
    assert len(dots) == distributions.MOST_DOTS == 60
    assert [dots[0], dots[-1]] == pytest.approx([math.exp(logs.min()), math.exp(logs.max())])
    # Even steps of the rank: the median of the dots is that of all episodes, to a step of the rank.
    low, high = np.quantile(logs, [0.49, 0.51])
    assert low < math.log(np.median(dots)) < high
    assert "60 of up to 5,000 episodes" in distributions.dots_in_words(rows)
    assert distributions.dots_in_words(rows[:60]) == "One dot an episode."
