"""Area under the ROC curve: how often a case that came true was scored above one that did not."""

from __future__ import annotations

import numpy as np
from scipy import stats

from measures.arrays import AnyArray, Floats, quotient


def auc(scores: AnyArray, labels: AnyArray) -> Floats:
    """P(score of a positive > score of a negative), ties half: [..., n] x [..., n] -> [...].

    labels: True for positives. It is Mann-Whitney's U of the positives over n_pos * n_neg (Hanley & McNeil 1982).
    NaN where either kind is missing. Raises ValueError when a score is NaN.
    """
    scores, positive = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
    scores, positive = np.broadcast_arrays(scores, positive)
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: the area under the curve is defined for numbers alone")
    ranks = stats.rankdata(scores, axis=-1)
    n_positive = positive.sum(axis=-1).astype(np.float64)
    n_negative = positive.shape[-1] - n_positive
    u = (ranks * positive).sum(axis=-1) - n_positive * (n_positive + 1) / 2
    return quotient(u, n_positive * n_negative)


def drawn_auc(scores: AnyArray, labels: AnyArray, counts: AnyArray) -> Floats:
    """The area for samples in which case i was drawn counts[..., i] times: [n], [n], [..., n] -> [...].

    The same as `auc` of the repeated scores; NaN for a sample without positives or without negatives.
    """
    scores, positive = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
    counts = np.asarray(counts, dtype=np.float64)
    above = scores[positive][:, None] - scores[~positive]
    wins = np.heaviside(above, 0.5)
    of_positive, of_negative = counts[..., positive], counts[..., ~positive]
    won = ((of_positive @ wins) * of_negative).sum(axis=-1)
    return quotient(won, of_positive.sum(axis=-1) * of_negative.sum(axis=-1))
