"""What a policy does on fresh scenes, with nothing said about its attention: where eight moves end, and what shifts that.

Every number is about the *end* of a chunk: where on the table's plane its eight moves lead, in metres of the base frame.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ingest.demo.pilot import Pilot, decode_jpeg, encode_jpeg
from ingest.demo.world.placement import Scenario, place
from ingest.demo.world.scene import CAMERAS
from ingest.demo.world.simulator import ACTION_SCALE, World
from ingest.demo.world.toys import TOY_NAMES

Pictures = Mapping[str, NDArray[np.uint8]]
PROMPT = "find the {object} toy and pick it up"
GREY = 128


class View(NamedTuple):
    """What the policy is given of a scene, and where things are."""

    seed: int
    target: str
    pictures: Pictures
    state: NDArray[np.float64]  # [4]
    places: dict[str, NDArray[np.float64]]  # [2] metres: the toys, and the pad where it lies apart


@dataclass(frozen=True)
class Behaviour:
    """Shifts are mean distances between two ends in millimetres, under the same noise unless said otherwise."""

    n_scenes: int  # plain ones; as many with the pad apart, and with the pad under the named toy
    obeyed: int  # of five prompts a plain scene, how many end nearest to the toy they name
    prompt_shift: float  # two prompts
    noise_shift: float  # one prompt, two noises
    grey: dict[str, float]  # by camera: as seen, and with this camera one grey
    swapped: dict[str, float]  # by camera: as seen, and with this camera's picture of another scene
    obeyed_grey: dict[str, int]  # by camera, of the five prompts a scene, with this camera one grey
    pad_apart: dict[
        str, int
    ]  # the prompt names a toy and the pad lies elsewhere: nearest to `named`, `pad`, `other`
    pad_under: dict[str, int]  # the pad lies under the named toy

    def as_json(self) -> dict[str, object]:
        return dataclasses.asdict(self)


def views(world: World, scenario: Scenario, seeds: Sequence[int]) -> Iterator[View]:
    """Fresh scenes with the gripper open near the middle of the table, from where eight moves reach every toy."""
    for number, seed in enumerate(seeds):
        rng = np.random.default_rng([seed, 13])
        target = TOY_NAMES[number % len(TOY_NAMES)]
        placement = place(rng, scenario, target)
        middle = (*rng.uniform([0.435, -0.03], [0.475, 0.03]), placement.hand[2])
        world.reset(dataclasses.replace(placement, hand=middle))
        pictures = {camera: decode_jpeg(encode_jpeg(world.picture(camera))) for camera in CAMERAS}
        bodies = [*TOY_NAMES, *(["pad"] if scenario == "pad_apart" else [])]
        places = {name: world.position(name)[:2] for name in bodies}
        yield View(seed, target, pictures, world.state(), places)


def end_of(chunk: ArrayLike, state: ArrayLike) -> NDArray[np.float64]:
    """[2] metres: where the moves of a chunk [horizon, 4] lead from a state [4]."""
    moves = np.clip(np.asarray(chunk, dtype=float)[:, :2], -1, 1)
    return np.asarray(state, dtype=float)[:2] + ACTION_SCALE * moves.sum(axis=0)


def with_grey(pictures: Pictures, camera: str) -> Pictures:
    return {**pictures, camera: np.full_like(pictures[camera], GREY)}


def behaviour(pilot: Pilot, plain: Sequence[View], apart: Sequence[View], under: Sequence[View]) -> Behaviour:
    """Measures a policy on views of ``plain``, ``pad_apart`` and ``pad_under`` scenes, as many of each."""
    per_scene = [_on_one_scene(pilot, view, plain[index - 1].pictures) for index, view in enumerate(plain)]

    def mean(values: Sequence[float]) -> float:
        return round(float(np.mean(values)), 2)

    return Behaviour(
        n_scenes=len(plain),
        obeyed=sum(one.obeyed for one in per_scene),
        prompt_shift=mean([one.prompt_shift for one in per_scene]),
        noise_shift=mean([one.noise_shift for one in per_scene]),
        grey={camera: mean([one.grey[camera] for one in per_scene]) for camera in CAMERAS},
        swapped={camera: mean([one.swapped[camera] for one in per_scene]) for camera in CAMERAS},
        obeyed_grey={camera: sum(one.obeyed_grey[camera] for one in per_scene) for camera in CAMERAS},
        pad_apart=_nearest(pilot, apart),
        pad_under=_nearest(pilot, under),
    )


class _OneScene(NamedTuple):
    obeyed: int
    prompt_shift: float
    noise_shift: float
    grey: dict[str, float]
    swapped: dict[str, float]
    obeyed_grey: dict[str, int]


def _on_one_scene(pilot: Pilot, view: View, elsewhere: Pictures) -> _OneScene:
    noise = view.seed * 1000

    def ends(pictures: Pictures, noise_seed: int = noise) -> NDArray[np.float64]:
        """[5, 2]: one end a prompt."""
        prompts = [PROMPT.format(object=name) for name in TOY_NAMES]
        chunks = pilot.chunks(pictures, prompts, view.state, noise_seed)
        return np.array([end_of(chunk, view.state) for chunk in chunks])

    seen = ends(view.pictures)
    again = ends(view.pictures, noise + 1)
    grey = {camera: ends(with_grey(view.pictures, camera)) for camera in CAMERAS}
    swapped = {camera: ends({**view.pictures, camera: elsewhere[camera]}) for camera in CAMERAS}
    return _OneScene(
        obeyed=_obeyed(seen, view),
        prompt_shift=float(np.mean([_apart(a, b) for a, b in itertools.combinations(seen, 2)])),
        noise_shift=_apart(seen, again),
        grey={camera: _apart(seen, found) for camera, found in grey.items()},
        swapped={camera: _apart(seen, found) for camera, found in swapped.items()},
        obeyed_grey={camera: _obeyed(found, view) for camera, found in grey.items()},
    )


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Mean distance in millimetres."""
    return float(1000 * np.hypot(*(a - b).T).mean())


def _obeyed(ends: NDArray[np.float64], view: View) -> int:
    return sum(nearest_place(end, view) == name for end, name in zip(ends, TOY_NAMES, strict=True))


def nearest_place(end: NDArray[np.float64], view: View) -> str:
    return min(view.places, key=lambda name: float(np.hypot(*(view.places[name] - end))))


def _nearest(pilot: Pilot, scenes: Sequence[View]) -> dict[str, int]:
    found: Counter[str] = Counter({"named": 0, "pad": 0, "other": 0})
    for view in scenes:
        chunk = pilot.chunk(view.pictures, PROMPT.format(object=view.target), view.state, view.seed * 1000)
        place_found = nearest_place(end_of(chunk, view.state), view)
        found["named" if place_found == view.target else "pad" if place_found == "pad" else "other"] += 1
    return dict(found)
