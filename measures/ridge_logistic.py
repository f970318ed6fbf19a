"""Ridge-penalised logistic regression, for many sets of labels over the same features at once."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from measures.arrays import AnyArray, Floats

TOLERANCE = 1e-6
MAX_STEPS = 2_000


def fit(
    features: AnyArray, labels: AnyArray, penalty: float = 1.0, included: AnyArray | None = None
) -> Floats:
    """Weights [..., d + 1], the intercept last, that minimise log loss + penalty / 2 * sum of squared slopes.

    features [n, d] (standardise them first: one penalty serves all); labels [..., n] of 0 and 1; included [..., n],
    True for the cases that a fit may see (default: all). The intercept is not penalised. Minorise-maximise with the
    fixed bound X'X / 4 on the Hessian (Bohning & Lindsay 1988), which holds for any part of the cases too: every step
    lowers the loss, and one inverse serves every step and every fit. Stops when no weight moves by 1e-6. With labels of
    one kind the intercept would grow without end; it stops after 2,000 steps. Raises ValueError for a penalty that is
    not above 0, shapes that do not fit, or a feature that is not finite.
    """
    x = np.asarray(features, dtype=np.float64)
    y = np.asarray(labels, dtype=np.float64)
    if not penalty > 0:
        raise ValueError(f"the penalty must be above 0, found {penalty}")
    if x.ndim != 2 or y.shape[-1:] != x.shape[:1]:
        raise ValueError(f"features {list(x.shape)} do not fit labels {list(y.shape)}")
    if not np.isfinite(x).all():
        raise ValueError("a feature is not finite: fill in missing values first")
    seen = np.ones_like(y) if included is None else np.asarray(included, dtype=np.float64)
    x = np.column_stack([x, np.ones(len(x))])
    ridge = np.full(x.shape[1], penalty)
    ridge[-1] = 0.0
    inverse = linalg.inv(x.T @ x / 4 + np.diag(ridge))
    weights = np.zeros((*np.broadcast_shapes(y.shape, seen.shape)[:-1], x.shape[1]))
    half_of_x, centred = x.T / 2, (y - 0.5) * seen
    half_seen = seen / 2
    for _ in range(MAX_STEPS):
        # What is left of y, (y - expit(z)) * seen, by expit(z) = (1 + tanh(z / 2)) / 2: numpy's tanh takes half the time.
        left = weights @ half_of_x
        np.tanh(left, out=left)
        left *= half_seen
        np.subtract(centred, left, out=left)
        step = (left @ x - ridge * weights) @ inverse
        weights += step
        if np.abs(step).max(initial=0.0) < TOLERANCE:
            break
    return weights


def scores(weights: AnyArray, features: AnyArray) -> Floats:
    """Log odds: weights [..., d + 1], features [n, d] -> [..., n]."""
    weights = np.asarray(weights, dtype=np.float64)
    return np.asarray(weights[..., :-1] @ np.asarray(features).T + weights[..., -1:], dtype=np.float64)
