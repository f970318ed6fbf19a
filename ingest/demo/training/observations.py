"""Training observations: each a fresh scene with the gripper somewhere on the expert's way, pictured by both cameras.

Nothing is rolled out: the scene is posed, not simulated, and the labels come from the scripted expert.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.demo.side_by_side import side_by_side
from ingest.demo.world.expert import GRASP_HEIGHT, expert_chunk
from ingest.demo.world.placement import scatter, start_of_hand, toys_at
from ingest.demo.world.scene import CAMERAS, OPEN
from ingest.demo.world.simulator import LABELS, Placement, World
from ingest.demo.world.toys import TOY_BY_NAME, TOY_NAMES, TOYS
from ingest.episodes.preprocess import resize_with_pad

HORIZON = 8
N_LABELS = len(TOY_NAMES) + 1  # the toys in order, then the gripper
_PATCHES = 16
_CHUNK = 100  # observations a random stream: the data are the same for any number of workers
_FINGER_REACH = 0.065  # metres around an open hand's centre that its fingers and palm may touch

FIELDS: dict[str, tuple[tuple[int, ...], type]] = {
    "pictures": ((len(CAMERAS), 126, 224, 3), np.uint8),  # without the letterbox's bars
    "coverage": ((len(CAMERAS) * _PATCHES**2, N_LABELS), np.uint8),  # per cent of each patch
    "state": ((4,), np.float32),
    "toys": ((len(TOY_NAMES), 2), np.float32),  # x, y in metres
    "chunks": ((len(TOY_NAMES), HORIZON, 4), np.float32),  # the expert's actions for each toy named
    "has_chunk": ((len(TOY_NAMES),), np.bool_),
}
PAD_FIELD: dict[str, tuple[tuple[int, ...], type]] = {"pad": ((), np.int64)}  # which toy stands on the pad


def sample_placement(rng: np.random.Generator) -> Placement:
    """40 % of the grippers are anywhere above the toys, 35 % near one toy, 25 % at the grasp or lifting."""
    poses = toys_at(rng, scatter(rng, len(TOYS)))
    kind = rng.choice(["anywhere", "near", "grasp", "holding"], p=[0.40, 0.35, 0.11, 0.14])
    if kind == "anywhere":
        if rng.random() < 0.5:
            return Placement(poses, start_of_hand(rng))
        return Placement(poses, tuple(rng.uniform([0.34, -0.18, 0.085], [0.57, 0.18, 0.22])))
    toy = TOYS[rng.integers(len(TOYS))]
    x, y, _ = poses[toy.name]
    if kind == "near":
        for _ in range(50):
            dx, dy = rng.normal(0, 0.022, size=2)
            height = rng.uniform(GRASP_HEIGHT, 0.16)
            hand = (x + dx, y + dy, height)
            if _is_clear(hand, poses):
                return Placement(poses, hand)
        return Placement(poses, (x, y, 0.10))
    if kind == "grasp":
        dx, dy = rng.uniform(-0.012, 0.012, size=2)
        return Placement(poses, (x + dx, y + dy, GRASP_HEIGHT + rng.uniform(-0.002, 0.014)))
    height = GRASP_HEIGHT + (0.0 if rng.random() < 0.4 else rng.uniform(0, 0.15))
    dx, dy = rng.uniform([-0.010, -0.003], [0.010, 0.003])
    opening = toy.grip_width + rng.uniform(-0.002, 0.006)
    hand = (x + dx, y + dy, height)
    return Placement(poses, hand, opening=opening, held=toy.name, held_offset=(-dx, -dy, -GRASP_HEIGHT))


def put_pad(rng: np.random.Generator, placement: Placement) -> tuple[Placement, int]:
    """The same scene with the pad under a toy, and that toy's number: the held one, or any."""
    toy = TOY_NAMES.index(placement.held) if placement.held else int(rng.integers(len(TOYS)))
    x, y, _ = placement.poses[TOY_NAMES[toy]]
    return dataclasses.replace(placement, pad=(x, y)), toy


