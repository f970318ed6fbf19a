"""What a sample must be before a test may speak: episode values that are finite, enough, and not all
alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from measures.arrays import AnyArray, Floats

MIN_EPISODES = 3
"""Below this a test, an effect size or an interval is not computed at all (METHODS 7)."""

NO_VARIANCE = "no variance"

Values = AnyArray | Sequence[float]


class Alternative(StrEnum):
    """Which departure from the null counts: of x from y, or of a difference from 0."""

    TWO_SIDED = "two-sided"
    GREATER = "greater"
    LESS = "less"


def defined(values: Values) -> Floats:
    """The finite values as a flat float64 array. A NaN stands for a measure that is undefined in that
    episode.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat[np.isfinite(flat)]


def too_few(*sizes: int) -> str | None:
    """The reason when any sample is under MIN_EPISODES, else None."""
    if min(sizes) < MIN_EPISODES:
        return f"n = {' and '.join(map(str, sizes))}: fewer than {MIN_EPISODES}"
    return None


def constant(values: Floats) -> bool:
    """All values are the same number."""
    return bool(np.ptp(values) == 0)
