"""Random scenes: where the toys stand, and what is put among them to make the task hard."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ingest.demo.world.scene import decoy_name
from ingest.demo.world.simulator import Decoy, Placement
from ingest.demo.world.toys import TOY_BY_NAME, TOY_NAMES, TOYS, Colour

Scenario = Literal[
    "plain", "same_colour", "same_shape", "occluded", "unseen_wording", "pad_under", "pad_apart"
]
SCENARIOS: tuple[Scenario, ...] = ("plain", "same_colour", "same_shape", "occluded", "unseen_wording")
PAD_SCENARIOS: tuple[Scenario, ...] = ("pad_under", "pad_apart")  # not the demo's: for `ingest.demo.planted`

_TABLE_LOW, _TABLE_HIGH = np.array([0.36, -0.155]), np.array([0.55, 0.155])
_GAP = 0.088  # metres between centres: room for an open finger between two toys
_SCREEN_GAP = (0.050, 0.075)  # from the toy's centre to the screen before it
_CAMERA_XY = np.array([0.93, -0.20])


def scatter(rng: np.random.Generator, count: int, gap: float = _GAP) -> np.ndarray:
    """[count, 2] places on the table that keep ``gap`` metres apart."""
    while True:
        places: list[np.ndarray] = []
        for _ in range(200):
            candidate = rng.uniform(_TABLE_LOW, _TABLE_HIGH)
            if all(np.hypot(*(candidate - other)) >= gap for other in places):
                places.append(candidate)
            if len(places) == count:
                return np.array(places)


def toys_at(rng: np.random.Generator, places: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """One toy a place, each turned within what the fingers can grasp."""
    poses = {}
    for toy, (x, y) in zip(TOYS, places, strict=True):
        poses[toy.name] = (float(x), float(y), float(rng.uniform(-toy.max_yaw, toy.max_yaw)))
    return poses


def start_of_hand(rng: np.random.Generator) -> tuple[float, float, float]:
    x, y, z = rng.uniform([0.36, -0.16, 0.15], [0.55, 0.16, 0.22])
    return float(x), float(y), float(z)


def _between(rng: np.random.Generator, own: str, other: str) -> Colour:
    """In half of the scenes the other toy's colour, else one between the two: hard to tell apart, or easier."""
    share = 1.0 if rng.random() < 0.5 else rng.uniform(0.4, 0.8)
    red, green, blue = (1 - share) * np.array(TOY_BY_NAME[own].colour) + share * np.array(
        TOY_BY_NAME[other].colour
    )
    return float(red), float(green), float(blue)


def place(rng: np.random.Generator, scenario: Scenario, target: str) -> Placement:
    """A fresh scene of one scenario, with ``target`` the toy that will be asked for.

    ``same_colour`` and ``same_shape`` put a look-alike in the place of a toy nobody asks for; ``occluded`` puts a
    screen between the exterior camera and the target; ``pad_under`` puts the pad under the target, ``pad_apart`` on
    a free place of its own; the other two are the five toys alone.
    """
    places = scatter(rng, len(TOYS) + (scenario == "pad_apart"))
    poses = toys_at(rng, places[: len(TOYS)])
    hand = start_of_hand(rng)
    others = [name for name in TOY_NAMES if name != target]
    if scenario in ("same_colour", "same_shape"):
        replaced = str(rng.choice(others))
        x, y, _ = poses.pop(replaced)
        if scenario == "same_colour":
            decoy = Decoy(shape=replaced, colour=_between(rng, replaced, target))
        else:
            decoy = Decoy(shape=target, colour=TOY_BY_NAME[replaced].colour)
        max_yaw = TOY_BY_NAME[decoy.shape].max_yaw
        poses[decoy_name(decoy.shape)] = (x, y, float(rng.uniform(-max_yaw, max_yaw)))
        return Placement(poses, hand, decoy=decoy)
    if scenario == "occluded":
        at = np.array(poses[target][:2])
        towards = (_CAMERA_XY - at) / np.hypot(*(_CAMERA_XY - at))
        x, y = at + rng.uniform(*_SCREEN_GAP) * towards
        return Placement(poses, hand, screen=(float(x), float(y), float(np.arctan2(towards[1], towards[0]))))
    if scenario in PAD_SCENARIOS:
        x, y = poses[target][:2] if scenario == "pad_under" else places[-1]
        return Placement(poses, hand, pad=(float(x), float(y)))
    return Placement(poses, hand)
