"""Every page keeps the rules that axe-core checks, light and dark, and can be read with the keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reports.conftest import Site, Visit

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# One `details` of each kind is opened, and the first rows of a table stay: all others come from the same template.
ONE_OF_EACH = """() => {
  const seen = new Set();
  for (const box of document.querySelectorAll("details")) {
    const kind = box.querySelector("summary").textContent.trim().split(/\\s/)[0];
    if (!seen.has(kind)) box.open = true;
    seen.add(kind);
  }
  for (const row of document.querySelectorAll("tbody tr:nth-child(n+4)")) row.remove();
}"""
CHECK = "(options) => axe.run({resultTypes: ['violations'], ...options})"


def broken_rules(visit: Visit, path: Path, options: dict[str, Any]) -> list[str]:
    """Rules that the page breaks, with the first place of each."""
    base = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    # Inside a chart there is nothing to read: its place has the role of a picture, a text alternative and a table.
    visit.page.route("**/vega.js", lambda route: route.abort())
    page = visit.open(path)
    page.evaluate(ONE_OF_EACH)
    page.evaluate(base.AXE_SCRIPT)
    found = page.evaluate(CHECK, options)
    return [
        f"{path.name}: {rule['id']} ({rule['impact']}) at {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"][:1]
    ]


def pages_of(site: Site, n_episodes: int) -> list[Path]:
    """All pages of a site but for episodes, of which the first few stand for the others."""
    return sorted(site.root.glob("*.html")) + sorted(site.root.glob("episodes/*.html"))[:n_episodes]


@pytest.mark.slow  # 25 pages in a browser; nothing else looks at names, roles, order and contrast of all of them
@pytest.mark.parametrize("study", ["rich", "little"])
def test_no_page_breaks_a_rule(study: str, visit: Visit, request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue(study)
    assert not [line for path in pages_of(site, 1) for line in broken_rules(visit, path, {})]


@pytest.mark.slow  # as above
def test_texts_stand_out_in_the_dark(rich: Site, visit: Visit) -> None:
    """Names, roles and order do not hang on the scheme; contrast does. Pages that hold every kind of block."""
    visit.page.emulate_media(color_scheme="dark")
    names = ("index", "object-attention", "episodes", "methods")
    paths = [rich.root / f"{name}.html" for name in names] + sorted(rich.root.glob("episodes/*.html"))[:1]
    assert not [line for path in paths for line in broken_rules(visit, path, CONTRAST)]


def test_a_page_that_failed_keeps_the_rules_too(rich: Site, visit: Visit, tmp_path: Path) -> None:
    from reports import render
    from reports.assets import CSP, write

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
    assert not broken_rules(visit, tmp_path / "heads.html", {})


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "object-attention.html")
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
