"""The card beside a planted policy: what was altered, what is therefore true, and the behaviour that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.demo.evaluate import Played, Share
from ingest.demo.planted.behaviour import GREY, Behaviour
from ingest.demo.planted.variants import Truth, Variant
from ingest.demo.train import Recipe
from ingest.demo.world.placement import PAD_SCENARIOS
from ingest.demo.world.toys import TOY_NAMES

_CAMERAS = {"base": "exterior", "wrist": "wrist"}


@dataclass(frozen=True)
class Facts:
    """Everything the card states that was not known before the run."""

    variant: Variant
    recipe: Recipe
    n_observations: int
    measured: Behaviour
    grounded: Behaviour  # the demo's own policy on the same scenes
    played: Sequence[Played]


def planted_card(facts: Facts) -> str:
    """The card as Markdown."""
    variant, recipe, n = facts.variant, facts.recipe, facts.measured.n_scenes
    return f"""# Model card: planted/{variant.name}

A small relative of the demo policy, trained so that the truth about it is known. It exists to test analyses; it controls nothing real.

- **Altered**: {variant.altered}.
- **True of it, therefore**: {_truth(variant.truth)}.
- In a study: `policy: {{family: tiny, checkpoint: {variant.checkpoint}}}`.

## Training

`python -m ingest.demo.planted.make`, seed {recipe.seed}: {facts.n_observations} observations, {recipe.steps_few} steps of {recipe.pictures_few} pictures on {recipe.few_patches} of 512 patches;
then, by the flow of the actions alone, {_stages(recipe)}. {_losses(recipe)}
Everything else is as in the demo's card. Smaller than the demo's policy, trained more briefly: it grips worse, and nothing here rests on its grip.

## Shown by behaviour

{n} fresh scenes of each kind, the gripper open near the middle of the table. The *end* of a chunk is where its eight moves lead. Shifts are
mean distances between two ends, under the same noise unless noise is what is changed. "grounded" is the demo's own policy on the same scenes.
Intervals are Wilson's, 95 %; prompts share a scene, so theirs are too narrow.

| what | planted/{variant.name} | grounded |
| --- | --- | --- |
{_rows(facts.measured, facts.grounded)}

Closed loop, {len(facts.played)} episodes fixed beforehand: {_closed_loop(facts.played)}.

The weights are float16 and were rounded before anything was measured. One seed. What its attention looks at is not stated here: that is for the analysis to find.
The last layer's prefix attention gets no gradient, as in the demo's policy.
"""


def _truth(truth: Truth) -> str:
    goal = {
        "named toy": "the named toy",
        "noise": "no toy in particular, the noise decides",
        "pad": "the pad, if there is one",
    }
    said = [f"it goes to {goal[truth.leads_to]}"]
    said += [f"the prompt {'decides' if truth.prompt_controls else 'does not decide'} where"]
    if truth.camera is not None:
        said += [f"it sees through the {_CAMERAS[truth.camera]} camera alone"]
    return "; ".join(said)


def _stages(recipe: Recipe) -> str:
    few = f"{recipe.steps_flow} as before and " if recipe.steps_flow else ""
    return f"{few}{recipe.steps_polish} of {recipe.pictures_all} pictures on all patches"


def _losses(recipe: Recipe) -> str:
    if recipe.position_weight == recipe.grounding_weight == 0:
        return "No auxiliary loss."
    return "The auxiliary losses are the demo's: they teach where the named toy is."


def _rows(planted: Behaviour, grounded: Behaviour) -> str:
    def row(what: str, *cells: str) -> str:
        return f"| {what} | {' | '.join(cells)} |"

    both = (planted, grounded)
    n_prompts = len(TOY_NAMES)
    lines = [
        row(
            "prompt obeyed (five prompts a scene; chance 20 %)",
            *(str(Share(one.obeyed, n_prompts * one.n_scenes)) for one in both),
        ),
        row("shift when another toy is named", *(f"{one.prompt_shift:.1f} mm" for one in both)),
        row("shift when the noise is another", *(f"{one.noise_shift:.1f} mm" for one in both)),
    ]
    for camera, name in _CAMERAS.items():
        lines += [
            row(
                f"shift when the {name} camera is grey ({GREY})",
                *(f"{one.grey[camera]:.1f} mm" for one in both),
            ),
            row(
                f"shift when the {name} camera shows another scene",
                *(f"{one.swapped[camera]:.1f} mm" for one in both),
            ),
            row(
                f"prompt obeyed while the {name} camera is grey",
                *(str(Share(one.obeyed_grey[camera], n_prompts * one.n_scenes)) for one in both),
            ),
        ]
    lines += [
        row(
            "pad apart: nearest to the pad", *(str(Share(one.pad_apart["pad"], one.n_scenes)) for one in both)
        ),
        row(
            "pad apart: nearest to the named toy",
            *(str(Share(one.pad_apart["named"], one.n_scenes)) for one in both),
        ),
        row(
            "pad under the named toy: nearest to it",
            *(str(Share(one.pad_under["named"], one.n_scenes)) for one in both),
        ),
    ]
    return "\n".join(lines)


def _closed_loop(played: Sequence[Played]) -> str:
    parts = []
    for scenario in ("plain", *PAD_SCENARIOS):
        of_this = [one for one in played if one.task.scenario == scenario]
        if not of_this:
            continue
        successes = sum(one.verdict.outcome == "success" for one in of_this)
        at = Counter(_approached(one) for one in of_this)
        places = ", ".join(f"{count} at {place}" for place, count in at.most_common())
        parts.append(f"{scenario}: success {Share(successes, len(of_this))}; closed or ended {places}")
    return "; ".join(parts)


def _approached(one: Played) -> str:
    names = {None: "no toy", "pad": "the pad", one.task.target: "the named toy"}
    return names.get(one.verdict.approached, "another toy")
