"""Every page opens from a file without an error, without a request to anywhere, and fits its width.

In the rich study every name in the data is hostile: study, episodes, tasks, suites, kinds of failure, prompts,
categories and issues. None of them may run or grow anything.
"""

from __future__ import annotations

import pytest

from tests.reports.conftest import Site, Visit

STUDIES = ["rich", "little", "empty"]


@pytest.mark.parametrize("study", STUDIES)
def test_every_page_opens_without_trouble(study: str, visit: Visit, request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue(study)
    assert not site.report.failures
    for path in site.pages():
        page = visit.open(path)
        assert not visit.troubles, f"{path.name}: {visit.troubles}"
        assert page.locator("h1").count() == 1
        assert page.locator("[onerror], [onload], [onmouseover], img[src=x]").count() == 0, path
        charts = page.locator(".vega")
        assert charts.count() == page.locator(".vega[data-drawn] svg").count()
        broken = page.evaluate(
            "[...document.images].filter((i) => i.complete && !i.naturalWidth && i.src).length"
        )
        assert broken == 0


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
    page = visit.open(rich.root / "object-attention.html")
    for figure in page.locator("figure.chart").all():
        assert figure.locator("h3").inner_text().strip()
        assert len(figure.locator("[role=img]").first.get_attribute("aria-label") or "") > 20
        assert figure.locator("details table tbody tr").count() > 0
        assert "marts." in (figure.locator("details pre").first.text_content() or "")


def test_dark_scheme_is_followed(rich: Site, visit: Visit) -> None:
    visit.page.emulate_media(color_scheme="dark")
    page = visit.open(rich.root / "index.html")
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
    )
    assert max(red, green, blue) < 60


def test_pages_say_what_a_little_study_lacks(little: Site, visit: Visit) -> None:
    text = visit.open(little.root / "object-attention.html").inner_text("main")
    assert "No object masks" in text
    assert "python -m ingest measure" in text
    text = visit.open(little.root / "prompt-control.html").inner_text("main")
    assert "no prompt conditions" in text
    text = visit.open(little.root / "modality-balance.html").inner_text("main")
    assert "Insufficient data: 1 episode" in text
    assert "one outcome only" in text
