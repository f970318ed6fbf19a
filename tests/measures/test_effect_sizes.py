"""Effect sizes: hand-worked values, statsmodels, and intervals checked against an integral of their own
definition.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from statsmodels.stats.meta_analysis import effectsize_smd

from measures.effect_sizes import NO_INTERVAL, cliffs_delta, cohens_d, cohens_d_seed, hedges_g

ALL = [cohens_d, hedges_g, cohens_d_seed, cliffs_delta]


@pytest.fixture
def groups():
    rng = np.random.default_rng(2)
    return rng.normal(0.6, 1, 14), rng.normal(0, 1.3, 9)


def test_cohens_d_by_hand():
    # Means 4 and 2, sums of squares 8 and 2, pooled variance 10 / 4.
    found = cohens_d([2, 4, 6], [1, 2, 3])
    assert found.value == pytest.approx(2 / math.sqrt(2.5))
    assert (found.n_x, found.n_y) == (3, 3)


def test_cohens_d_seed_is_the_seeds_code(groups):
    success_overlap, failure_overlap = groups
    pooled_std = np.sqrt((np.std(success_overlap) ** 2 + np.std(failure_overlap) ** 2) / 2)
    expected = (np.mean(success_overlap) - np.mean(failure_overlap)) / pooled_std
    assert cohens_d_seed(*groups).value == pytest.approx(expected)


def test_the_interval_of_the_seeds_d_is_exact_for_equal_groups():
    """There d_seed = d sqrt(n / (n - 1)), a fixed multiple."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=12), rng.normal(size=12)
    ours, seed = cohens_d(x, y), cohens_d_seed(x, y)
    np.testing.assert_allclose(seed[:3], np.array(ours[:3]) * math.sqrt(12 / 11))


def test_hedges_g_is_d_corrected(groups):
    x, y = groups
    d, g = cohens_d(x, y), hedges_g(x, y)
    df = len(x) + len(y) - 2
    assert g.value / d.value == pytest.approx(1 - 3 / (4 * df - 1), rel=1e-3)  # the usual approximation
    exact = special.gamma(df / 2) / (math.sqrt(df / 2) * special.gamma((df - 1) / 2))
    np.testing.assert_allclose(g[:3], np.array(d[:3]) * exact)
    smd, _ = effectsize_smd(x.mean(), x.std(ddof=1), len(x), y.mean(), y.std(ddof=1), len(y))
    assert g.value == pytest.approx(float(smd), rel=1e-3)


def noncentral_t_cdf(t, df, ncp):
    """P((Z + ncp) / sqrt(V / df) <= t), integrated over the chi-squared V."""
    return integrate.quad(
        lambda v: stats.norm.cdf(t * math.sqrt(v / df) - ncp) * stats.chi2.pdf(v, df),
        0,
        df + 40 * math.sqrt(df),
    )[0]


@pytest.mark.parametrize("shift", [0.0, 0.8, -3.0])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_of_d_puts_the_observed_t_at_its_tails(groups, shift, confidence):
    x, y = groups[0] + shift, groups[1]
    d = cohens_d(x, y, confidence)
    root = math.sqrt(1 / len(x) + 1 / len(y))
    df = len(x) + len(y) - 2
    tail = (1 - confidence) / 2
    assert noncentral_t_cdf(d.value / root, df, d.low / root) == pytest.approx(1 - tail, abs=1e-6)
    assert noncentral_t_cdf(d.value / root, df, d.high / root) == pytest.approx(tail, abs=1e-6)


def test_a_very_large_d_still_has_an_interval():
    x = np.linspace(0, 1, 60)
    found = cohens_d(x + 40, x)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(40 / x.std(ddof=1))


def test_an_effect_beyond_measure_keeps_its_value_and_says_why_it_has_no_interval():
    x, y = np.array([1, 1, 1 + 1e-9]), np.array([0, 0, 1e-9])
    for measure in (cohens_d, hedges_g, cohens_d_seed):
        found = measure(x, y)
        assert found.value > 1e8
        assert np.isnan([found.low, found.high]).all()
        assert found.reason == NO_INTERVAL


def pairs(x, y):
    return np.sign(np.subtract.outer(np.asarray(x, float), np.asarray(y, float)))


