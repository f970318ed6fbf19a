"""A DROID tree is found, read and given its true state."""

from __future__ import annotations

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from ingest.episodes.base import EpisodeRef, KeyframeRule
from ingest.episodes.droid import DroidEpisode, DroidSource
from ingest.episodes.trajectory import ROBOSUITE_PARTS
from ingest.errors import DataError, UserError
from ingest.policies.cosmos_layout import SUITES, state_of
from tests.episodes.builders import ROLES, frame_path, write_droid_episode


def open_only(root: Path, **options: object) -> DroidEpisode:
    source = DroidSource(root, ROLES, **options)  # type: ignore[arg-type]
    (ref,) = source.discover()
    return source.open(ref)


def test_episodes_are_found_by_their_whole_path_in_a_fixed_order(tmp_path: Path) -> None:
    write_droid_episode(tmp_path, "success", "2025-12-11/a", n_frames=1)
    write_droid_episode(tmp_path, "success", "2025-12-10/a", n_frames=1)
    write_droid_episode(tmp_path, "failure", "2025-12-10/a", n_frames=1)
    (tmp_path / "notes").mkdir()
    (tmp_path / "success" / ".cache" / "x").mkdir(parents=True)
    refs = DroidSource(tmp_path, ROLES).discover()
    assert [(ref.episode_id, ref.outcome) for ref in refs] == [
        ("failure/2025-12-10/a", "failure"),
        ("success/2025-12-10/a", "success"),
        ("success/2025-12-11/a", "success"),
    ]


def test_an_episode_without_a_date_is_found_and_an_empty_one_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "success" / "2025-12-10" / "empty").mkdir(parents=True)
    write_droid_episode(tmp_path, "failure", "2025-12-10/a", n_frames=1).rename(
        tmp_path / "failure" / "undated"
    )
    refs = DroidSource(tmp_path, ROLES).discover()
    assert [ref.episode_id for ref in refs] == ["failure/undated", "success/2025-12-10/empty"]


@pytest.mark.parametrize("made", ["nothing", "empty"])
def test_a_root_without_episodes_is_the_users_mistake(tmp_path: Path, made: str) -> None:
    root = tmp_path / "tree"
    if made == "empty":
        (root / "success").mkdir(parents=True)
    with pytest.raises(UserError, match="is not a directory" if made == "nothing" else "holds no episode"):
        DroidSource(root, ROLES).discover()


@pytest.mark.parametrize("folder", ["", "..", "../../etc", "a/b", "a\\b"])
def test_a_camera_is_one_folder(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UserError, match=r"episodes\.cameras"):
        DroidSource(tmp_path, {"wrist": folder})


def test_what_an_episode_says_of_itself(tmp_path: Path) -> None:
    instruction = " Pick up <b>the 鸭子</b>; DROP TABLE raw.runs; -- \n"
    write_droid_episode(tmp_path / "toys", "success", "a", n_frames=3, instruction=instruction)
    episode = open_only(tmp_path / "toys")
    assert episode.instruction == instruction.strip()
    assert episode.task == episode.instruction
    assert (episode.dataset, episode.source, episode.n_frames) == ("toys", "droid", 3)
    assert (episode.outcome, episode.failure_kind, episode.suite, episode.task_index) == (
        "success",
        None,
        None,
        None,
    )
    assert episode.problems == []
    assert episode.metadata == {}


def test_metadata_fills_what_the_tree_does_not_say(tmp_path: Path) -> None:
    metadata = {
        "failure_kind": "wrong_toy",
        "failure_family": "grounding",
        "task": "duck",
        "task_index": 2,
        "seed": 7,
    }
    write_droid_episode(tmp_path, "failure", "a", n_frames=1, target="duck", metadata=metadata)
    episode = open_only(tmp_path, dataset="demo")
    assert (episode.dataset, episode.task, episode.task_index) == ("demo", "duck", 2)
    assert episode.failure_kind == "wrong_toy"
    assert episode.metadata == {"target": "duck", **metadata}
    assert episode.problems == []


def test_the_tree_is_believed_where_metadata_contradicts_it(tmp_path: Path) -> None:
    metadata = {"outcome": "failure", "failure_kind": "dropped"}
    write_droid_episode(tmp_path, "success", "a", n_frames=1, metadata=metadata)
    episode = open_only(tmp_path)
    assert (episode.outcome, episode.failure_kind) == ("success", None)
    assert [problem.reason for problem in episode.problems] == ["contradicting_outcome"] * 2


