"""Single charts of the report by name: `<page>/<section>-<n>` as in the page's address, and `.../<k>` for the k-th choice of a place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from reports import site
from reports.errors import ReportError
from reports.html.blocks import Column, Figure, Switch
from reports.marts.context import Context
from reports.vega import charts
from reports.vega.sheet import Rows, Spec, without_drawing

LIST = "`python -m reports figure --list` names all"


@dataclass(frozen=True)
class NamedChart:
    """One chart: its name, what it shows, its Vega-Lite specification with all its rows, and the columns of its table."""

    name: str
    title: str
    spec: Spec
    columns: tuple[Column, ...]

    @property
    def datasets(self) -> dict[str, Rows]:
        """Rows by the name under which the specification draws them."""
        datasets: dict[str, Rows] = self.spec["datasets"]
        return datasets

    @property
    def file_stem(self) -> str:
        """A file name without its suffix; pages, sections and numbers are ours, so that no name in the data enters it."""
        return self.name.replace("/", "-")


def charts_of(ctx: Context, page: site.Page) -> Iterator[NamedChart]:
    """The charts of a page, in its order.

    Raises ReportError, with the reason, where the page cannot be built.
    """
    if page.sections is None:
        return
    try:
        with charts.unchecked():
            sections = page.sections(ctx)
    except Exception as error:  # as site.guarded: whatever it is, it has to be one line
        first = (str(error).strip().splitlines() or [""])[0]
        raise ReportError(
            f"page {page.slug} could not be built ({type(error).__name__}: {first}): run `python -m ingest publish`, then again"
        ) from error
    for section in sections:
        for i, block in enumerate(section.blocks, start=1):
            name = f"{page.slug}/{section.id}-{i}"
            if isinstance(block, Figure):
                yield NamedChart(name, block.title, block.spec, tuple(block.table.columns))
            elif isinstance(block, Switch):
                yield from choices(name, block)


def names_of(ctx: Context, page: site.Page) -> list[tuple[str, str]]:
    """Name and title of each chart of a page; none is drawn.

    Raises ReportError as `charts_of` does.
    """
    with without_drawing():
        return [(chart.name, chart.title) for chart in charts_of(ctx, page)]


def choices(name: str, block: Switch) -> Iterator[NamedChart]:
    """Charts that share a place, the one that the page shows first in front."""
    order = [block.first, *(i for i in range(len(block.variants)) if i != block.first)]
    for i in order:
        variant = block.variants[i]
        spec = variant.spec
        if block.rows:
            spec = {**spec, "datasets": {**spec["datasets"], "shared": list(block.rows)}}
        title = f"{block.title}; {block.choice}: {variant.label}" if len(order) > 1 else block.title
        chart = f"{name}/{i + 1}" if len(order) > 1 else name
        yield NamedChart(chart, title, spec, tuple(block.table.columns))


def drawn_pages(ctx: Context) -> list[site.Page]:
    """The run's pages that hold charts."""
    ctx.shared["nav"] = pages = site.shown_pages(ctx)
    return [page for page in pages if page.sections is not None]


def chart_named(ctx: Context, name: str) -> NamedChart:
    """The chart of that name, or of a place's name the one that is shown first; only its page is built.

    Raises ReportError that names the nearest known one.
    """
    slug = name.partition("/")[0]
    drawn = {page.slug: page for page in drawn_pages(ctx)}
    if slug not in drawn:
        nearest = difflib.get_close_matches(slug, drawn, n=1, cutoff=0)
        raise ReportError(f"no page {slug!r} with figures; nearest: {nearest[0]!r}. {LIST}")
    found: dict[str, NamedChart] = {}
    for chart in charts_of(ctx, drawn[slug]):
        found[chart.name] = chart
        if chart.name.count("/") > 1:
            found.setdefault(chart.name.rpartition("/")[0], chart)
    if name not in found:
        if not found:
            raise ReportError(f"page {slug} has no figure in this run: nothing of it was measured. {LIST}")
        nearest = difflib.get_close_matches(name, found, n=1, cutoff=0)
        raise ReportError(f"no figure {name!r}; nearest: {nearest[0]!r}. {LIST}")
    return found[name]
