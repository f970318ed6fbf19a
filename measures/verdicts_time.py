"""Does attention move in time: our rule of METHODS 8 for H3. Pure rules, as in measures.verdicts."""

from __future__ import annotations

import math

from measures.arrays import AnyArray
from measures.corrections import holm
from measures.layer_tests import LayerTests, count, floats
from measures.samples import Values
from measures.verdict import ALPHA, MIN_EPISODES, Verdict

THIRDS, SLOPE = range(2)
ESTIMANDS = ("from the first third to the last", "from one action token to the next")


def h3(
    change: Values,
    p: Values,
    n: AnyArray | int,
    low: Values | None = None,
    high: Values | None = None,
    log_lift_change: Values | None = None,
    log_lift_p: Values | None = None,
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> Verdict:
    """H3, attention moves in the course of an episode. Each [L, 2]: the change of the target's mass share from the
    first third of an episode to the last, and its slope over action tokens, with two-sided p that are not corrected
    yet, episodes in pairs, interval.

    Supported: corrected p < alpha in some layer, by either. Holm runs over layers and both estimands, one family. The
    test with the smallest p decides. A target that comes nearer covers more of the picture and gets a larger share of
    any map: log_lift_change [L] and log_lift_p [L], corrected over layers, say what is left when area is allowed for.
    They are told beside the verdict and do not change it.
    """
    corrected = holm(floats(p).ravel()).reshape(floats(p).shape)
    tests = LayerTests(change, corrected, n, low, high, ESTIMANDS)
    usable = tests.usable(min_episodes)
    if not usable.any():
        return tests.insufficient(usable, min_episodes, 1, "tests")
    significant = usable & (tests.p < alpha)
    clearest = tests.clearest(usable)
    because = (
        f"{count(significant)} of {count(usable)} tests over layers, thirds and action tokens with corrected "
        f"p < {alpha:g}; the clearest, {tests.words(clearest, 'a change of the share on the target of')}"
        f"{_beside_area(clearest, log_lift_change, log_lift_p)}"
    )
    return tests.verdict(bool(significant.any()), clearest, because)


def _beside_area(index: int, change: Values | None, p: Values | None) -> str:
    layer, estimand = divmod(index, len(ESTIMANDS))
    if estimand != THIRDS or change is None or p is None:
        return ""
    value, p_value = float(floats(change)[layer]), float(holm(floats(p))[layer])
    if math.isnan(value) or math.isnan(p_value):
        return ""
    return f"; with its area allowed for, the log lift changes by {value:.3g} (p = {p_value:.3g})"
