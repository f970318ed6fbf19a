"""The command line: one file a subcommand. ``python -m ingest`` alone is ``python -m ingest run``, then ``load``.

What only `run`, `check` and `measure` need is imported by them when they are called: it is half of the time that the
program takes to start, and `sql`, `load` or `--help` use none of it.
"""

from __future__ import annotations

import sys

from ingest.cli.app import app


def main() -> None:
    """Entry point. Without a subcommand, ``run`` is meant."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["run", *arguments]
    app(arguments, prog_name="python -m ingest")
