"""In plain words: is there more attention on the object that the instruction names than on the others (distractors)?"""

from __future__ import annotations

import math

from reports import words
from reports.marts.context import Context, View
from reports.marts.warehouse import Row
from reports.pages.intervals import around
from reports.pages.plain_words import NOTE, Answer, by_camera, claim, evidence, fewest_episodes, looks, shown

QUESTION = "More on the named object than on the others?"
NO_OTHERS = "Not measured: no distractors (other objects that a prompt could name) stand beside a target."
MEANING = (
    "Attention for the same area of picture, on the target against the mean over the distractors: geometric means over episodes "
    "of all layers that count, with 95 % t-intervals, not corrected for the number of comparisons."
)
SIDES = ("more", "less", "no difference shown")


def on_card(ctx: Context) -> Answer:
    """The words, and the actions at the last step kept."""
    parts = [told for view in shown(ctx) for told in over_layers(ctx, view)]
    return Answer(QUESTION, parts or [NO_OTHERS], NOTE if parts else "")


def sentences(ctx: Context, view: View) -> list[str]:
    """Over all layers, and layer by layer as tested; none where no distractor was measured."""
    told = over_layers(ctx, view)
    return [f"{QUESTION} {' '.join(told)} {MEANING}", *by_layer(ctx, view)] if told else []


def over_layers(ctx: Context, view: View) -> list[str]:
    """What the mean over layers says, by camera; for the words, of the word that names the target as well."""
    fewest = fewest_episodes(ctx)
    rows = [r for r in ctx.query("target_against_distractors") if view.of(r)]
    told = {r["camera"]: in_words(r, fewest) for r in rows if not r["names_target"]}
    if not told:
        return []
    spoken = [f"{looks(view)} {by_camera(ctx, told)}."]
    naming = {r["camera"]: in_words(r, fewest) for r in rows if r["names_target"]}
    return [*spoken, f"The word that names it, alone, {by_camera(ctx, naming)}."] if naming else spoken


def in_words(row: Row, fewest: int) -> str:
    """'more, 1.44 times as much for its area (95 % interval 1.39 to 1.50; n = 50)'."""
    n, mean = row["n_episodes"], row["mean_log_ratio"]
    low, high = around(mean, row["std_log_ratio"], n)
    times = f"{words.number(math.exp(mean))} times as much for its area ({evidence(low, high, n, math.exp)})"
    return f"{claim(low, high, n, fewest, SIDES)}, {times}"


def by_layer(ctx: Context, view: View) -> list[str]:
    """In which layers the target draws more than the distractors by the corrected tests, and where it does so most."""
    alpha, parts = ctx.study.statistics["alpha"], []
    paired = ctx.query("paired_tests", hypothesis="H1.1").where(estimand="target_minus_distractors")
    for camera in ctx.study.cameras:
        rows = [r for r in paired if view.of(r) and r["camera"] == camera and r["p_holm"] is not None]
        if not rows or any(r["is_small_n"] for r in rows):
            continue
        passed = [r["layer"] for r in rows if r["p_holm"] < alpha and r["estimate"] > 0]
        top = max(rows, key=lambda r: r["estimate"])
        parts.append(
            f"on {camera} in {words.layers_named(passed) if passed else 'no layer'}, most in layer {top['layer']}: "
            f"{words.number(math.exp(top['estimate']))} times ({evidence(top['low'], top['high'], top['n_episodes'], math.exp)})"
        )
    return [f"By layer, more (Holm-corrected p < {alpha:g}) {'; '.join(parts)}."] if parts else []
