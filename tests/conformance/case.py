"""What an adapter brings to the suite: a small model, what it looks at, and what its own preprocessing makes of that."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Observation
from ingest.policies.base import Policy

QUERIES = ("instruction", "words", "action")


class Key(NamedTuple):
    """What one key must be: its role, its camera and patch, or the number of its word."""

    role: str
    camera: str | None = None
    row: int | None = None
    col: int | None = None
    word_index: int | None = None


@dataclass(frozen=True)
class Case:
    """One adapter under test.

    ``build`` makes the policy from a small random model, always the same. ``keys`` tells, by code that shares none
    with the adapter, what every key of a pass is, given the prompt and the observation. ``prompts`` are short;
    ``long_prompt`` does not fit the model, or is None where any length fits. Where queries are groups alone, without
    their tokens one by one, ``groups`` tells the rows of a pass's groups. ``sees`` (pass, layer) is the pass whose keys
    the layer sees, where those are only the first of its own.
    """

    name: str
    build: Callable[[], Policy]
    observe: Callable[[int], Observation]
    keys: Callable[[str, str, Observation], Sequence[Key]]
    n_calls: Mapping[str, int]  # pass -> how often each layer runs in one inference
    prompts: tuple[str, ...] = ("pick up the duck", "find the banana and lift it", "наведи на 🦆 утку")
    long_prompt: str | None = None
    mass_tolerance: float = 1e-5
    sum_tolerance: float = 1e-4  # of the masses of one query, from 1
    action_tolerance: float = 0.0
    batch_tolerance: float = 1e-5
    query_groups: tuple[str, ...] = ("instruction", "action")  # that every layout must have
    groups: Callable[[str], Mapping[str, Sequence[int]]] | None = None
    sees: Callable[[str, int], str] = lambda name, _layer: name
    without: Mapping[str, str] = field(default_factory=dict)  # mutation -> why it cannot be made here


def folder_until_exit(name: str) -> Path:
    """For what a small model is loaded from; some model libraries look there again later."""
    folder = Path(tempfile.mkdtemp(prefix=f"gazehouse-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def random_observation(
    index: int,
    cameras: Mapping[str, tuple[int, int]],
    state: Mapping[str, NDArray[np.float64]],
    gripper: float = 0.5,
) -> Observation:
    """Pictures of smooth noise, so that patches differ but not like static."""
    rng = np.random.default_rng(index)
    images = {}
    for name, (height, width) in cameras.items():
        coarse = rng.integers(0, 255, (6, 8, 3)).astype(np.float64)
        rows = np.linspace(0, 5.99, height).astype(int)
        cols = np.linspace(0, 7.99, width).astype(int)
        images[name] = coarse[rows][:, cols].astype(np.uint8)
    return Observation(index, 0.1 * index, images, np.concatenate(list(state.values())), gripper, dict(state))
