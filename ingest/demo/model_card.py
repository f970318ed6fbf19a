"""The card beside the weights: what the policy is, how it was made, what was measured, and what not to read into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from ingest.demo.config import TinyConfig
from ingest.demo.evaluate import Obedience, Played, Share
from ingest.demo.train import Recipe
from ingest.demo.training.losses import GROUNDING_LAYER, POSITION_LAYER
from ingest.demo.world.judge import FailureKind
from ingest.demo.world.placement import SCENARIOS


@dataclass(frozen=True)
class Facts:
    """Everything the card states that was not known before the run."""

    n_observations: int
    data_seed: int
    recipe: Recipe
    seconds: Mapping[str, float]  # "render" and "train", wall clock
    obedience: Obedience
    played: Sequence[Played]
    n_bundled: int


def model_card(facts: Facts) -> str:
    """The card as Markdown."""
    recipe, config = facts.recipe, TinyConfig()
    last = config.n_layers - 1
    return f"""# Model card: the demo policy

A vision-language-action policy of Pi0.5's shape and 1.8 M parameters, trained from scratch on a simulated table.
It exists so that Gazehouse can be tried without a download and without a GPU. It controls nothing real.

- {len(config.cameras)} cameras of {config.image_size} x {config.image_size} pixels ({config.patches_per_side} x {config.patches_per_side} patches), words, the gripper's state in 256 bins a dimension.
- {config.n_layers} layers x {config.n_heads} heads x {config.head_dim}; prefix width {config.width}, both ways; action expert width {config.expert_width}; {config.horizon} action tokens, flow matching, {config.n_steps} Euler steps.
- Attention: `transformers` `GemmaAttention` with rotary positions, in both stacks.

## Data

{facts.n_observations} observations rendered by `ingest/demo/training/observations.py` (seed {facts.data_seed}): each a fresh scene with five toys,
labelled with the scripted expert's next {config.horizon} actions for each of the five toys. Only the five toys in their own
colours; no look-alikes, no screen, and six sentences. Words other than the name were replaced by `<unk>` in 8 % of the places.

## Training

`python -m ingest.demo.make_world`, seed {recipe.seed}: {recipe.steps_few} steps of {recipe.pictures_few} pictures x 5 prompts x {recipe.n_noise} noise samples on {recipe.few_patches} of 512 patches, then {recipe.steps_all} steps of {recipe.pictures_all} pictures on all;
from the moving average of these weights, {recipe.steps_polish} more of {recipe.pictures_all} pictures on all patches, by the flow of the actions alone.
AdamW, rates {recipe.rate}, {recipe.rate_all} and {recipe.rate_polish}, moving averages {recipe.decay} and {recipe.decay_polish}. Rendering took {facts.seconds["render"] / 60:.0f} minutes and training {facts.seconds["train"] / 60:.0f} minutes
of wall clock on two CPU cores in the run that made these weights. Those cores were shared with whatever else ran there.

Losses: flow matching on the actions; the named toy's place, read from the hidden state of **the name's token** after layer {POSITION_LAYER}
(weight {recipe.position_weight}); which patches show the named toy, read from patches and the name's token after layer {GROUNDING_LAYER} (weight {recipe.grounding_weight}).
No loss looks at attention weights.

## Measured on fresh scenes

Intervals are Wilson's, 95 %.

Prompt obedience (one picture, five prompts; the chunk's end is nearest to the named toy; chance 20 %): **{facts.obedience.prompts}**
of the prompts (five share a scene, so this interval is too narrow); all five obeyed in {facts.obedience.scenes} of the scenes.
The gripper starts near the middle of the table there (4 x 6 cm): from an edge a chunk's eight moves do not reach every toy, and the
expert's do not either.

Closed loop, an episode a fresh scene, numbers of episodes fixed beforehand:

{_table(facts.played)}

The weights are stored as float16 and were rounded before anything was measured. {facts.n_bundled} episodes are bundled, and their numbers are not those
of the table: where these series did not hold enough failures of each family, more episodes were played until the bundle could be filled,
and those are bundled but not counted here. Failures are spread over toys, scenarios and kinds, successes mirror them, so
**rates in the bundle are not the policy's rates**.

## Read this before you read its attention

- The auxiliary losses train the very link from a toy's name to its place in the pictures. That a report then finds the
  name's token looking at the named toy is what was taught, not a discovery about such policies.
- The last layer's prefix attention (layer {last}) gets no gradient: as in Pi0.5 only its keys and values are used, by the action
  expert. What its queries attend to, text or image, means nothing.
- After layer {POSITION_LAYER} the toy's place can travel in the name's token; an action that does not look at the toy may still know where it is.
- Failures of grounding were provoked: look-alikes (a toy in another's colour, a toy's shape in another colour), a screen before
  the exterior camera, words outside the vocabulary. The scenario is in each `episode.json`; use it when comparing outcomes.
- One seed. Another training run may distribute its work over layers and heads differently.
"""


def _table(played: Sequence[Played]) -> str:
    lines = [
        "| scenario | closed-loop success | wrong toy | missed grip | dropped | timed out |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for scenario in SCENARIOS:
        of_this = [one for one in played if one.task.scenario == scenario]
        if not of_this:
            continue
        kinds = Counter(one.verdict.failure_kind for one in of_this)
        share = Share(kinds[None], len(of_this))
        counts = " | ".join(str(kinds[kind]) for kind in get_args(FailureKind))
        lines.append(f"| {scenario} | {share} | {counts} |")
    return "\n".join(lines)
