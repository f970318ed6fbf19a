"""Intervals that pages compute themselves: those of a mean, from the standard deviation and number that a mart keeps."""

from __future__ import annotations

import math

from scipy.special import stdtrit  # quantiles of t; scipy.stats takes a second to import

FEWEST = 3  # episodes below which no interval is drawn


def half_width(std: float | None, n: int) -> float | None:
    """Half of a 95 % t-interval of a mean over n episodes with sample standard deviation `std` (ddof = 1)."""
    return None if std is None or n < FEWEST else float(stdtrit(n - 1, 0.975) * std / math.sqrt(n))


def around(mean: float, std: float | None, n: int) -> tuple[float | None, float | None]:
    """Ends of the 95 % t-interval of a mean; None and None where there are too few episodes."""
    half = half_width(std, n)
    return (None, None) if half is None else (mean - half, mean + half)
