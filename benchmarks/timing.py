"""Times callables in turn, so that a machine whose speed drifts treats them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def median_seconds(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median wall seconds of each candidate over ``rounds``; each round runs all of them, after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_index in range(rounds + 1):
        for name, call in candidates.items():
            started = time.perf_counter()
            call()
            if round_index:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken) for name, taken in seconds.items()}
