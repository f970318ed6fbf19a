"""`check` finds beforehand what a run would stumble over: the same files, the same words, the same exit code."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.episodes import builders
from tests.ingest.world import Ended, cli, make_world, table_of

STATE = "observation/robot_state"


def picture(form: str, mode: str = "RGB") -> Callable[[Path], None]:
    """Puts a picture of that kind in the place of the second keyframe's."""

    def on_episode(episode: Path) -> None:
        stream = io.BytesIO()
        Image.new(mode, (320, 180)).save(stream, form)
        builders.frame_path(episode, frame_index=4).write_bytes(stream.getvalue())

    return on_episode


def cut(n_bytes: int) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        path = builders.frame_path(episode, frame_index=4)
        path.write_bytes(path.read_bytes()[:-n_bytes])

    return on_episode


def cut_with_thumbnail(episode: Path) -> None:
    """The preview in its header is whole, and ends as a whole picture does."""
    path = builders.frame_path(episode, frame_index=4)
    data = path.read_bytes()
    preview = b"\xff\xd8\xff\xd9"
    comment = b"\xff\xfe" + (len(preview) + 2).to_bytes(2, "big") + preview
    path.write_bytes(data[:2] + comment + data[2 : len(data) // 2])


def state(part: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        with h5py.File(episode / "trajectory.h5", "r+") as file:
            values = file[f"{STATE}/{part}"][()]
            del file[f"{STATE}/{part}"]
            file[f"{STATE}/{part}"] = change(values)

    return on_episode


def with_nan(values: np.ndarray) -> np.ndarray:
    values[4] = np.nan
    return values


def mask(array: np.ndarray) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        np.save(sorted((episode / "masks").glob("00004_*.npy"))[0], array)

    return on_episode


def detections(content: object) -> Callable[[Path], None]:
    return lambda episode: (episode / "dinox_info.json").write_text(json.dumps(content)) and None


def empty(name: str) -> Callable[[Path], None]:
    return lambda episode: (episode / name).write_bytes(b"")


FRAME = "recordings/frames/hand_camera/00004.jpg"
# What is done to an episode -> the reason, and what is named.
BROKEN: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "cut in half": (lambda e: builders.truncate_jpeg(e, frame_index=4) and None, "truncated_jpeg", FRAME),
    "cut by two bytes": (cut(2), "truncated_jpeg", FRAME),
    "cut behind its preview": (cut_with_thumbnail, "truncated_jpeg", FRAME),
    "no byte of a picture": (empty(FRAME), "invalid_jpeg", FRAME),
    "a PNG of 16 bits": (picture("PNG", "I;16"), "invalid_jpeg", FRAME),
    "a cut trajectory": (lambda e: builders.truncate_h5(e) and None, "truncated_h5", "trajectory.h5"),
    "no byte of a trajectory": (empty("trajectory.h5"), "truncated_h5", "trajectory.h5"),
    "a state of text": (
        state("gripper_position", lambda values: np.array([b"open"] * len(values))),
        "wrong_shape",
        "trajectory.h5",
    ),
    "a state of three dimensions": (
        state("cartesian_position", lambda values: values[:, :, None]),
        "wrong_shape",
        "trajectory.h5",
    ),
    "a state that is NaN": (state("cartesian_position", with_nan), "state_not_finite", "trajectory.h5"),
    "a state too short": (
        state("cartesian_position", lambda values: values[:, :2]),
        "missing_state",
        "frame ",
    ),
    "a mask of text": (mask(np.full((180, 320), "x")), "invalid_mask", "masks/00004"),
    "a mask of complex numbers": (mask(np.ones((180, 320), complex)), "invalid_mask", "masks/00004"),
    "a mask with NaN": (mask(np.full((180, 320), np.nan)), "invalid_mask", "masks/00004"),
    "a mask of three dimensions": (mask(np.ones((180, 320, 3))), "invalid_mask", "masks/00004"),
    "detections that are a list": (detections([]), "invalid_detections", "dinox_info.json"),
    "a frame of detections that is a word": (
        detections({"0": "duck"}),
        "invalid_detections",
        "dinox_info.json",
    ),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Ended, Path, dict[str, str]]:
    """What check said, what the run said, its lake, and the episode of each breakage."""
    world = make_world(tmp_path_factory.mktemp("check"), {"conditions": {}}, count=len(BROKEN) + 1)
    episodes = sorted(world.root.glob("*/*/*"))
    for (spoil, _, _), episode in zip(BROKEN.values(), episodes, strict=False):
        spoil(episode)
    names = [episode.relative_to(world.root).as_posix() for episode in episodes]
    checked = cli("check", "--study", world.study_file, "--lake", world.lake)
    ran = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    return checked, ran, world.lake, dict(zip(BROKEN, names, strict=False))


@pytest.mark.parametrize("name", BROKEN)
def test_what_a_run_would_lose_is_a_problem(
    both: tuple[Ended, Ended, Path, dict[str, str]], name: str
) -> None:
    checked, _, lake, episodes = both
    _, reason, file = BROKEN[name]
    issues = [row for row in table_of(lake, "issues") if row["episode_id"] == episodes[name]]
    problems = [
        line for line in checked.err.splitlines() if re.search(rf"{re.escape(episodes[name])}\b", line)
    ]
    assert len(problems) == len(issues) > 0
    for issue, problem in zip(issues, problems, strict=True):
        assert issue["reason"] == reason
        assert file in problem
        assert problem.endswith(issue["detail"])
        assert problem.startswith(f"problem: {episodes[name]}")


def test_both_end_alike(both: tuple[Ended, Ended, Path, dict[str, str]]) -> None:
    checked, ran, _, _ = both
    assert (checked.code, ran.code) == (1, 1)
    # One is about each of its two keyframes.
    assert f"{len(BROKEN) + 1} problems; the run would end with exit code 1" in checked.err
    assert "Traceback" not in checked.err + ran.err


def test_pictures_of_other_channels_are_pictures(tmp_path: Path) -> None:
    """Grey ones and those made for print are read as RGB."""
    world = make_world(tmp_path, {"conditions": {}}, count=2)
    for episode, mode in zip(sorted(world.root.glob("*/*/*")), ("L", "CMYK"), strict=True):
        picture("JPEG", mode)(episode)
    ended = cli("check", "--study", world.study_file, "--lake", world.lake)
    assert (ended.code, ended.err) == (0, "")


def test_a_calibration_that_cannot_be_read_is_a_warning_once(tmp_path: Path) -> None:
    world = make_world(tmp_path, {"conditions": {}}, count=1)
    (episode,) = world.root.glob("*/*/*")
    with h5py.File(episode / "trajectory.h5", "r+") as file:
        file.attrs["camera_serials"] = "no JSON"
    ended = cli("check", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 0
    (line,) = ended.err.splitlines()
    assert line.startswith("warning: ")
    assert "trajectory.h5: the attribute camera_serials is not a JSON object" in line