def _is_clear(hand: tuple[float, float, float], poses: dict[str, tuple[float, float, float]]) -> bool:
    """Whether an open gripper there would touch no toy but one between its fingers."""
    for name, (x, y, _) in poses.items():
        dx, dy = abs(hand[0] - x), abs(hand[1] - y)
        is_between = dy < (OPEN - TOY_BY_NAME[name].grip_width) / 2 - 0.004
        if hand[2] < 0.07 and dx < 0.045 and dy < _FINGER_REACH and not is_between:
            return False
        if name == "bottle" and hand[2] < 0.012 and dx < 0.03 and dy < 0.03:
            return False
    return True


def observe(world: World, placement: Placement) -> dict[str, NDArray[Any]]:
    """One observation with its labels, as in ``FIELDS``."""
    world.reset(placement, settle=False)
    state = world.state()
    toys = np.array([world.position(name)[:2] for name in TOY_NAMES])
    has_chunk = np.array([placement.held in (None, name) for name in TOY_NAMES])
    chunks = [expert_chunk(state, toys[i], toy.grip_width, HORIZON) for i, toy in enumerate(TOYS)]
    pictures = [resize_with_pad(world.picture(camera))[49:175] for camera in CAMERAS]
    coverage = [patch_coverage(world.labels(camera, shrink=2)) for camera in CAMERAS]
    return {
        "pictures": np.stack(pictures),
        "coverage": np.concatenate(coverage),
        "state": state,
        "toys": toys,
        "chunks": np.array(chunks),
        "has_chunk": has_chunk,
    }


def patch_coverage(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[90, 160] label map -> [256, N_LABELS] per cent of each patch of the letterboxed picture."""
    # In this half-size picture a patch is 10 x 10 pixels and each bar 35 rows.
    square = np.pad(labels, ((35, 35), (0, 0))).reshape(_PATCHES, 10, _PATCHES, 10)
    values = [*(LABELS[name] for name in TOY_NAMES), LABELS["gripper"]]
    shares = [(square == value).sum(axis=(1, 3)).reshape(-1) for value in values]
    return np.stack(shares, axis=1).astype(np.uint8)


def _observe_chunk(task: tuple[int, int, int, bool]) -> dict[str, NDArray[Any]]:
    seed, index, count, has_pad = task
    global _world
    if _world is None:
        _world = World()
    rng = np.random.default_rng([seed, index])
    rows = []
    for _ in range(count):
        placement = sample_placement(rng)
        if has_pad:
            placement, toy = put_pad(rng, placement)
            rows.append(observe(_world, placement) | {"pad": np.array(toy)})
        else:
            rows.append(observe(_world, placement))
    return {
        name: np.stack([row[name] for row in rows]).astype(dtype)
        for name, (_, dtype) in _fields(has_pad).items()
    }


_world: World | None = None


def _fields(has_pad: bool) -> dict[str, tuple[tuple[int, ...], type]]:
    return FIELDS | PAD_FIELD if has_pad else FIELDS


def render(folder: Path, count: int, seed: int, workers: int = 2, has_pad: bool = False) -> Iterator[int]:
    """Writes ``count`` observations as one .npy a field; yields how many are done.

    With ``has_pad`` the pad lies under one toy of every scene, and `pad.npy` says under which.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype=dtype, shape=(count, *shape))
        for name, (shape, dtype) in _fields(has_pad).items()
    }
    tasks = [(seed, start, min(_CHUNK, count - start), has_pad) for start in range(0, count, _CHUNK)]
    done = 0
    for chunk in side_by_side(_observe_chunk, tasks, workers):
        size = len(chunk["state"])
        for name, file in files.items():
            file[done : done + size] = chunk[name]
        done += size
        yield done
    for file in files.values():
        file.flush()
