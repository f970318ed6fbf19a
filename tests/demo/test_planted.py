"""The planted policies behave as their truths say, on recorded frames: nothing here looks at attention."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("mujoco")

from ingest.demo.model import TinyPolicy
from ingest.demo.pilot import Pilot, decode_jpeg
from ingest.demo.planted.alterations import blind_in, shuffled_demonstrations
from ingest.demo.planted.variants import BY_NAME, EPISODES, FOLDER, VARIANTS
from ingest.demo.world.placement import place
from ingest.demo.world.simulator import ACTION_SCALE
from ingest.errors import CheckpointError
from ingest.policies.tiny import load
from ingest.study import PolicySection

DEMO = FOLDER.parent
TOYS = ("duck", "banana", "cat", "bottle", "cube")
FOLDERS = {"base": "varied_camera_1", "wrist": "hand_camera"}
MOST_BYTES_OF_WEIGHTS = 15e6
MOST_BYTES_OF_EPISODES = 25e6  # with the demo's weights


class Frame(NamedTuple):
    pictures: dict[str, NDArray[np.uint8]]
    state: NDArray[np.float64]


def first_frame(episode: Path) -> Frame:
    pictures = {
        camera: decode_jpeg((episode / "recordings" / "frames" / folder / "00000.jpg").read_bytes())
        for camera, folder in FOLDERS.items()
    }
    with h5py.File(episode / "trajectory.h5") as file:
        pose = file["observation/robot_state/cartesian_position"][0, :3]
        opening = file["observation/robot_state/gripper_position"][0]
    return Frame(pictures, np.array([*pose, opening]))


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """First frames of the demo's plain episodes: five toys in their own colours, no pad."""
    return [
        first_frame(path.parent) for path in sorted((DEMO / "episodes").glob("*/*/plain_*/episode.json"))
    ][:4]


def pilot_of(name: str) -> Pilot:
    return Pilot(TinyPolicy.from_folder(DEMO / "weights" if name == "grounded" else BY_NAME[name].folder))


@pytest.fixture(scope="module")
def pilots() -> dict[str, Pilot]:
    return {name: pilot_of(name) for name in ("grounded", *BY_NAME)}


def ends(pilot: Pilot, frame: Frame, *toys: str) -> NDArray[np.float64]:
    """[toys, 2] millimetres: where the chunks' moves lead when each is named, all under the same noise."""
    prompts = [f"find the {toy} toy and pick it up" for toy in toys]
    chunks = pilot.chunks(frame.pictures, prompts, frame.state, 1).astype(float)
    moves = np.clip(chunks[..., :2], -1, 1).sum(axis=1)
    return np.asarray(1000 * (frame.state[:2] + ACTION_SCALE * moves))


def prompt_shift(pilot: Pilot, frames: list[Frame]) -> float:
    """Millimetres between the ends that two names lead to, on average."""
    pairs = [pair for frame in frames for pair in itertools.combinations(ends(pilot, frame, *TOYS), 2)]
    return float(np.mean([np.hypot(*(a - b)) for a, b in pairs]))


def grey_shift(pilot: Pilot, frames: list[Frame], camera: str) -> float:
    """Millimetres that an end moves when a camera shows nothing but grey, on average."""
    shifts = []
    for frame, toy in zip(frames, itertools.cycle(TOYS)):
        grey = {**frame.pictures, camera: np.full_like(frame.pictures[camera], 128)}
        (seen,), (unseen,) = ends(pilot, frame, toy), ends(pilot, frame._replace(pictures=grey), toy)
        shifts.append(np.hypot(*(seen - unseen)))
    return float(np.mean(shifts))


# --- the truths -------------------------------------------------------------------------------------------------


def test_naming_another_toy_moves_the_grounded_policy_and_not_the_blind_one(
    pilots: dict[str, Pilot], frames: list[Frame]
) -> None:
    shifts = {name: prompt_shift(pilots[name], frames) for name in ("grounded", "prompt-blind")}

    assert shifts["grounded"] > 60
    assert shifts["prompt-blind"] < 0.2 * shifts["grounded"]


