"""Do two groups of episodes differ: Student, Welch, Mann-Whitney, permutation.

NaN values are dropped first; n_x and n_y are what was left. Fewer than 3 in a group or no variance gives
NaN and a reason. The estimate is mean x - mean y throughout. METHODS 7.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats

from measures.arrays import AnyArray, Floats
from measures.permutations import MAX_EXACT, VALUES_AT_A_TIME, count_as_extreme, p_value
from measures.samples import NO_VARIANCE, Alternative, Values, constant, defined, too_few


class TwoSample(NamedTuple):
    """One test of x against y.

    statistic: t, or U of x, or the difference of means. df: degrees of freedom of a t-test, else NaN.
    n_rearranged: rearrangements a permutation test looked at, is_exact when these were all there are.
    """

    test: str
    statistic: float
    p_value: float
    estimate: float
    n_x: int
    n_y: int
    df: float = math.nan
    n_rearranged: int | None = None
    is_exact: bool | None = None
    seed: int | None = None
    reason: str | None = None


def student_t(x: Values, y: Values, alternative: str = Alternative.TWO_SIDED) -> TwoSample:
    """Student's t-test with pooled variance, as the seed has it. Seed 5.1."""
    return _t_test("student_t", x, y, alternative, equal_var=True)


def welch_t(x: Values, y: Values, alternative: str = Alternative.TWO_SIDED) -> TwoSample:
    """Welch's t-test: the groups may differ in variance."""
    return _t_test("welch_t", x, y, alternative, equal_var=False)


def mann_whitney(x: Values, y: Values, alternative: str = Alternative.TWO_SIDED) -> TwoSample:
    """Mann-Whitney U: exact for small groups without ties, else normal with ties and continuity corrected."""
    x, y = defined(x), defined(y)
    reason = too_few(len(x), len(y)) or _all_alike(x, y)
    if reason:
        return _nothing("mann_whitney", x, y, reason)
    found = stats.mannwhitneyu(x, y, alternative=Alternative(alternative).value, method="auto")
    return TwoSample(
        "mann_whitney", float(found.statistic), float(found.pvalue), _estimate(x, y), len(x), len(y)
    )


