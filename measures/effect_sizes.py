"""How large a difference between two groups of episodes is, each with its confidence interval.

NaN values (measures undefined in an episode) are dropped first; n_x and n_y are what was left. Fewer than
3 in a group, or no variance within either group, gives NaN and a reason. METHODS 7.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from measures.arrays import Floats
from measures.samples import NO_VARIANCE, Values, constant, defined, too_few

LARGEST_T = 1e4
"""Beyond it the noncentral t distribution cannot be computed; such groups are all but constant."""

NO_INTERVAL = "the effect is too large for an interval: hardly any variance within the groups"


class EffectSize(NamedTuple):
    """value with the interval low..high at the stated confidence; NaN and a reason where either is
    missing.
    """

    value: float
    low: float
    high: float
    n_x: int
    n_y: int
    confidence: float = 0.95
    reason: str | None = None


def cohens_d(x: Values, y: Values, confidence: float = 0.95) -> EffectSize:
    """(mean x - mean y) / pooled sample standard deviation (ddof 1).

    The interval inverts the noncentral t distribution (Steiger & Fouladi 1997; Cumming & Finch 2001),
    which holds for normal groups of equal variance.
    """
    x, y = defined(x), defined(y)
    reason = _unusable(x, y)
    if reason:
        return _nothing(x, y, confidence, reason)
    root = math.sqrt(1 / len(x) + 1 / len(y))
    d = float((x.mean() - y.mean()) / _pooled_std(x, y))
    if abs(d / root) > LARGEST_T:
        return EffectSize(d, math.nan, math.nan, len(x), len(y), confidence, NO_INTERVAL)
    low, high = (root * ncp for ncp in _noncentrality(d / root, len(x) + len(y) - 2, confidence))
    return EffectSize(d, low, high, len(x), len(y), confidence)


def hedges_g(x: Values, y: Values, confidence: float = 0.95, d: EffectSize | None = None) -> EffectSize:
    """Cohen's d without its small-sample bias: times J = gamma(v/2) / (sqrt(v/2) gamma((v-1)/2)), v = n_x
    + n_y - 2.

    Hedges 1981, the exact factor. The interval of d is multiplied by J as well. d: Cohen's, where it is known already.
    """
    d = d or cohens_d(x, y, confidence)
    if math.isnan(d.value):
        return d
    half = (d.n_x + d.n_y - 2) / 2
    j = math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(half)
    return d._replace(value=j * d.value, low=j * d.low, high=j * d.high)


def cohens_d_seed(x: Values, y: Values, confidence: float = 0.95, d: EffectSize | None = None) -> EffectSize:
    """The seed's d: mean difference / sqrt((var x + var y) / 2) with population variances, unweighted.
    Seed 5.1.

    It differs from Cohen's d in the denominator alone, so its interval is that of d in units of the seed's
    denominator: exact for groups of one size, approximate otherwise. d: Cohen's, where it is known already.
    """
    x, y = defined(x), defined(y)
    d = d or cohens_d(x, y, confidence)
    if math.isnan(d.value):
        return d
    ratio = _pooled_std(x, y) / math.sqrt((x.var() + y.var()) / 2)
    return d._replace(value=ratio * d.value, low=ratio * d.low, high=ratio * d.high)


def cliffs_delta(x: Values, y: Values, confidence: float = 0.95) -> EffectSize:
    """P(x > y) - P(x < y) over all pairs, -1..1.

    Interval: the asymmetric one of Cliff 1993 with his unbiased variance (as in Feng & Cliff 2004);
    where the groups do not overlap at all, delta = +-1 and the inner bound is (n - z^2) / (n + z^2) of
    the smaller group.
    """
    x, y = defined(x), defined(y)
    reason = _unusable(x, y)
    if reason:
        return _nothing(x, y, confidence, reason)
    rows, cols = _dominance(x, y), -_dominance(y, x)
    delta = float(rows.mean())
    z = float(stats.norm.ppf((1 + confidence) / 2))
    low, high = _cliffs_interval(delta, _cliffs_variance(x, y, rows, cols), z, min(len(x), len(y)))
    return EffectSize(delta, low, high, len(x), len(y), confidence)


def _unusable(x: Floats, y: Floats) -> str | None:
    return too_few(len(x), len(y)) or (NO_VARIANCE if constant(x) and constant(y) else None)


def _nothing(x: Floats, y: Floats, confidence: float, reason: str) -> EffectSize:
    return EffectSize(math.nan, math.nan, math.nan, len(x), len(y), confidence, reason)


def _pooled_std(x: Floats, y: Floats) -> float:
    squares = x.var() * len(x) + y.var() * len(y)
    return math.sqrt(squares / (len(x) + len(y) - 2))


def _noncentrality(t: float, df: int, confidence: float) -> tuple[float, float]:
    """The noncentralities under which t lies at the upper and at the lower tail of the confidence level."""

    def bound(tail: float) -> float:
        def excess(ncp: float) -> float:
            return float(special.nctdtr(df, ncp, t)) - tail

        # The normal approximation of the noncentrality, widened until it holds the root.
        width = 2 * math.sqrt(1 + t * t / (2 * df))
        while excess(t - width) < 0 or excess(t + width) > 0:
            width *= 1.5
        return float(optimize.brentq(excess, t - width, t + width, xtol=1e-10))

    tail = (1 - confidence) / 2
    return bound(1 - tail), bound(tail)


def _dominance(x: Floats, y: Floats) -> Floats:
    """For each x the share of y below it minus the share above it."""
    ordered = np.sort(y)
    below = np.searchsorted(ordered, x, side="left")
    above = len(y) - np.searchsorted(ordered, x, side="right")
    return np.asarray((below - above) / len(y), dtype=np.float64)


def _cliffs_variance(x: Floats, y: Floats, rows: Floats, cols: Floats) -> float:
    n, m = len(x), len(y)
    delta = rows.mean()
    ordered = np.sort(y)
    ties = int((np.searchsorted(ordered, x, side="right") - np.searchsorted(ordered, x, side="left")).sum())
    between = m**2 * ((rows - delta) ** 2).sum() + n**2 * ((cols - delta) ** 2).sum()
    within = (n * m - ties) - n * m * delta**2
    unbiased = (between - within) / (n * m * (n - 1) * (m - 1))
    return float(max(unbiased, (1 - delta**2) / (n * m - 1)))


def _cliffs_interval(delta: float, variance: float, z: float, smaller: int) -> tuple[float, float]:
    if abs(delta) == 1:
        inner = (smaller - z**2) / (smaller + z**2)
        return (inner, 1.0) if delta > 0 else (-1.0, -inner)
    middle = delta - delta**3
    half = z * math.sqrt(variance * ((1 - delta**2) ** 2 + z**2 * variance))
    scale = 1 - delta**2 + z**2 * variance
    return max(-1.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
