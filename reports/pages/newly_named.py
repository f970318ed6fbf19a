"""In plain words: does attention go to the object that a changed prompt names?"""

from __future__ import annotations

from reports import words
from reports.marts.context import Context, View
from reports.marts.warehouse import Row
from reports.pages.intervals import around
from reports.pages.plain_words import NOTE, Answer, by_camera, claim, evidence, fewest_episodes, looks, shown

QUESTION = "Does attention go to the object that a changed prompt names?"
NO_NAMED = "Not measured: no changed prompt names another object that has a mask."
MEANING = (
    "Share of a camera's attention on the newly named object under the changed prompt minus under the instruction: means over "
    "episodes, of all changed prompts and layers that count, with 95 % t-intervals, not corrected for the number of comparisons."
)
SIDES = ("yes", "no, away from it", "not shown")


def on_card(ctx: Context) -> Answer:
    """The words, and the actions at the last step kept."""
    parts = [told for view in shown(ctx) if (told := over_layers(ctx, view))]
    return Answer(QUESTION, parts or [NO_NAMED], NOTE if parts else "")


def sentences(ctx: Context, view: View) -> list[str]:
    """Over all prompts and layers; none where no changed prompt names an object."""
    told = over_layers(ctx, view)
    return [f"{QUESTION} {told} {MEANING}"] if told else []


def over_layers(ctx: Context, view: View) -> str:
    """What the mean over prompts and layers says, by camera."""
    fewest = fewest_episodes(ctx)
    told = {r["camera"]: in_words(r, fewest) for r in ctx.query("attention_on_newly_named") if view.of(r)}
    return f"{looks(view)} {by_camera(ctx, told)}." if told else ""


def in_words(row: Row, fewest: int) -> str:
    """'yes, 1.04 percentage points more than 1.3 % before (95 % interval 1.00 to 1.08; n = 52)'."""
    n, mean = row["n_episodes"], row["mean_gain"]
    low, high = around(mean, row["std_gain"], n)
    gained = f"{words.number(100 * abs(mean))} percentage points {'more' if mean >= 0 else 'less'}"
    before = "" if row["mean_before"] is None else f" than {words.percent(row['mean_before'])} before"
    return f"{claim(low, high, n, fewest, SIDES)}, {gained}{before} ({evidence(low, high, n, lambda x: 100 * x)})"
