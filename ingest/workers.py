"""Worker processes for a run's units, forked from a process that imported the libraries (see `ingest.preload`)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from fcntl import F_GETFL, F_SETFL, F_SETOWN, fcntl
from multiprocessing import get_context, parent_process
from pathlib import Path

from ingest.bench import set_up
from ingest.plan import PlannedUnit
from ingest.study import Study
from ingest.unit import Bench, UnitResult


def work_in_processes(
    study: Study, lake: Path, episodes: Sequence[tuple[PlannedUnit, ...]], n_workers: int
) -> Iterator[UnitResult]:
    """The result of every unit, as they finish.

    An episode's units stay together and in order: later groups are compared with its baseline.
    """
    pool = ProcessPoolExecutor(
        n_workers, get_context("forkserver"), initializer=_start_worker, initargs=(study, lake)
    )
    waiting: set[Future[list[UnitResult]]] = set()
    try:
        waiting = {pool.submit(_run_episode, units) for units in episodes}
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield from future.result()
    finally:
        for future in waiting:
            future.cancel()
        pool.shutdown(wait=True, cancel_futures=True)


_bench: Bench | None = None


def _start_worker(study: Study, lake: Path) -> None:
    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; a worker ends its episode first
    _die_with_the_run()
    limit_threads(study, study.compute.workers)
    _bench = set_up(study, lake).bench()


def _run_episode(units: tuple[PlannedUnit, ...]) -> list[UnitResult]:
    if _bench is None:
        raise RuntimeError("the worker was not started")
    return [_bench.run(planned) for planned in units]


def limit_threads(study: Study, n_processes: int) -> None:
    """Shares the cores between processes; a fixed number of threads also keeps sums in a fixed order."""
    if not study.compute.device.startswith("cpu"):
        return
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // n_processes))


def _die_with_the_run() -> None:
    """A worker must not go on writing after the run was killed, which closes the pipe between the two.

    Linux turns that into the worker's death by itself; elsewhere the worker ends with its episode.
    """
    run = parent_process()
    if run is None:
        return
    if sys.platform == "linux":
        from fcntl import F_SETSIG

        fcntl(run.sentinel, F_SETOWN, os.getpid())
        fcntl(run.sentinel, F_SETSIG, signal.SIGKILL)
        fcntl(run.sentinel, F_SETFL, fcntl(run.sentinel, F_GETFL) | os.O_ASYNC)
    if not run.is_alive():
        os._exit(1)
