"""Times callables in turn, so that a machine whose speed drifts treats them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Seconds = Mapping[str, Sequence[float]]
"""Candidate -> its CPU seconds in each round."""


def seconds_in_turn(
    candidates: Mapping[str, Callable[[], object]], rounds: int, *, warm_all: bool = True
) -> Seconds:
    """CPU seconds of each candidate over ``rounds``, each of which runs all of them, from another on.

    Before them comes a round that does not count, or a run of the first candidate alone without ``warm_all``. CPU
    seconds, because other work on the machine moves them little.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for call in list(candidates.values())[: None if warm_all else 1]:
        call()
    for index in range(rounds):
        order = list(candidates.items())
        for name, call in order[index % len(order) :] + order[: index % len(order)]:
            started = time.process_time()
            call()
            seconds[name].append(time.process_time() - started)
    return seconds


def median_seconds(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each candidate over ``rounds``; see :func:`seconds_in_turn`."""
    return {name: statistics.median(taken) for name, taken in seconds_in_turn(candidates, rounds).items()}


def median_ratio(seconds: Seconds, name: str, rival: str) -> float:
    """Median over the rounds of the quotient within a round, where both met the machine in the same state."""
    return statistics.median(own / other for own, other in zip(seconds[name], seconds[rival], strict=True))
