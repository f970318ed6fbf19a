"""Every broken file is refused by name, with what to do; what is not broken still reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image, ImageFile

from ingest.episodes.droid import DroidEpisode, DroidSource
from ingest.errors import DataError
from tests.episodes import builders
from tests.episodes.builders import ROLES, frame_path, write_droid_episode

ROBOT_STATE = "observation/robot_state"


def opened(root: Path) -> DroidEpisode:
    source = DroidSource(root, ROLES)
    (ref,) = source.discover()
    return source.open(ref)


def edit_h5(edit: Callable[[h5py.File], None]) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        with h5py.File(episode / "trajectory.h5", "a") as file:
            edit(file)

    return on_episode


def replace(name: str, array: np.ndarray) -> Callable[[Path], None]:  # type: ignore[type-arg]
    def edit(file: h5py.File) -> None:
        del file[f"{ROBOT_STATE}/{name}"]
        file[f"{ROBOT_STATE}/{name}"] = array

    return edit_h5(edit)


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        (episode / name).write_bytes(data)

    return on_episode


def remove(name: str) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        (episode / name).unlink()

    return on_episode


def empty_camera(episode: Path) -> None:
    for path in (episode / "recordings/frames/hand_camera").iterdir():
        path.unlink()


def in_a_circle(name: str) -> Callable[[Path], None]:
    """A link that leads to itself in the place of a file or folder."""

    def on_episode(episode: Path) -> None:
        path = episode / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(path.name)

    return on_episode


BROKEN: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "truncated_h5": (builders.truncate_h5, "truncated_h5", "trajectory.h5"),
    "not_h5": (write("trajectory.h5", b"not an HDF5 file"), "truncated_h5", "trajectory.h5"),
    "no_h5": (remove("trajectory.h5"), "missing_file", "trajectory.h5"),
    "no_gripper": (
        edit_h5(lambda file: file.pop(f"{ROBOT_STATE}/gripper_position")),
        "missing_array",
        "trajectory.h5",
    ),
    "no_pose": (
        edit_h5(lambda file: file.pop(f"{ROBOT_STATE}/joint_positions")),
        "missing_array",
        "trajectory.h5",
    ),
    "nan_pose": (replace("joint_positions", np.full((4, 7), np.nan)), "missing_array", "trajectory.h5"),
    "short_gripper": (replace("gripper_position", np.zeros(3)), "wrong_shape", "trajectory.h5"),
    "no_rows": (replace("gripper_position", np.zeros(0)), "wrong_shape", "trajectory.h5"),
    "deep_pose": (replace("joint_positions", np.zeros((4, 7, 1))), "wrong_shape", "trajectory.h5:"),
    "text_pose": (replace("joint_positions", np.array([b"a"] * 4)), "wrong_shape", "trajectory.h5"),
    "no_camera": (builders.remove_camera, "missing_camera", "recordings/frames/hand_camera"),
    "empty_camera": (empty_camera, "missing_frames", "recordings/frames/hand_camera"),
    "empty_instruction": (builders.empty_instruction, "empty_instruction", "instruction.txt"),
    "no_instruction": (remove("instruction.txt"), "missing_file", "instruction.txt"),
    "latin_instruction": (
        write("instruction.txt", "canapé".encode("latin-1")),
        "invalid_text",
        "instruction.txt",
    ),
    "nul_instruction": (write("instruction.txt", b"pick\x00up"), "invalid_text", "instruction.txt"),
    "huge_instruction": (write("instruction.txt", b"a" * 100_000), "oversized_file", "instruction.txt"),
    "instruction_is_a_folder": (
        lambda episode: [(episode / "instruction.txt").unlink(), (episode / "instruction.txt").mkdir()],
        "unreadable_file",
        "instruction.txt",
    ),
    "list_out_of_range": (write("white_list.json", b"[0, 4]"), "invalid_white_list", "white_list.json"),
    "list_negative": (write("white_list.json", b"[-1]"), "invalid_white_list", "white_list.json"),
    "list_empty": (write("white_list.json", b"[]"), "invalid_white_list", "white_list.json"),
    "list_of_text": (write("white_list.json", b'["0"]'), "invalid_white_list", "white_list.json"),
    "list_of_truth": (write("white_list.json", b"[true]"), "invalid_white_list", "white_list.json"),
    "list_is_object": (write("white_list.json", b'{"0": 1}'), "invalid_white_list", "white_list.json"),
    "list_is_not_json": (write("white_list.json", b"[0,"), "invalid_json", "white_list.json"),
    "deep_json": (write("episode.json", b"[" * 100_000), "invalid_json", "episode.json"),
    "nan_json": (write("episode.json", b'{"score": NaN}'), "invalid_json", "episode.json"),
    "half_a_surrogate_pair": (
        write("episode.json", b'{"task": "\\ud800"}'),
        "invalid_json",
        "episode.json",
    ),
    "task_of_400_digits": (
        write("episode.json", b'{"task_index": 1' + b"0" * 400 + b"}"),
        "invalid_metadata",
        "episode.json",
    ),
    "instruction_in_a_circle": (in_a_circle("instruction.txt"), "unreadable_file", "instruction.txt"),
    "h5_in_a_circle": (in_a_circle("trajectory.h5"), "unreadable_file", "trajectory.h5"),
    "list_in_a_circle": (in_a_circle("white_list.json"), "unreadable_file", "white_list.json"),
    "metadata_in_a_circle": (in_a_circle("episode.json"), "unreadable_file", "episode.json"),
    "camera_in_a_circle": (
        in_a_circle("recordings/frames/hand_camera"),
        "unreadable_file",
        "recordings/frames/hand_camera",
    ),
    "list_that_leads_nowhere": (
        lambda episode: (episode / "white_list.json").symlink_to("nowhere.json"),
        "missing_file",
        "white_list.json",
    ),
    "metadata_is_list": (write("episode.json", b"[]"), "invalid_metadata", "episode.json"),
    "metadata_target": (write("episode.json", b'{"target": 3}'), "invalid_metadata", "episode.json"),
    "metadata_task": (write("episode.json", b'{"task_index": "3"}'), "invalid_metadata", "episode.json"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_episode_is_refused_by_name_and_others_open(tmp_path: Path, case: str) -> None:
    break_it, reason, subject = BROKEN[case]
    write_droid_episode(tmp_path, "success", "whole", n_frames=4)
    break_it(write_droid_episode(tmp_path, "failure", "broken", n_frames=4))
    source = DroidSource(tmp_path, ROLES)
    broken, whole = source.discover()
    with pytest.raises(DataError) as caught:
        source.open(broken)
    assert caught.value.reason == reason
    assert caught.value.subject.startswith(f"failure/{builders.DATE}/broken/{subject}")
    assert caught.value.subject in str(caught.value)
    assert "\n" not in str(caught.value)
    assert source.open(whole).observation(0).images


def test_an_h5_cut_anywhere_never_yields_a_state(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=4) / "trajectory.h5"
    data = path.read_bytes()
    for share in (0.0, 0.01, 0.3, 0.6, 0.9, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DataError) as caught:
            opened(tmp_path)
        assert caught.value.reason == "truncated_h5"


def test_a_cut_jpeg_fails_its_frame_alone(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=3)
    path = builders.truncate_jpeg(episode, "hand_camera", 1)
    reader = opened(tmp_path)
    with pytest.raises(DataError) as caught:
        reader.observation(1)
    assert caught.value.reason == "truncated_jpeg"
    assert caught.value.subject == path.relative_to(tmp_path).as_posix()
    assert reader.observation(0).images
    assert reader.observation(2).images


def test_a_jpeg_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = frame_path(write_droid_episode(tmp_path, "success", "a", n_frames=1))
    data = path.read_bytes()
    reader = opened(tmp_path)
    for kept in (0, 1, 2, 20, len(data) // 4, len(data) - 100, len(data) - 2, len(data) - 1):
        path.write_bytes(data[:kept])
        with pytest.raises(DataError) as caught:
            reader.observation(0)
        assert caught.value.reason in ("truncated_jpeg", "invalid_jpeg")


def test_a_cut_jpeg_is_refused_even_where_pillow_is_told_to_be_lenient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.truncate_jpeg(write_droid_episode(tmp_path, "success", "a", n_frames=1))
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(DataError, match="end-of-image"):
        opened(tmp_path).observation(0)


def test_another_format_under_the_name_of_a_jpeg_is_refused(tmp_path: Path) -> None:
    path = frame_path(write_droid_episode(tmp_path, "success", "a", n_frames=1))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\xff\xd9")
    with pytest.raises(DataError) as caught:
        opened(tmp_path).observation(0)
    assert caught.value.reason == "invalid_jpeg"
    with pytest.raises(DataError):
        opened(tmp_path).frame_size("wrist", 0)


def test_a_frame_that_links_to_itself_fails_alone(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2)
    frame = frame_path(path, "hand_camera", 1)
    frame.unlink()
    frame.symlink_to(frame.name)
    reader = opened(tmp_path)
    for read in (reader.observation, lambda index: reader.frame_size("wrist", index)):
        with pytest.raises(DataError) as caught:
            read(1)
        assert caught.value.reason == "unreadable_file"
        read(0)


@pytest.mark.filterwarnings("error")
def test_a_picture_of_more_pixels_than_are_safe_is_an_error_and_no_warning(tmp_path: Path) -> None:
    """144 million of one grey are 2 MB on disk and 432 MB in memory."""
    path = frame_path(write_droid_episode(tmp_path, "success", "a", n_frames=1))
    Image.new("L", (12000, 12000)).save(path)
    reader = opened(tmp_path)
    for read in (reader.observation, lambda index: reader.frame_size("wrist", index)):
        with pytest.raises(DataError, match="exceeds limit of 89478485 pixels") as caught:
            read(0)
        assert caught.value.reason == "invalid_jpeg"


def test_a_pair_of_surrogates_is_a_character(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    (path / "episode.json").write_text('{"task": "\\ud83e\\udd86"}')
    assert opened(tmp_path).task == "\N{DUCK}"


def test_a_frame_without_picture_row_or_finite_state_fails_alone(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=5, n_rows=4)
    frame_path(path, "hand_camera", 1).unlink()
    with h5py.File(path / "trajectory.h5", "a") as file:
        file[f"{ROBOT_STATE}/joint_positions"][2, 3] = np.nan
    reader = opened(tmp_path)
    reasons = {}
    for frame in range(5):
        try:
            reader.observation(frame)
        except DataError as error:
            reasons[frame] = error.reason
    assert reasons == {1: "missing_file", 2: "state_not_finite", 4: "no_state_row"}


def test_links_do_not_lead_out_of_the_tree(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    episode = write_droid_episode(tree, "success", "a", n_frames=2)
    secret = tmp_path / "secret.jpg"
    frame_path(episode, "hand_camera", 1).rename(secret)
    frame_path(episode, "hand_camera", 1).symlink_to(secret)
    with pytest.raises(DataError) as caught:
        opened(tree).observation(1)
    assert caught.value.reason == "outside_root"
    text = tmp_path / "instruction.txt"
    (episode / "instruction.txt").rename(text)
    (episode / "instruction.txt").symlink_to(text)
    with pytest.raises(DataError) as caught:
        opened(tree)
    assert caught.value.reason == "outside_root"


def test_an_episode_linked_from_elsewhere_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    inner = write_droid_episode(tree, "success", "a", n_frames=1)
    outer = write_droid_episode(tmp_path / "other", "success", "b", n_frames=1)
    inner.with_name("inner").symlink_to(inner)
    inner.with_name("outer").symlink_to(outer)
    source = DroidSource(tree, ROLES)
    found = {ref.path.name: ref for ref in source.discover()}
    assert source.open(found["inner"]).n_frames == 1
    with pytest.raises(DataError) as caught:
        source.open(found["outer"])
    assert caught.value.reason == "outside_root"


def test_an_h5_does_not_read_from_other_files(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["joints"] = np.zeros((2, 7))

    def link(file: h5py.File) -> None:
        file[f"{ROBOT_STATE}/joint_positions"] = h5py.ExternalLink(str(other), "joints")

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(shape=(2, 7), dtype="f8")
        layout[:] = h5py.VirtualSource(str(other), "joints", shape=(2, 7))
        file.create_virtual_dataset(f"{ROBOT_STATE}/joint_positions", layout)

    def external(file: h5py.File) -> None:
        file.create_dataset(
            f"{ROBOT_STATE}/joint_positions", shape=(2, 7), dtype="f8", external=[(str(other), 0, 112)]
        )

    for position, point in enumerate((link, virtual, external)):
        tree = tmp_path / str(position)
        path = write_droid_episode(tree, "success", "a", n_frames=2) / "trajectory.h5"
        with h5py.File(path, "a") as file:
            del file[f"{ROBOT_STATE}/joint_positions"]
            point(file)
        with pytest.raises(DataError) as caught:
            opened(tree)
        assert caught.value.reason == "foreign_data"


def test_an_h5_that_claims_a_giant_array_costs_nothing(tmp_path: Path) -> None:
    path = write_droid_episode(tmp_path, "success", "a", n_frames=2) / "trajectory.h5"
    with h5py.File(path, "a") as file:
        del file[f"{ROBOT_STATE}/joint_positions"]
        file.create_dataset(f"{ROBOT_STATE}/joint_positions", shape=(10**12, 7), dtype="f8", chunks=(1024, 7))
    with pytest.raises(DataError, match="claims"):
        opened(tmp_path)


def test_stray_files_among_the_frames_are_no_frames(tmp_path: Path) -> None:
    folder = frame_path(write_droid_episode(tmp_path, "success", "a", n_frames=2)).parent
    for name in ("preview.jpg", "99999999999999.jpg", "-1.jpg", "00007.png", "٣.jpg"):
        (folder / name).write_bytes(b"")
    assert opened(tmp_path).n_frames == 2


def test_metadata_with_a_byte_order_mark_reads(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    (episode / "episode.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"target": "duck"}).encode())
    (episode / "instruction.txt").write_bytes(b"\xef\xbb\xbfpick up the duck")
    reader = opened(tmp_path)
    assert (reader.metadata["target"], reader.instruction) == ("duck", "pick up the duck")
