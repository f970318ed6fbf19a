"""Vision or language: fractions conserve mass, undefined ratios stay undefined, bands need the whole
interval.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from measures.modality import Band, band, density_lift, log_ratio, modality_balance, ratio, summarise_ratios


def test_the_seeds_example():
    """Ratio suite, Results JSON: 0.234 / 0.100 = 2.34."""
    found = modality_balance(0.234, 0.100, 0.026)
    assert found.ratio == pytest.approx(2.34)
    assert found.log_ratio == pytest.approx(math.log(2.34))
    assert found.visual_fraction == pytest.approx(0.65)
    assert found.linguistic_fraction == pytest.approx(0.1 / 0.36)
    assert found.total_mass == pytest.approx(0.36)


masses = arrays(np.float64, (5, 4), elements=st.floats(0, 1, width=32))


@settings(max_examples=80, deadline=None)
@given(masses)
def test_fractions_sum_to_one_and_ratios_are_never_infinite(parts):
    found = modality_balance(*parts)
    sums = np.sum(found[:5], axis=0)
    np.testing.assert_allclose(sums[found.total_mass > 0], 1)
    assert np.isnan(sums[found.total_mass == 0]).all()
    assert not np.isinf(found.ratio).any()
    assert not np.isinf(found.log_ratio).any()
    assert (np.isnan(found.ratio) == (parts[1] < 1e-8)).all()


def test_about_zero_is_1e_8():
    assert np.isnan(ratio(1.0, 0.99e-8))
    assert ratio(1.0, 1e-8) == pytest.approx(1e8)
    assert ratio(0.0, 0.5) == 0
    assert np.isnan(log_ratio(0.0, 0.5))
    assert np.isnan(log_ratio(0.5, 0.0))
    assert np.isnan(ratio(np.nan, 1.0))


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_the_log_ratio_is_symmetric(visual, linguistic):
    assert log_ratio(visual, linguistic) == pytest.approx(-log_ratio(linguistic, visual), abs=1e-12)


def test_three_averages_of_a_ratio():
    # Ratios 4, 1 and an undefined one.
    found = summarise_ratios([0.8, 0.5, 0.9], [0.2, 0.5, 0.0])
    assert found.mean_of_ratios == pytest.approx(2.5)
    assert found.ratio_of_means == pytest.approx(2.2 / 0.7)
    assert found.geometric_mean == pytest.approx(2)
    assert (found.n, found.n_undefined) == (2, 1)


def test_averages_along_an_axis_with_nothing_left():
    visual, linguistic = np.ones((2, 3)), np.array([[0.0, 0, 0], [0.5, 1, 2]])
    found = summarise_ratios(visual, linguistic, axis=1)
    assert found.n.tolist() == [0, 3]
    assert found.n_undefined.tolist() == [3, 0]
    assert np.isnan([found.mean_of_ratios[0], found.ratio_of_means[0], found.geometric_mean[0]]).all()
    assert found.mean_of_ratios[1] == pytest.approx((2 + 1 + 0.5) / 3)
    assert found.geometric_mean[1] == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (2, 8), elements=st.floats(1e-3, 1)))
def test_the_geometric_mean_lies_under_the_arithmetic_one(parts):
    found = summarise_ratios(*parts)
    assert found.geometric_mean <= found.mean_of_ratios * (1 + 1e-9)
    assert parts.min() / parts.max() - 1e-9 <= found.ratio_of_means <= parts.max() / parts.min() + 1e-9


def test_density_lift_of_an_even_gaze_is_one():
    """Mass in proportion to tokens: 512 image tokens of 768."""
    assert density_lift(512 / 768, 1.0, 512, 768) == pytest.approx(1)
    assert density_lift(0.5, 1.0, 20, 1000) == pytest.approx(25)
    assert np.isnan(density_lift(0.5, 1.0, 0, 100))
    assert np.isnan(density_lift(0.0, 0.0, 5, 100))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.6, 9.0, Band.VISUAL),
        (1.51, 1.52, Band.VISUAL),
        (1.5, 2.0, None),  # 1.5 itself is balanced
        (1.4, 1.6, None),
        (0.67, 1.5, Band.BALANCED),
        (1.0, 1.0, Band.BALANCED),
        (0.5, 0.67, None),
        (0.1, 0.66, Band.LINGUISTIC),
        (0.1, 9.0, None),
        (float("nan"), 2.0, None),
        (2.0, float("nan"), None),
    ],
)
def test_a_band_is_claimed_only_by_an_interval_inside_it(low, high, expected):
    assert band(low, high) is expected


def test_an_interval_runs_upward():
    with pytest.raises(ValueError, match="from low to high"):
        band(2, 1)
