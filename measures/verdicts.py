"""From per-layer numbers to a verdict: our rules of METHODS 8 for H1.1, H1.1b, H2.1 and M.

Pure rules. Estimates, p-values (already corrected within their family) and intervals come in as arrays
over all layers, NaN where a layer has none or must not count. Episodes are the unit, so n counts
episodes.
"""

from __future__ import annotations

import math

import numpy as np

from measures.arrays import AnyArray
from measures.layer_tests import LayerTests, count, floats, listed, span
from measures.modality import LINGUISTIC_BELOW, VISUAL_ABOVE, Band, band
from measures.samples import Values
from measures.verdict import (
    ALPHA,
    MIN_EPISODES,
    Verdict,
    insufficient,
    middle_layers,
    outcome,
    too_few_episodes,
    too_few_outcomes,
)

LAYERS_NEEDED = 3
LIFT_NEEDED = 1.5


def h1_1(
    lift: Values,
    corrected_p: Values,
    n: AnyArray | int,
    low: Values | None = None,
    high: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H1.1, attention rests on the object. Each [L]: mean lift of the target, Holm-corrected one-sided p
    against masks of other episodes, episodes in pairs, interval of the mean lift.

    Supported: corrected p < alpha and mean lift >= 1.5 together in at least 3 layers. The third best layer
    decides (significant ones first, then by lift), since the claim is about three.
    """
    tests = LayerTests(lift, corrected_p, n, low, high)
    usable = tests.usable(min_episodes)
    if count(usable) < LAYERS_NEEDED:
        return tests.insufficient(usable, min_episodes, LAYERS_NEEDED)
    significant = usable & (tests.p < alpha)
    passing = significant & (tests.estimate >= LIFT_NEEDED)
    third = tests.nth_best(LAYERS_NEEDED, usable, significant)
    because = (
        f"{count(passing)} of {count(usable)} layers with corrected p < {alpha:g} and a mean lift of at "
        f"least {LIFT_NEEDED:g}{listed(passing)}, {LAYERS_NEEDED} are needed; the third best, "
        f"{tests.words(third, 'mean lift')}"
    )
    return tests.verdict(count(passing) >= LAYERS_NEEDED, third, because)


def h1_1b(
    g: Values,
    p_welch: Values,
    p_permutation: Values,
    n_success: int,
    n_failure: int,
    low: Values | None = None,
    high: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H1.1b, success and failure differ in the target's log lift. Each [L]: Hedges g with its interval,
    and the Holm-corrected p of Welch and of the permutation test.

    Supported: both corrected p < alpha in at least one layer. The layer with the smallest larger p decides.
    """
    both = np.maximum(floats(p_welch), floats(p_permutation))
    tests = LayerTests(g, both, n_success + n_failure, low, high)
    usable = tests.usable(0)
    short = too_few_outcomes(n_success, n_failure, min_episodes)
    if short or not usable.any():
        return insufficient(n_success + n_failure, tests.family, short or "no layer has a test result")
    significant = usable & (tests.p < alpha)
    clearest = tests.clearest(usable)
    because = (
        f"{count(significant)} of {count(usable)} layers with corrected p < {alpha:g} by Welch and by "
        f"permutation{listed(significant)}; the clearest, {tests.words(clearest, 'g')} "
        f"({n_success} successes, {n_failure} failures)"
    )
    return tests.verdict(bool(significant.any()), clearest, because)


def h2_1(
    excess: Values,
    corrected_p: Values,
    n: AnyArray | int,
    low: Values | None = None,
    high: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
    estimand: str = "JSD above paraphrases (nats)",
    actions_p: float | None = None,
) -> Verdict:
    """H2.1, the prompt moves attention. Each [L] or [L, prompts] over all layers: the shift beyond what
    paraphrases do, its one-sided p corrected by Holm over layers x prompts, episodes in pairs, interval.

    Supported: corrected p < alpha in a middle layer under some prompt. Also for the mass that the newly
    named object gains: say so in `estimand`. actions_p: p of the actions moving more than under a
    paraphrase, which is told beside the verdict and does not change it.
    """
    tests = LayerTests(excess, corrected_p, n, low, high)
    middle = middle_layers(tests.shape[0])
    in_middle = np.zeros(tests.shape, dtype=bool)
    in_middle[middle] = True
    usable = tests.usable(min_episodes) & in_middle.ravel()
    if not usable.any():
        return tests.insufficient(usable, min_episodes, 1, "tests in middle layers")
    significant = usable & (tests.p < alpha)
    clearest = tests.clearest(usable)
    because = (
        f"{count(significant)} of {count(usable)} tests in {span(middle)} with corrected "
        f"p < {alpha:g}; the clearest, {tests.words(clearest, estimand)}{_actions(actions_p, alpha)}"
    )
    return tests.verdict(bool(significant.any()), clearest, because)


def modality(
    log_ratio: float,
    low: float,
    high: float,
    n: int,
    layer_low: Values = (),
    layer_high: Values = (),
    min_episodes: int = MIN_EPISODES,
) -> Verdict:
    """M, vision or language: does one of them lead? From the log ratio of mean masses of `layers_avg` and its
    bootstrap interval; the layers' intervals [L] are told beside it. All in natural logarithms.

    Supported: the interval of the ratio lies inside the visual or the linguistic band. The balanced band is
    claimed in the same way, and then neither leads. The verdict's estimate and interval are ratios.
    """
    short = too_few_episodes(n, min_episodes)
    if short or np.isnan([log_ratio, low, high]).any():
        return insufficient(n, None, short or "the ratio or its interval is undefined")
    value, bottom, top = np.exp([log_ratio, low, high]).tolist()
    claimed = band(bottom, top)
    because = (
        f"the visual/linguistic ratio is {value:.3g} [{bottom:.3g}, {top:.3g}] over {n} episodes: "
        f"{_reading(bottom, top, claimed)}{_layer_bands(layer_low, layer_high)}"
    )
    met = claimed in (Band.VISUAL, Band.LINGUISTIC)
    return Verdict(outcome(met), value, bottom, top, n, None, because)


def _actions(p: float | None, alpha: float) -> str:
    if p is None or math.isnan(p):
        return ""
    moved = "move" if p < alpha else "are not shown to move"
    return f"; the actions {moved} more than under a paraphrase (p = {p:.3g})"


def _reading(low: float, high: float, claimed: Band | None) -> str:
    if claimed:
        return f"{claimed} band"
    edges = [f"{edge:g}" for edge in (LINGUISTIC_BELOW, VISUAL_ABOVE) if low <= edge <= high]
    return f"no band, it crosses {' and '.join(edges)}"


def _layer_bands(low: Values, high: Values) -> str:
    bands = [band(math.exp(a), math.exp(b)) for a, b in zip(low, high, strict=True)]
    if not bands:
        return ""
    told = ", ".join(f"{bands.count(one)} {one}" for one in Band)
    return f"; of {len(bands)} layers {told}, {bands.count(None)} in no band"
