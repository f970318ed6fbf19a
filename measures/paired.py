"""Does something differ within the same episodes: sign-flip permutation, and the seed's paired t-test.

x and y hold one value an episode, in the same order; y = 0 tests x itself. Pairs with a NaN on either
side are dropped first; n is what was left. METHODS 4, 7 and 8.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from measures.arrays import Floats
from measures.permutations import MAX_EXACT, VALUES_AT_A_TIME, count_as_extreme, p_value
from measures.samples import NO_VARIANCE, Alternative, Values, constant, too_few


class Paired(NamedTuple):
    """One test of x - y. estimate: mean difference. Fewer than 3 pairs or no variance: NaN and a reason."""

    test: str
    statistic: float
    p_value: float
    estimate: float
    n: int
    df: float = math.nan
    n_rearranged: int | None = None
    is_exact: bool | None = None
    seed: int | None = None
    reason: str | None = None


def paired_permutation(
    x: Values,
    y: Values | float = 0.0,
    alternative: str = Alternative.TWO_SIDED,
    n_permutations: int = 10_000,
    seed: int = 0,
) -> Paired:
    """Sign-flip test of the mean difference: under the null each episode's difference may have either sign.

    All 2^n sign patterns are enumerated when there are at most 20,000 (n <= 14); otherwise n_permutations
    are drawn with `seed`. Only differences that are all zero have no variance here: equal ones still have
    signs.
    """
    differences = _differences(x, y)
    n = len(differences)
    reason = too_few(n) or (NO_VARIANCE if not differences.any() else None)
    if reason:
        return _nothing("paired_permutation", differences, reason)
    observed = float(differences.mean())
    scale = float(np.abs(differences).max())
    alternative = Alternative(alternative)
    exact = n < 63 and 2**n <= MAX_EXACT
    n_rearranged = 2**n if exact else n_permutations
    n_extreme = 0
    rows = max(1, VALUES_AT_A_TIME // n)
    for part, start in enumerate(range(0, n_rearranged, rows)):
        stop = min(start + rows, n_rearranged)
        flipped = _sign_patterns(start, stop, n) if exact else _drawn_signs(stop - start, n, (seed, part))
        # Flipping a sign takes the difference away twice.
        null = observed - 2 * (flipped @ differences) / n
        n_extreme += count_as_extreme(null, observed, alternative, scale)
    return Paired(
        "paired_permutation",
        statistic=observed,
        p_value=p_value(n_extreme, n_rearranged, exact),
        estimate=observed,
        n=n,
        n_rearranged=n_rearranged,
        is_exact=exact,
        seed=None if exact else seed,
    )


def paired_t(x: Values, y: Values | float = 0.0, alternative: str = Alternative.GREATER) -> Paired:
    """Paired t-test; one-sided x > y by default, as in the seed's fidelity test. Seed 5.3.

    The seed halves the two-sided p by the sign of t, which is the same number.
    """
    differences = _differences(x, y)
    reason = too_few(len(differences)) or (NO_VARIANCE if constant(differences) else None)
    if reason:
        return _nothing("paired_t", differences, reason)
    found = stats.ttest_1samp(differences, 0.0, alternative=Alternative(alternative).value)
    return Paired(
        "paired_t",
        float(found.statistic),
        float(found.pvalue),
        float(differences.mean()),
        len(differences),
        df=float(found.df),
    )


def _differences(x: Values, y: Values | float) -> Floats:
    x = np.asarray(x, dtype=np.float64).ravel()
    y = np.asarray(y, dtype=np.float64)
    y = y.ravel() if y.ndim else np.broadcast_to(y, x.shape)
    if x.shape != y.shape:
        raise ValueError(
            f"{len(x)} values against {len(y)}: a paired test needs the same episodes on both sides"
        )
    differences = x - y
    return differences[np.isfinite(differences)]


def _nothing(name: str, differences: Floats, reason: str) -> Paired:
    estimate = float(differences.mean()) if len(differences) else math.nan
    return Paired(name, math.nan, math.nan, estimate, len(differences), reason=reason)


@lru_cache(maxsize=8)
def _drawn_signs(n_draws: int, n: int, seed: tuple[int, int]) -> Floats:
    """[n_draws, n] of 0 and 1: which signs are flipped.

    Kept, because the groups of a run hold the same episodes and are tested with the same draws.
    """
    flipped = (np.random.default_rng(seed).random((n_draws, n)) < 0.5).astype(np.float64)
    flipped.setflags(write=False)
    return flipped


@lru_cache(maxsize=4)
def _sign_patterns(start: int, stop: int, n: int) -> Floats:
    """The binary digits of start..stop - 1: which of the n signs each pattern flips."""
    digits = (np.arange(start, stop)[:, None] >> np.arange(n)) & 1
    flipped = digits.astype(np.float64)
    flipped.setflags(write=False)
    return flipped
