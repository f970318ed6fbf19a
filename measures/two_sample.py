"""Do two groups of episodes differ: Student, Welch, Mann-Whitney, permutation.

NaN values are dropped first; n_x and n_y are what was left. Fewer than 3 in a group or no variance gives
NaN and a reason. The estimate is mean x - mean y throughout. METHODS 7.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats

from measures.arrays import AnyArray, Floats
from measures.permutations import MAX_EXACT, VALUES_AT_A_TIME, count_as_extreme, p_value
from measures.samples import NO_VARIANCE, Alternative, Values, constant, defined, too_few

LARGEST_EXACT = 8
"""Values in a group, above which scipy takes U for normal whatever the ties."""


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


class Groups(NamedTuple):
    """Two groups of values to be tested against each other; blocks: a label (task) for each x and each y."""

    x: Values
    y: Values
    seed: int = 0
    blocks: tuple[AnyArray, AnyArray] | None = None


class _Draws(NamedTuple):
    """What decides which values play x in a rearrangement; without a seed all are looked at."""

    n_x: int
    n_y: int
    labels: tuple[int, ...] | None
    seed: int | None


def student_t(x: Values, y: Values, alternative: str = Alternative.TWO_SIDED) -> TwoSample:
    """Student's t-test with pooled variance, as the seed has it. Seed 5.1."""
    return _t_test("student_t", x, y, alternative, equal_var=True)


def welch_t(x: Values, y: Values, alternative: str = Alternative.TWO_SIDED) -> TwoSample:
    """Welch's t-test: the groups may differ in variance."""
    return _t_test("welch_t", x, y, alternative, equal_var=False)


def mann_whitney(x: Values, y: Values, alternative: str = Alternative.TWO_SIDED) -> TwoSample:
    """Mann-Whitney U: exact for small groups without ties, else normal with ties and continuity corrected."""
    return mann_whitney_tests([Groups(x, y)], alternative)[0]


def mann_whitney_tests(pairs: Sequence[Groups], alternative: str = Alternative.TWO_SIDED) -> list[TwoSample]:
    """`mann_whitney` of every pair of groups; the large ones of the same sizes in one call, a tenth of their time."""
    tests: list[TwoSample] = []
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    values = [(defined(pair.x), defined(pair.y)) for pair in pairs]
    for index, (x, y) in enumerate(values):
        reason = too_few(len(x), len(y)) or _all_alike(x, y)
        tests.append(_nothing("mann_whitney", x, y, reason or ""))
        if not reason:
            # Whether small groups have ties decides how each is tested.
            is_large = min(len(x), len(y)) > LARGEST_EXACT
            alike[(len(x), len(y)) if is_large else (len(x), len(y), index)].append(index)
    for members in alike.values():
        x, y = (np.stack([values[index][side] for index in members]) for side in (0, 1))
        found = stats.mannwhitneyu(x, y, alternative=Alternative(alternative).value, method="auto", axis=1)
        for index, statistic, p in zip(members, found.statistic.tolist(), found.pvalue.tolist(), strict=True):
            tests[index] = tests[index]._replace(statistic=statistic, p_value=p, reason=None)
    return tests


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
    return permutation_tests([Groups(x, y, seed, blocks)], alternative, n_permutations)[0]


def permutation_tests(
    pairs: Sequence[Groups], alternative: str = Alternative.TWO_SIDED, n_permutations: int = 10_000
) -> list[TwoSample]:
    """`permutation_test` of every pair of groups: those of the same sizes, seed and blocks are exchanged by the same draws."""
    tests: list[TwoSample] = []
    alike: dict[_Draws, list[int]] = defaultdict(list)
    pooled: list[Floats] = []
    for index, pair in enumerate(pairs):
        x, y, block = _with_blocks(pair.x, pair.y, pair.blocks)
        pooled.append(np.concatenate([x, y]))
        reason = too_few(len(x), len(y)) or _all_alike(x, y)
        tests.append(_nothing("permutation", x, y, reason or ""))
        if not reason:
            exact = block is None and math.comb(len(x) + len(y), len(x)) <= MAX_EXACT
            labels = None if block is None else tuple(block.tolist())
            alike[_Draws(len(x), len(y), labels, None if exact else pair.seed)].append(index)
    for draws, members in alike.items():
        values = np.column_stack([pooled[index] for index in members])
        n_rearranged = math.comb(len(values), draws.n_x) if draws.seed is None else n_permutations
        found = _count_extreme(values - values.mean(axis=0), draws, Alternative(alternative), n_rearranged)
        for index, (observed, n_extreme) in zip(members, found, strict=True):
            tests[index] = tests[index]._replace(
                statistic=observed,
                p_value=p_value(n_extreme, n_rearranged, draws.seed is None),
                n_rearranged=n_rearranged,
                is_exact=draws.seed is None,
                seed=draws.seed,
                reason=None,
            )
    return tests


def _count_extreme(
    centred: Floats, draws: _Draws, alternative: Alternative, n_rearranged: int
) -> list[tuple[float, int]]:
    """centred [n, pairs]: the observed difference of each pair and how many rearrangements are as extreme."""
    n_x = draws.n_x
    observed = (centred[:n_x].mean(axis=0) - centred[n_x:].mean(axis=0)).tolist()
    scales = np.abs(centred).max(axis=0).tolist()
    counts = [0] * len(observed)
    rows = max(1, VALUES_AT_A_TIME // len(centred))
    for part, start in enumerate(range(0, n_rearranged, rows)):
        stop = min(start + rows, n_rearranged)
        if draws.seed is None:
            plays_x = _choices(len(centred), n_x)[start:stop]
        else:
            plays_x = _drawn(n_x, len(centred), draws.labels, stop - start, (draws.seed, part))
        columns = max(1, VALUES_AT_A_TIME // len(plays_x))
        for first in range(0, len(observed), columns):
            some = centred[:, first : first + columns]
            sums = some.T @ plays_x.T
            null = sums / n_x - (some.sum(axis=0)[:, None] - sums) / (len(centred) - n_x)
            for index, values in enumerate(null, start=first):
                counts[index] += count_as_extreme(values, observed[index], alternative, scales[index])
    return list(zip(observed, counts, strict=True))


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


@lru_cache(maxsize=8)
def _choices(n: int, n_x: int) -> Floats:
    """[C(n, n_x), n] of 0 and 1: all ways to choose the values that play x; kept as in `_drawn`."""
    choices = np.array(list(combinations(range(n), n_x)), dtype=np.intp)
    plays_x = np.zeros((len(choices), n))
    np.put_along_axis(plays_x, choices, 1.0, axis=1)
    plays_x.setflags(write=False)
    return plays_x


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
