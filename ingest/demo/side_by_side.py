"""Work in several processes, or in this one: a process more costs seconds before it begins."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """Yields what ``function`` makes of each task, in order; ``start(*arguments)`` runs once in each process before."""
    if workers == 1:
        if start is not None:
            start(*arguments)
        yield from map(function, tasks)
        return
    # Spawned, not forked: an OpenGL context and torch's threads do not survive a fork.
    n_processes = max(1, min(workers, len(tasks)))
    with multiprocessing.get_context("spawn").Pool(n_processes, start, arguments) as pool:
        yield from pool.imap(function, tasks)