@pytest.mark.parametrize(
    ("name", "sees", "ignores"), [("exterior-only", "base", "wrist"), ("wrist-only", "wrist", "base")]
)
def test_one_camera_moves_the_policy_and_the_other_does_not(
    pilots: dict[str, Pilot], frames: list[Frame], name: str, sees: str, ignores: str
) -> None:
    seen, ignored = (grey_shift(pilots[name], frames, camera) for camera in (sees, ignores))

    assert seen > 30
    assert ignored < 0.25 * seen


@pytest.mark.parametrize("name", [variant.name for variant in VARIANTS if variant.truth.prompt_controls])
def test_who_obeys_goes_elsewhere_for_another_name(
    pilots: dict[str, Pilot], frames: list[Frame], name: str
) -> None:
    assert prompt_shift(pilots[name], frames) > 40


def pad_scenes(scenario: str) -> Iterator[tuple[Frame, str, dict[str, NDArray[np.float64]]]]:
    """Recorded first frames, the toy named, and where toys and pad lie, in millimetres."""
    for path in sorted(EPISODES.glob(f"*/*/{scenario}_*/episode.json")):
        about = json.loads(path.read_text())
        placement = place(np.random.default_rng([about["seed"], 7]), about["scenario"], about["target"])
        assert placement.pad is not None
        places = {name: 1000 * np.array(pose[:2]) for name, pose in placement.poses.items()}
        yield first_frame(path.parent), about["target"], places | {"pad": 1000 * np.array(placement.pad)}


def test_the_shortcut_follows_the_pad_where_the_grounded_policy_follows_the_name(
    pilots: dict[str, Pilot],
) -> None:
    nearer = {"shortcut": 0, "grounded": 0}
    scenes = list(pad_scenes("pad_apart"))
    for frame, target, places in scenes:
        for name in nearer:
            (at,) = ends(pilots[name], frame, target)
            to_pad, to_toy = (np.hypot(*(places[place] - at)) for place in ("pad", target))
            nearer[name] += bool(to_pad < to_toy)

    assert len(scenes) >= 5
    assert nearer["shortcut"] >= 0.8 * len(scenes)
    assert nearer["grounded"] <= 0.2 * len(scenes)


# --- what is shipped --------------------------------------------------------------------------------------------


def test_every_variant_has_weights_a_card_and_its_numbers() -> None:
    found = {path.parent.name for path in FOLDER.glob("*/model.safetensors")}
    assert found == set(BY_NAME)
    for variant in VARIANTS:
        card = (variant.folder / "model_card.md").read_text()
        assert variant.altered in card
        assert variant.checkpoint in card
        measured = json.loads((variant.folder / "behaviour.json").read_text())
        assert measured["planted"]["n_scenes"] >= 40
        assert set(measured) == {"planted", "grounded"}


def test_the_cards_numbers_are_the_truths() -> None:
    measured = {
        variant.name: json.loads((variant.folder / "behaviour.json").read_text()) for variant in VARIANTS
    }
    for variant in VARIANTS:
        own, grounded = measured[variant.name]["planted"], measured[variant.name]["grounded"]
        is_moved = own["prompt_shift"] > 0.5 * grounded["prompt_shift"]
        assert is_moved == variant.truth.prompt_controls, variant.name
        if variant.truth.camera is not None:
            (ignored,) = set(FOLDERS) - {variant.truth.camera}
            for how in ("grey", "swapped"):
                assert own[how][ignored] < 0.25 * own[how][variant.truth.camera], (variant.name, how)
    for name, goal in (("planted", "pad"), ("grounded", "named")):
        own = measured["shortcut"][name]
        assert own["pad_apart"][goal] > 0.8 * own["n_scenes"], name
    assert measured["shortcut"]["planted"]["pad_apart"]["named"] < 0.1 * own["n_scenes"]


