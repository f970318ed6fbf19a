"""Foretelling an outcome: no episode scores itself, planted features are found, noise is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from measures.auc import auc
from measures.prediction import drawn_counts, exchanges, folds, out_of_fold_scores, predict, standardised
from tests.measures.test_ridge_logistic import loss

TASKS = np.repeat(np.arange(4), 10)


def planted(strength, seed=0, n=40, d=3):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2 == 0)
    features = rng.normal(size=(n, d))
    features[:, 0] += strength * labels
    return features, labels


def test_a_planted_feature_foretells_and_noise_does_not():
    features, labels = planted(3.0)
    found = predict(features, labels, TASKS, seed=3)
    assert found.auc > 0.9
    assert found.low < found.auc < found.high
    assert found.p_value == pytest.approx(1 / 501)
    assert found.null_auc == pytest.approx(0.5, abs=0.05)
    assert (found.n_positive, found.n_negative, found.n_features) == (20, 20, 3)
    assert found.auc == pytest.approx(float(auc(found.scores, labels)))
    noise = predict(*planted(0.0, seed=1), TASKS, seed=3)
    assert noise.p_value > 0.05
    assert noise.low < 0.5 < noise.high


def test_scores_are_those_of_models_fitted_by_hand_on_the_other_folds():
    features, labels = planted(1.0)
    fold = folds(TASKS, labels, 5, 7)
    found = out_of_fold_scores(features, labels, fold)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    for one in range(5):
        train, test, y = scaled[fold != one], scaled[fold == one], labels[fold != one].astype(float)
        expected = optimize.minimize(loss, np.zeros(4), (train, y, 3.0), options={"gtol": 1e-9})
        assert found[fold == one] == pytest.approx(test @ expected.x[:-1] + expected.x[-1], abs=1e-3)


def test_an_episode_does_not_score_itself():
    """The labels of a fold change nothing in the scores of its own episodes, and all others'."""
    features, labels = planted(1.0)
    fold = folds(TASKS, labels, 5, 0)
    here = fold == 2
    before = out_of_fold_scores(features, labels, fold)
    after = out_of_fold_scores(features, np.where(here, ~labels, labels), fold)
    assert after[here] == pytest.approx(before[here], abs=1e-9)
    assert (np.abs(after[~here] - before[~here]) > 1e-3).all()


def test_a_gap_is_the_mean_and_a_constant_feature_says_nothing():
    features, _ = planted(2.0)
    features[4, 0] = np.nan
    found = standardised(np.column_stack([features, np.full(40, 7.0)]))
    assert found[4, 0] == 0
    assert (found[:, 3] == 0).all()
    known = np.delete(features[:, 0], 4)
    assert np.delete(found[:, 0], 4) == pytest.approx(stats.zscore(known))


def test_folds_hold_both_labels_and_all_tasks_alike():
    tasks = np.repeat([0, 1, 2], [13, 7, 1])
    labels = np.random.default_rng(0).random(21) < 0.4
    fold = folds(tasks, labels, 5, 1)
    assert np.ptp(np.bincount(fold)) <= 1
    for label in (True, False):
        assert np.ptp(np.bincount(fold[labels == label], minlength=5)) <= 1
        assert np.ptp(np.bincount(fold[(labels == label) & (tasks == 0)], minlength=5)) <= 1


def test_exchanges_and_draws_keep_to_the_tasks():
    tasks = np.repeat([0, 1, 2], [13, 7, 1])
    orders = exchanges(tasks, 200, 1)
    assert (tasks[orders] == tasks).all()
    assert (np.sort(orders, axis=1) == np.arange(21)).all()
    assert len({row.tobytes() for row in orders}) == 200
    counts = drawn_counts(tasks, 300, 1)
    assert (counts[:, tasks == 1].sum(axis=1) == 7).all()
    assert counts[:, :13].mean() == pytest.approx(1, abs=0.05)


def test_knowing_nothing_is_one_half_on_average():
    """Folds that differ in their share of failures would push it below."""
    areas = [
        predict(*planted(0.0, seed), TASKS, n_permutations=1, n_resamples=10, seed=seed).auc
        for seed in range(60)
    ]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.05)
    rng = np.random.default_rng(0)
    one_hot = (TASKS[:, None] == np.arange(4)).astype(float)
    by_task = [
        predict(one_hot, rng.permutation(np.arange(40) % 2 == 0), TASKS, n_permutations=1, n_resamples=10).auc
        for _ in range(60)
    ]
    assert np.mean(by_task) > 0.42


def test_two_sets_of_features_are_drawn_alike():
    features, labels = planted(1.5)
    one = predict(features, labels, TASKS, seed=5, n_permutations=10)
    other = predict(features[:, 1:], labels, TASKS, seed=5, n_permutations=10)
    counts = drawn_counts(TASKS, 2000, 5)
    row = int(np.flatnonzero(counts.max(axis=1) > 3)[0])
    repeated = np.repeat(np.arange(40), counts[row].astype(int))
    for found in (one, other):
        assert found.distribution[row] == pytest.approx(float(auc(found.scores[repeated], labels[repeated])))


def test_too_little_to_say():
    features, labels = planted(1.0)
    few = predict(features[:5], np.array([True, True, False, False, False]), np.zeros(5))
    assert np.isnan(few.auc)
    assert few.reason == "n = 2 and 3: fewer than 3"
    none = predict(np.full((40, 2), np.nan), labels, TASKS)
    assert none.reason == "no feature is defined in an episode"


@pytest.mark.slow
def test_noise_is_called_a_feature_in_one_of_twenty():
    p = [
        predict(*planted(0.0, seed), TASKS, n_permutations=99, n_resamples=100, seed=seed).p_value
        for seed in range(200)
    ]
    n_false = int(np.count_nonzero(np.array(p) <= 0.05))
    assert stats.binomtest(n_false, 200, 0.05).pvalue > 0.01
