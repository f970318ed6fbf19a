"""Measures the policy on fresh scenes: does it obey the prompt, and does it pick the toy up?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ingest.demo.model import TinyPolicy
from ingest.demo.pilot import Pilot, decode_jpeg, encode_jpeg
from ingest.demo.side_by_side import side_by_side
from ingest.demo.world.judge import Verdict
from ingest.demo.world.placement import place
from ingest.demo.world.rollout import Task, run
from ingest.demo.world.scene import CAMERAS
from ingest.demo.world.simulator import ACTION_SCALE, World
from ingest.demo.world.toys import TOY_NAMES


class Played(NamedTuple):
    """A finished evaluation episode."""

    task: Task
    verdict: Verdict
    n_frames: int


class Share(NamedTuple):
    """``hits`` of ``n`` with Wilson's 95 % interval."""

    hits: int
    n: int

    def interval(self) -> tuple[float, float]:
        """Raises ValueError when n is 0."""
        if self.n == 0:
            raise ValueError("no interval for a share of nothing")
        z, p, n = 1.959964, self.hits / self.n, self.n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{100 * self.hits / self.n:.0f} % ({self.hits}/{self.n}; 95 % interval {100 * low:.0f}-{100 * high:.0f} %)"


def obeyed(world: World, pilot: Pilot, seed: int) -> int:
    """Of five prompts at one picture, how many lead to the toy they name.

    A chunk leads to the toy that is nearest, on the table's plane, to where its eight moves end. The gripper starts
    near the middle of the table, since from an edge eight moves do not reach every toy (the expert's always lead to
    the right one from here).
    """
    rng = np.random.default_rng([seed, 11])
    placement = place(rng, "plain", TOY_NAMES[0])
    middle = (*rng.uniform([0.435, -0.03], [0.475, 0.03]), placement.hand[2])
    world.reset(dataclasses.replace(placement, hand=middle))
    pictures = {camera: decode_jpeg(encode_jpeg(world.picture(camera))) for camera in CAMERAS}
    state = world.state()
    toys = np.array([world.position(name)[:2] for name in TOY_NAMES])
    hits = 0
    for index, name in enumerate(TOY_NAMES):
        chunk = pilot.chunk(pictures, f"find the {name} toy and pick it up", state, seed * 1000 + index)
        end = state[:2] + ACTION_SCALE * np.clip(chunk[:, :2], -1, 1).sum(axis=0)
        hits += int(np.argmin(np.hypot(*(toys - end).T)) == index)
    return hits


class Obedience(NamedTuple):
    """Over fresh scenes with five prompts each: prompts obeyed, and scenes in which all five were."""

    prompts: Share
    scenes: Share


def obedience(weights: Path, seeds: Sequence[int], workers: int = 2) -> Obedience:
    """Prompt obedience, one fresh scene a seed."""
    hits = list(side_by_side(_obeyed, seeds, workers, _start, (str(weights),)))
    prompts = len(TOY_NAMES)
    return Obedience(
        Share(sum(hits), prompts * len(seeds)), Share(sum(count == prompts for count in hits), len(seeds))
    )


def play(weights: Path, tasks: Sequence[Task], workers: int = 2) -> Iterator[Played]:
    """Plays the tasks closed-loop, in order."""
    return side_by_side(_play, tasks, workers, _start, (str(weights),))


_world: World
_pilot: Pilot


def _start(weights: str) -> None:
    global _world, _pilot
    torch.set_num_threads(1)
    _world, _pilot = World(), Pilot(TinyPolicy.from_folder(weights))


def _obeyed(seed: int) -> int:
    return obeyed(_world, _pilot, seed)


def _play(task: Task) -> Played:
    rollout = run(_world, _pilot, task)
    return Played(task, rollout.verdict, len(rollout.actions))
