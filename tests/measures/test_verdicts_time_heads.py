"""The rules for H3 and H4 at their edges."""

from __future__ import annotations

import numpy as np
import pytest

from measures.verdict import Outcome
from measures.verdicts_heads import h4
from measures.verdicts_time import h3

CHANGE = np.array([[0.01, 0.0], [0.2, 0.001], [-0.3, 0.0]])


def test_h3_corrects_over_layers_and_estimands_together():
    p = np.array([[0.5, 0.6], [0.008, 0.9], [0.2, 0.7]])
    supported = h3(CHANGE, p, 30)
    assert supported.verdict is Outcome.SUPPORTED
    # Holm over six tests: 6 x .008 = .048.
    assert "p = 0.048" in supported.because
    assert "L1 from the first third to the last" in supported.because
    assert (supported.estimate, supported.n, supported.family_size) == (0.2, 30, 6)
    assert h3(CHANGE, p + 0.001, 30).verdict is Outcome.NOT_SUPPORTED


def test_h3_either_direction_and_either_estimand_count():
    p = np.array([[0.5, 0.5], [0.5, 0.5], [0.001, 0.5]])
    fallen = h3(CHANGE, p, 30)
    assert (fallen.verdict, fallen.estimate) == (Outcome.SUPPORTED, -0.3)
    p = np.array([[0.5, 0.5], [0.5, 0.001], [0.5, 0.5]])
    slope = h3(CHANGE, p, 30)
    assert slope.estimate == 0.001
    assert "L1 from one action token to the next" in slope.because


def test_h3_tells_what_is_left_when_area_is_allowed_for():
    p = np.array([[0.5, 0.5], [0.001, 0.5], [0.5, 0.5]])
    told = h3(CHANGE, p, 30, log_lift_change=[0.0, -0.05, 0.0], log_lift_p=[0.9, 0.2, 0.9])
    assert "the log lift changes by -0.05 (p = 0.6)" in told.because
    assert told.verdict is Outcome.SUPPORTED
    assert "log lift" not in h3(CHANGE, p, 30, log_lift_change=[np.nan] * 3, log_lift_p=[np.nan] * 3).because


def test_h3_needs_episodes_and_a_layer_without_a_test_is_not_counted():
    p = np.array([[0.001, np.nan], [0.001, np.nan], [np.nan, np.nan]])
    assert h3(CHANGE, p, 19).verdict is Outcome.INSUFFICIENT
    found = h3(CHANGE, p, np.array([[25, 0], [19, 0], [0, 0]]))
    assert (found.verdict, found.family_size, found.n) == (Outcome.SUPPORTED, 2, 25)


@pytest.mark.parametrize(
    ("p", "correlation", "verdict"),
    [
        (0.049, 0.7, Outcome.SUPPORTED),
        (0.05, 0.9, Outcome.NOT_SUPPORTED),
        (0.001, 0.69, Outcome.NOT_SUPPORTED),
    ],
)
def test_h4_needs_both(p, correlation, verdict):
    found = h4(0.4, p, correlation, 20, 0.3, 0.5)
    assert found.verdict is verdict
    assert (found.estimate, found.low, found.high, found.n) == (0.4, 0.3, 0.5, 20)
    assert (found.p, found.family_size) == (p, 1)


def test_h4_too_little_to_say():
    assert h4(0.4, 0.01, 0.9, 19).verdict is Outcome.INSUFFICIENT
    assert "19 episodes, 20 are needed" in h4(0.4, 0.01, 0.9, 19).because
    assert h4(np.nan, np.nan, np.nan, 30).verdict is Outcome.INSUFFICIENT
    assert h4(0.4, 0.01, np.nan, 30).verdict is Outcome.INSUFFICIENT
