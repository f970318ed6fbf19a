"""Every link and every file that a page names is there."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.reports.conftest import Site


class Names(HTMLParser):
    """Collects what a page links to and the ids it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            if name == "id" and value:
                self.ids.append(value)


def names_of(path: Path) -> Names:
    names = Names()
    names.feed(path.read_text(encoding="utf-8"))
    return names


@pytest.mark.parametrize("study", ["rich", "little", "empty"])
def test_links_resolve_and_stay_inside(study: str, request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue(study)
    found = {path.resolve(): names_of(path) for path in site.pages()}
    for path, names in found.items():
        assert len(names.ids) == len(set(names.ids)), path
        for link in names.links:
            parts = urlsplit(link)
            assert not parts.scheme, f"{path.name}: {link}"
            assert not parts.netloc, f"{path.name}: {link}"
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_relative_to(site.root.resolve())
            assert target.is_file(), f"{path.name}: {link}"
            if parts.fragment:
                assert parts.fragment in found[target].ids, f"{path.name}: {link}"


def test_every_episode_is_linked_once(rich: Site) -> None:
    links = [link for link in names_of(rich.root / "episodes.html").links if link.startswith("episodes/")]
    assert sorted(links) == sorted(f"episodes/{p.name}" for p in (rich.root / "episodes").glob("*.html"))
