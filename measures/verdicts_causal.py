"""Verdicts on causes: does covering or cutting what gets attention move the actions? METHODS 8, H1, H1k and H2.2.

Pure rules, as in `measures.verdicts`. Errors are standardised squared changes of the actions; episodes are the unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from measures.arrays import AnyArray
from measures.layer_tests import LayerTests, count
from measures.paired import paired_t
from measures.samples import Values
from measures.verdict import ALPHA, MIN_EPISODES, Verdict, insufficient, outcome

STRONG_SEED = 0.1


def causal(
    difference: Values,
    corrected_p: Values,
    n: AnyArray | int,
    names: Sequence[str],
    noise_floor: float | None,
    low: Values | None = None,
    high: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
    estimand: str = "error above controls",
) -> Verdict:
    """H1 and H1k, ours. Each [T], one test an entry of ``names``: mean difference of the error to that of
    controls under the same noise, its Holm-corrected one-sided p, episodes in pairs, interval.

    ``noise_floor`` is the mean error between two noises on the same picture; None where the study has no repeats.
    Supported: corrected p < alpha and a difference above the noise floor, together in at least one test. The one
    with the smallest p decides, among those above the floor first.
    """
    tests = LayerTests(difference, corrected_p, n, low, high)
    usable = tests.usable(min_episodes)
    if not usable.any():
        return tests.insufficient(usable, min_episodes, 1, "tests")
    if noise_floor is None or math.isnan(noise_floor):
        because = "without repeats (conditions.repeats) the error between two noises is unknown"
        return insufficient(int(tests.n.max(initial=0)), tests.family, because)
    significant = usable & (tests.p < alpha)
    above = significant & (tests.estimate > noise_floor)
    clearest = tests.clearest(above if above.any() else usable)
    because = (
        f"{count(above)} of {count(usable)} tests with corrected p < {alpha:g} and a difference above the noise floor "
        f"of {noise_floor:.3g}, {count(significant)} the p alone; the clearest, "
        f"{tests.words(clearest, estimand).replace(tests.named(clearest), names[clearest], 1)}"
    )
    return tests.verdict(bool(above.any()), clearest, because)


def fidelity_seed(
    layers: Sequence[int],
    fidelity: Sequence[Values],
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H1 by the seed: fidelity above 0 with p < alpha, uncorrected, in some layer. Seed 3.4 and 5.3.

    ``fidelity`` holds a layer's values, MSE(high) - MSE(low) an episode. The layer with the smallest p decides.
    """
    tests = [paired_t(values) for values in fidelity]
    estimate = np.array([test.estimate for test in tests])
    p = np.array([test.p_value for test in tests])
    n = np.array([test.n for test in tests])
    by_layer = LayerTests(estimate, p, n, None, None)
    usable = by_layer.usable(min_episodes)
    if not usable.any():
        return by_layer.insufficient(usable, min_episodes, 1)
    met = usable & (estimate > 0) & (p < alpha)
    clearest = by_layer.clearest(usable)
    strong = count(met & (estimate > STRONG_SEED))
    because = (
        f"{count(met)} of {count(usable)} layers with a fidelity above 0 and an uncorrected p < {alpha:g}, {strong} of "
        f"them above {STRONG_SEED:g} ('strong'); the clearest, L{layers[clearest]}, has {estimate[clearest]:.3g}, "
        f"p = {p[clearest]:.3g}, n = {n[clearest]}"
    )
    return by_layer.verdict(bool(met.any()), clearest, because)


def answers(
    difference: float,
    low: float,
    high: float,
    accuracy: float,
    majority: float,
    n: int,
    min_episodes: int = MIN_EPISODES,
) -> Verdict:
    """H2.2, ours: accuracy of the answers minus that of always giving the most frequent one, with its interval.

    Supported: the interval lies above 0.
    """
    if n < min_episodes or math.isnan(low):
        return insufficient(n, None, f"{n} episodes have answers, at least {min_episodes} are needed")
    because = (
        f"{accuracy:.1%} of the answers are right, always giving the most frequent right answer {majority:.1%}: "
        f"a difference of {difference:.3g} [{low:.3g}, {high:.3g}] over {n} episodes"
    )
    return Verdict(outcome(low > 0), difference, low, high, n, None, because)
