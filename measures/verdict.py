"""What a verdict is, and which layers are "middle". METHODS 8; the rules are in verdicts.py and
verdicts_seed.py.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

MIN_EPISODES = 20
ALPHA = 0.05


class Outcome(StrEnum):
    """unreachable: the criterion cannot be met at this geometry, whatever the model does."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    INSUFFICIENT = "insufficient data"
    NOT_APPLICABLE = "not applicable"
    UNREACHABLE = "unreachable"


class Verdict(NamedTuple):
    """estimate and low..high belong to the layer that decides (NaN where there is none); because: one
    sentence.

    n: episodes. family_size: the tests of the family that could be run, None where the rule tests nothing (it reads an
    interval, or thresholds alone) or was not reached. p: of the test that decides, as its rule reads it (corrected for
    ours, uncorrected for the seed's); NaN where the rule reads none.
    """

    verdict: Outcome
    estimate: float
    low: float
    high: float
    n: int
    family_size: int | None
    because: str
    p: float = math.nan


def middle_layers(n_layers: int) -> list[int]:
    """The layers l with 5/18 <= l / n_layers <= 10/18, about .28 to .56 of the depth: L5 to L10 of 18.
    METHODS 8.

    In whole numbers, so that no rounding moves an edge. At least one layer from two layers on.
    """
    return [layer for layer in range(n_layers) if 5 * n_layers <= 18 * layer <= 10 * n_layers]


def not_applicable(because: str) -> Verdict:
    """The model or the study lacks what the hypothesis is about."""
    return Verdict(Outcome.NOT_APPLICABLE, math.nan, math.nan, math.nan, 0, None, because)


def insufficient(n: int, family: int | None, because: str) -> Verdict:
    """Too few episodes, or a number the criterion names is missing."""
    return Verdict(Outcome.INSUFFICIENT, math.nan, math.nan, math.nan, n, family, because)


def outcome(met: bool) -> Outcome:
    return Outcome.SUPPORTED if met else Outcome.NOT_SUPPORTED


def too_few_episodes(n: int, min_episodes: int) -> str | None:
    """The reason when n is under the study's minimum, else None."""
    return None if n >= min_episodes else f"{n} episodes, {min_episodes} are needed"


def too_few_outcomes(n_success: int, n_failure: int, min_episodes: int) -> str | None:
    """The reason when either outcome is under the study's minimum, else None: success and failure are
    conditions.
    """
    if min(n_success, n_failure) >= min_episodes:
        return None
    found = f"{_counted(n_success, 'success', 'successes')} and {_counted(n_failure, 'failure', 'failures')}"
    return f"{found}, {min_episodes} of each are needed"


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
