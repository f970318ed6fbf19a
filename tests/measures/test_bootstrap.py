"""Intervals by resampling episodes: scipy's BCa on the same resamples, clusters and strata by hand,
coverage.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from measures.bootstrap import bootstrap_interval, resample
from tests.measures.scipy_seeds import seeded


@pytest.fixture
def skewed():
    return np.random.default_rng(6).lognormal(0, 1, 25)


@pytest.mark.parametrize("statistic", [None, np.median, lambda x: float(np.std(x, ddof=1))])
@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_agrees_with_scipy_on_the_same_resamples(skewed, statistic, method, confidence):
    ours = bootstrap_interval(
        skewed, statistic, method=method, confidence=confidence, n_resamples=999, seed=3
    )
    drawn = resample(skewed, statistic, n_resamples=999, seed=3)
    theirs = stats.bootstrap(
        (skewed,),
        statistic or np.mean,
        vectorized=False,
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=drawn.distribution),
        method=method,
        confidence_level=confidence,
    ).confidence_interval
    np.testing.assert_allclose([ours.low, ours.high], theirs)
    assert ours.estimate == pytest.approx((statistic or np.mean)(skewed))


def test_agrees_with_scipy_on_its_own_resamples(skewed):
    ours = bootstrap_interval(skewed, n_resamples=20_000, seed=1)
    theirs = stats.bootstrap((skewed,), np.mean, n_resamples=20_000, **seeded(stats.bootstrap, 9))
    np.testing.assert_allclose([ours.low, ours.high], theirs.confidence_interval, rtol=0.03)


def test_percentile_is_the_seeds_code_with_a_seed(skewed):
    """`bootstrap_confidence_interval` of 9.3, made repeatable; a different generator, so it agrees but
    for noise.
    """
    rng = np.random.default_rng(42)
    means = [np.mean(rng.choice(skewed, size=len(skewed), replace=True)) for _ in range(4000)]
    theirs = [np.percentile(means, 2.5), np.percentile(means, 97.5)]
    ours = bootstrap_interval(skewed, method="percentile", n_resamples=4000, seed=0)
    np.testing.assert_allclose([ours.low, ours.high], theirs, rtol=0.05)


def test_the_fast_mean_is_the_mean(skewed):
    episodes = np.arange(25) % 6
    for clusters in (None, episodes):
        fast = resample(skewed, clusters=clusters, n_resamples=200, seed=8)
        slow = resample(skewed, np.mean, clusters=clusters, n_resamples=200, seed=8)
        np.testing.assert_allclose(fast.distribution, slow.distribution)
        np.testing.assert_allclose(fast.jackknife, slow.jackknife)


def test_whole_episodes_are_drawn():
    """Three episodes with constant frames: 10 means are possible, those of the multisets of three."""
    values, episodes = [0.0, 0, 6, 6, 6, 60], ["a", "a", "b", "b", "b", "c"]
    drawn = resample(values, clusters=np.array(episodes), n_resamples=3000, seed=0)
    frames = {"a": [0.0, 0], "b": [6.0, 6, 6], "c": [60.0]}
    possible = {
        round(float(np.mean(frames[i] + frames[j] + frames[k])), 9)
        for i in "abc"
        for j in "abc"
        for k in "abc"
    }
    assert set(np.round(drawn.distribution, 9)) == possible
    np.testing.assert_allclose(drawn.jackknife, [78 / 4, 60 / 3, 18 / 5])
    # Each of the 27 ordered draws is as likely: all three alike has probability 1/27.
    assert np.mean(drawn.distribution == 60) == pytest.approx(1 / 27, abs=0.012)


def test_one_frame_an_episode_is_no_cluster(skewed):
    alone = bootstrap_interval(skewed, n_resamples=500)
    named = bootstrap_interval(skewed, clusters=[f"episode {i:03d}" for i in range(25)], n_resamples=500)
    assert alone == named


def test_strata_keep_their_share():
    """Two tasks of constant value: resampled within, the mean cannot move but by its one varying task."""
    values = np.array([0.0, 0, 0, 0, 10, 12, 14])
    tasks = np.array(["easy"] * 4 + ["hard"] * 3)
    drawn = resample(values, blocks=tasks, n_resamples=2000, seed=1)
    sums = drawn.distribution * 7
    assert sums.min() == pytest.approx(30)
    assert sums.max() == pytest.approx(42)
    assert drawn.distribution.var() == pytest.approx(3 * np.var([10, 12, 14]) / 49, rel=0.1)
    assert resample(values, n_resamples=2000, seed=1).distribution.min() < 20 / 7


def test_frames_of_an_episode_make_the_interval_wider():
    rng = np.random.default_rng(5)
    episodes = np.repeat(np.arange(12), 30)
    values = rng.normal(size=12)[episodes] + 0.3 * rng.normal(size=360)
    by_frame = bootstrap_interval(values, n_resamples=2000)
    by_episode = bootstrap_interval(values, clusters=episodes, n_resamples=2000)
    assert by_episode.high - by_episode.low > 3 * (by_frame.high - by_frame.low)
    assert (by_episode.n, by_episode.n_clusters, by_frame.n_clusters) == (360, 12, 360)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """400 studies of 20 lognormal episodes, mean exp(1/2): the percentile interval falls short, BCa less
    so.
    """
    rng = np.random.default_rng(10)
    truth = np.exp(0.125)
    covered = {"bca": 0, "percentile": 0}
    for _ in range(400):
        values = rng.lognormal(0, 0.5, 20)
        for method in covered:
            found = bootstrap_interval(values, method=method, n_resamples=400)
            covered[method] += found.low <= truth <= found.high
    assert covered["bca"] / 400 > 0.88
    assert covered["percentile"] / 400 > 0.86


def test_the_seed_decides(skewed):
    first, again, other = (bootstrap_interval(skewed, n_resamples=300, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.low != other.low


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_too_little_data_gives_a_reason(method):
    few = bootstrap_interval([1.0, 2.0, np.nan], method=method)
    assert (few.n, few.reason) == (2, "n = 2: fewer than 3")
    assert np.isnan([few.estimate, few.low, few.high]).all()
    assert bootstrap_interval([4.0] * 9, method=method).reason == "no variance"
    assert bootstrap_interval([], method=method).reason == "n = 0: fewer than 3"
    two_episodes = bootstrap_interval(np.arange(40.0), clusters=np.arange(40) % 2, method=method)
    assert (two_episodes.n_clusters, two_episodes.reason) == (2, "n = 2: fewer than 3")


def test_an_undefined_bca_says_so(skewed):
    found = bootstrap_interval(skewed, np.max, n_resamples=500)  # no resample exceeds the maximum
    assert found.reason is None or found.reason.startswith("BCa is undefined")
    flat = bootstrap_interval([1.0, 2, 3, 4], lambda x: 7.0, n_resamples=200)
    assert flat.reason is not None
    assert flat.reason.startswith("BCa is undefined")
    assert (flat.estimate, np.isnan(flat.low)) == (7.0, True)


def test_undefined_values_are_left_out(skewed):
    with_gaps = bootstrap_interval([np.nan, *skewed, np.inf], clusters=[99, *range(25), 98], n_resamples=200)
    assert with_gaps == bootstrap_interval(skewed, n_resamples=200)


def test_labels_must_fit():
    with pytest.raises(ValueError, match="2 cluster labels for 3 values"):
        bootstrap_interval([1, 2, 3], clusters=[0, 1])
    with pytest.raises(ValueError, match="lies in two blocks"):
        bootstrap_interval([1, 2, 3], clusters=[0, 0, 1], blocks=["a", "b", "b"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=3, max_size=15), st.integers(1, 9), st.integers(-9, 9))
def test_units_do_not_matter(values, scale, offset):
    for method in ("bca", "percentile"):
        plain = bootstrap_interval(values, method=method, n_resamples=150)
        moved = bootstrap_interval([scale * v + offset for v in values], method=method, n_resamples=150)
        if plain.reason or moved.reason:
            continue
        assert plain.low <= plain.high
        assert min(values) - 1e-9 <= plain.low <= plain.high <= max(values) + 1e-9
        if method == "percentile":
            expected = [scale * plain.low + offset, scale * plain.high + offset]
            np.testing.assert_allclose([moved.low, moved.high], expected, atol=1e-8)
