"""What the two permutation tests share: how ties with the observed value count, and what p-value follows."""

from __future__ import annotations

import numpy as np

from measures.arrays import Floats
from measures.samples import Alternative

MAX_EXACT = 20_000
"""Enumerate all rearrangements up to this many; beyond it, draw them."""

VALUES_AT_A_TIME = 1_000_000


def count_as_extreme(null: Floats, observed: float, alternative: Alternative, scale: float) -> int:
    """How many values of the null are at least as extreme as the observed one.

    Two-sided counts by distance from 0. Sums of the same numbers in another order differ by rounding, so
    a value within 1e-10 of `scale`, the size of the data, counts as a tie.
    """
    slack = 1e-10 * scale
    match Alternative(alternative):
        case Alternative.GREATER:
            extreme = null >= observed - slack
        case Alternative.LESS:
            extreme = null <= observed + slack
        case Alternative.TWO_SIDED:
            extreme = np.abs(null) >= abs(observed) - slack
    return int(np.count_nonzero(extreme))


def p_value(n_extreme: int, n_rearranged: int, exact: bool) -> float:
    """The share of extreme rearrangements; drawn ones count the observed one in, so that p is never 0.

    Phipson & Smyth 2010: (b + 1) / (m + 1) keeps the test at its level.
    """
    return n_extreme / n_rearranged if exact else (n_extreme + 1) / (n_rearranged + 1)
