"""Is a ranking the same in both halves of the episodes? METHODS 5 and 8 (H4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from measures.arrays import AnyArray, Floats, quotient
from measures.samples import NO_VARIANCE
from measures.shift import correlation

N_SPLITS = 200
MIN_EPISODES_A_HALF = 2
MIN_RANKED = 3


class SplitHalf(NamedTuple):
    """correlation: mean over the splits of Spearman's rho between the two halves; NaN and a reason where undefined."""

    correlation: float
    n_episodes: int
    n_ranked: int
    n_splits: int
    seed: int
    reason: str | None = None


def split_half(values: AnyArray, n_splits: int = N_SPLITS, seed: int = 0) -> SplitHalf:
    """values [episodes, ranked things], NaN where undefined, such as the lift of each head in each episode.

    The episodes are split at random into halves (an odd one is left out in turn), each half is averaged, and the
    averages are compared by rank. The mean over n_splits seeded splits holds for half the episodes, so it is on the
    low side; it is not stepped up. Fewer than 4 episodes or 3 things: NaN and a reason.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[:, np.isfinite(values).any(axis=0)]
    values = values[np.isfinite(values).any(axis=1)]
    n_episodes, n_ranked = values.shape
    nothing = SplitHalf(np.nan, n_episodes, n_ranked, n_splits, seed)
    if n_episodes < 2 * MIN_EPISODES_A_HALF:
        return nothing._replace(reason=f"n = {n_episodes}: fewer than {2 * MIN_EPISODES_A_HALF} episodes")
    if n_ranked < MIN_RANKED:
        return nothing._replace(reason=f"{n_ranked} to rank: fewer than {MIN_RANKED}")
    first, second = _half_means(values, n_splits, seed)
    if np.isfinite(values).all():
        found = correlation(stats.rankdata(first, axis=1), stats.rankdata(second, axis=1))
    else:
        found = np.array([_rho(*halves) for halves in zip(first, second, strict=True)])
    defined = np.isfinite(found)
    if not defined.any():
        return nothing._replace(reason=NO_VARIANCE)
    return nothing._replace(correlation=float(found[defined].mean()))


def _half_means(values: Floats, n_splits: int, seed: int) -> tuple[Floats, Floats]:
    """The means of both halves, each [n_splits, things], NaN where a half knows none."""
    rng = np.random.default_rng(seed)
    size = len(values) // 2
    order = np.stack([rng.permutation(len(values)) for _ in range(n_splits)])
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    first, second = (
        quotient(chosen @ filled, chosen @ known)
        for chosen in (
            _indicators(order[:, :size], len(values)),
            _indicators(order[:, size : 2 * size], len(values)),
        )
    )
    return first, second


def _indicators(chosen: AnyArray, n_episodes: int) -> Floats:
    """[n_splits, size] episodes -> [n_splits, n_episodes] of 0 and 1."""
    found = np.zeros((len(chosen), n_episodes))
    np.put_along_axis(found, chosen, 1.0, axis=1)
    return found


def _rho(first: Floats, second: Floats) -> float:
    both = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(both) < MIN_RANKED:
        return float("nan")
    return float(correlation(stats.rankdata(first[both]), stats.rankdata(second[both])))
