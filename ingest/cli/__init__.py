"""The command line: one file a subcommand. ``python -m ingest`` alone is ``python -m ingest run``, then ``load``.

What only `run`, `check` and `measure` need is imported by them when they are called: it is half of the time that the
program takes to start, and `sql`, `load` or `--help` use none of it.
"""

from __future__ import annotations

import io
import sys

from ingest.cli.app import app, told


def main() -> None:
    """Entry point. Without a subcommand, ``run`` is meant."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["run", *arguments]
    # Paths that are not UTF-8, and whatever a terminal cannot show, are printed as escapes.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="python -m ingest")
    except (KeyboardInterrupt, OSError) as error:  # before there is a command, or of what --help prints
        sys.exit(told(error))
