"""Agreement of two halves: Spearman's rho by scipy, split by split, and what is known of heads that are planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measures.split_half import split_half


def test_every_split_is_scipys_rho():
    values = np.random.default_rng(0).normal(size=(9, 6))
    rng = np.random.default_rng(4)
    expected = []
    for _ in range(30):
        order = rng.permutation(9)
        halves = (values[order[:4]].mean(axis=0), values[order[4:8]].mean(axis=0))
        expected.append(stats.spearmanr(*halves).statistic)
    found = split_half(values, n_splits=30, seed=4)
    assert found.correlation == pytest.approx(np.mean(expected))
    assert (found.n_episodes, found.n_ranked, found.n_splits) == (9, 6, 30)


def test_a_true_order_is_found_and_none_is_about_zero():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(40, 12))
    assert split_half(noise + np.arange(12)).correlation > 0.95
    assert abs(split_half(noise).correlation) < 0.3
    assert split_half(np.tile(np.arange(5.0), (6, 1))).correlation == pytest.approx(1)


def test_gaps_are_left_out_of_the_means():
    values = np.random.default_rng(2).normal(size=(8, 5)) + np.arange(5)
    values[0, 3] = np.nan
    order = np.random.default_rng(0).permutation(8)
    halves = [np.nanmean(values[half], axis=0) for half in (order[:4], order[4:])]
    assert split_half(values, n_splits=1).correlation == pytest.approx(stats.spearmanr(*halves).statistic)
    never = np.column_stack([values, np.full(8, np.nan)])
    assert split_half(never).n_ranked == 5


@pytest.mark.parametrize(
    ("shape", "reason"), [((3, 5), "fewer than 4 episodes"), ((8, 2), "2 to rank"), ((0, 0), "n = 0")]
)
def test_too_little_to_rank(shape, reason):
    found = split_half(np.random.default_rng(0).normal(size=shape))
    assert np.isnan(found.correlation)
    assert reason in found.reason


def test_all_alike():
    assert split_half(np.ones((8, 5))).reason == "no variance"
