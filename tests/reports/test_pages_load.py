"""Every page opens from a file without an error, without a request to anywhere, and keeps the rules that axe-core checks.

In the rich study every name in the data is hostile: study, episodes, tasks, suites, kinds of failure, prompts,
categories and issues. None of them may run or grow anything. Each page is opened once, and everything that is asked of
all pages is asked then: opening one costs more than any question.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.reports import axe
from tests.reports.conftest import Site, Visit

STUDIES = ["rich", "little", "empty"]
ABOUT = """() => ({
    headings: document.querySelectorAll("h1").length,
    grown: document.querySelectorAll("[onerror], [onload], [onmouseover], img[src=x]").length,
    charts: document.querySelectorAll(".vega").length,
    drawn: document.querySelectorAll(".vega[data-drawn] svg").length,
    broken: [...document.images].filter((i) => i.complete && !i.naturalWidth && i.src).length,
    wider: document.documentElement.scrollWidth - innerWidth,
})"""
# Pages that hold every kind of block. Names, roles and order do not hang on the scheme; contrast does.
IN_THE_DARK = ("index.html", "object-attention.html", "episodes.html", "methods.html")


@dataclass
class Seen:
    """What was found on one page."""

    name: str
    troubles: list[str]
    about: dict[str, int]
    broken_rules: list[str]
    hard_to_read_in_the_dark: list[str]


def see(visit: Visit, path: Path, with_rules: bool, in_the_dark: bool) -> Seen:
    page = visit.open(path)
    about = page.evaluate(ABOUT)
    troubles, visit.troubles[:] = list(visit.troubles), []
    rules: list[str] = []
    dark: list[str] = []
    if with_rules and axe.IS_THERE:
        axe.trim(page)
        rules = axe.broken_rules(page)
        if in_the_dark:
            page.emulate_media(color_scheme="dark")
            dark = axe.broken_rules(page, axe.CONTRAST)
            page.emulate_media(color_scheme="light")
    return Seen(path.name, troubles, about, rules, dark)


@pytest.fixture(scope="module", params=STUDIES)
def seen(request: pytest.FixtureRequest, tab: Visit) -> tuple[Site, list[Seen]]:
    """Every page of a study; of the rules, all pages of the rich and the little one but for the second episode on."""
    site: Site = request.getfixturevalue(request.param)
    of_site = sorted(site.root.glob("*.html"))
    episodes = sorted(site.root.glob("episodes/*.html"))
    assert sorted(of_site + episodes) == site.pages()
    found = []
    for path in of_site + episodes:
        with_rules = request.param != "empty" and path not in episodes[1:]
        in_the_dark = request.param == "rich" and (path.name in IN_THE_DARK or path in episodes)
        found.append(see(tab, path, with_rules, in_the_dark))
    tab.leave()
    return site, found


@pytest.mark.slow  # every page in a browser, once; nothing else looks at all of them
def test_every_page_opens_without_trouble(seen: tuple[Site, list[Seen]]) -> None:
    site, pages = seen
    assert not site.failures
    assert len(pages) >= 12
    for page in pages:
        assert not page.troubles, f"{page.name}: {page.troubles}"
        assert page.about["headings"] == 1, page.name
        assert page.about["grown"] == 0, page.name
        assert page.about["charts"] == page.about["drawn"], page.name
        assert page.about["broken"] == 0, page.name
        assert page.about["wider"] <= 0, page.name


@pytest.mark.skipif(not axe.IS_THERE, reason=axe.NOT_THERE)
def test_no_page_breaks_a_rule(seen: tuple[Site, list[Seen]]) -> None:
    assert not [f"{page.name}: {rule}" for page in seen[1] for rule in page.broken_rules]


@pytest.mark.skipif(not axe.IS_THERE, reason=axe.NOT_THERE)
def test_texts_stand_out_in_the_dark(seen: tuple[Site, list[Seen]]) -> None:
    assert not [f"{page.name}: {rule}" for page in seen[1] for rule in page.hard_to_read_in_the_dark]


@pytest.mark.parametrize("width", [360, 2560])
def test_no_page_is_wider_than_the_screen(width: int, rich: Site, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": width, "height": 800})
    paths = [
        rich.root / name for name in ("index.html", "prompt-control.html", "episodes.html", "methods.html")
    ]
    for path in [*paths, sorted((rich.root / "episodes").glob("*.html"))[0]]:
        page = visit.open(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path.name


def test_charts_have_words_for_those_who_do_not_see_them(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "object-attention.html", charts="none")
    figures: list[dict[str, Any]] = page.locator(
        "figure.chart"
    ).evaluate_all("""(all) => all.map((figure) => ({
        title: figure.querySelector("h3").innerText.trim(),
        words: figure.querySelector("[role=img]").getAttribute("aria-label") || "",
        rows: figure.querySelectorAll("details table tbody tr").length,
        sql: figure.querySelector("details pre").textContent,
    }))""")
    assert len(figures) > 20
    for figure in figures:
        assert figure["title"]
        assert len(figure["words"]) > 20, figure["title"]
        assert figure["rows"] > 0, figure["title"]
        assert "marts." in figure["sql"], figure["title"]


def test_dark_scheme_is_followed(rich: Site, visit: Visit) -> None:
    visit.page.emulate_media(color_scheme="dark")
    page = visit.open(rich.root / "index.html")
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
    )
    assert max(red, green, blue) < 60


def test_pages_say_what_a_little_study_lacks(little: Site, visit: Visit) -> None:
    text = visit.open(little.root / "object-attention.html", charts="none").inner_text("main")
    assert "No object masks" in text
    assert "python -m ingest measure" in text
    text = visit.open(little.root / "prompt-control.html", charts="none").inner_text("main")
    assert "no prompt conditions" in text
    text = visit.open(little.root / "modality-balance.html", charts="none").inner_text("main")
    assert "Insufficient data: 1 episode" in text
    assert "one outcome only" in text
