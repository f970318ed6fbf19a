"""Small null simulations; the benchmark runs thousands. Limits are binomial: 99.9 % of runs lie inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from measures.simulation import Design, correlated, frames, rejection_rates

SMALL = Design(n_metrics=6)


def limits(rate: float, n: int) -> tuple[float, float]:
    low, high = stats.binom.ppf([0.0005, 0.9995], n, rate) / n
    return float(low), float(high)


def test_without_an_effect_one_test_rejects_in_one_of_twenty() -> None:
    n = 400
    rates = rejection_rates(SMALL, n, seed=1)
    low, high = limits(0.05, n)
    assert low <= rates.single <= high
    assert low <= rates.permutation <= high
    assert rates.ruled_family <= rates.corrected_family <= limits(0.05, n)[1]
    assert rates.uncorrected_family > rates.corrected_family
    assert rates.pooled_frames > 0.3  # frames of an episode are no new evidence


def test_a_planted_effect_is_found() -> None:
    """Power of a two-sample t-test at d = 1 with 30 + 30 from the noncentral t distribution."""
    n = 200
    rates = rejection_rates(replace(SMALL, d=1.0, n_affected=6), n, seed=2)
    edge = stats.t.ppf(0.975, 58)
    power = stats.nct.sf(edge, 58, np.sqrt(15)) + stats.nct.cdf(-edge, 58, np.sqrt(15))
    assert power > 0.9
    low, high = limits(power, n)
    assert low <= rates.single <= high
    assert low <= rates.permutation <= high
    assert rates.ruled_family >= rates.single  # six metrics have the effect


@pytest.mark.parametrize("icc", [0.0, 0.5, 0.9])
def test_frames_have_the_variance_and_correlation_that_are_asked(icc: float) -> None:
    values = frames(Design(icc=icc, n_metrics=2, n_frames=4), 20_000, 0.0, np.random.default_rng(3))
    assert values.var() == pytest.approx(1, abs=0.03)
    pairs = np.corrcoef(values[:, 0, 0], values[:, 1, 0])[0, 1]
    assert pairs == pytest.approx(icc, abs=0.03)
    drawn = correlated(np.random.default_rng(4), (50_000, 1, 2), 0.5)
    assert np.corrcoef(drawn[:, 0, 0], drawn[:, 0, 1])[0, 1] == pytest.approx(0.5, abs=0.02)
