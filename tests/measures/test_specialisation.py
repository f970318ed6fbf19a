"""Share between heads against the F of scipy's one-way analysis of variance; the exchange against all exchanges."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from measures.samples import NO_VARIANCE
from measures.specialisation import specialisation


def worlds(effect=0.0, n=30, layers=3, heads=4, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, layers, heads)) + rng.normal(size=(n, 1, 1))
    # Deep layers differ from shallow ones: no specialisation.
    values += 5 * np.arange(layers)[:, None]
    values[:, 1, 2] += effect
    return values


def test_the_share_is_eta_squared():
    values = worlds(1.0)
    found = specialisation(values, n_permutations=50)
    for layer in range(3):
        f = stats.f_oneway(*values[:, layer].T).statistic
        df_heads, df_rest = 3, 30 * 4 - 4
        eta_squared = f * df_heads / (f * df_heads + df_rest)
        assert found.share[layer] == pytest.approx(eta_squared)
    within = values - values.mean(axis=(0, 2), keepdims=True)
    between = 30 * (within.mean(axis=0) ** 2).sum()
    assert found.share[3] == pytest.approx(between / (within**2).sum())
    assert found.n_episodes == 30


def test_exchanging_heads_is_what_all_exchanges_say():
    """Three episodes of two heads have 2^3 exchanges."""
    values = np.array([[[1.0, 2.5]], [[0.0, 3.0]], [[2.0, 2.2]]])

    def between(rows):
        means = np.array(rows).mean(axis=0)
        return ((means - means.mean()) ** 2).sum()

    episodes = values[:, 0].tolist()
    observed = between(episodes)
    exchanged = [
        between([row[::-1] if flip else row for row, flip in zip(episodes, flips, strict=True)])
        for flips in product([False, True], repeat=3)
    ]
    exact = np.mean([one >= observed - 1e-12 for one in exchanged])
    assert exact == 2 / 8
    found = specialisation(values, n_permutations=4000)
    assert found.p_value == pytest.approx([exact, exact], abs=0.03)


def test_a_planted_head_is_found_in_its_layer_alone():
    found = specialisation(worlds(2.0), seed=1)
    assert found.p_value[3] < 0.01
    assert [p < 0.01 for p in found.p_value[:3]] == [False, True, False]
    assert found.low < found.share[3] < found.high
    assert found.split_half > 0.2


def test_layers_that_differ_are_no_specialisation():
    found = specialisation(worlds(), seed=1)
    assert found.p_value[3] > 0.05
    assert found.split_half < 0.7


def test_heads_that_keep_their_order_correlate_between_halves():
    values = worlds() + np.arange(4) * 2
    assert specialisation(values, n_permutations=10).split_half > 0.7


def test_an_episode_with_an_undefined_head_is_left_out():
    values = worlds(1.0)
    broken = values.copy()
    broken[4, 0, 0] = np.nan
    whole = specialisation(np.delete(values, 4, axis=0), n_permutations=20)
    found = specialisation(broken, n_permutations=20)
    assert found.share == pytest.approx(whole.share)
    assert found.n_episodes == 29


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (worlds(heads=4)[:, :, :1], "one head"),
        (worlds()[:2], "fewer than 3"),
        (np.ones((8, 2, 3)), "no variance"),
        (worlds()[:0], "fewer than 3"),
    ],
)
def test_too_little_to_say(values, reason):
    found = specialisation(values)
    assert np.isnan(found.share).all()
    assert reason in found.reason


@pytest.mark.slow
def test_without_specialisation_p_is_uniform():
    p = [
        specialisation(worlds(seed=seed, n=12), n_permutations=99, n_resamples=10, n_splits=1).p_value[-1]
        for seed in range(300)
    ]
    assert stats.binomtest(int(np.count_nonzero(np.array(p) <= 0.05)), 300, 0.05).pvalue > 0.01


@pytest.mark.parametrize("value", [0.3, 0.1, 1 / 3, 0.7])
def test_a_layer_whose_heads_are_all_alike_has_no_share(value: float):
    """Its mean differs from its values by rounding."""
    values = np.random.default_rng(0).normal(size=(9, 3, 6))
    values[:, 1, :] = value
    found = specialisation(values, n_permutations=200, n_resamples=50)
    assert np.isnan([found.share[1], found.p_value[1]]).all()
    assert np.isfinite(found.share[[0, 2, 3]]).all()
    found = specialisation(np.full((9, 3, 6), value), n_permutations=200, n_resamples=50)
    assert np.isnan(found.share).all()
    assert found.reason == NO_VARIANCE
