"""Names from the data are text, whatever they hold: they run nothing and end up in no path.

`test_pages_load.py` opens every page of the same hostile study."""

from __future__ import annotations

import re

import pytest

from reports.html.render import page_id, script_json
from tests.reports.conftest import Site, Visit
from tests.reports.synthetic import HOSTILE


def test_hostile_names_show_as_text(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "episodes.html")
    shown = page.locator("td.long a").all_inner_texts()
    for name in HOSTILE[:2]:
        assert any(text.split() == name.replace("\u2028", " ").split() for text in shown), shown
    assert any(text.startswith("long xxx") and text.endswith("…") for text in shown)
    assert page.locator("td img, td b").count() == 0
    assert not visit.troubles


def test_hostile_names_show_as_text_in_a_viewer(rich: Site, visit: Visit) -> None:
    for path in sorted((rich.root / "episodes").glob("*.html")):
        page = visit.open(path)
        if page.locator("h1").inner_text() == HOSTILE[0]:
            assert HOSTILE[0] in page.locator("#objects").inner_text()
            assert page.locator("img[src=x]").count() == 0
            break
    else:
        pytest.fail("no page has the hostile instruction as its heading")
    assert not visit.troubles


def test_no_page_holds_a_hostile_name_unescaped(rich: Site) -> None:
    for path in [*rich.root.rglob("*.html"), *(rich.root / "episodes").rglob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert "<img src=x" not in text, path
        if path.suffix == ".html":
            assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|>49<", text)


def test_files_of_an_episode_are_hashes(rich: Site) -> None:
    names = [p.name for p in (rich.root / "episodes").iterdir()]
    assert len(names) == 2 * (rich.shape.n_success + rich.shape.n_failure)
    assert all(re.fullmatch(r"[0-9a-f]{16}(\.html)?", name) for name in names)
    assert page_id("a", "bc") != page_id("ab", "c")


def test_json_cannot_end_its_script_block() -> None:
    text = script_json({"</script>": ["<!--", "&", float("nan"), "\u2028"]})
    assert not set("<>&\u2028") & set(text)
    assert "null" in text


def test_policy_forbids_eval_and_the_network(rich: Site) -> None:
    for path in rich.pages():
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', path.read_text(encoding="utf-8"))
        assert policy is not None, path
        assert "default-src &#39;none&#39;" in policy[1]
        assert "unsafe" not in policy[1]
