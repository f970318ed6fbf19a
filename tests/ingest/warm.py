"""Processes of `python -m ingest` that need not import torch: forked from one that has, and never ran anything.

They are processes of their own as any other: with a pid to be killed by, and dead when they are killed. What differs
from the command is told in :func:`_main`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing import process
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

import ingest.cli.run
import ingest.policies.tiny
import ingest.workers
from ingest.cli import main
from tests.ingest.world import WITHOUT_GIT


def start_warm(*arguments: str | Path, output: Path = Path(os.devnull)) -> BaseProcess:
    """The command in a process and a session of its own; what it prints, to either stream, goes to ``output``."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    started = context.Process(target=_main, args=([str(argument) for argument in arguments], str(output)))
    started.start()
    return started


def _main(arguments: list[str], output: str) -> None:
    os.setsid()
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(WITHOUT_GIT)
    # Threads do not survive the fork of a worker, so none are started before; a run then sets the number it wants.
    torch.set_num_threads(1)
    ingest.workers.get_context = lambda _: multiprocessing.get_context("fork")  # type: ignore[attr-defined]
    ingest.cli.run.preload = lambda _: None  # this process has imported it all
    os.register_at_fork(after_in_child=_let_go_of_siblings)
    sys.argv = ["ingest", *arguments]
    main()


def _let_go_of_siblings() -> None:
    """A forked worker has the run's ends of the pipes to the workers before it; theirs close when the run dies."""
    for sibling in process._children:  # type: ignore[attr-defined]
        for end in sibling._popen.finalizer._args:
            os.close(end)