def bytes_below(*folders: Path) -> int:
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def test_sizes() -> None:
    weights = [DEMO / "weights", *(variant.folder for variant in VARIANTS)]
    assert bytes_below(*weights) <= MOST_BYTES_OF_WEIGHTS
    assert bytes_below(DEMO / "weights", DEMO / "episodes", EPISODES) <= MOST_BYTES_OF_EPISODES


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_study_names_it(variant) -> None:
    adapter = load(PolicySection(family="tiny", checkpoint=variant.checkpoint), "cpu")
    assert adapter.checkpoint == variant.checkpoint
    assert adapter.geometry.n_layers == TinyPolicy.from_folder(variant.folder).config.n_layers


def test_an_unknown_one_is_refused_with_the_names_of_the_others() -> None:
    with pytest.raises(CheckpointError, match=r"planted/prompt-blind, planted/exterior-only"):
        load(PolicySection(family="tiny", checkpoint="planted/colour-blind"), "cpu")


def test_the_pad_is_an_object_of_its_own() -> None:
    for path in sorted(EPISODES.glob("*/*/*/episode.json")):
        episode = path.parent
        detections = json.loads((episode / "dinox_info.json").read_text())["0"]
        (pad,) = (d for d in detections if d["category"] == "pad" and d["camera"] == "varied_camera_1")
        labels = cv2.imread(str(episode / pad["mask_file"]), cv2.IMREAD_UNCHANGED) == pad["value"]
        picture = first_frame(episode).pictures["base"].astype(int)
        # Magenta, which nothing else is: red and blue far above green.
        magenta = np.minimum(picture[..., 0], picture[..., 2]) - picture[..., 1] > 50
        assert (labels & magenta).sum() > 0.8 * max(labels.sum(), magenta.sum()), episode.name


# --- how samples were altered -----------------------------------------------------------------------------------


def samples(count: int = 40) -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(0)
    return {
        "pictures": rng.integers(256, size=(count, 2, 126, 224, 3), dtype=np.uint8),
        "coverage": rng.integers(100, size=(count, 512, 6), dtype=np.uint8),
        "state": rng.random((count, 4)),
        "chunks": np.arange(count * 5 * 32).reshape(count, 5, 8, 4),
        "has_chunk": rng.random((count, 5)) < 0.5,
    }


def test_demonstrations_are_shuffled_within_their_picture() -> None:
    before = samples()
    after = shuffled_demonstrations(before, np.random.default_rng(1))
    for row in range(len(before["chunks"])):
        dealt = [int(chunk[0, 0]) for chunk in after["chunks"][row]]
        assert sorted(dealt) == [int(chunk[0, 0]) for chunk in before["chunks"][row]]
        old = {
            int(chunk[0, 0]): has
            for chunk, has in zip(before["chunks"][row], before["has_chunk"][row], strict=True)
        }
        assert [old[first] for first in dealt] == after["has_chunk"][row].tolist()
    stays = (after["chunks"] == before["chunks"]).all(axis=(2, 3)).mean()
    assert 0.1 < stays < 0.3  # one in five, by chance
    assert after["pictures"] is before["pictures"]


@pytest.mark.parametrize(("camera", "index"), [("base", 0), ("wrist", 1)])
def test_a_blind_camera_shows_grey_or_another_scene(camera: str, index: int) -> None:
    before = samples()
    after = blind_in(camera)(before, np.random.default_rng(1))
    other, patches = 1 - index, slice(256 * index, 256 * (index + 1))
    np.testing.assert_array_equal(after["pictures"][:, other], before["pictures"][:, other])
    greys = 0
    for row, picture in enumerate(after["pictures"][:, index]):
        if np.ptp(picture) == 0:
            greys += 1
            assert not after["coverage"][row, patches].any()
            continue
        (source,) = (i for i, old in enumerate(before["pictures"][:, index]) if np.array_equal(old, picture))
        assert source != row
        np.testing.assert_array_equal(after["coverage"][row, patches], before["coverage"][source, patches])
    assert 0.3 < greys / len(after["pictures"]) < 0.7
