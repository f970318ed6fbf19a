"""The fit against scipy's minimiser of the same loss, and against statsmodels where the penalty is next to nothing."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize

from measures.ridge_logistic import fit, scores


def data(n=40, d=3, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = (x @ np.arange(1, d + 1) + rng.logistic(size=n) > 0.5).astype(float)
    return x, y


def loss(weights, x, y, penalty):
    odds = x @ weights[:-1] + weights[-1]
    return np.logaddexp(0, odds).sum() - (y * odds).sum() + penalty / 2 * (weights[:-1] ** 2).sum()


@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0])
def test_the_weights_minimise_the_penalised_loss(penalty):
    x, y = data()
    expected = optimize.minimize(loss, np.zeros(4), (x, y, penalty), method="BFGS", options={"gtol": 1e-9})
    assert fit(x, y, penalty) == pytest.approx(expected.x, abs=1e-4)


def test_with_next_to_no_penalty_it_is_the_plain_logit():
    x, y = data(n=80)
    expected = sm.Logit(y, sm.add_constant(x, prepend=False)).fit(disp=False)
    assert fit(x, y, 1e-6) == pytest.approx(expected.params, abs=1e-3)


def test_many_sets_of_labels_are_fitted_as_one_at_a_time():
    x, _ = data()
    labels = np.random.default_rng(3).random((5, 40)) < 0.4
    together = fit(x, labels)
    for row, weights in zip(labels, together, strict=True):
        assert weights == pytest.approx(fit(x, row), abs=1e-5)
    assert scores(together, x)[2] == pytest.approx(x @ together[2, :-1] + together[2, -1])


def test_cases_that_are_left_out_do_not_count():
    x, y = data()
    included = np.random.default_rng(4).random((3, 40)) < 0.7
    found = fit(x, y, included=included)
    for row, weights in zip(included, found, strict=True):
        assert weights == pytest.approx(fit(x[row], y[row]), abs=1e-4)


def test_perfectly_separable_labels_stay_finite():
    x = np.array([[-2.0], [-1], [1], [2]])
    weights = fit(x, np.array([0, 0, 1, 1]))
    assert np.isfinite(weights).all()
    assert weights[0] > 0


@pytest.mark.parametrize(
    ("x", "y", "penalty", "message"),
    [
        (np.ones((3, 1)), np.ones(3), 0.0, "penalty"),
        (np.ones((3, 1)), np.ones(4), 1.0, "do not fit"),
        (np.array([[np.nan], [1.0]]), np.ones(2), 1.0, "not finite"),
    ],
)
def test_bad_input_is_named(x, y, penalty, message):
    with pytest.raises(ValueError, match=message):
        fit(x, y, penalty)
