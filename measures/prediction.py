"""Can features of an episode foretell how it ends? Cross-validated AUC with an interval and a permutation null.

METHODS 7: the episode is the unit, tasks are blocks. An episode is scored by a model that never saw it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from measures import ridge_logistic
from measures.arrays import AnyArray, Floats
from measures.auc import auc, drawn_auc
from measures.permutations import p_value
from measures.samples import MIN_EPISODES

N_FOLDS = 5
NO_FEATURE = "no feature is defined in an episode"


class Prediction(NamedTuple):
    """auc with low..high by bootstrap over episodes, and its p against exchanged labels.

    null_auc: mean area under the exchanges. What is left out of training tilts it the other way, so in few episodes a
    model that knows nothing lies below one half, and by how much is seen here.
    scores [n]: each episode's log odds by a model that did not see it; distribution: the bootstrap's areas.
    """

    auc: float
    low: float
    high: float
    p_value: float
    null_auc: float
    n_positive: int
    n_negative: int
    n_features: int
    scores: Floats
    distribution: Floats
    reason: str | None = None


def predict(
    features: AnyArray,
    labels: AnyArray,
    blocks: AnyArray,
    *,
    n_folds: int = N_FOLDS,
    n_permutations: int = 500,
    n_resamples: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Prediction:
    """features [n, d], NaN where undefined; labels [n] True for what is foretold; blocks [n] the episodes' tasks.

    Folds hold as many of either label and of each task as can be: were a fold short of failures, its training episodes
    would have too many, and a model that knows nothing would score below one half. In the null, label and fold are
    exchanged together among the episodes of a task, and every fold is fitted anew. The interval is the percentile one
    over episodes drawn within tasks with their scores; give one block for all where tasks have next to no episodes in
    common (see measures.blocks). Same seed, same draws whatever the features, so that two sets of features can be
    compared draw by draw. Fewer than 3 of either label, or no feature: NaN and a reason.
    """
    features = np.asarray(features, dtype=np.float64)
    labels = np.asarray(labels, dtype=bool)
    _, block = np.unique(np.asarray(blocks), return_inverse=True)
    features = features[:, np.isfinite(features).any(axis=0)]
    n_positive, n_negative = int(labels.sum()), int((~labels).sum())
    nothing = Prediction(
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        n_positive,
        n_negative,
        features.shape[1],
        np.full(len(labels), np.nan),
        np.full(n_resamples, np.nan),
    )
    if min(n_positive, n_negative) < MIN_EPISODES:
        reason = f"n = {n_positive} and {n_negative}: fewer than {MIN_EPISODES}"
        return nothing._replace(reason=reason)
    if not features.shape[1]:
        return nothing._replace(reason=NO_FEATURE)
    order = np.vstack([np.arange(len(labels)), exchanges(block, n_permutations, seed)])
    fold = folds(block, labels, n_folds, seed)
    found = out_of_fold_scores(features, labels[order], fold[order])
    areas = auc(found, labels[order])
    distribution = drawn_auc(found[0], labels, drawn_counts(block, n_resamples, seed))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.nanquantile(distribution, tails)
    # Areas of the same labels in another order differ by rounding.
    n_extreme = int(np.count_nonzero(areas[1:] >= areas[0] - 1e-10))
    return nothing._replace(
        auc=float(areas[0]),
        low=float(low),
        high=float(high),
        p_value=p_value(n_extreme, n_permutations, exact=False),
        null_auc=float(areas[1:].mean()),
        scores=found[0],
        distribution=distribution,
    )


def folds(block: AnyArray, labels: AnyArray, n_folds: int, seed: int) -> AnyArray:
    """[n]: the fold of each episode; those of a task and a label are shuffled and dealt out in turn."""
    rng = np.random.default_rng([seed, 0])
    order = np.lexsort((rng.random(len(labels)), block, labels))
    fold = np.empty(len(labels), dtype=np.intp)
    fold[order] = np.arange(len(labels)) % n_folds
    return fold


def exchanges(block: AnyArray, n_permutations: int, seed: int) -> AnyArray:
    """[n_permutations, n]: whose label and fold each episode gets; one of its own block's."""
    rng = np.random.default_rng([seed, 1])
    keys = rng.random((n_permutations, len(block)))
    found = np.empty((n_permutations, len(block)), dtype=np.intp)
    for one in np.unique(block):
        members = np.flatnonzero(block == one)
        found[:, members] = members[keys[:, members].argsort(axis=1)]
    return found


def drawn_counts(block: AnyArray, n_resamples: int, seed: int) -> Floats:
    """[n_resamples, n]: how often each episode was drawn, each block to its own size."""
    rng = np.random.default_rng([seed, 2])
    counts = np.zeros((n_resamples, len(block)))
    for one in np.unique(block):
        members = np.flatnonzero(block == one)
        drawn = rng.integers(0, len(members), (n_resamples, len(members)))
        flat = drawn + len(members) * np.arange(n_resamples)[:, None]
        counts[:, members] = np.bincount(flat.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return counts


def out_of_fold_scores(features: AnyArray, labels: AnyArray, fold: AnyArray) -> Floats:
    """[..., n]: log odds of each episode from the other folds. features [n, d], NaN undefined; labels, fold [..., n].

    Features are standardised over all episodes, which looks at no outcome; a gap counts as the mean, and a feature
    without spread as 0. The penalty is d: slopes of variance 1 / d, and so log odds of variance 1, whatever d is, are
    expected before any label is seen. Nothing is tuned, so nothing can leak.
    """
    x = standardised(np.asarray(features, dtype=np.float64))
    labels, fold = np.asarray(labels), np.asarray(fold)
    found = np.full(labels.shape, np.nan)
    for one in np.unique(fold):
        held_out = fold == one
        weights = ridge_logistic.fit(x, labels, penalty=float(x.shape[1]), included=~held_out)
        found = np.where(held_out, ridge_logistic.scores(weights, x), found)
    return found


def standardised(features: Floats) -> Floats:
    """[n, d] with mean 0 and standard deviation 1 (ddof 0) over what is known; gaps and constant features are 0."""
    known = np.isfinite(features)
    n_known = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, features, 0.0).sum(axis=0) / n_known
    centred = np.where(known, features - mean, 0.0)
    spread = np.sqrt(np.square(centred).sum(axis=0) / n_known)
    varies = spread > 1e-12 * np.maximum(np.abs(mean), 1.0)
    return np.asarray(centred * varies / np.where(varies, spread, 1.0), dtype=np.float64)
