"""Within the same episodes: sign flips enumerated by hand, and the seed's one-sided paired t."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from measures.paired import paired_permutation, paired_permutations, paired_t


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("values", [[0.3, -0.1, 0.7, 0.2, 0.2], [1, 1, -1, 2, 0, 3, 1], [-2.5, -1, -0.5]])
def test_few_episodes_are_enumerated(values, alternative):
    observed = np.mean(values)
    null = np.array([np.mean(np.multiply(signs, values)) for signs in product([-1, 1], repeat=len(values))])
    extreme = {"two-sided": abs(null) >= abs(observed) - 1e-9, "greater": null >= observed - 1e-9}
    expected = np.mean(extreme.get(alternative, null <= observed + 1e-9))
    found = paired_permutation(values, alternative=alternative)
    assert found.is_exact
    assert found.n_rearranged == 2 ** len(values)
    assert found.p_value == pytest.approx(expected)


def test_agrees_with_scipy():
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.4, 1, 12), rng.normal(0, 1, 12)
    theirs = stats.permutation_test(
        (x, y),
        lambda a, b, axis: (a - b).mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    found = paired_permutation(x, y, "greater")
    assert (found.estimate, found.p_value) == (pytest.approx(theirs.statistic), pytest.approx(theirs.pvalue))


def test_many_groups_at_once_are_each_as_scipy_has_it():
    """Sizes, alternatives and gaps differ; groups that cannot be tested stay in their places."""
    rng = np.random.default_rng(4)
    groups = [rng.normal(0.3, 1, n) for n in (9, 11, 9, 2, 11)]
    groups[4][:2] = np.nan
    alternatives = ["greater", "two-sided", "less", "greater", "two-sided"]
    found = paired_permutations(groups, alternatives, [1, 2, 3, 4, 5])
    for index in (0, 1, 2, 4):
        theirs = stats.permutation_test(
            (groups[index][np.isfinite(groups[index])],),
            lambda a, axis: a.mean(axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=np.inf,
            alternative=alternatives[index],
        )
        assert found[index].p_value == pytest.approx(theirs.pvalue)
    assert [test.n for test in found] == [9, 11, 9, 2, 9]
    assert found[3].reason


def test_groups_that_share_draws_get_what_each_gets_alone():
    rng = np.random.default_rng(6)
    groups = list(rng.normal(0.2, 1, (5, 40)))
    found = paired_permutations(groups, ["greater"] * 5, [7, 7, 7, 8, 7], n_permutations=30_000)
    for group, test in zip(groups, found, strict=True):
        normal = stats.norm.sf(group.sum() / np.sqrt((group**2).sum()))
        assert test.p_value == pytest.approx(normal, abs=0.01)
        assert test.seed == (8 if group is groups[3] else 7)


def test_many_episodes_are_drawn_and_come_close():
    rng = np.random.default_rng(8)
    x = rng.normal(0.3, 1, 40)
    found = paired_permutation(x, alternative="greater", n_permutations=20_000, seed=3)
    assert not found.is_exact
    # The sum of sign-flipped values is close to normal with variance sum x^2.
    normal = stats.norm.sf(x.sum() / np.sqrt((x**2).sum()))
    assert found.p_value == pytest.approx(normal, abs=0.01)
    assert found == paired_permutation(x, alternative="greater", n_permutations=20_000, seed=3)
    assert paired_permutation(np.ones(70), n_permutations=99).p_value == pytest.approx(1 / 100)


def test_paired_t_is_the_seeds_one_tailed_test():
    rng = np.random.default_rng(9)
    for shift in (0.5, -0.5):
        mse_high, mse_low = rng.random(25) + shift, rng.random(25)
        t_stat, p_value = stats.ttest_rel(mse_high, mse_low)
        one_tailed = p_value / 2 if t_stat > 0 else 1 - p_value / 2
        found = paired_t(mse_high, mse_low)
        assert (found.statistic, found.p_value, found.df) == (
            pytest.approx(t_stat),
            pytest.approx(one_tailed),
            24,
        )


def test_too_little_data_gives_a_reason():
    for test in (paired_t, paired_permutation):
        found = test([1.0, 2, np.nan, 4], [0.5, np.nan, 1, 1])
        assert (found.n, found.reason) == (2, "n = 2: fewer than 3")
        assert np.isnan(found.p_value)
        assert test([1.0, 2, 3], [1.0, 2, 3]).reason == "no variance"
        assert test([]).reason == "n = 0: fewer than 3"
    assert paired_t([2.0, 3, 4], [1.0, 2, 3]).reason == "no variance"
    assert paired_permutation([2.0, 3, 4], [1.0, 2, 3]).p_value == pytest.approx(2 / 8)


def test_pairs_with_an_undefined_side_are_left_out():
    for test in (paired_t, paired_permutation):
        assert test([1.0, np.nan, 3, 5, 9], [0, 1, 1, np.nan, 2]) == test([1.0, 3, 9], [0, 1, 2])


def test_the_two_sides_must_be_the_same_episodes():
    with pytest.raises(ValueError, match="3 values against 4"):
        paired_permutation([1, 2, 3], [1, 2, 3, 4])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=9))
def test_turning_the_signs_turns_the_sides(values):
    found = paired_permutation(values, alternative="greater")
    if found.reason:
        assert not any(values)
        return
    turned = paired_permutation([-v for v in values], alternative="less")
    assert found.p_value == pytest.approx(turned.p_value)
    assert 1 / 2 ** len(values) <= found.p_value <= 1
    scaled = paired_permutation(np.array(values) * 0.1, alternative="greater")
    assert scaled.p_value == pytest.approx(found.p_value)


def test_holds_its_level_under_the_null():
    rng = np.random.default_rng(77)
    hits = [
        paired_permutation(rng.standard_cauchy(9), alternative="greater").p_value < 0.05 for _ in range(400)
    ]
    assert np.mean(hits) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
