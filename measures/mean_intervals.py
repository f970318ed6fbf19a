"""Bootstrap intervals of the means of many groups of n episodes at once, from one set of draws.

The draws are kept as how often each episode was drawn, so that all resampled means are one matrix product.
`measures.bootstrap.bootstrap_interval(values, seed=seed, n_resamples=n_resamples)` gives the same interval for one group.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from measures.arrays import Floats
from measures.samples import MIN_EPISODES, NO_VARIANCE

TAILS = np.array([0.025, 0.975])
DRAWS_AT_A_TIME = 1_000_000
INTERVAL_COLUMNS = ["estimate", "percentile_low", "percentile_high", "bca_low", "bca_high"]
UNDEFINED = "BCa is undefined: no resample lies on one side of the estimate"


def draw_counts(n: int, n_resamples: int, seed: int) -> Floats:
    """[n_resamples, n]: how often each episode was drawn; the draws of measures.bootstrap.resample."""
    rng = np.random.default_rng(seed)
    rows = max(1, DRAWS_AT_A_TIME // n)
    counts = []
    for start in range(0, n_resamples, rows):
        drawn = rng.integers(0, n, (min(rows, n_resamples - start), n))
        flat = drawn + n * np.arange(len(drawn))[:, None]
        counts.append(np.bincount(flat.ravel(), minlength=drawn.size).reshape(drawn.shape))
    return np.concatenate(counts).astype(np.float64)


def both_intervals(values: Floats, drawn: Floats) -> Floats:
    """[4, groups]: percentile low and high, BCa low and high (Efron 1987), of the means of values [n, groups]."""
    means = np.sort(values.T @ drawn.T / len(values), axis=1)
    estimate = values.mean(axis=0)[:, None]
    # Sums in another order differ by rounding: a mean within this of the estimate ties with it, and counts half.
    slack = 1e-12 * np.abs(values).max(axis=0)[:, None]
    below = (means < estimate - slack).sum(axis=1) + (means <= estimate + slack).sum(axis=1)
    share = below / (2 * means.shape[1])
    bias = stats.norm.ppf(np.where((share > 0) & (share < 1), share, np.nan))[:, None]
    centred = values - estimate.T
    acceleration = ((centred**3).sum(axis=0) / (6 * (centred**2).sum(axis=0) ** 1.5))[:, None]
    z = bias + stats.norm.ppf(TAILS)
    bca_tails = stats.norm.cdf(bias + z / (1 - acceleration * z))
    return np.vstack([quantiles(means, np.broadcast_to(TAILS, z.shape)).T, quantiles(means, bca_tails).T])


def quantiles(ordered: Floats, shares: Floats) -> Floats:
    """Linear quantiles of each row of ordered [groups, values] at its own shares [groups, k]; NaN at a NaN."""
    position = np.nan_to_num(shares) * (ordered.shape[1] - 1)
    left = np.floor(position).astype(int)
    right = np.minimum(left + 1, ordered.shape[1] - 1)
    rows = np.arange(len(ordered))[:, None]
    found = ordered[rows, left] + (position - left) * (ordered[rows, right] - ordered[rows, left])
    return np.where(np.isnan(shares), np.nan, found)


def interval_columns(values: Floats, drawn: Floats) -> dict[str, Any]:
    """values [n, groups], drawn [n_resamples, n] -> INTERVAL_COLUMNS and a reason, each [groups]; NaN where undefined."""
    n, n_groups = values.shape
    bounds = np.full((4, n_groups), np.nan)
    reasons = np.full(n_groups, None, dtype=object)
    if n < MIN_EPISODES:
        reasons[:] = f"n = {n}: fewer than {MIN_EPISODES}"
    else:
        varies = np.ptp(values, axis=0) > 0
        bounds[:, varies] = both_intervals(values[:, varies], drawn)
        reasons[np.isnan(bounds[2])] = UNDEFINED
        reasons[~varies] = NO_VARIANCE
    return dict(
        zip([*INTERVAL_COLUMNS, "reason"], [values.mean(axis=0), *bounds, reasons.tolist()], strict=True)
    )
