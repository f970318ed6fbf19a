"""The rules for H1, H1k and H2.2 at their edges; the seed's p is scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measures.verdict import Outcome
from measures.verdicts_causal import answers, causal, fidelity_seed

NAMES = ["black, L0", "black, L1", "blur, L1"]


def h1(difference, p, n=30, floor=0.1, **more):
    return causal(np.array(difference), np.array(p), n, NAMES, floor, **more)


def test_a_difference_must_be_significant_and_above_the_noise_floor():
    found = h1([0.05, 0.4, 0.3], [0.001, 0.03, 0.04], low=[0.01, 0.1, 0.2], high=[0.1, 0.8, 0.5])
    # The smallest p belongs to a difference under the floor: of those above it the next decides.
    assert (found.verdict, found.estimate, found.low, found.high) == (Outcome.SUPPORTED, 0.4, 0.1, 0.8)
    assert (found.n, found.family_size, found.p) == (30, 3, 0.03)
    assert "2 of 3 tests" in found.because
    assert "3 the p alone" in found.because
    assert "black, L1" in found.because
    assert (
        h1([0.1, 0.05, 0.0], [0.001, 0.001, 0.9]).verdict is Outcome.NOT_SUPPORTED
    )  # the floor itself is not above
    assert h1([0.9, 0.9, 0.9], [0.05, 0.2, 1.0]).verdict is Outcome.NOT_SUPPORTED


@pytest.mark.parametrize("floor", [None, np.nan])
def test_without_repeats_nothing_is_said(floor):
    found = h1([0.9, 0.9, 0.9], [0.001] * 3, floor=floor)
    assert found.verdict is Outcome.INSUFFICIENT
    assert "conditions.repeats" in found.because


def test_too_few_episodes_and_undefined_tests():
    assert h1([0.9] * 3, [0.001] * 3, n=19).verdict is Outcome.INSUFFICIENT
    assert h1([np.nan] * 3, [np.nan] * 3).verdict is Outcome.INSUFFICIENT
    found = h1([0.9, np.nan, 0.9], [0.001, np.nan, 0.001], n=np.array([30, 0, 19]))
    assert (found.verdict, found.n) == (Outcome.SUPPORTED, 30)
    assert "1 of 1 tests" in found.because


def test_the_seeds_fidelity_is_the_one_sided_paired_t_test():
    rng = np.random.default_rng(0)
    high, low = rng.random((2, 2, 25))
    high[1] += 0.4
    found = fidelity_seed([1, 4], list(high - low))
    p = [stats.ttest_rel(high[layer], low[layer], alternative="greater").pvalue for layer in (0, 1)]
    assert p[1] < 0.05 < p[0]
    assert found.verdict is Outcome.SUPPORTED
    assert found.estimate == pytest.approx((high - low)[1].mean(), rel=1e-5)
    assert found.p == pytest.approx(p[1])
    assert f"L4, has {found.estimate:.3g}, p = {p[1]:.3g}, n = 25" in found.because
    assert "1 of 2 layers" in found.because
    assert "1 of them above 0.1 ('strong')" in found.because
    assert fidelity_seed([1], [(low - high)[1]]).verdict is Outcome.NOT_SUPPORTED


@pytest.mark.parametrize("values", [[], [0.3], [0.2] * 25, [np.nan] * 25, [0.1, 0.2] * 9])
def test_the_seeds_fidelity_of_too_little_or_no_variance(values):
    assert fidelity_seed([0], [np.array(values)]).verdict is Outcome.INSUFFICIENT


@pytest.mark.parametrize(
    ("low", "n", "verdict"),
    [
        (0.001, 20, Outcome.SUPPORTED),
        (0.0, 20, Outcome.NOT_SUPPORTED),
        (-0.1, 20, Outcome.NOT_SUPPORTED),
        (0.2, 19, Outcome.INSUFFICIENT),
        (np.nan, 30, Outcome.INSUFFICIENT),
    ],
)
def test_answers_must_beat_the_majority(low, n, verdict):
    found = answers(0.3, low, 0.5, 0.8, 0.5, n)
    assert found.verdict is verdict
    if verdict is not Outcome.INSUFFICIENT:
        assert "80.0% of the answers are right" in found.because
        assert "50.0%" in found.because
