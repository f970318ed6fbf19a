"""Progress for people: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ingest.issues import printable
from ingest.unit import UnitResult

_SECONDS_BETWEEN_LINES = 5.0
_MAX_LINES_OF_A_UNIT = 3


class Progress:
    """Shows units as they finish, and every issue as a line of its own, on standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
        self._bar: Bar | None = None
        self._total = self._done = self._inferences = 0
        self._started = self._last_line = time.monotonic()
        self._at_start = 0

    @contextmanager
    def units(self, total: int, done: int) -> Iterator[None]:
        """One run over ``total`` units of which ``done`` were in the lake before."""
        self._total, self._done, self._at_start = total, done, done
        self._started = time.monotonic()
        self._last_line = 0.0
        if not self._console.is_terminal:
            yield
            return
        with Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("units · {task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        ) as self._bar:
            self._task = self._bar.add_task("ingest", total=total, completed=done, rate="")
            yield
        self._bar = None

    def finished(self, result: UnitResult) -> None:
        self._done += 1
        self._inferences += result.n_inferences
        for line in _lines(result):
            self._console.print(line, markup=False)
        if self._bar is not None:
            self._bar.update(self._task, advance=1, rate=self._rate())
        elif time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES or self._done == self._total:
            self._last_line = time.monotonic()
            print(
                f"ingest: {self._done}/{self._total} units, {self._rate()}, {self._left()}",
                file=sys.stderr,
                flush=True,
            )

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-9)
        return f"{self._inferences / seconds:.1f} inferences/s"

    def _left(self) -> str:
        worked = self._done - self._at_start
        if not worked:
            return "time left unknown"
        seconds = (time.monotonic() - self._started) / worked * (self._total - self._done)
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"


def _lines(result: UnitResult) -> Iterator[str]:
    label = "warning" if result.status == "done" else result.status
    where = printable(result.episode_id)
    for message in result.messages[:_MAX_LINES_OF_A_UNIT]:
        yield f"{label}: {where} [{result.group}]: {message}"
    more = len(result.messages) - _MAX_LINES_OF_A_UNIT
    if more > 0:
        yield f"{label}: {where} [{result.group}]: and {more} more (all are rows in issues)"
    if not result.messages and result.status != "done":
        yield f"{label}: {where} [{result.group}]: {result.reason}"
