"""What answers in plain words share: a claim made from an interval, cameras one after the other, what looks.

Their numbers are means over all layers that count, so that no layer was chosen for being the highest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports import words
from reports.marts import answers
from reports.marts.context import Context, View

NOTE = "Means over all layers that count; the last denoising step kept; intervals not corrected for their number."
LOOKS = {"prefix": "The words", "suffix": "The actions"}


@dataclass(frozen=True)
class Answer:
    """A question, what is said to it (a sentence each for the words and the actions), and what the numbers are."""

    question: str
    told: list[str]
    note: str


def claim(low: float | None, high: float | None, n: int, fewest: int, sides: tuple[str, str, str]) -> str:
    """One of (above, below, neither): where the interval of a difference and the number of episodes allow it."""
    if low is None or high is None or n < fewest:
        return "insufficient data"
    return sides[0] if low > 0 else sides[1] if high < 0 else sides[2]


def evidence(low: float | None, high: float | None, n: int, shown: Callable[[float], float]) -> str:
    """'95 % interval 1.39 to 1.50; n = 50', both ends in the unit that is shown."""
    return words.evidence(None if low is None else shown(low), None if high is None else shown(high), n)


def fewest_episodes(ctx: Context) -> int:
    """Episodes below which the study claims nothing."""
    return int(ctx.study.statistics["min_episodes"])


def by_camera(ctx: Context, told: dict[str, str]) -> str:
    """'on base: more, ...; on wrist: no difference shown, ...' in the study's order of cameras."""
    return "; ".join(f"on {camera}: {told[camera]}" for camera in ctx.study.cameras if camera in told)


def looks(view: View) -> str:
    """'The words', 'The actions'."""
    return LOOKS.get(view.pass_, view.pass_)


def shown(ctx: Context) -> list[View]:
    """What a card speaks of: the words, and the actions at the last denoising step."""
    first = answers.words_view(ctx)
    actions = [view for view in ctx.study.views if view.pass_ == "suffix"]
    return [*([] if first is None else [first]), *actions[-1:]]
