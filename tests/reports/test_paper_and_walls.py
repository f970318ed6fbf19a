"""Pages where no window is: on paper, which is light whatever the scheme, on a wall, and on the smallest of screens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reports.conftest import Site, Visit

CHARTS = "object-attention.html"
INK, MUTED = "rgb(23, 33, 43)", "rgb(89, 100, 111)"  # --ink and --muted of assets/style.css, the light ones
A4 = {"width": 688, "height": 1017}  # pixels of 1/96 inch, less margins of 14 mm


def fills(page: Any, selector: str) -> set[str]:
    """Colours of the texts that stand there."""
    found: list[str] = page.eval_on_selector_all(selector, "all => all.map(e => getComputedStyle(e).fill)")
    return set(found)


def test_what_was_read_in_the_dark_is_printed_in_dark_ink(rich: Site, visit: Visit) -> None:
    visit.page.emulate_media(color_scheme="dark")
    page = visit.open(rich.root / CHARTS, charts=".vega")
    first = ".vega[data-drawn] >> nth=0 >> "
    assert INK not in fills(page, f"{first}.role-legend-label text")
    page.emulate_media(color_scheme="dark", media="print")
    assert fills(page, f"{first}.role-legend-label text") == {INK}
    assert fills(page, f"{first}.role-axis-title text") == {MUTED}
    assert page.evaluate("getComputedStyle(document.querySelector('.reading')).color") == MUTED


def test_paper_cuts_nothing_off(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / CHARTS)
    page.set_viewport_size(A4)
    page.emulate_media(media="print")
    over = page.evaluate(
        """() => [...document.querySelectorAll('.vega svg, table, p')].filter(e => e.checkVisibility())
              .filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert over == []
    beside = page.evaluate(
        "new Set([...document.querySelectorAll('.chart')].map(e => Math.round(e.getBoundingClientRect().left))).size"
    )
    assert beside == 1, "one chart beside no other"
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize(
    "name", ["object-attention", "prompt-control", "heads", "causes", "episodes", "methods"]
)
def test_tables_across_the_page_fit_a_desk(rich: Site, little: Site, visit: Visit, name: str) -> None:
    """At 1400 pixels. Names of episodes in `rich` are longer than any table could hold, those of `little` are not."""
    built = little if name in ("episodes", "methods") else rich
    visit.page.set_viewport_size({"width": 1400, "height": 900})
    page = visit.open(built.root / f"{name}.html", charts="none")
    over = page.evaluate(
        """() => [...document.querySelectorAll('.scroll')].filter(e => e.clientWidth > 1000 && e.scrollWidth > e.clientWidth + 2)
              .map(e => e.getAttribute('aria-label'))"""
    )
    assert over == []


@pytest.mark.parametrize(("width", "size"), [(1280, 16), (2560, 18), (3840, 24)])
def test_text_and_charts_grow_with_a_wall(rich: Site, visit: Visit, width: int, size: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 900})
    page = visit.open(rich.root / CHARTS, charts=".vega")
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == size
    place, drawn = page.evaluate(
        "['.vega', '.vega svg'].map(s => document.querySelector(s).getBoundingClientRect().width)"
    )
    assert drawn == pytest.approx(place, abs=2), "a chart fills its place"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visit.troubles
