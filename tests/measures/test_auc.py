"""The area under the curve is Mann-Whitney's U, and in a bootstrap sample that of the repeated cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from measures.auc import auc, drawn_auc


@settings(deadline=None)  # a busy machine is not a slow function
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_it_is_mann_whitneys_u(cases):
    scores = np.array([score for score, _ in cases], dtype=float)
    labels = np.array([label for _, label in cases])
    found = float(auc(scores, labels))
    if labels.all() or not labels.any():
        assert np.isnan(found)
        return
    u = stats.mannwhitneyu(scores[labels], scores[~labels]).statistic
    assert found == pytest.approx(u / (labels.sum() * (~labels).sum()))
    assert float(auc(-scores, labels)) == pytest.approx(1 - found)
    assert float(auc(scores, ~labels)) == pytest.approx(1 - found)
    assert float(auc(np.exp(scores), labels)) == pytest.approx(found)


def test_by_hand():
    labels = np.array([True, True, False, False])
    assert float(auc(np.array([4, 3, 2, 1.0]), labels)) == 1
    assert float(auc(np.array([3, 1, 2, 1.0]), labels)) == pytest.approx(2.5 / 4)
    assert float(auc(np.ones(4), labels)) == 0.5
    many = auc(np.array([[4, 3, 2, 1.0], [1, 2, 3, 4.0]]), labels)
    assert many.tolist() == [1, 0]
    with pytest.raises(ValueError, match="NaN"):
        auc(np.array([np.nan, 1.0]), labels[1:3])


def test_a_bootstrap_sample_is_the_repeated_cases():
    rng = np.random.default_rng(2)
    scores, labels = rng.integers(0, 6, 15).astype(float), rng.random(15) < 0.4
    drawn = rng.integers(0, 15, (40, 15))
    counts = np.stack([np.bincount(row, minlength=15) for row in drawn])
    found = drawn_auc(scores, labels, counts)
    for row, value in zip(drawn, found, strict=True):
        assert value == pytest.approx(float(auc(scores[row], labels[row])), nan_ok=True)
