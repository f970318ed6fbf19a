"""The command line: build (the default), serve, and what is taken out of a report: figure, summary, video, rerun."""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated

import typer

from reports import site
from reports.commands import figure_commands, video_commands
from reports.commands.options import LAKE, WAREHOUSE, Lake, Run, Warehouse
from reports.errors import ReportError

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)

MOST_LINES = 20
Out = Annotated[Path, typer.Option(help="Folder of the site; replaced as a whole.")]


@app.command()
def build(
    warehouse: Warehouse = WAREHOUSE,
    lake: Lake = LAKE,
    out: Out = Path("site"),
    run: Run = None,
    videos: Annotated[
        bool,
        typer.Option("--videos", help="A video beside each episode's page; takes a second or more each."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Draw every page, also those for which nothing has changed.")
    ] = False,
    episode_pages: Annotated[
        int | None,
        typer.Option(min=0, help="Episodes that get a page of their own, evenly spread; all by default."),
    ] = None,
) -> None:
    """Write the site. Exit code 1 when a page failed (the others are written), 2 when nothing could start."""
    options = site.Options(warehouse, lake, out, run, videos, fresh, episode_pages)
    result = site.build(options, say=typer.echo)
    for failure in result.failures[:MOST_LINES]:
        typer.echo(f"failed: {failure}", err=True)
    if len(result.failures) > MOST_LINES:
        typer.echo(f"failed: {len(result.failures) - MOST_LINES} more", err=True)
    typer.echo(f"{result.summary}\n{(out / 'index.html').resolve()}")
    raise typer.Exit(1 if result.failures else 0)


@app.command()
def serve(
    out: Out = Path("site"), port: Annotated[int, typer.Option(help="Port on this machine.")] = 8000
) -> None:
    """Serve the site on this machine only, until Ctrl-C. Not needed to read it: index.html opens as a file."""
    if not (out / "index.html").is_file():
        raise ReportError(f"{out}/index.html is not there: run `python -m reports --out {out}` first")
    handler = partial(SimpleHTTPRequestHandler, directory=str(out))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        typer.echo(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("")


app.command("figure")(figure_commands.figure)
app.command("summary")(figure_commands.summarise)
app.command("video")(video_commands.video)
app.command("rerun")(video_commands.rerun)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; `build` where no command is named."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or (arguments[0].startswith("-") and arguments[0] != "--help"):
        arguments.insert(0, "build")
    try:
        app(args=arguments, prog_name="python -m reports")
    except ReportError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"error: {error}: free space or mend the path, then try again", err=True)
        sys.exit(1)
