"""The same hypotheses by the seed's own criteria, so that results stay comparable. Seed 5, METHODS 8.

Per-layer arrays run over all layers; they hold means over episodes, and the seed's p-values are not
corrected.
"""

from __future__ import annotations

import math

import numpy as np

from measures.corrections import family_size
from measures.layer_tests import LayerTests, count, floats, listed, span
from measures.modality import Band, band
from measures.samples import Values
from measures.verdict import (
    ALPHA,
    MIN_EPISODES,
    Outcome,
    Verdict,
    insufficient,
    middle_layers,
    outcome,
    too_few_episodes,
    too_few_outcomes,
)

LAYERS_NEEDED = 3
OVERLAP_NEEDED = 0.5
CONCENTRATION_NEEDED = 2.0
L2_NEEDED = 5.0
CORRELATION_BELOW = 0.8
CENTROID_PX_NEEDED = 50.0


def h1_1(
    overlap: Values,
    concentration: Values,
    p_student: Values,
    n_success: int,
    n_failure: int,
    low: Values | None = None,
    high: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H1.1 by the seed, all three criteria. Each [L]. Seed 5.1.

    Overlap > .5 in at least 3 layers; concentration > 2 in every middle layer; Student's p < alpha,
    success against failure, in some layer. Estimate: the third largest overlap, with its interval (``low``, ``high``);
    p: the smallest.
    """
    overlap, concentration, p = floats(overlap), floats(concentration), floats(p_student)
    n, family, middle = n_success + n_failure, family_size(p), middle_layers(len(overlap))
    missing = (
        count(np.isfinite(overlap)) < LAYERS_NEEDED or np.isnan(concentration[middle]).any() or not family
    )
    short = too_few_outcomes(n_success, n_failure, min_episodes)
    if short or missing:
        return insufficient(n, family, short or "too few layers were measured for the three criteria")
    over = overlap > OVERLAP_NEEDED
    lowest, smallest = float(concentration[middle].min()), float(np.nanmin(p))
    met = count(over) >= LAYERS_NEEDED and lowest > CONCENTRATION_NEEDED and smallest < alpha
    because = (
        f"overlap is over {OVERLAP_NEEDED:g} in {count(over)} layers{listed(over)} ({LAYERS_NEEDED} needed), "
        f"concentration in {span(middle)} at least {lowest:.3g} "
        f"(over {CONCENTRATION_NEEDED:g} needed), the smallest of {family} uncorrected p is "
        f"{smallest:.3g} (under {alpha:g} needed)"
    )
    third = int(np.argsort(np.where(np.isfinite(overlap), overlap, -np.inf))[-LAYERS_NEEDED])
    bottom, top = (math.nan if ends is None else float(floats(ends)[third]) for ends in (low, high))
    return Verdict(outcome(met), float(overlap[third]), bottom, top, n, family, because, smallest)


def h1_1b(
    d: Values,
    p_student: Values,
    n_success: int,
    n_failure: int,
    low: Values | None = None,
    high: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H1.1b by the seed: Student's p < alpha, uncorrected, in some layer. Each [L]. Seed 5.1, third
    criterion.
    """
    tests = LayerTests(d, p_student, n_success + n_failure, low, high)
    usable = tests.usable(0)
    short = too_few_outcomes(n_success, n_failure, min_episodes)
    if short or not usable.any():
        return insufficient(n_success + n_failure, tests.family, short or "no layer has a test result")
    significant = usable & (tests.p < alpha)
    clearest = tests.clearest(usable)
    because = (
        f"{count(significant)} of {tests.family} uncorrected tests have p < {alpha:g}{listed(significant)}; "
        f"the clearest, {tests.words(clearest, 'd')}"
    )
    return tests.verdict(bool(significant.any()), clearest, because)


def h2_1(
    l2_distance: Values,
    correlation: Values,
    centroid_shift_px: Values,
    n: int,
    n_rows: int,
    min_episodes: int = MIN_EPISODES,
) -> Verdict:
    """H2.1 by the seed in every middle layer: L2 > 5, r < .8, centroid > 50 px. Each [L]. Seed 5.2.

    The seed's map is the maximum over n_rows softmax rows, so its square sums to n_rows at most and the
    L2 distance of two is at most sqrt(2 n_rows): under 13 rows the criterion is unreachable. Estimate:
    the smallest L2.
    """
    most = math.sqrt(2 * n_rows)
    if most <= L2_NEEDED:
        because = f"L2 over {L2_NEEDED:g} cannot be met: over {n_rows} text rows it is at most {most:.3g}"
        return Verdict(Outcome.UNREACHABLE, math.nan, math.nan, math.nan, n, None, because)
    middle = middle_layers(len(floats(l2_distance)))
    l2, r, px = (floats(values)[middle] for values in (l2_distance, correlation, centroid_shift_px))
    short = too_few_episodes(n, min_episodes)
    if short or not middle or np.isnan([l2, r, px]).any():
        return insufficient(n, None, short or "a middle layer has no number")
    met = l2.min() > L2_NEEDED and r.max() < CORRELATION_BELOW and px.min() > CENTROID_PX_NEEDED
    because = (
        f"in {span(middle)} L2 is at least {l2.min():.3g} (over {L2_NEEDED:g} needed, "
        f"{most:.3g} possible), r at most {r.max():.3g} (under {CORRELATION_BELOW:g} needed), "
        f"the centroid moves at least {px.min():.3g} px (over {CENTROID_PX_NEEDED:g} needed)"
    )
    return Verdict(outcome(bool(met)), float(l2.min()), math.nan, math.nan, n, None, because)


def modality(mean_ratio: float, n: int, min_episodes: int = MIN_EPISODES) -> Verdict:
    """M by the seed: the mean of the ratios is > 1.5 visual, < .67 linguistic, else balanced; no interval.

    Supported: visual or linguistic. Ratio suite, interpretation guide.
    """
    short = too_few_episodes(n, min_episodes)
    if short or not math.isfinite(mean_ratio):
        return insufficient(n, None, short or "the ratio is undefined: the linguistic mass is about 0")
    claimed = band(mean_ratio, mean_ratio)
    because = f"the mean visual/linguistic ratio is {mean_ratio:.3g} over {n} episodes: {claimed} band"
    met = claimed in (Band.VISUAL, Band.LINGUISTIC)
    return Verdict(outcome(met), mean_ratio, math.nan, math.nan, n, None, because)
