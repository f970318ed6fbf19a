"""Does something differ within the same episodes: sign-flip permutation, and the seed's paired t-test.

x and y hold one value an episode, in the same order; y = 0 tests x itself. Pairs with a NaN on either
side are dropped first; n is what was left. METHODS 4, 7 and 8.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
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
    return paired_permutations([_differences(x, y)], [alternative], [seed], n_permutations)[0]


def paired_permutations(
    groups: Sequence[Values],
    alternatives: Sequence[str],
    seeds: Sequence[int],
    n_permutations: int = 10_000,
) -> list[Paired]:
    """`paired_permutation` of every group of differences: those of one size and seed are flipped by the same draws.

    groups: the differences of each, one an episode; NaN is dropped. One alternative and one seed a group.
    """
    differences = [_differences(group, 0.0) for group in groups]
    tests: list[Paired] = []
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, (values, seed) in enumerate(zip(differences, seeds, strict=True)):
        n = len(values)
        reason = too_few(n) or (NO_VARIANCE if not values.any() else None)
        tests.append(_nothing("paired_permutation", values, reason or ""))
        if not reason:
            alike[n, seed].append(index)
    for (n, seed), members in alike.items():
        exact = n < 63 and 2**n <= MAX_EXACT
        n_rearranged = 2**n if exact else n_permutations
        counts = _count_extreme(
            np.column_stack([differences[index] for index in members]),
            [Alternative(alternatives[index]) for index in members],
            n_rearranged,
            None if exact else seed,
        )
        for index, n_extreme in zip(members, counts, strict=True):
            observed = float(differences[index].mean())
            tests[index] = Paired(
                "paired_permutation",
                statistic=observed,
                p_value=p_value(n_extreme, n_rearranged, exact),
                estimate=observed,
                n=n,
                n_rearranged=n_rearranged,
                is_exact=exact,
                seed=None if exact else seed,
            )
    return tests


def _count_extreme(
    differences: Floats, alternatives: Sequence[Alternative], n_rearranged: int, seed: int | None
) -> list[int]:
    """differences [n, groups]: how many rearrangements are extreme, group by group; all sign patterns without a seed."""
    n, n_groups = differences.shape
    observed, scales = differences.mean(axis=0), np.abs(differences).max(axis=0)
    counts = [0] * n_groups
    rows = max(1, VALUES_AT_A_TIME // n)
    for part, start in enumerate(range(0, n_rearranged, rows)):
        stop = min(start + rows, n_rearranged)
        if seed is None:
            flipped = _sign_patterns(start, stop, n)
        else:
            flipped = _drawn_signs(stop - start, n, (seed, part))
        columns = max(1, VALUES_AT_A_TIME // len(flipped))
        for first in range(0, n_groups, columns):
            chosen = slice(first, first + columns)
            # Flipping a sign takes the difference away twice. Group by group in memory, for it is counted so.
            null = observed[chosen, None] - 2 * (differences[:, chosen].T @ flipped.T) / n
            for index, values in enumerate(null, start=first):
                counts[index] += count_as_extreme(
                    values, float(observed[index]), alternatives[index], float(scales[index])
                )
    return counts


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
