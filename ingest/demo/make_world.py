"""Re-creates the demo: render, train, evaluate, roll out, bundle. Seeded; under 40 minutes on two cores.

    python -m ingest.demo.make_world            # writes ingest/demo/weights and ingest/demo/episodes
    python -m ingest.demo.make_world --quick --out DIR    # seconds, and a policy that can do nothing: a smoke test

Needs the extra ``sim``. Rendering is headless: EGL, or ``MUJOCO_GL=osmesa``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

# Two processes render or play side by side; a software renderer with threads of its own would only slow them down.
os.environ.setdefault("LP_NUM_THREADS", "1")

import torch

from ingest.demo.evaluate import Played, Share, obedience, play
from ingest.demo.model import TinyPolicy
from ingest.demo.model_card import Facts, model_card
from ingest.demo.pilot import Pilot
from ingest.demo.train import Recipe, train_and_save
from ingest.demo.training.observations import render
from ingest.demo.world.bundle import Quota, choose, missing
from ingest.demo.world.placement import SCENARIOS, Scenario
from ingest.demo.world.record import write_episode
from ingest.demo.world.rollout import Task, run
from ingest.demo.world.simulator import World
from ingest.demo.world.toys import TOY_NAMES

DEMO = Path(__file__).resolve().parent
RECORDED_ON = "2026-11-22"  # the day the shipped bundle was made; fixed, so that the tree is the same again


@dataclass(frozen=True)
class Plan:
    """Sizes and seeds of one making."""

    workers: int = 2  # processes that render or play
    data_seed: int = 1
    n_observations: int = 7000
    recipe: Recipe = field(default_factory=Recipe)
    obedience_scenes: int = 100
    first_evaluation_seed: int = 50_000  # scenes never seen in training: other random streams
    plain_episodes: int = 100
    other_episodes: int = 30  # of each scenario
    most_episodes: int = 800
    quota: Quota = field(default_factory=Quota)


QUICK = Plan(
    workers=1,
    n_observations=24,
    recipe=Recipe(
        steps_few=2, steps_all=1, steps_polish=1, few_patches=16, pictures_few=2, pictures_all=1, n_noise=1
    ),
    obedience_scenes=1,
    plain_episodes=2,
    other_episodes=0,
    most_episodes=2,
    quota=Quota(1, 1, 1, min_frames=1),
)


def make_world(
    out: Path, scratch: Path, plan: Plan, keep_data: bool = False, keep_weights: bool = False
) -> None:
    """Writes ``out/weights`` and ``out/episodes``; renderings go to ``scratch``."""
    clock = Clock()
    torch.set_num_threads(2)
    if not (keep_data or keep_weights):
        for done in render(scratch / "data", plan.n_observations, plan.data_seed, plan.workers):
            if done % 500 == 0 or done == plan.n_observations:
                clock.say(f"rendered {done}/{plan.n_observations} observations")
        _write_seconds(scratch, render=clock.lap())

    weights = scratch / "weights"
    if not keep_weights:
        clock.lap()
        train_and_save(scratch / "data", weights, plan.recipe, say=clock.say)
        _write_seconds(scratch, train=clock.lap())

    seeds = range(plan.first_evaluation_seed, plan.first_evaluation_seed + plan.obedience_scenes)
    obeyed = obedience(weights, seeds, plan.workers)
    clock.say(f"prompt obedience {obeyed.prompts}")
    planned = _evaluate(weights, plan, clock)
    # More may be needed to fill the bundle; the card counts the planned ones, whose number no result decided.
    played = planned + _play_until_filled(weights, plan, planned, clock)

    staging = scratch / "bundle"
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(weights, staging / "weights")
    chosen = choose(played, plan.quota)
    _record(staging / "episodes", staging / "weights", chosen, clock)
    seconds = _read_seconds(scratch)
    facts = Facts(plan.n_observations, plan.data_seed, plan.recipe, seconds, obeyed, planned, len(chosen))
    (staging / "weights" / "model_card.md").write_text(model_card(facts))
    for name in ("weights", "episodes"):
        shutil.rmtree(out / name, ignore_errors=True)
        shutil.copytree(staging / name, out / name)
    clock.say(f"wrote {out / 'weights'} and {out / 'episodes'}: {len(chosen)} episodes")
    short = missing(chosen, plan.quota)
    if short:
        clock.say(f"not found in {len(played)} episodes: {short}")


def _evaluate(weights: Path, plan: Plan, clock: Clock) -> list[Played]:
    """Plays the planned episodes of every scenario."""
    counts = {scenario: plan.other_episodes for scenario in SCENARIOS} | {"plain": plan.plain_episodes}
    played = []
    for one in play(weights, _tasks(counts, plan.first_evaluation_seed), plan.workers):
        played.append(one)
        if len(played) % 50 == 0:
            clock.say(f"played {len(played)} episodes, {_successes(played)} succeeded")
    for scenario in SCENARIOS:
        of_this = [one for one in played if one.task.scenario == scenario]
        if of_this:
            clock.say(f"{scenario}: success {Share(_successes(of_this), len(of_this))}")
    return played


def _play_until_filled(weights: Path, plan: Plan, planned: list[Played], clock: Clock) -> list[Played]:
    """Ten more episodes of every scenario at a time, until the bundle can be filled or ``most_episodes`` are played."""
    more: list[Played] = []
    while missing(planned + more, plan.quota) and len(planned) + len(more) < plan.most_episodes:
        counts = dict.fromkeys(SCENARIOS, 10)
        tasks = _tasks(counts, plan.first_evaluation_seed + len(planned) + len(more))
        more += play(weights, tasks, plan.workers)
        clock.say(
            f"played {len(more)} more for the bundle, still missing {missing(planned + more, plan.quota)}"
        )
    return more


def _tasks(counts: dict[Scenario, int], first_seed: int) -> list[Task]:
    """So many tasks of each scenario, the toys in turn, a seed each."""
    wanted = [(scenario, index) for scenario, count in counts.items() for index in range(count)]
    return [
        Task(scenario, TOY_NAMES[index % len(TOY_NAMES)], first_seed + number)
        for number, (scenario, index) in enumerate(wanted)
    ]


def _record(root: Path, weights: Path, chosen: list[Played], clock: Clock) -> None:
    """Plays the chosen episodes again, now with every frame, mask and pose kept."""
    torch.set_num_threads(1)  # as when they were played: the number of threads decides the last bits
    world, pilot = World(), Pilot(TinyPolicy.from_folder(weights))
    for number, one in enumerate(chosen, start=1):
        rollout = run(world, pilot, one.task, record=True)
        if rollout.verdict != one.verdict:
            raise RuntimeError(f"{one.task}: recorded as {rollout.verdict}, played as {one.verdict}")
        write_episode(root, rollout, world, RECORDED_ON)
        if number % 10 == 0 or number == len(chosen):
            clock.say(f"recorded {number}/{len(chosen)} episodes")


def _read_seconds(scratch: Path) -> dict[str, float]:
    """What rendering and training took, also when they were done in an earlier call."""
    path = scratch / "seconds.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _write_seconds(scratch: Path, **seconds: float) -> None:
    (scratch / "seconds.json").write_text(json.dumps(_read_seconds(scratch) | seconds) + "\n")


def _successes(played: list[Played]) -> int:
    return sum(one.verdict.outcome == "success" for one in played)


class Clock:
    """Progress lines with the seconds since the start."""

    def __init__(self) -> None:
        self._start = self._lap = time.monotonic()

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self._start:5.0f} s] {line}", flush=True)

    def lap(self) -> float:
        """Seconds since the last lap."""
        before, self._lap = self._lap, time.monotonic()
        return self._lap - before


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DEMO, help="default: the demo's own folder")
    parser.add_argument(
        "--scratch", type=Path, default=Path("build/world"), help="renderings and work in progress"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a smoke test: a few scenes, three training steps"
    )
    parser.add_argument(
        "--keep-data", action="store_true", help="train on the observations already in --scratch"
    )
    parser.add_argument(
        "--keep-weights", action="store_true", help="evaluate and record the weights in --scratch"
    )
    arguments = parser.parse_args()
    if arguments.quick and arguments.out == DEMO:
        parser.error("--quick needs --out: its policy is not to replace the demo's")
    plan = QUICK if arguments.quick else Plan()
    make_world(arguments.out, arguments.scratch, plan, arguments.keep_data, arguments.keep_weights)


if __name__ == "__main__":
    main()
