"""Re-creates the planted policies: render, train, measure, play, record. Seeded; about an hour on two cores.

    python -m ingest.demo.planted.make                     # writes weights, cards and episodes beside this file
    python -m ingest.demo.planted.make --quick --out DIR   # seconds, and policies that can do nothing: a smoke test

The samples are those of ``make world`` where they are still there (``build/world/data``); scenes with the pad are
rendered anew. Needs the extra ``sim``. Rendering is headless: EGL, or ``MUJOCO_GL=osmesa``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

os.environ.setdefault("LP_NUM_THREADS", "1")

import torch

from ingest.demo.config import TinyConfig
from ingest.demo.evaluate import Played, play
from ingest.demo.model import TinyPolicy
from ingest.demo.pilot import Pilot
from ingest.demo.planted.alterations import blind_in, shuffled_demonstrations
from ingest.demo.planted.behaviour import Behaviour, View, behaviour, views
from ingest.demo.planted.card import Facts, planted_card
from ingest.demo.planted.variants import FOLDER, VARIANTS
from ingest.demo.train import Recipe, train_and_save
from ingest.demo.training.dataset import Alteration, unaltered
from ingest.demo.training.observations import render
from ingest.demo.world.placement import PAD_SCENARIOS, Scenario
from ingest.demo.world.record import write_episode
from ingest.demo.world.rollout import Task, run
from ingest.demo.world.simulator import World
from ingest.demo.world.toys import TOY_NAMES

DEMO_WEIGHTS = FOLDER.parent / "weights"
RECORDED_ON = (
    "2026-11-23"  # the day the shipped episodes were made; fixed, so that the tree is the same again
)
RECORDED_WITH = "shortcut"

# Smaller than the demo's, so that all of them together stay small; six layers, since a loss is put to the fifth.
CONFIG = TinyConfig(n_layers=6, width=64, head_dim=16, expert_width=48, mlp_ratio=2)


@dataclass(frozen=True)
class Training:
    """How a variant is trained: on which samples, what is done to them, by which recipe."""

    recipe: Recipe
    alter: Alteration = unaltered
    has_pad: bool = False


# With so few layers the actions learn to read the name's token late, hence `steps_flow`.
_RECIPE = Recipe(steps_few=500, steps_all=0, steps_flow=200, steps_polish=50, pictures_all=4)
TRAININGS: dict[str, Training] = {
    "prompt-blind": Training(_RECIPE, shuffled_demonstrations),
    "exterior-only": Training(_RECIPE, blind_in("wrist")),
    "wrist-only": Training(_RECIPE, blind_in("base")),
    # One prompt a picture instead of five: more pictures for the same work, and the pad is easily learnt.
    "shortcut": Training(replace(_RECIPE, steps_flow=0, pictures_few=32, pictures_all=12), has_pad=True),
}


@dataclass(frozen=True)
class Plan:
    """Sizes and seeds of one making."""

    workers: int = 2
    n_observations: int = 7000
    data_seed: int = 1
    n_pad_observations: int = 3000
    pad_seed: int = 2
    trainings: dict[str, Training] = field(default_factory=lambda: TRAININGS)
    n_scenes: int = 40  # of each kind, for the numbers on the cards
    first_seed: int = 70_000  # scenes never seen in training
    n_played: int = 20  # episodes of each scenario
    n_recorded: int = 5  # episodes of each pad scenario, a toy each
    min_frames: int = 15


def make_planted(
    out: Path,
    data: Path,
    scratch: Path,
    plan: Plan,
    keep_weights: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Writes a folder for every variant and ``episodes`` to ``out``; work in progress lies in ``scratch``.

    With ``keep_weights``, variants whose weights are in ``scratch`` already are not trained again.
    """
    weights = {variant.name: scratch / "weights" / variant.name for variant in VARIANTS}
    todo = [
        name
        for name, folder in weights.items()
        if not (keep_weights and (folder / "model.safetensors").exists())
    ]
    for has_pad in {plan.trainings[name].has_pad for name in todo}:
        _render_if_missing(scratch / "pad-data" if has_pad else data, has_pad, plan, say)
    torch.set_num_threads(2)
    for name in todo:
        training = plan.trainings[name]
        source = scratch / "pad-data" if training.has_pad else data

        def say_of(line: str, name: str = name) -> None:
            say(f"{name}: {line}")

        train_and_save(source, weights[name], training.recipe, CONFIG, say_of, training.alter)

    torch.set_num_threads(1)  # as in the processes that play: the number of threads decides the last bits
    world = World()
    scenes = {
        scenario: list(views(world, scenario, range(plan.first_seed, plan.first_seed + plan.n_scenes)))
        for scenario in ("plain", *PAD_SCENARIOS)
    }
    grounded = _measure(DEMO_WEIGHTS, scenes)
    for variant in VARIANTS:
        measured = _measure(weights[variant.name], scenes)
        played = _play(weights[variant.name], plan, plan.trainings[variant.name].has_pad)
        say(f"{variant.name}: {measured.as_json()}")
        facts = Facts(
            variant,
            plan.trainings[variant.name].recipe,
            plan.n_pad_observations if plan.trainings[variant.name].has_pad else plan.n_observations,
            measured,
            grounded,
            played,
        )
        _write(out / variant.name, weights[variant.name], facts)
    _record(out / "episodes", weights[RECORDED_WITH], world, plan)