def permutation_test(
    x: Values,
    y: Values,
    alternative: str = Alternative.TWO_SIDED,
    n_permutations: int = 10_000,
    seed: int = 0,
    blocks: tuple[AnyArray, AnyArray] | None = None,
) -> TwoSample:
    """Permutation test of the difference of means: labels are exchanged among the episodes.

    All rearrangements are enumerated when there are at most 20,000; otherwise n_permutations are drawn
    with `seed`. Two-sided counts |difference|. blocks: a label (task) for each x and each y; labels are
    then exchanged only within a block, always by drawing. Raises ValueError when blocks do not fit x and
    y.
    """
    x, y, block = _with_blocks(x, y, blocks)
    reason = too_few(len(x), len(y)) or _all_alike(x, y)
    if reason:
        return _nothing("permutation", x, y, reason)
    pooled = np.concatenate([x, y])
    centred = pooled - pooled.mean()
    observed = float(centred[: len(x)].mean() - centred[len(x) :].mean())
    scale = float(np.abs(centred).max())
    alternative = Alternative(alternative)

    exact = block is None and math.comb(len(pooled), len(x)) <= MAX_EXACT
    if exact:
        null = _all_differences(centred, len(x))
        n_rearranged, n_extreme = len(null), count_as_extreme(null, observed, alternative, scale)
    else:
        n_rearranged, n_extreme = n_permutations, 0
        labels = None if block is None else tuple(block.tolist())
        rows = max(1, VALUES_AT_A_TIME // len(pooled))
        for part, start in enumerate(range(0, n_permutations, rows)):
            plays_x = _drawn(len(x), len(pooled), labels, min(rows, n_permutations - start), (seed, part))
            null = _differences(plays_x @ centred, centred, len(x))
            n_extreme += count_as_extreme(null, observed, alternative, scale)
    return TwoSample(
        "permutation",
        statistic=observed,
        p_value=p_value(n_extreme, n_rearranged, exact),
        estimate=_estimate(x, y),
        n_x=len(x),
        n_y=len(y),
        n_rearranged=n_rearranged,
        is_exact=exact,
        seed=None if exact else seed,
    )


def _t_test(name: str, x: Values, y: Values, alternative: str, equal_var: bool) -> TwoSample:
    x, y = defined(x), defined(y)
    reason = too_few(len(x), len(y)) or (NO_VARIANCE if constant(x) and constant(y) else None)
    if reason:
        return _nothing(name, x, y, reason)
    found = stats.ttest_ind_from_stats(
        x.mean(),
        x.std(ddof=1),
        len(x),
        y.mean(),
        y.std(ddof=1),
        len(y),
        equal_var=equal_var,
        alternative=Alternative(alternative).value,
    )
    df = len(x) + len(y) - 2.0 if equal_var else _welch_df(x, y)
    return TwoSample(
        name, float(found.statistic), float(found.pvalue), _estimate(x, y), len(x), len(y), df=df
    )


def _welch_df(x: Floats, y: Floats) -> float:
    """Welch-Satterthwaite."""
    of_x, of_y = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    return float((of_x + of_y) ** 2 / (of_x**2 / (len(x) - 1) + of_y**2 / (len(y) - 1)))


def _nothing(name: str, x: Floats, y: Floats, reason: str) -> TwoSample:
    estimate = _estimate(x, y) if len(x) and len(y) else math.nan
    return TwoSample(name, math.nan, math.nan, estimate, len(x), len(y), reason=reason)


def _estimate(x: Floats, y: Floats) -> float:
    return float(x.mean() - y.mean())


def _all_alike(x: Floats, y: Floats) -> str | None:
    return NO_VARIANCE if constant(np.concatenate([x, y])) else None


def _with_blocks(
    x: Values, y: Values, blocks: tuple[AnyArray, AnyArray] | None
) -> tuple[Floats, Floats, AnyArray | None]:
    if blocks is None:
        return defined(x), defined(y), None
    kept, labels = [], []
    for values, label in zip((x, y), blocks, strict=True):
        flat, label = np.asarray(values, dtype=np.float64).ravel(), np.asarray(label).ravel()
        if len(flat) != len(label):
            raise ValueError(f"{len(label)} block labels for {len(flat)} values: each value needs one")
        finite = np.isfinite(flat)
        kept.append(flat[finite])
        labels.append(label[finite])
    _, block = np.unique(np.concatenate(labels), return_inverse=True)
    return kept[0], kept[1], block


def _all_differences(centred: Floats, n_x: int) -> Floats:
    return _differences(centred[_choices(len(centred), n_x)].sum(axis=1), centred, n_x)


@lru_cache(maxsize=8)
def _choices(n: int, n_x: int) -> AnyArray:
    """[C(n, n_x), n_x]: all ways to choose the values that play x; kept as in `_drawn`."""
    choices = np.array(list(combinations(range(n), n_x)), dtype=np.intp)
    choices.setflags(write=False)
    return choices


@lru_cache(maxsize=8)
def _drawn(n_x: int, n: int, block: tuple[int, ...] | None, n_draws: int, seed: tuple[int, int]) -> Floats:
    """[n_draws, n] of 0 and 1: which values play x. In each draw and block, those with the smallest random keys.

    Kept, because the layers of a metric hold the same episodes and are tested with the same draws.
    """
    keys = np.random.default_rng(seed).random((n_draws, n))
    plays_x = np.zeros((n_draws, n))
    labels = np.zeros(n, dtype=np.intp) if block is None else np.asarray(block)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        n_here = int(np.count_nonzero(members < n_x))
        ranks = keys[:, members].argsort(axis=1)[:, :n_here]
        np.put_along_axis(plays_x, members[ranks], 1.0, axis=1)
    plays_x.setflags(write=False)
    return plays_x


def _differences(sums_of_x: Floats, centred: Floats, n_x: int) -> Floats:
    return np.asarray(sums_of_x / n_x - (centred.sum() - sums_of_x) / (len(centred) - n_x), dtype=np.float64)