def test_cliffs_delta_counts_pairs(groups):
    x, y = (np.round(values, 1) for values in groups)  # with ties
    assert cliffs_delta(x, y).value == pytest.approx(pairs(x, y).mean())
    u = stats.mannwhitneyu(x, y).statistic
    assert cliffs_delta(x, y).value == pytest.approx(2 * u / (len(x) * len(y)) - 1)


def test_the_interval_of_cliffs_delta_by_straight_loops(groups):
    x, y = (np.round(values, 1) for values in groups)
    n, m, dominance = len(x), len(y), pairs(x, y)
    d = dominance.mean()
    rows = sum((dominance[i].mean() - d) ** 2 for i in range(n))
    cols = sum((dominance[:, j].mean() - d) ** 2 for j in range(m))
    every = sum((dominance[i, j] - d) ** 2 for i in range(n) for j in range(m))
    s2 = (m**2 * rows + n**2 * cols - every) / (n * m * (n - 1) * (m - 1))
    z = 1.959963984540054
    half = z * math.sqrt(s2) * math.sqrt((1 - d**2) ** 2 + z**2 * s2)
    low, high = ((d - d**3 + sign * half) / (1 - d**2 + z**2 * s2) for sign in (-1, 1))
    np.testing.assert_allclose(cliffs_delta(x, y)[1:3], [low, high])


def test_groups_that_do_not_overlap_have_delta_one():
    found = cliffs_delta([5, 6, 7, 8, 9, 10], [1, 2, 3, 4, 0])
    assert found.value == 1
    assert found.high == 1
    assert found.low == pytest.approx((5 - 3.8414588) / (5 + 3.8414588))
    mirrored = cliffs_delta([1, 2, 3, 4, 0], [5, 6, 7, 8, 9, 10])
    assert (mirrored.value, mirrored.low, mirrored.high) == (-1, -1, -found.low)


def test_intervals_cover_the_truth_as_often_as_they_say():
    """400 simulated studies; the binomial error of a coverage of .95 is .011."""
    rng = np.random.default_rng(7)
    true_d, true_delta = 0.5, 2 * stats.norm.cdf(0.5 / math.sqrt(2)) - 1
    covered = np.zeros((400, 2))
    for study in covered:
        x, y = rng.normal(true_d, 1, 25), rng.normal(0, 1, 20)
        d, delta = cohens_d(x, y), cliffs_delta(x, y)
        study[:] = d.low <= true_d <= d.high, delta.low <= true_delta <= delta.high
    assert (np.abs(covered.mean(axis=0) - 0.95) < 0.035).all()


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 2], [1, 2, 3], "n = 2 and 3: fewer than 3"),
        ([1, 2, np.nan], [1, 2, 3], "n = 2 and 3: fewer than 3"),
        ([], [], "n = 0 and 0: fewer than 3"),
        ([1, 1, 1], [2, 2, 2], "no variance"),
        ([1, 1, 1], [1, 1, 1], "no variance"),
    ],
)
def test_what_has_no_size_says_why(measure, x, y, reason):
    found = measure(x, y)
    assert found.reason == reason
    assert np.isnan(found[:3]).all()


@pytest.mark.parametrize("measure", ALL)
def test_undefined_episodes_are_left_out(measure, groups):
    x, y = groups
    assert measure([*x, np.nan, np.inf], [np.nan, *y]) == measure(x, y)


numbers = st.lists(st.integers(-30, 30), min_size=3, max_size=12)


@settings(max_examples=30, deadline=None)
@given(numbers, numbers)
def test_exchanging_the_groups_mirrors_the_effect(x, y):
    for measure in ALL:
        there, back = measure(x, y), measure(y, x)
        np.testing.assert_allclose(there[:3], [-back.value, -back.high, -back.low], rtol=1e-6, atol=1e-7)
        if not there.reason:
            assert there.low - 1e-7 <= there.value <= there.high + 1e-7


@settings(max_examples=30, deadline=None)
@given(numbers, numbers, st.integers(1, 9), st.integers(-9, 9))
def test_units_do_not_matter(x, y, scale, offset):
    for measure in ALL:
        moved = measure([scale * v + offset for v in x], [scale * v + offset for v in y])
        np.testing.assert_allclose(measure(x, y)[:3], moved[:3], rtol=1e-6, atol=1e-7)
