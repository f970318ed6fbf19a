"""The page of a failure keeps the rules too, and any page can be read with the keyboard alone.

`test_pages_load.py` checks the rules on every page."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.building.assets import CSP, write
from reports.html import render
from tests.reports import axe
from tests.reports.conftest import Site, Visit


@pytest.mark.skipif(not axe.IS_THERE, reason=axe.NOT_THERE)
def test_a_page_that_failed_keeps_the_rules_too(rich: Site, visit: Visit, tmp_path: Path) -> None:
    write(tmp_path / "assets")
    text = (
        render.environment()
        .get_template("failed.html")
        .render(
            csp=CSP,
            root="",
            slug="heads",
            title="Heads",
            nav=(),
            reason="ValueError: " + "x" * 400,
            study=type(
                "Study", (), {"run": {"study": "demo", "model_family": "tiny"}, "run_id": "0123456789abcdef"}
            ),
        )
    )
    (tmp_path / "heads.html").write_text(text, encoding="utf-8")
    page = visit.open(tmp_path / "heads.html")
    axe.trim(page)
    assert not axe.broken_rules(page)


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "object-attention.html", charts="none")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the content"
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0, "the link is seen when it has the focus"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    for _ in range(12):
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline not in ("none", ""), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        page.keyboard.press("Tab")
