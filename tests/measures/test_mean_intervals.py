"""Intervals of many means at once: those of one group at a time, and scipy's; the edges have reasons."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measures.bootstrap import bootstrap_interval
from measures.mean_intervals import INTERVAL_COLUMNS, UNDEFINED, draw_counts, interval_columns, quantiles
from measures.samples import MIN_EPISODES, NO_VARIANCE


def test_a_group_among_many_has_the_interval_it_has_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(23, 6)) * 10.0 ** np.arange(-3, 3)
    found = interval_columns(values, draw_counts(23, 2000, seed=5))
    for group in range(6):
        for method, names in (
            ("percentile", ("percentile_low", "percentile_high")),
            ("bca", ("bca_low", "bca_high")),
        ):
            alone = bootstrap_interval(values[:, group], method=method, n_resamples=2000, seed=5)
            assert [found[name][group] for name in names] == pytest.approx([alone.low, alone.high], rel=1e-9)
    assert found["estimate"] == pytest.approx(values.mean(axis=0))
    assert found["reason"] == [None] * 6


def test_it_comes_close_to_scipys_bca() -> None:
    values = np.random.default_rng(1).lognormal(size=40)
    found = interval_columns(values[:, None], draw_counts(40, 20_000, seed=2))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", vectorized=True
    ).confidence_interval
    width = theirs.high - theirs.low
    assert found["bca_low"][0] == pytest.approx(theirs.low, abs=0.05 * width)
    assert found["bca_high"][0] == pytest.approx(theirs.high, abs=0.05 * width)


def test_every_draw_takes_as_many_episodes_as_there_are() -> None:
    counts = draw_counts(7, 500, seed=3)
    assert counts.shape == (500, 7)
    assert set(counts.sum(axis=1)) == {7}
    # A binomial mean: each episode once a draw, within three standard errors.
    assert counts.mean(axis=0) == pytest.approx(np.ones(7), abs=3 * np.sqrt(6 / 7 / 500))


def test_quantiles_are_numpys() -> None:
    ordered = np.sort(np.random.default_rng(4).random((3, 50)), axis=1)
    shares = np.array([[0.0, 0.3], [0.025, 1.0], [0.5, np.nan]])
    found = quantiles(ordered, shares)
    for row in range(3):
        for column in range(2):
            if np.isfinite(shares[row, column]):
                assert found[row, column] == pytest.approx(np.quantile(ordered[row], shares[row, column]))
    assert np.isnan(found[2, 1])


@pytest.mark.parametrize("n", [1, MIN_EPISODES - 1])
def test_one_sample_or_two_have_an_estimate_and_a_reason(n: int) -> None:
    found = interval_columns(np.full((n, 2), 0.5), np.empty((0, 0)))
    assert found["estimate"].tolist() == [0.5, 0.5]
    assert found["reason"] == [f"n = {n}: fewer than {MIN_EPISODES}"] * 2
    assert all(np.isnan(found[name]).all() for name in INTERVAL_COLUMNS[1:])


def test_a_constant_group_has_no_interval_and_leaves_the_others_alone() -> None:
    rng = np.random.default_rng(5)
    values = np.column_stack([np.full(12, 0.3), rng.random(12)])
    found = interval_columns(values, draw_counts(12, 1000, seed=1))
    assert found["reason"] == [NO_VARIANCE, None]
    assert np.isnan(found["bca_low"][0])
    assert found["bca_low"][1] < found["estimate"][1] < found["bca_high"][1]


def test_a_bca_that_is_undefined_says_so_and_keeps_the_percentile() -> None:
    """All draws alike: the resampled means are the estimate itself plus nothing on one side."""
    values = np.array([[0.0], [0.0], [0.0], [1.0]])
    drawn = np.array([[4.0, 0, 0, 0]] * 50)  # never the one that is not 0
    found = interval_columns(values, drawn)
    assert found["reason"] == [UNDEFINED]
    assert np.isnan(found["bca_low"][0])
    assert (found["percentile_low"][0], found["percentile_high"][0]) == (0, 0)
