"""Confidence intervals by resampling episodes: percentile (the seed's, seeded) and BCa.

The episode is the unit (METHODS 7). Give one value an episode, or frame values with the episode each
belongs to: whole episodes are then drawn with all their frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from scipy import stats

from measures.arrays import AnyArray, Floats
from measures.samples import MIN_EPISODES, NO_VARIANCE, Values, constant

VALUES_AT_A_TIME = 1_000_000

Statistic = Callable[[Floats], float]


class Method(StrEnum):
    BCA = "bca"
    PERCENTILE = "percentile"


class Interval(NamedTuple):
    """estimate with low..high. n: finite values; n_clusters: the episodes that were drawn."""

    estimate: float
    low: float
    high: float
    n: int
    n_clusters: int
    method: str
    confidence: float
    n_resamples: int
    seed: int
    reason: str | None = None


class Resampled(NamedTuple):
    """What an interval is made from: estimate, the resamples' statistics [n_resamples], and the statistic
    with one episode left out [n_clusters] with the stratum of each."""

    estimate: float
    distribution: Floats
    jackknife: Floats
    stratum: AnyArray


def bootstrap_interval(
    values: Values,
    statistic: Statistic | None = None,
    *,
    clusters: Values | None = None,
    blocks: Values | None = None,
    method: str = Method.BCA,
    confidence: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """The interval of a statistic (default: the mean, fast) over episodes. Seed 9.3 (percentile), METHODS 7.

    values [n]; NaN are dropped. clusters [n]: the episode of each value; without it each value is an episode.
    blocks [n]: a stratum (task) that holds whole episodes; each is resampled to its own number of episodes.
    With clusters the statistic sees all frames of the drawn episodes, so long episodes weigh more; to weigh
    episodes alike, pass their means. statistic takes a 1-d array and returns a float.

    BCa (Efron 1987) corrects for bias and skewness, ties with the estimate count half. Fewer than 3
    episodes, no variance, or a BCa that is undefined gives NaN and a reason. Raises ValueError when the
    labels do not fit.
    """
    method = Method(method)
    flat, cluster, stratum = _grouped(values, clusters, blocks)
    n_clusters = len(stratum)
    nothing = Interval(
        math.nan, math.nan, math.nan, len(flat), n_clusters, method, confidence, n_resamples, seed
    )
    if n_clusters < MIN_EPISODES:
        return nothing._replace(reason=f"n = {n_clusters}: fewer than {MIN_EPISODES}")
    if constant(flat):
        return nothing._replace(reason=NO_VARIANCE)
    found = resample(
        flat, statistic, clusters=cluster, blocks=stratum[cluster], n_resamples=n_resamples, seed=seed
    )
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method is Method.BCA:
        tails = _bca_tails(found, tails)
        if np.isnan(tails).any():
            reason = (
                "BCa is undefined: no resample lies on one side of the estimate, or the jackknife is flat"
            )
            return nothing._replace(estimate=found.estimate, reason=reason)
    low, high = np.quantile(found.distribution, tails)
    return nothing._replace(estimate=found.estimate, low=float(low), high=float(high))


def resample(
    values: Values,
    statistic: Statistic | None = None,
    *,
    clusters: Values | None = None,
    blocks: Values | None = None,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> Resampled:
    """The bootstrap distribution and the jackknife behind `bootstrap_interval`, for plots and for other
    intervals.
    """
    flat, cluster, stratum = _grouped(values, clusters, blocks)
    rng = np.random.default_rng(seed)
    draws = _draws(stratum, n_resamples, rng)
    if statistic is None:
        return _resample_mean(flat, cluster, stratum, draws)
    members = [np.flatnonzero(cluster == index) for index in range(len(stratum))]
    distribution = [
        statistic(flat[np.concatenate([members[index] for index in drawn])])
        for some in draws
        for drawn in some
    ]
    jackknife = [statistic(flat[cluster != index]) for index in range(len(stratum))]
    return Resampled(float(statistic(flat)), np.array(distribution), np.array(jackknife), stratum)


def _resample_mean(
    flat: Floats, cluster: AnyArray, stratum: AnyArray, draws: Iterator[AnyArray]
) -> Resampled:
    sums = np.bincount(cluster, weights=flat)
    sizes = np.bincount(cluster).astype(np.float64)
    distribution = np.concatenate([sums[some].sum(axis=1) / sizes[some].sum(axis=1) for some in draws])
    jackknife = (sums.sum() - sums) / (sizes.sum() - sizes)
    return Resampled(float(flat.mean()), distribution, jackknife, stratum)


def _grouped(
    values: Values, clusters: Values | None, blocks: Values | None
) -> tuple[Floats, AnyArray, AnyArray]:
    """The finite values [n], the cluster index of each [n], the stratum index of each cluster
    [n_clusters].
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    finite = np.isfinite(flat)
    labels = []
    for name, given in (("cluster", clusters), ("block", blocks)):
        label = np.arange(len(flat)) if name == "cluster" else np.zeros(len(flat), dtype=int)
        if given is not None:
            label = np.asarray(given).ravel()
        if len(label) != len(flat):
            raise ValueError(f"{len(label)} {name} labels for {len(flat)} values: each value needs one")
        labels.append(np.unique(label[finite], return_inverse=True)[1])
    cluster, block = labels
    n_clusters = int(cluster.max()) + 1 if len(cluster) else 0
    stratum = np.zeros(n_clusters, dtype=int)
    stratum[cluster] = block
    if (stratum[cluster] != block).any():
        raise ValueError("an episode lies in two blocks: a block must hold whole episodes")
    return flat[finite], cluster, stratum


def _draws(stratum: AnyArray, n_resamples: int, rng: np.random.Generator) -> Iterator[AnyArray]:
    """Index arrays [some, n_clusters], n_resamples rows in all; each stratum is drawn from itself."""
    strata = [np.flatnonzero(stratum == label) for label in np.unique(stratum)]
    rows = max(1, VALUES_AT_A_TIME // max(1, len(stratum)))
    for start in range(0, n_resamples, rows):
        n_rows = min(rows, n_resamples - start)
        yield np.concatenate(
            [members[rng.integers(0, len(members), (n_rows, len(members)))] for members in strata], axis=1
        )


def _bca_tails(found: Resampled, tails: Floats) -> Floats:
    """The quantiles of the distribution that BCa reads instead of the tails; NaN where it is undefined."""
    distribution, estimate = found.distribution, found.estimate
    below = np.count_nonzero(distribution < estimate) + np.count_nonzero(distribution <= estimate)
    share = below / (2 * len(distribution))
    if not 0 < share < 1:
        return np.full(2, np.nan)
    bias = stats.norm.ppf(share)
    cubes = squares = 0.0
    for label in np.unique(found.stratum):
        left_out = found.jackknife[found.stratum == label]
        influence = (len(left_out) - 1) * (left_out.mean() - left_out)
        cubes += float((influence**3).sum()) / len(left_out) ** 3
        squares += float((influence**2).sum()) / len(left_out) ** 2
    if not squares > 0:
        return np.full(2, np.nan)
    acceleration = cubes / (6 * squares**1.5)
    z = bias + stats.norm.ppf(tails)
    return np.asarray(stats.norm.cdf(bias + z / (1 - acceleration * z)), dtype=np.float64)