@pytest.mark.parametrize(
    ("pose", "width"),
    [("joint_positions", 7), ("cartesian_position", 6)],
)
def test_the_state_is_the_recorded_one(tmp_path: Path, pose: str, width: int) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=4, pose=pose)
    episode = open_only(tmp_path)
    with h5py.File(path / "trajectory.h5") as file:
        poses = file[f"observation/robot_state/{pose}"][:]
        gripper = file["observation/robot_state/gripper_position"][:]
    for frame in range(4):
        observation = episode.observation(frame)
        np.testing.assert_array_equal(observation.state, [*poses[frame], gripper[frame]])
        assert observation.state.shape == (width + 1,)
        assert observation.gripper == gripper[frame]
        assert observation.timestamp == pytest.approx(0.1 * frame)
        assert sorted(observation.state_parts) == sorted([pose, "gripper_position"])
        np.testing.assert_array_equal(observation.state_parts[pose], poses[frame])


def test_joints_come_first_and_every_part_is_kept(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2)
    with h5py.File(path / "trajectory.h5", "a") as file:
        file["observation/robot_state/cartesian_position"] = np.arange(12.0).reshape(2, 6)
    observation = open_only(tmp_path).observation(1)
    assert observation.state.shape == (8,)
    np.testing.assert_array_equal(observation.state_parts["cartesian_position"], np.arange(6.0, 12.0))


def test_robosuites_parts_are_kept_beside_the_state(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2)
    with h5py.File(path / "trajectory.h5", "a") as file:
        for size, name in enumerate(ROBOSUITE_PARTS, start=2):
            file[f"observation/robot_state/{name}"] = np.arange(2.0 * size).reshape(2, size)

    observation = open_only(tmp_path).observation(1)

    assert observation.state.shape == (8,)
    assert [observation.state_parts[name].tolist() for name in ROBOSUITE_PARTS] == [
        [2, 3],
        [3, 4, 5],
        [4, 5, 6, 7],
    ]
    assert state_of(observation, SUITES["libero"], 9).tolist() == [2, 3, 3, 4, 5, 4, 5, 6, 7]


def test_an_array_of_nan_marks_what_the_robot_does_not_have(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2, pose="cartesian_position")
    with h5py.File(path / "trajectory.h5", "a") as file:
        file["observation/robot_state/joint_positions"] = np.full((2, 7), np.nan)
    observation = open_only(tmp_path).observation(0)
    assert observation.state.shape == (7,)
    assert "joint_positions" not in observation.state_parts


def test_pictures_are_rgb_at_raw_size_for_each_role(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2, objects={"duck": (100, 60, 180, 120)})
    episode = open_only(tmp_path)
    observation = episode.observation(1)
    assert list(observation.images) == ["base", "wrist"]
    for role, folder in ROLES.items():
        picture = observation.images[role]
        assert picture.dtype == np.uint8
        assert episode.frame_size(role, 1) == picture.shape[:2] == (180, 320)
        expected = cv2.cvtColor(cv2.imread(str(frame_path(path, folder, 1))), cv2.COLOR_BGR2RGB)
        # Two JPEG decoders may differ by rounding.
        assert np.abs(picture.astype(int) - expected).max() <= 2
        red, green, blue = picture[90, 140].astype(int)  # the builder's yellow
        assert red > 200
        assert green > 170
        assert blue < 60


def test_keyframes_by_rule_and_by_list(tmp_path: Path) -> None:
    write_droid_episode(tmp_path / "rule", "success", "a", n_frames=17)
    assert open_only(tmp_path / "rule").keyframes() == [0, 8, 16]
    assert open_only(tmp_path / "rule", keyframes=KeyframeRule(every=5)).keyframes() == [0, 5, 10, 15]
    assert open_only(tmp_path / "rule", keyframes=KeyframeRule(every=5, first=2)).keyframes() == [0, 5]
    write_droid_episode(tmp_path / "list", "success", "a", n_frames=17, white_list=[3, 1, 16, 3])
    assert open_only(tmp_path / "list").keyframes() == [1, 3, 16]


