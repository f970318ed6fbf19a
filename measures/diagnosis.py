"""Diagnoses: what do the actions depend on, and does attention say the same? docs/statistics.md, METHODS 4 and 8.

A candidate (the prompt, a camera, an object) is changed, and the error is the standardised squared change of the
actions. It is held against every null that the question has, within the same episodes: what a change that should not
matter does (a paraphrase, as many pixels elsewhere), and a part of what another noise does. Pure rules; episodes are the unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from measures.arrays import AnyArray
from measures.corrections import holm
from measures.paired import paired_permutation
from measures.samples import Alternative, Values
from measures.verdict import ALPHA, MIN_EPISODES

# Errors between two noises and between two inputs are twice the variances that either causes, so that error / (error +
# noise) is the change's share of both. 0.14 is Cohen's (1988) "large" share of variance: a change below it decides little
# about what the policy does, however significant. "As much as another noise" (0.5) would ask a policy with wide noise for
# more than the distance between two toys.
RELEVANT_SHARE = 0.14
NONE = "none"
BETWEEN = " and "


class Reading(StrEnum):
    """What the tests say of one candidate."""

    CAUSE = "cause"
    NO_CAUSE = "no cause"
    UNDECIDED = "undecided"
    INSUFFICIENT = "insufficient data"


UNDECIDED, INSUFFICIENT = str(Reading.UNDECIDED), str(Reading.INSUFFICIENT)


class Excess(NamedTuple):
    """Error of a change minus that of one null: mean over episodes, 95 % interval, one-sided p, episodes.

    low and high are NaN where every episode has the same difference.
    """

    null: str
    estimate: float
    low: float
    high: float
    p: float
    n: int


class Candidate(NamedTuple):
    """One thing that the actions may depend on, with what was found of it. ``missing`` says why a null is not there."""

    name: str
    excesses: tuple[Excess, ...]
    missing: str | None = None

    @property
    def stricter(self) -> Excess:
        """The comparison that leaves the least: what is said of the candidate is said of this one."""
        return min(self.excesses, key=lambda one: one.estimate)

    @property
    def n(self) -> int:
        return min((one.n for one in self.excesses), default=0)


def share_of_variance(error: float, error_noise: float) -> float:
    """What part of the variance by change and noise together the change makes; NaN where nothing moves the actions."""
    return error / (error + error_noise) if error + error_noise > 0 else math.nan


def joint_p(candidate: Candidate) -> float:
    """p of "above every null": the largest of its p-values, which needs no correction of its own (intersection-union
    test, Berger 1982). NaN where a null is missing or could not be tested.
    """
    values = [one.p for one in candidate.excesses]
    if candidate.missing or not values or any(math.isnan(p) for p in values):
        return math.nan
    return max(values)


def corrected(candidates: Sequence[Candidate]) -> list[float]:
    """Holm over the candidates of one question."""
    return [float(p) for p in holm([joint_p(one) for one in candidates])]


def reading(
    candidate: Candidate, corrected_p: float, min_episodes: int = MIN_EPISODES, alpha: float = ALPHA
) -> Reading:
    """A cause: corrected p < alpha, above every null. No cause: the 95 % interval lies below one null, so that the
    change does less than what should not matter does. Everything else is undecided: no finding is not "no cause".
    """
    if candidate.missing or candidate.n < min_episodes:
        return Reading.INSUFFICIENT
    if corrected_p < alpha:
        return Reading.CAUSE
    return Reading.NO_CAUSE if any(is_below(one) for one in candidate.excesses) else Reading.UNDECIDED


def is_below(excess: Excess) -> bool:
    """Whether the change does less than the null; without any variance the mean itself decides."""
    return excess.estimate <= 0 if math.isnan(excess.high) else excess.high < 0


def p_behind(errors: AnyArray, is_cause: Sequence[bool], seed: int = 0) -> list[float]:
    """errors [episodes, candidates]: p of each cause's error being smaller than the largest cause's, within episodes
    (one-sided sign flips, Holm over the causes). NaN for the largest itself and for what is no cause.
    """
    p = [math.nan] * len(is_cause)
    found = np.flatnonzero(np.asarray(is_cause, dtype=bool))
    if len(found) > 1:
        means = np.nanmean(errors[:, found], axis=0)
        first = int(found[np.argmax(means)])
        for index in found.tolist():
            if index != first:
                test = paired_permutation(errors[:, first], errors[:, index], Alternative.GREATER, seed=seed)
                p[index] = test.p_value
    return [float(one) for one in holm(p)]


def leading(
    candidates: Sequence[Candidate],
    readings: Sequence[Reading],
    behind: Sequence[float],
    alpha: float = ALPHA,
) -> str:
    """The answer to "which most?": the causes that are not shown to be behind the largest, the strongest first; 'none'
    where every candidate is shown to be none. ``behind``: as `p_behind` gives it.
    """
    rows = list(zip(candidates, readings, behind, strict=True))
    found = [one for one, read, p in rows if read is Reading.CAUSE and not p < alpha]
    if found:
        found.sort(key=lambda one: (-one.stricter.estimate, one.name))
        return BETWEEN.join(one.name for one in found)
    known = {read for _, read, _ in rows}
    if known == {Reading.NO_CAUSE}:
        return NONE
    return INSUFFICIENT if known <= {Reading.INSUFFICIENT} else UNDECIDED


def attended(
    names: Sequence[str],
    log_lift: Values,
    corrected_p: Values,
    n: Sequence[int],
    min_episodes: int = MIN_EPISODES,
    alpha: float = ALPHA,
) -> str:
    """The candidate that attention singles out: of those with a log lift above 0 (corrected p < alpha, two-sided) the
    one with the largest; 'none' where there is none.
    """
    lifts, p = np.asarray(log_lift, dtype=np.float64), np.asarray(corrected_p, dtype=np.float64)
    usable = np.isfinite(lifts) & (np.asarray(n) >= min_episodes)
    if not usable.any():
        return INSUFFICIENT
    above = usable & (lifts > 0) & (p < alpha)
    return names[int(np.argmax(np.where(above, lifts, -np.inf)))] if above.any() else NONE


def disagree(by_causality: str, by_attention: str) -> bool | None:
    """Whether what attention singles out is not among the leading causes; None where either gives no answer."""
    silent = (UNDECIDED, INSUFFICIENT, "not applicable", "unreachable")
    if by_causality in silent or by_attention in silent:
        return None
    return by_attention not in by_causality.split(BETWEEN)
