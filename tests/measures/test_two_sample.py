"""Two groups of episodes: against scipy and statsmodels, and a permutation test enumerated by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttest_ind

from measures.two_sample import Groups, mann_whitney, mann_whitney_tests, permutation_test, student_t, welch_t
from tests.measures.scipy_seeds import seeded

ALTERNATIVES = [("two-sided", "two-sided"), ("greater", "larger"), ("less", "smaller")]


@pytest.fixture
def groups():
    rng = np.random.default_rng(4)
    return rng.normal(0.5, 1, 15), rng.normal(0, 2, 11)


@pytest.mark.parametrize(("alternative", "statsmodels_name"), ALTERNATIVES)
def test_t_tests_agree_with_statsmodels(groups, alternative, statsmodels_name):
    for ours, usevar in ((student_t, "pooled"), (welch_t, "unequal")):
        found = ours(*groups, alternative=alternative)
        np.testing.assert_allclose(
            [found.statistic, found.p_value, found.df],
            ttest_ind(*groups, alternative=statsmodels_name, usevar=usevar),
        )
        assert found.estimate == pytest.approx(groups[0].mean() - groups[1].mean())


def test_student_t_is_the_seeds_call(groups):
    t_stat, p_value = stats.ttest_ind(*groups)
    found = student_t(*groups)
    assert (found.statistic, found.p_value) == (pytest.approx(t_stat), pytest.approx(p_value))


def test_mann_whitney_small_is_exact():
    # U = 9 of 9: one arrangement of C(6, 3) = 20 on each side.
    found = mann_whitney([7, 8, 9], [1, 2, 3])
    assert (found.statistic, found.p_value) == (9, pytest.approx(2 / 20))
    assert mann_whitney([7, 8, 9], [1, 2, 3], alternative="greater").p_value == pytest.approx(1 / 20)


def test_many_mann_whitney_at_once_are_those_of_scipy_one_by_one():
    rng = np.random.default_rng(3)
    sizes = [(9, 12), (20, 15), (9, 12), (8, 12), (8, 12), (20, 15), (3, 3)]
    pairs = [Groups(rng.normal(0.3, 1, n), rng.normal(0, 1, m)) for n, m in sizes]
    # Ties in one of two small pairs of a size, and of two large ones, must leave the other as it is.
    pairs[3] = Groups(np.round(pairs[3].x), np.round(pairs[3].y))
    pairs[2] = Groups(np.round(pairs[2].x), np.round(pairs[2].y))
    pairs[5] = Groups(np.append(pairs[5].x, np.nan), pairs[5].y)
    for alternative, _ in ALTERNATIVES:
        found = mann_whitney_tests([*pairs, Groups([1, 2], [3, 4, 5])], alternative)
        for one, pair in zip(found, pairs, strict=False):
            expected = stats.mannwhitneyu(pair.x, pair.y, alternative=alternative, nan_policy="omit")
            assert (one.statistic, one.p_value) == (expected.statistic, pytest.approx(expected.pvalue))
            assert one.reason is None
        assert found[-1].reason
        assert np.isnan(found[-1].p_value)


def test_mann_whitney_with_ties_by_the_normal_formula():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 20).astype(float), rng.integers(1, 6, 18).astype(float)
    n, m = len(x), len(y)
    u = sum((a > b) + 0.5 * (a == b) for a in x for b in y)
    _, ties = np.unique([*x, *y], return_counts=True)
    spread = np.sqrt(n * m / 12 * ((n + m + 1) - (ties**3 - ties).sum() / ((n + m) * (n + m - 1))))
    expected = 2 * stats.norm.sf((abs(u - n * m / 2) - 0.5) / spread)
    found = mann_whitney(x, y)
    assert (found.statistic, found.p_value) == (pytest.approx(u), pytest.approx(expected))


def enumerated(x, y, alternative):
    pooled, observed = [*x, *y], np.mean(x) - np.mean(y)
    null = []
    for chosen in combinations(range(len(pooled)), len(x)):
        first = [pooled[i] for i in chosen]
        second = [pooled[i] for i in range(len(pooled)) if i not in chosen]
        null.append(np.mean(first) - np.mean(second))
    null = np.array(null)
    extreme = {"two-sided": abs(null) >= abs(observed) - 1e-9, "greater": null >= observed - 1e-9}
    return np.mean(extreme[alternative] if alternative in extreme else null <= observed + 1e-9)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_small_permutation_tests_are_exact(alternative):
    rng = np.random.default_rng(11)
    for x, y in ((rng.normal(size=4), rng.normal(0.7, 1, 6)), (rng.integers(0, 3, 5), rng.integers(0, 3, 3))):
        found = permutation_test(x, y, alternative)
        assert found.is_exact
        assert found.seed is None
        assert found.p_value == pytest.approx(enumerated(x, y, alternative))


def test_exact_permutation_agrees_with_scipy():
    rng = np.random.default_rng(12)
    x, y = rng.normal(0.8, 1, 7), rng.normal(0, 1, 7)
    for alternative in ("greater", "less", "two-sided"):
        theirs = stats.permutation_test(
            (x, y),
            lambda a, b, axis: a.mean(axis) - b.mean(axis),
            vectorized=True,
            n_resamples=np.inf,
            alternative=alternative,
        )
        assert permutation_test(x, y, alternative).p_value == pytest.approx(theirs.pvalue)


def test_drawn_permutations_come_close_to_all_of_them():
    rng = np.random.default_rng(13)
    x, y = rng.normal(0.7, 1, 12), rng.normal(0, 1, 10)  # 646,646 rearrangements: drawn
    found = permutation_test(x, y, "greater", n_permutations=20_000, seed=5)
    assert not found.is_exact
    assert found.n_rearranged == 20_000
    theirs = stats.permutation_test(
        (x, y),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        vectorized=True,
        n_resamples=20_000,
        alternative="greater",
        **seeded(stats.permutation_test, 1),
    ).pvalue
    assert found.p_value == pytest.approx(theirs, abs=5 * np.sqrt(2 * theirs / 20_000))


def test_the_seed_decides_the_draw(groups):
    first, again, other = (permutation_test(*groups, n_permutations=999, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.p_value != other.p_value


def test_a_drawn_p_is_never_zero():
    found = permutation_test(np.arange(20) + 1000.0, np.arange(20.0), n_permutations=500)
    assert found.p_value == pytest.approx(1 / 501)


def test_blocks_keep_labels_within_their_task():
    """Two tasks of different difficulty, success all in one: exchanging across them would see an effect
    of task.
    """
    x, y = np.array([10.0, 11, 12, 0]), np.array([10.5, 0.5, 1, 1.5])
    tasks = (np.array(["a", "a", "a", "b"]), np.array(["a", "b", "b", "b"]))
    found = permutation_test(x, y, "greater", n_permutations=20_000, blocks=tasks)
    # By hand: in each task any of 4 values may be the odd one out, 16 arrangements.
    a, b = [10.0, 11, 12, 10.5], [0, 0.5, 1, 1.5]
    null = [(sum(a) - odd + other) / 4 - (odd + sum(b) - other) / 4 for odd in a for other in b]
    exact = np.mean(np.array(null) >= x.mean() - y.mean() - 1e-9)
    assert found.p_value == pytest.approx(exact, abs=0.02)
    assert permutation_test(x, y, "greater").p_value < exact / 2


def test_blocks_must_fit():
    with pytest.raises(ValueError, match="2 block labels for 3 values"):
        permutation_test([1, 2, 3], [4, 5, 6], blocks=(np.array([0, 0]), np.array([0, 0, 0])))


@pytest.mark.parametrize("test", [student_t, welch_t, mann_whitney, permutation_test])
def test_too_little_data_gives_a_reason(test):
    few = test([1.0, np.nan, 2.0], [1, 2, 3, 4])
    assert np.isnan(few.p_value)
    assert few.reason == "n = 2 and 4: fewer than 3"
    assert test([2.0] * 5, [2.0] * 4).reason == "no variance"
    assert test([], []).reason == "n = 0 and 0: fewer than 3"


@pytest.mark.parametrize("test", [student_t, welch_t])
def test_t_needs_variance_within_a_group(test):
    assert test([1.0] * 4, [2.0] * 4).reason == "no variance"
    assert test([1.0] * 4, [2.0, 3, 4]).reason is None


def test_permutation_needs_variance_between_values_only():
    assert permutation_test([1.0] * 4, [2.0] * 4).p_value == pytest.approx(2 / 70)


def test_undefined_episodes_are_left_out(groups):
    x, y = groups
    for test in (student_t, welch_t, mann_whitney, permutation_test):
        assert test([np.nan, *x], [*y, np.nan]) == test(x, y)


def test_an_unknown_alternative_is_refused(groups):
    for test in (student_t, welch_t, mann_whitney, permutation_test):
        with pytest.raises(ValueError, match="sideways"):
            test(*groups, alternative="sideways")


numbers = st.lists(st.integers(-5, 5), min_size=3, max_size=6)


@settings(max_examples=40, deadline=None)
@given(numbers, numbers, st.integers(1, 50))
def test_permutation_p_is_a_probability_that_ignores_units(x, y, scale):
    found = permutation_test(x, y)
    if found.reason:
        return
    assert 0 < found.p_value <= 1
    assert permutation_test(np.array(x) / (3 * scale), np.array(y) / (3 * scale)).p_value == found.p_value
    assert permutation_test(y, x).p_value == pytest.approx(found.p_value)
    one_sided = permutation_test(x, y, "greater").p_value + permutation_test(x, y, "less").p_value
    assert one_sided >= 1 - 1e-12  # the observed value and its ties count on both sides


def test_the_episode_is_the_unit():
    """METHODS 7: with correlated frames (ICC .5) pooling them finds what is not there, episode means do not.

    300 null studies of 10 against 10 episodes of 20 frames.
    """
    rng = np.random.default_rng(2024)
    pooled, by_episode = [], []
    for _ in range(300):
        frames = rng.normal(size=(2, 10, 1)) + rng.normal(size=(2, 10, 20))
        pooled.append(student_t(frames[0], frames[1]).p_value < 0.05)
        means = frames.mean(axis=2)
        by_episode.append(permutation_test(means[0], means[1], n_permutations=400).p_value < 0.05)
    assert np.mean(pooled) > 0.4
    assert np.mean(by_episode) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
