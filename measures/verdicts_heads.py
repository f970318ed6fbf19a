"""Do heads specialise: our rule of METHODS 8 for H4. Pure rules, as in measures.verdicts."""

from __future__ import annotations

import math

from measures.verdict import (
    ALPHA,
    MIN_EPISODES,
    Verdict,
    insufficient,
    outcome,
    too_few_episodes,
)

CORRELATION_NEEDED = 0.7


def h4(
    share: float,
    p: float,
    correlation: float,
    n: int,
    low: float = math.nan,
    high: float = math.nan,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H4, heads specialise. share: of the variance of the target's lift within layers, what lies between heads, with
    its interval and the p of exchanging heads within episodes; correlation: Spearman's rho of the heads between halves
    of the episodes.

    Supported: p < alpha and a correlation of at least .7: heads differ, and they are the same ones in other episodes.
    """
    short = too_few_episodes(n, min_episodes)
    if short or math.isnan(share) or math.isnan(p) or math.isnan(correlation):
        return insufficient(
            n, None, short or "the share between heads or the correlation of halves is undefined"
        )
    because = (
        f"{share:.3g} [{low:.3g}, {high:.3g}] of the variance of the target's lift within layers lies between heads "
        f"(p = {p:.3g}, under {alpha:g} needed), and their order in one half of the episodes correlates with that in "
        f"the other at {correlation:.2f} ({CORRELATION_NEEDED:g} needed); {n} episodes"
    )
    met = p < alpha and correlation >= CORRELATION_NEEDED
    return Verdict(outcome(met), share, low, high, n, 1, because, p)
