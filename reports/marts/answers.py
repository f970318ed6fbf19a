"""What a verdict speaks of: the camera, layer, prompt and denoising step of its number, its unit, and what it claims.

The marts keep the layer of a verdict in its sentence (`because`) alone, so that it is read from there; where the sentence
names none, none is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from measures.modality import band
from reports.marts.context import Context, View
from reports.marts.warehouse import Row

DECIDING = re.compile(
    r"the (third best|clearest), L(\d+)(?: under (.+?)| (from the first third to the last|from one action token to the next))?, has "
)
AVERAGED = re.compile(r"at denoising step (-?\d+), mean over layers")
# Units that need more words than the marts give them.
UNITS = {
    ("H2.1", "ours"): "JSD minus the paraphrases', nats",
    ("H1", "ours"): "error of the actions above the control's (squared, standardised), of the clearest test",
    ("H1k", "ours"): "error of the actions above the control's (squared, standardised), of the clearest test",
}
CHANGES = {
    "from the first third to the last": "change of the target's share of attention, last third minus first",
    "from one action token to the next": "change of the target's share of attention from one action token to the next",
}
# Why the number of this layer is shown, and not the largest.
RANKS = {"third best": "the third best: the rule asks for three", "clearest": "the clearest"}


@dataclass(frozen=True)
class Place:
    """Where a verdict's number was taken; None where that does not apply or is not said."""

    camera: str | None = None
    layer: int | None = None
    condition: str | None = None
    step: int | None = None
    rank: str | None = None  # 'third best' or 'clearest': how the layer was chosen
    averaged: bool = False


def verdict_of(ctx: Context, hypothesis: str, criteria: str = "ours") -> Row | None:
    """The run's verdict on a hypothesis."""
    return next(iter(ctx.query("verdicts").where(hypothesis=hypothesis, criteria=criteria)), None)


def place(verdict: Row | None) -> Place:
    """Camera, layer, prompt and denoising step of a verdict's number."""
    if verdict is None:
        return Place()
    because = verdict["because"] or ""
    averaged = AVERAGED.search(because)
    if averaged:
        return Place(verdict["camera"], step=int(averaged[1]), averaged=True)
    deciding = DECIDING.search(because)
    if deciding:
        return Place(verdict["camera"], int(deciding[2]), deciding[3], rank=deciding[1])
    return Place(verdict["camera"])


def place_words(ctx: Context, verdict: Row) -> str:
    """'layer 3 (the clearest), prompt: cube, wrist camera'; empty where nothing is said or there is no number."""
    if verdict["estimate"] is None:
        return ""
    found = place(verdict)
    parts = []
    if found.averaged:
        parts.append("mean over layers")
        parts += [f"denoising step {found.step}"] if found.step is not None and found.step >= 0 else []
    if found.layer is not None:
        parts.append(f"layer {found.layer} ({RANKS[found.rank]})" if found.rank else f"layer {found.layer}")
    if found.condition is not None:
        parts.append(ctx.study.condition_names.get(found.condition, found.condition))
    if found.camera:
        parts.append(f"{found.camera} camera")
    return ", ".join(parts)


def unit(verdict: Row) -> str:
    """What the number is of."""
    deciding = DECIDING.search(verdict["because"] or "") if verdict["criteria"] == "ours" else None
    changes = CHANGES.get(deciding[4] or "") if deciding else None
    return (
        changes or UNITS.get((verdict["hypothesis"], verdict["criteria"])) or verdict["estimate_unit"] or ""
    )


def claimed(verdict: Row) -> str | None:
    """For a question of either-or (M), the side that is claimed; None for questions of yes or no, and without data."""
    if verdict["hypothesis"] != "M" or verdict["verdict"] not in ("supported", "not supported"):
        return None
    ends = [verdict["estimate"]] * 2 if verdict["criteria"] == "seed" else [verdict["low"], verdict["high"]]
    if any(end is None for end in ends):
        return None
    found = band(*ends)
    return str(found) if found else "neither side"


def words_view(ctx: Context) -> View | None:
    """The view that the verdicts on objects and prompts rest on: the instruction's words in the prefix pass."""
    return next((v for v in ctx.study.views if v.pass_ == "prefix"), None)


def is_of_verdict(ctx: Context, hypothesis: str, view: View, camera: str) -> bool:
    """Whether a chart of this view and camera shows what the verdict rests on."""
    verdict = verdict_of(ctx, hypothesis)
    return verdict is not None and verdict["camera"] == camera and view == words_view(ctx)


def first_view_and_camera(ctx: Context, hypothesis: str) -> dict[str, str]:
    """First choice of a table's filters: what the verdict rests on."""
    view, verdict = words_view(ctx), verdict_of(ctx, hypothesis)
    chosen = {} if view is None else {"view": ctx.study.name(view)}
    return chosen | ({"camera": verdict["camera"]} if verdict is not None and verdict["camera"] else {})
