"""The site is a folder like any other: zipped and unpacked elsewhere, or served below a path of some host, it works."""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reports.conftest import Site, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Response


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def unpacked(little: Site, tmp_path: Path) -> Path:
    """The site, zipped and unpacked in a place with an awkward name."""
    archive = shutil.make_archive(str(tmp_path / "site"), "zip", little.root)
    place = tmp_path / "talks & ümlauts/2026 #1/site"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(place)
    return place


@pytest.fixture
def served(unpacked: Path) -> Iterator[str]:
    """The address of the site on a host where it is not at the top."""
    top = unpacked.parent
    unpacked.rename(top / "below")
    handler = partial(Quiet, directory=str(top))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/below/"
        server.shutdown()


def test_an_unpacked_site_opens_with_charts_pictures_and_links(unpacked: Path, visit: Visit) -> None:
    page = visit.open(unpacked / "modality-balance.html")
    assert page.locator(".vega[data-drawn] svg").count() == page.locator(".vega").count() > 0
    page.get_by_role("link", name="Episodes", exact=True).click()
    page.locator("tbody a").first.click()
    page.wait_for_selector("html[data-shown]", state="attached", timeout=30_000)
    assert not visit.troubles


def test_a_site_below_a_path_asks_for_nothing_outside_it(served: str, visit: Visit) -> None:
    page, wrong = visit.page, []

    def noted(response: Response) -> None:
        if response.status >= 400:
            wrong.append(f"{response.status} {response.url}")

    page.on("response", noted)
    page.goto(served + "index.html")
    page.get_by_role("link", name="Vision and language", exact=True).first.click()
    page.wait_for_selector("html[data-charts=drawn]", state="attached", timeout=60_000)
    page.get_by_role("link", name="Episodes", exact=True).click()
    page.locator("tbody a").first.click()
    page.wait_for_selector("html[data-shown]", state="attached", timeout=30_000)
    page.remove_listener("response", noted)
    assert wrong == []
    # A page may ask its own host here, and nothing else; any other trouble is one, a request that failed among them.
    assert [trouble for trouble in visit.troubles if not trouble.startswith(f"request: {served}")] == []