def test_at_most_so_many_keyframes_lie_evenly_between_the_ends() -> None:
    assert KeyframeRule(every=2, at_most=9).select(33) == [
        0,
        4,
        8,
        12,
        16,
        20,
        24,
        28,
        32,
    ]  # 17 of which every other
    assert KeyframeRule(every=2, at_most=9).select(17) == [0, 2, 4, 6, 8, 10, 12, 14, 16]  # 9, so all
    assert KeyframeRule(every=1, at_most=4).select(11) == [0, 3, 7, 10]  # 0, 3 1/3, 6 2/3, 10
    assert KeyframeRule(every=3, first=5, at_most=2).select(100) == [0, 12]
    assert KeyframeRule(every=3, at_most=1).select(100) == [0]
    assert KeyframeRule(at_most=5).select(0) == []


@pytest.mark.parametrize("n_frames", range(1, 60))
@pytest.mark.parametrize("at_most", [2, 3, 9])
def test_thinned_keyframes_are_few_apart_alike_and_keep_the_ends(n_frames: int, at_most: int) -> None:
    every = KeyframeRule(every=2).select(n_frames)
    kept = KeyframeRule(every=2, at_most=at_most).select(n_frames)
    steps = np.diff(kept)
    assert len(kept) == min(at_most, len(every))
    assert {kept[0], kept[-1]} == {every[0], every[-1]}
    assert set(kept) <= set(every)
    assert not len(steps) or (steps.min() > 0 and steps.max() - steps.min() <= 2)


def test_a_keyframe_rule_needs_a_step() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        KeyframeRule(every=0)
    with pytest.raises(ValueError, match=r"keyframes\.first is 0"):
        KeyframeRule(first=0)
    with pytest.raises(ValueError, match=r"keyframes\.at_most is -1"):
        KeyframeRule(at_most=-1)


def test_calibration_needs_a_serial_for_the_folder(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=3, serials={"hand_camera": "12345"})
    episode = open_only(tmp_path)
    with h5py.File(path / "trajectory.h5") as file:
        extrinsics = file["observation/camera_extrinsics/12345_left"][:]
        intrinsics = file["observation/camera_intrinsics/12345_left"][:]
    calibration = episode.calibration("wrist", 2)
    assert calibration is not None
    np.testing.assert_array_equal(calibration.extrinsic, extrinsics[2])
    np.testing.assert_array_equal(calibration.intrinsic, intrinsics[2])
    assert episode.calibration("base") is None
    assert episode.calibration("wrist", 99) is None


def test_a_broken_serial_map_is_refused(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    for broken in ("{", "[]"):
        with h5py.File(path / "trajectory.h5", "a") as file:
            file.attrs["camera_serials"] = broken
        with pytest.raises(DataError, match="camera_serials"):
            open_only(tmp_path).calibration("wrist")


def test_droids_own_camera_types_tell_the_hand_camera_alone(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2, serials={"hand_camera": "777"})
    with h5py.File(path / "trajectory.h5", "a") as file:
        del file.attrs["camera_serials"]
        file["observation/camera_type/777"] = np.zeros(2, dtype=np.int64)
        file["observation/camera_type/888"] = np.ones(2, dtype=np.int64)
    episode = open_only(tmp_path)
    assert episode.calibration("wrist") is not None
    assert episode.calibration("base") is None


def test_frames_beyond_the_rows_are_reported(tmp_path: Path) -> None:
    write_droid_episode(tmp_path, "success", "a", n_frames=10, n_rows=9)
    episode = open_only(tmp_path)
    assert episode.n_frames == 10
    assert [problem.reason for problem in episode.problems] == ["frames_and_rows_differ"]
    assert "10 frames but 9 rows" in episode.problems[0].detail
    assert "last 1 frames" in episode.problems[0].detail


def test_rows_beyond_the_frames_and_gaps_are_reported(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=10, n_rows=12)
    frame_path(path, "hand_camera", 4).unlink()
    reasons = [problem.reason for problem in open_only(tmp_path).problems]
    assert reasons == ["missing_frames", "frames_and_rows_differ"]


def test_opening_needs_a_ref_of_this_source(tmp_path: Path) -> None:
    write_droid_episode(tmp_path, "success", "a", n_frames=1)
    source = DroidSource(tmp_path, ROLES)
    (ref,) = source.discover()
    with pytest.raises(ValueError, match="not found by this source"):
        source.open(EpisodeRef(ref.episode_id, ref.path, None))
