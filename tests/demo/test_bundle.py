"""The shipped episodes: enough of each sort, complete, readable, and labelled as the masks say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

DEMO = Path(__file__).resolve().parents[2] / "ingest" / "demo"
EPISODES = sorted(path.parent for path in (DEMO / "episodes").glob("*/*/*/episode.json"))
CAMERAS = ("varied_camera_1", "hand_camera")
KEYFRAME_EVERY = 2
TOYS = {"duck", "banana", "cat", "bottle", "cube"}


def about(episode: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((episode / "episode.json").read_text())
    return content


def frames_of(episode: Path, camera: str) -> list[Path]:
    return sorted((episode / "recordings" / "frames" / camera).glob("*.jpg"))


def test_enough_of_each_sort() -> None:
    sorts = Counter((content["outcome"], content["failure_family"]) for content in map(about, EPISODES))
    assert sorts["success", None] >= 24
    assert sorts["failure", "grip"] >= 10
    assert sorts["failure", "grounding"] >= 10
    assert sorts["failure", "grip"] + sorts["failure", "grounding"] >= 24
    assert sorts["failure", None] == 0


def test_no_toy_and_no_scenario_gives_the_outcome_away() -> None:
    for field in ("target", "scenario"):
        seen: dict[str, set[str]] = {}
        for content in map(about, EPISODES):
            seen.setdefault(content[field], set()).add(content["outcome"])
        assert all(outcomes == {"success", "failure"} for outcomes in seen.values()), (field, seen)


def test_sizes() -> None:
    weights = sum(path.stat().st_size for path in (DEMO / "weights").iterdir())
    episodes = sum(path.stat().st_size for path in (DEMO / "episodes").rglob("*") if path.is_file())
    assert weights <= 10e6
    assert weights + episodes <= 25e6


def test_nothing_machine_made_is_pickled() -> None:
    allowed = {".txt", ".json", ".jpg", ".png", ".h5", ".md", ".safetensors"}
    found = {
        path.suffix for name in ("weights", "episodes") for path in (DEMO / name).rglob("*") if path.is_file()
    }
    assert found <= allowed


@pytest.mark.parametrize("episode", EPISODES, ids=lambda path: path.name)
def test_episode(episode: Path) -> None:
    content = about(episode)
    assert content["outcome"] == episode.parent.parent.name
    assert content["target"] in TOYS
    assert (content["failure_kind"] is None) == (content["outcome"] == "success")
    if content["failure_kind"] is not None:
        family = "grounding" if content["failure_kind"] == "wrong_toy" else "grip"
        assert content["failure_family"] == family
        assert (content["approached"] != content["target"]) == (family == "grounding")
    instruction = (episode / "instruction.txt").read_text().strip()
    assert instruction
    if content["scenario"] != "unseen_wording":
        assert content["target"] in instruction.split()

    n_frames = len(frames_of(episode, CAMERAS[0]))
    assert len(range(0, n_frames, KEYFRAME_EVERY)) >= 8
    for camera in CAMERAS:
        frames = frames_of(episode, camera)
        assert [path.stem for path in frames] == [f"{index:05d}" for index in range(n_frames)]
        assert all(cv2.imread(str(path)).shape == (180, 320, 3) for path in frames)
    _check_trajectory(episode, n_frames)
    _check_masks(episode, n_frames)


def _check_trajectory(episode: Path, n_frames: int) -> None:
    with h5py.File(episode / "trajectory.h5") as file:
        state = file["observation/robot_state"]
        assert state["cartesian_position"].shape == (n_frames, 6)
        assert state["gripper_position"].shape == (n_frames,)
        assert "joint_positions" not in state
        assert "absent" in file.attrs["robot"]
        serials = json.loads(file.attrs["camera_serials"])
        assert set(serials) == set(CAMERAS)
        for serial in serials.values():
            assert file[f"observation/camera_extrinsics/{serial}_left"].shape == (n_frames, 6)
            assert file[f"observation/camera_intrinsics/{serial}_left"].shape == (n_frames, 3, 3)
        replans = file["policy/frame_index"][()]
        assert replans.tolist() == list(range(0, n_frames, KEYFRAME_EVERY))
        assert file["policy/chunk"].shape == (len(replans), 8, 4)
        # Between two replans the arm did what the chunk said.
        np.testing.assert_array_equal(
            file["action/policy_action"][::KEYFRAME_EVERY], file["policy/chunk"][:, 0]
        )
        file.visititems(lambda _name, node: _check_finite(node))


def _check_finite(node: h5py.Group | h5py.Dataset) -> None:
    if isinstance(node, h5py.Dataset):
        assert np.isfinite(node[()]).all(), node.name


def _check_masks(episode: Path, n_frames: int) -> None:
    info = json.loads((episode / "dinox_info.json").read_text())
    assert sorted(map(int, info)) == list(range(n_frames))
    categories: dict[str, int] = {}
    for index, detections in info.items():
        for camera in CAMERAS:
            path = f"masks/{camera}/{int(index):05d}.png"
            labels = cv2.imread(str(episode / path), cv2.IMREAD_UNCHANGED)
            assert labels.shape == (180, 320)
            own = [detection for detection in detections if detection["camera"] == camera]
            large = {int(value) for value in np.unique(labels) if value and (labels == value).sum() >= 4}
            assert {detection["value"] for detection in own} == large
            for detection in own:
                assert detection["mask_file"] == path
                assert categories.setdefault(detection["category"], detection["value"]) == detection["value"]
                rows, columns = np.nonzero(labels == detection["value"])
                x0, y0, x1, y1 = detection["bbox"]
                assert (x0, y0, x1, y1) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert set(categories) <= TOYS | {"decoy", "gripper", "screen"}
    scenario = about(episode)["scenario"]
    assert ("decoy" in categories) == (scenario in ("same_colour", "same_shape"))
    assert ("screen" in categories) == (scenario == "occluded")


def test_importing_ingest_needs_no_torch_and_no_mujoco() -> None:
    code = "import sys, ingest, ingest.demo; assert not {'torch', 'mujoco'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=DEMO.parents[1])
