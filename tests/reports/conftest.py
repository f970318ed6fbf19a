"""Sites of synthetic studies, built once for all workers, and a real browser that must not reach anything but files."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports import site
from reports.building import kept
from reports.building.report import Report
from reports.html import render
from reports.marts.context import Context, read_study
from reports.marts.warehouse import open_warehouse
from tests.reports import synthetic

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
LAPTOP: ViewportSize = {"width": 1280, "height": 900}
NO_CHROMIUM = (
    "no Chromium: `apt-get install chromium` (or name one in GAZEHOUSE_CHROMIUM); "
    "GAZEHOUSE_SKIP_BROWSER=1 leaves these tests out"
)


@dataclass
class Site:
    """A built site and what it was built from."""

    root: Path
    warehouse: Path
    lake: Path
    shape: synthetic.Shape
    failures: list[str]

    def pages(self) -> list[Path]:
        """Every page."""
        return sorted(self.root.rglob("*.html"))


def make(folder: Path, shape: synthetic.Shape) -> Site:
    warehouse, lake = synthetic.build(folder, shape)
    report = site.build(site.Options(warehouse, lake, folder / "site"), say=lambda _: None)
    return Site(folder / "site", warehouse, lake, shape, report.failures)


def episodes_alone(warehouse: Path, lake: Path, out: Path, most: int | None = None) -> Report:
    """Only the table of episodes and the pages of `most` of them, for tests that look at nothing else."""
    report = Report()
    out.mkdir()
    with open_warehouse(warehouse) as opened:
        study = read_study(opened, None)
        context = Context(opened, study, lake, out, render.environment(), {"csp": site.assets.CSP})
        context.shared["nav"] = site.shown_pages(context)
        site.assets.write(out / "assets")
        memory = kept.Memory.of(out, context, print, fresh=False)
        site.write_episodes(context, report, memory, most, lambda _: None)
    return report


def shared(factory: pytest.TempPathFactory, name: str, shape: synthetic.Shape) -> Site:
    """A site that the first worker builds and all read; no test changes it."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    top = factory.getbasetemp().parent if is_worker else factory.getbasetemp()
    folder, done = top / f"site-{name}", top / f"site-{name}.json"
    with (top / f"site-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            done.write_text(json.dumps(make(folder, shape).failures))
    failures = json.loads(done.read_text())
    return Site(folder / "site", folder / "warehouse.duckdb", folder / "lake", shape, failures)


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Both outcomes, two cameras, masks, prompts, and hostile names everywhere."""
    return shared(tmp_path_factory, "rich", synthetic.RICH)


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One success, one camera, one layer, no masks, no prompts."""
    return shared(tmp_path_factory, "little", synthetic.LITTLE)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A run whose episodes all failed to open."""
    return shared(tmp_path_factory, "empty", synthetic.EMPTY)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if os.environ.get("GAZEHOUSE_SKIP_BROWSER"):
        pytest.skip("GAZEHOUSE_SKIP_BROWSER is set")
    executable = os.environ.get("GAZEHOUSE_CHROMIUM") or shutil.which("chromium")
    if executable is None:
        pytest.fail(NO_CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


# Waits for what pages of a kind come to hold, and returns what is not there in time. It is told of changes: asking for them
# with every frame, as `wait_for_selector` does, has a page drawn that nobody looks at. Charts that are `left` stay undrawn.
DRAWN = """async ([pairs, left]) => {
  for (const [kind, drawn] of pairs) {
    if (!document.querySelector(kind)) continue;
    const found = document.querySelector(drawn) !== null || await new Promise((done) => {
      const watch = new MutationObserver(() => { if (document.querySelector(drawn)) end(true); });
      const timer = setTimeout(() => end(false), 60000);
      const end = (found) => { watch.disconnect(); clearTimeout(timer); done(found); };
      watch.observe(document, { subtree: true, attributes: true, attributeFilter: ["data-drawn", "data-charts", "data-shown"] });
    });
    if (!found) return drawn;
    const embed = window.vegaEmbed;
    if (left && embed) window.vegaEmbed = (place, ...rest) => place.matches(left) ? new Promise(() => {}) : embed(place, ...rest);
  }
  return null;
}"""


@dataclass
class Visit:
    """A page that is open, with everything that went wrong on it."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def open(self, path: Path, fragment: str = "", charts: str = "all") -> Page:
        """Open a file and wait until its script has drawn what there is to draw.

        `charts`: wait for "all", or for the first that a selector finds, and leave out those after it; with "none" the
        page goes without the script that draws them, which is then a trouble.
        """
        if charts == "none":
            self.page.route("**/vega.js", lambda route: route.abort())
        self.page.goto(path.resolve().as_uri() + fragment)
        is_all = charts in ("all", "none")
        drawn = "html[data-charts=drawn]" if is_all else f"{charts}[data-drawn]"
        pairs = [[".vega", drawn], ["#viewer", "html[data-shown]"]]
        missing = self.page.evaluate(DRAWN, [pairs, None if is_all else ".vega:not([data-drawn])"])
        assert not missing, f"{path.name} has no {missing} after a minute"
        return self.page

    def leave(self) -> None:
        """Make the tab as it was when it was new."""
        self.page.unroute_all()
        self.page.goto("about:blank")
        self.page.emulate_media(media="null", color_scheme="null")
        self.page.set_viewport_size(LAPTOP)
        self.page.mouse.move(0, 0)
        self.troubles.clear()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Of laptop width. One for all tests: pages of files keep nothing between them."""
    context = browser.new_context(viewport=LAPTOP)
    yield context
    context.close()


@pytest.fixture(scope="session")
def tab(context: BrowserContext) -> Visit:
    """One for all tests: the first page of a new tab costs as much as two of one that has been used."""
    found = Visit(context.new_page())
    watch(found)
    return found


@pytest.fixture
def visit(tab: Visit) -> Iterator[Visit]:
    """An empty tab as a new one is; anything that is no file is a trouble."""
    yield tab
    tab.leave()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What opens a page carries the marker, so that `-m "not browser"` leaves it out."""
    for item in items:
        if "context" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def watch(visit: Visit) -> None:
    page = visit.page
    page.on(
        "console",
        lambda m: visit.troubles.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: visit.troubles.append(f"exception: {error}"))
    page.on("dialog", lambda dialog: (visit.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on(
        "request",
        lambda r: (
            None if r.url.startswith(("file:", "data:")) else visit.troubles.append(f"request: {r.url}")
        ),
    )
    # What a page still asks for when the next one is opened is given up, and no trouble of either.
    page.on(
        "requestfailed",
        lambda r: (
            None
            if r.failure == "net::ERR_ABORTED"
            else visit.troubles.append(f"not there: {r.url} ({r.failure})")
        ),
    )
