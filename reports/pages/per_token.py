"""In plain words: what one text token gets beside one patch, for there are many more patches than words."""

from __future__ import annotations

import math
import statistics

from reports import words
from reports.marts.context import Context
from reports.pages.intervals import around
from reports.pages.plain_words import Answer, evidence, fewest_episodes

QUESTION = "And token by token, since there are many more patches than words?"
NOTE = (
    "Geometric mean over episodes, 95 % t-interval; attention averaged over layers, at denoising step {step}."
)


def on_card(ctx: Context) -> Answer | None:
    """At the last denoising step kept, as the verdict; None where tokens were not counted."""
    steps = [r["denoise_step"] for r in ctx.query("balance_by_episode")]
    told = sentence(ctx, max(steps)) if steps else ""
    note = NOTE.format(step=max(steps)) if max(steps, default=-1) >= 0 else NOTE.split(", at")[0] + "."
    return Answer(QUESTION, [told], note) if told else None


def sentence(ctx: Context, step: int) -> str:
    """'A text token gets 4.22 times as much attention as a patch (95 % interval 4.1 to 4.3; n = 52).'"""
    logs = [
        math.log(r["density_lift_linguistic"] / r["density_lift_visual"])
        for r in ctx.query("balance_by_episode").where(denoise_step=step)
        if r["density_lift_linguistic"] and r["density_lift_visual"]
    ]
    return in_words(logs, fewest_episodes(ctx)) if logs else ""


def in_words(logs: list[float], fewest: int) -> str:
    """Of each episode's log of the attention of a text token over that of a patch."""
    n, mean = len(logs), statistics.fmean(logs)
    low, high = around(mean, statistics.stdev(logs) if n > 1 else None, n)
    known = f"({evidence(low, high, n, math.exp)})"
    if n < fewest:
        return f"Insufficient data: a text token gets {words.number(math.exp(mean))} times as much attention as a patch {known}."
    if low is not None and high is not None and low <= 0 <= high:
        return f"No difference shown: a text token gets {words.number(math.exp(mean))} times as much attention as a patch {known}."
    one, other = ("text token", "patch") if mean > 0 else ("patch", "text token")
    times = words.number(math.exp(abs(mean)))
    if mean < 0 and low is not None and high is not None:
        known = f"({evidence(-high, -low, n, math.exp)})"
    return f"A {one} gets {times} times as much attention as a {other} {known}."
