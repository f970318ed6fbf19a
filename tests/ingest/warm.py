"""Processes of `python -m ingest` that need not import torch: forked from one that has, and never ran anything.

They are processes of their own as any other: with a pid to be killed by, and dead when they are killed. What differs
from the command is told in :func:`_main`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

import ingest.policies.tiny
import ingest.run
from ingest.cli import main
from tests.ingest.world import WITHOUT_GIT


def start_warm(*arguments: str | Path, output: Path = Path(os.devnull)) -> BaseProcess:
    """The command in a process and a session of its own; what it prints, to either stream, goes to ``output``."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_main, args=([str(argument) for argument in arguments], str(output)))
    process.start()
    return process


def _main(arguments: list[str], output: str) -> None:
    os.setsid()
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(WITHOUT_GIT)
    # Threads do not survive the fork of a worker, so none are started before; a run then sets the number it wants.
    torch.set_num_threads(1)
    ingest.run.get_context = lambda _: multiprocessing.get_context("fork")  # type: ignore[attr-defined]
    sys.argv = ["ingest", *arguments]
    main()
