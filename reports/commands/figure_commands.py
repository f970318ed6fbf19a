"""The commands that print numbers and charts: `figure` and `summary`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from reports import summary
from reports.commands.options import LAKE, WAREHOUSE, Lake, Run, Warehouse
from reports.commands.study_opened import opened
from reports.errors import ReportError
from reports.figures import named_charts, print_figures
from reports.marts.context import Context
from reports.words import printable

SUFFIXES: dict[str, print_figures.Format] = {".png": "png", ".svg": "svg", ".pdf": "pdf", ".csv": "csv"}


def figure(
    name: Annotated[
        str | None, typer.Argument(help="Figure, as in its page's address: object-attention/prefix-1.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Print the name and title of every figure, and draw none.")
    ] = False,
    format_: Annotated[
        print_figures.Format | None,
        typer.Option("--format", help="What to write; CSV is the chart's data. Default: by --out, else png."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default the figure's name here. `-` is stdout.")
    ] = None,
    scale: Annotated[
        float, typer.Option(min=0.1, max=20, help="Pixels of a PNG for each pixel of the page.")
    ] = 3.0,
    width: Annotated[
        int, typer.Option(min=200, max=4000, help="Width in pixels of the page.")
    ] = print_figures.WIDTH,
    warehouse: Warehouse = WAREHOUSE,
    lake: Lake = LAKE,
    run: Run = None,
) -> None:
    """Write one figure of the report at print quality, or list all."""
    if list_ == (name is not None):
        raise ReportError("name one figure, or ask for --list: `python -m reports figure --list`")
    with opened(warehouse, lake, run) as ctx:
        if name is None:
            raise typer.Exit(1 if listed(ctx) else 0)
        chart = named_charts.chart_named(ctx, name)
    form = format_ or (SUFFIXES.get(out.suffix.lower()) if out else None) or "png"
    content = print_figures.drawn(chart, form, width, scale)
    if out == Path("-"):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    target = out or Path(f"{chart.file_stem}.{form}")
    print_figures.write(target, content)
    typer.echo(f"{target}: {printable(chart.title)}")


def listed(ctx: Context) -> int:
    """Print every figure, and the pages that could not be built to stderr; how many those were."""
    failed = 0
    for page in named_charts.drawn_pages(ctx):
        try:
            for name, title in named_charts.names_of(ctx, page):
                typer.echo(f"{name}\t{printable(title)}")
        except ReportError as error:
            typer.echo(f"failed: {error}", err=True)
            failed += 1
    return failed


def summarise(
    format_: Annotated[
        Literal["text", "json"], typer.Option("--format", help="Text to read, or JSON.")
    ] = "text",
    warehouse: Warehouse = WAREHOUSE,
    lake: Lake = LAKE,
    run: Run = None,
) -> None:
    """Print every hypothesis with verdict, estimate, interval and n, and the balance of vision and language."""
    with opened(warehouse, lake, run) as ctx:
        typer.echo(summary.as_json(ctx) if format_ == "json" else summary.as_text(ctx))