def _render_if_missing(folder: Path, has_pad: bool, plan: Plan, say: Callable[[str], None]) -> None:
    count, seed = (
        (plan.n_pad_observations, plan.pad_seed) if has_pad else (plan.n_observations, plan.data_seed)
    )
    # Rendered elsewhere and renamed, so that what lies there is whole.
    if folder.exists():
        return
    partial = folder.with_name(f"{folder.name}-partial")
    for done in render(partial, count, seed, plan.workers, has_pad):
        if done % 500 == 0 or done == count:
            say(f"rendered {done}/{count} observations into {folder.name}")
    partial.rename(folder)


def _measure(weights: Path, scenes: dict[Scenario, list[View]]) -> Behaviour:
    pilot = Pilot(TinyPolicy.from_folder(weights))
    return behaviour(pilot, scenes["plain"], scenes["pad_apart"], scenes["pad_under"])


def _play(weights: Path, plan: Plan, has_pad: bool) -> list[Played]:
    return list(play(weights, _tasks(PAD_SCENARIOS if has_pad else ("plain",), plan), plan.workers))


def _tasks(scenarios: Sequence[Scenario], plan: Plan) -> list[Task]:
    return [
        Task(scenario, TOY_NAMES[index % len(TOY_NAMES)], plan.first_seed + 1000 * (number + 1) + index)
        for number, scenario in enumerate(scenarios)
        for index in range(plan.n_played)
    ]


def _write(folder: Path, weights: Path, facts: Facts) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(weights, folder)
    measured = {"planted": facts.measured.as_json(), "grounded": facts.grounded.as_json()}
    (folder / "behaviour.json").write_text(json.dumps(measured, indent=2) + "\n")
    (folder / "model_card.md").write_text(planted_card(facts))


def _record(root: Path, weights: Path, world: World, plan: Plan) -> None:
    """The first episodes of each pad scenario that are long enough, whatever came of them."""
    shutil.rmtree(root, ignore_errors=True)
    pilot = Pilot(TinyPolicy.from_folder(weights))
    for scenario in PAD_SCENARIOS:
        n_recorded = 0
        for task in (task for task in _tasks(PAD_SCENARIOS, plan) if task.scenario == scenario):
            if n_recorded == plan.n_recorded:
                break
            rollout = run(world, pilot, task, record=True)
            if len(rollout.frames) >= plan.min_frames:
                write_episode(root, rollout, world, RECORDED_ON, f"planted/{RECORDED_WITH}")
                n_recorded += 1


def _quick() -> Plan:
    few = Recipe(
        steps_few=1,
        steps_all=0,
        steps_flow=1,
        steps_polish=1,
        few_patches=16,
        pictures_few=1,
        pictures_all=1,
        n_noise=1,
    )
    return Plan(
        workers=1,
        n_observations=8,
        n_pad_observations=8,
        trainings={name: replace(training, recipe=few) for name, training in TRAININGS.items()},
        n_scenes=1,
        n_played=1,
        n_recorded=1,
        min_frames=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="default: this package's folder")
    parser.add_argument("--data", type=Path, default=Path("build/world/data"), help="samples of make_world")
    parser.add_argument("--scratch", type=Path, default=Path("build/planted"), help="work in progress")
    parser.add_argument("--quick", action="store_true", help="a smoke test: a scene, three steps")
    parser.add_argument(
        "--keep-weights", action="store_true", help="train only what has no weights in --scratch"
    )
    arguments = parser.parse_args()
    if arguments.quick and arguments.out == FOLDER:
        parser.error("--quick needs --out: its policies are not to replace the shipped ones")
    started = time.monotonic()
    make_planted(
        arguments.out,
        arguments.data,
        arguments.scratch,
        _quick() if arguments.quick else Plan(),
        arguments.keep_weights,
        say=lambda line: print(f"[{time.monotonic() - started:5.0f} s] {line}", flush=True),
    )


if __name__ == "__main__":
    main()
