"""The command line: one file a subcommand. ``python -m ingest`` alone is ``python -m ingest run``, then ``load``."""

from __future__ import annotations

import sys

from ingest.cli.app import app


def main() -> None:
    """Entry point. Without a subcommand, ``run`` is meant."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["run", *arguments]
    app(arguments, prog_name="python -m ingest")
