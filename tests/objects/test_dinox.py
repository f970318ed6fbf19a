"""Detections beside an episode become letterboxed masks with a role, or are refused by name."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.episodes.droid import DroidEpisode, DroidSource
from ingest.episodes.preprocess import Fit
from ingest.errors import DataError, UnknownNameError, UserError
from ingest.objects.dinox import DinoxObjects, DinoxSource
from ingest.objects.source import objects_source
from tests.episodes import builders
from tests.episodes.builders import ROLES, write_droid_episode

OBJECTS = {"duck": (40, 50, 120, 110), "bottle": (200, 20, 260, 150)}


def opened(root: Path) -> DroidEpisode:
    source = DroidSource(root, ROLES)
    (ref,) = source.discover()
    return source.open(ref)


def detected(root: Path, **options: Any) -> DinoxObjects:
    return DinoxSource(**options).open(opened(root))


def write_info(episode: Path, info: Any) -> None:
    (episode / "dinox_info.json").write_text(info if isinstance(info, str) else json.dumps(info))


def by_hand(box: tuple[int, int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
    """The letterboxed mask of a box in a 180x320 picture: 0.7 input pixels per raw pixel, below 49 rows of padding."""
    x0, y0, x1, y1 = (0.7 * side for side in box)
    mask = np.zeros((224, 224), dtype=np.bool_)
    for row in range(126):
        for column in range(224):
            high = min(row + 1, y1) - max(row, y0)
            wide = min(column + 1, x1) - max(column, x0)
            mask[49 + row, column] = high > 0 and wide > 0 and high * wide >= 0.5 - 1e-9
    return mask


def test_masks_lie_where_the_policy_puts_the_pictures(tmp_path: Path) -> None:
    """At 180 x 320 the bars of 49 rows above and below become one of 98 above: the mask lies 49 rows lower."""
    write_droid_episode(tmp_path, "success", "a", n_frames=2, objects=OBJECTS)
    frame = detected(tmp_path, fits={"wrist": Fit(512, "end")}).frame(1)
    for one in frame.objects:
        centred = by_hand(OBJECTS[one.category])
        wanted = np.roll(centred, 49, axis=0) if one.camera == "wrist" else centred
        np.testing.assert_array_equal(one.mask, wanted)
        assert one.area_share == pytest.approx(centred.sum() / (126 * 224))
    assert {one.camera for one in frame.objects} == {"base", "wrist"}


@pytest.mark.parametrize("kind", ["npy", "png"])
def test_masks_of_both_cameras_in_the_studys_order(tmp_path: Path, kind: str) -> None:
    write_droid_episode(tmp_path, "success", "a", n_frames=2, objects=OBJECTS, masks=kind)
    objects = detected(tmp_path)
    assert objects.categories == ["bottle", "duck"]
    assert objects.roles == {"bottle": "distractor", "duck": "target"}
    assert objects.problems == []
    frame = objects.frame(1)
    assert frame.frame_index == 1
    assert [(one.object_index, one.camera, one.category, one.role) for one in frame.objects] == [
        (0, "base", "duck", "target"),
        (1, "base", "bottle", "distractor"),
        (2, "wrist", "duck", "target"),
        (3, "wrist", "bottle", "distractor"),
    ]
    for one in frame.objects:
        expected = by_hand(OBJECTS[one.category])
        np.testing.assert_array_equal(one.mask, expected)
        assert one.area_share == pytest.approx(expected.sum() / (126 * 224))
        assert (one.score, one.source) == (0.9, "dinox")
        assert one.mask_path is not None
        assert one.mask_path.startswith("masks/00001_")
    assert frame.masks("wrist").shape == (2, 224, 224)
    assert frame.masks("no such camera").shape == (0, 224, 224)


def test_detections_without_a_camera_belong_to_the_studys(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    (episode / "masks").mkdir()
    bitmap = np.zeros((180, 320), dtype=np.float32)
    bitmap[50:110, 40:120] = 7.5
    np.save(episode / "masks" / "duck.npy", bitmap)
    entry = {"mask_file": "duck.npy", "bbox": [40, 50, 120, 110], "category": "duck", "score": 0.4}
    write_info(episode, {"0": [entry]})
    for camera in ROLES:
        (one,) = detected(tmp_path, camera=camera).frame(0).objects
        assert one.camera == camera
        np.testing.assert_array_equal(one.mask, by_hand(OBJECTS["duck"]))


def test_entries_without_mask_or_score_do_not_count(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=4, objects={"duck": (0, 0, 9, 9)})
    info = json.loads((episode / "dinox_info.json").read_text())
    for entry in info["00001"]:
        entry["mask_file"] = ""
    for entry in info["00002"]:
        entry["score"] = 0.0
    info["00003"] = []
    write_info(episode, info)
    objects = detected(tmp_path)
    assert [len(objects.frame(frame).objects) for frame in range(4)] == [2, 0, 0, 0]
    assert len(detected(tmp_path, min_score=0.9).frame(0).objects) == 0
    assert len(detected(tmp_path, min_score=0.89).frame(0).objects) == 2


def test_frames_that_the_file_does_not_name_are_empty(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=3, objects={"duck": (0, 0, 9, 9)})
    info = json.loads((episode / "dinox_info.json").read_text())
    write_info(episode, {"2": info["00002"], "77": info["00001"]})
    objects = detected(tmp_path)
    assert objects.frame(0).objects == ()
    assert len(objects.frame(2).objects) == 2
    assert [problem.reason for problem in objects.problems] == ["frames_and_masks_differ"]


def test_an_episode_without_detections_says_so(tmp_path: Path) -> None:
    write_droid_episode(tmp_path, "success", "a", n_frames=1)
    objects = detected(tmp_path)
    assert objects.frame(0).objects == ()
    assert (objects.categories, objects.roles) == ([], {})
    assert [problem.reason for problem in objects.problems] == ["no_masks"]


def test_cameras_that_the_study_does_not_name_do_not_count(tmp_path: Path) -> None:
    cameras = (*builders.CAMERAS, "varied_camera_2")
    write_droid_episode(tmp_path, "success", "a", n_frames=1, objects=OBJECTS, cameras=cameras)
    objects = detected(tmp_path)
    assert len(objects.frame(0).objects) == 4
    assert [problem.reason for problem in objects.problems] == ["unknown_camera"]
    assert "varied_camera_2" in objects.problems[0].detail


def test_a_stated_target_overrides_the_instruction(tmp_path: Path) -> None:
    write_droid_episode(tmp_path, "success", "a", n_frames=1, objects=OBJECTS, target="bottle")
    assert detected(tmp_path).roles == {"bottle": "target", "duck": "distractor"}


def test_a_mask_of_the_wrong_size_names_both_sizes_and_fails_its_frame_alone(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=2, objects=OBJECTS)
    path = builders.wrong_mask_size(episode, 1)
    objects = detected(tmp_path)
    assert len(objects.frame(0).objects) == 4
    with pytest.raises(DataError) as caught:
        objects.frame(1)
    assert caught.value.reason == "wrong_mask_size"
    assert caught.value.subject == path.relative_to(tmp_path).as_posix()
    assert "224x224" in str(caught.value)
    assert "180x320" in str(caught.value)


def test_a_label_map_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1, objects=OBJECTS, masks="png")
    Image.new("L", (224, 224)).save(episode / "masks" / "00000_hand_camera.png")
    with pytest.raises(DataError) as caught:
        detected(tmp_path).frame(0)
    assert caught.value.reason == "wrong_mask_size"


class Bomb:
    """Unpickling this would touch a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (_touch, (str(self.path),))


def _touch(path: str) -> str:
    Path(path).touch()
    return path


@pytest.mark.parametrize("how", ["object array", "bare pickle"])
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, how: str) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1, objects={"duck": (0, 0, 9, 9)})
    path = next((episode / "masks").glob("*.npy"))
    ran = tmp_path / "ran"
    if how == "bare pickle":
        path.write_bytes(pickle.dumps(Bomb(ran)))
    else:
        np.save(path, np.array([[Bomb(ran)]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="pickle") as caught:
        detected(tmp_path).frame(0)
    assert caught.value.reason == "pickled_mask"
    assert not ran.exists()


def _save(array: np.ndarray) -> Callable[[Path], None]:  # type: ignore[type-arg]
    return lambda path: np.save(path, array)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda path: path.unlink(), "missing_mask"),
        (_cut, "invalid_mask"),
        (lambda path: path.write_bytes(b""), "invalid_mask"),
        (_save(np.ones((1, 180, 320), dtype=np.bool_)), "invalid_mask"),
        (_save(np.full((180, 320), np.nan)), "invalid_mask"),
        (_save(np.full((180, 320), "a")), "invalid_mask"),
        (_save(np.ones((320, 180), dtype=np.bool_)), "wrong_mask_size"),
    ],
)
def test_broken_masks_are_refused(tmp_path: Path, break_it: Callable[[Path], None], reason: str) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1, objects={"duck": (0, 0, 9, 9)})
    break_it(next((episode / "masks").glob("*.npy")))
    with pytest.raises(DataError) as caught:
        detected(tmp_path).frame(0)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda path: path.unlink(), "missing_mask"),
        (_cut, "invalid_mask"),
        (lambda path: path.write_bytes(b"GIF89a"), "invalid_mask"),
        (lambda path: Image.new("RGB", (320, 180)).save(path), "invalid_mask"),
    ],
)
def test_broken_label_maps_are_refused(tmp_path: Path, break_it: Callable[[Path], None], reason: str) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1, objects=OBJECTS, masks="png")
    break_it(episode / "masks" / "00000_hand_camera.png")
    with pytest.raises(DataError) as caught:
        detected(tmp_path).frame(0)
    assert caught.value.reason == reason


def test_label_maps_of_sixteen_bits_and_with_a_palette(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    labels = np.zeros((180, 320), dtype=np.uint16)
    labels[50:110, 40:120] = 1000
    Image.fromarray(labels).save(episode / "deep.png")
    palette = Image.new("P", (320, 180), color=0)
    palette.paste(1, (40, 50, 120, 110))
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(episode / "palette.png")
    entries = [
        {"mask_file": "deep.png", "category": "duck", "score": 1, "value": 1000},
        {"mask_file": "palette.png", "category": "duck", "score": 1, "value": 1},
    ]
    write_info(episode, {"0": entries})
    for one in detected(tmp_path).frame(0).objects:
        np.testing.assert_array_equal(one.mask, by_hand(OBJECTS["duck"]))


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../../x.npy", "masks/../../x.npy", "C:/x.npy", "a\\..\\x.npy", "a\x00.npy", "."],
)
def test_mask_names_do_not_lead_out_of_the_episode(tmp_path: Path, name: str) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    write_info(episode, {"0": [{"mask_file": name, "category": "duck", "score": 1}]})
    with pytest.raises(DataError) as caught:
        detected(tmp_path).frame(0)
    assert caught.value.reason in ("unsafe_path", "unreadable_file", "invalid_mask")


def test_a_mask_linked_from_outside_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    episode = write_droid_episode(tree, "success", "a", n_frames=1, objects={"duck": (0, 0, 9, 9)})
    path = next((episode / "masks").glob("*.npy"))
    path.rename(tmp_path / "outside.npy")
    path.symlink_to(tmp_path / "outside.npy")
    with pytest.raises(DataError) as caught:
        detected(tree).frame(0)
    assert caught.value.reason == "outside_root"


GOOD = {"mask_file": "a.npy", "bbox": [0, 0, 1, 1], "category": "duck", "score": 0.5}


@pytest.mark.parametrize(
    "info",
    [
        "[]",
        "{",
        '{"0": [{"score": NaN}]}',
        {"first": []},
        {"-1": []},
        {"9" * 5000: []},
        {"0": {}},
        {"0": ["duck"]},
        {"0": [{**GOOD, "score": "high"}]},
        {"0": [{**GOOD, "score": True}]},
        {"0": [{**GOOD, "score": 10**400}]},
        {"0": [{**GOOD, "score": -(10**400)}]},
        {"0": [{**GOOD, "mask_file": "\ud800.npy"}]},
        {"0": [{**GOOD, "category": "\udfff duck"}]},
        {"0": [{**GOOD, "mask_file": "a.png", "value": 10**30}]},
        {"0": [{**GOOD, "mask_file": "a.png", "value": -1}]},
        {"0": [{**GOOD, "mask_file": 3}]},
        {"0": [{**GOOD, "category": ""}]},
        {"0": [{**GOOD, "category": None}]},
        {"0": [{**GOOD, "value": 1}]},
        {"0": [{**GOOD, "mask_file": "a.png"}]},
        {"0": [{**GOOD, "mask_file": "a.png", "value": "1"}]},
    ],
)
def test_a_list_that_cannot_be_read_fails_the_episode(tmp_path: Path, info: Any) -> None:
    write_info(write_droid_episode(tmp_path, "success", "a", n_frames=1), info)
    with pytest.raises(DataError) as caught:
        detected(tmp_path)
    assert caught.value.reason in ("invalid_json", "invalid_detections")
    assert "dinox_info.json" in str(caught.value)


def test_a_score_of_many_digits_is_a_score(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1, objects={"duck": (0, 0, 90, 90)})
    info = json.loads((episode / "dinox_info.json").read_text())
    info["00000"][0]["score"] = 10**300
    write_info(episode, info)
    assert detected(tmp_path).frame(0).objects[0].score == 1e300


@pytest.mark.parametrize("folder", ["masks", "loop"])
def test_masks_behind_links_in_a_circle_are_refused(tmp_path: Path, folder: str) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1, objects={"duck": (0, 0, 90, 90)})
    if folder == "masks":
        shutil.rmtree(episode / "masks")
    (episode / folder).symlink_to(folder)
    info = {"0": [{**GOOD, "mask_file": f"{folder}/a.npy"}]}
    write_info(episode, info)
    with pytest.raises(DataError) as caught:
        detected(tmp_path).frame(0)
    assert caught.value.reason == "unreadable_file"


def test_a_list_behind_a_link_in_a_circle_is_not_the_lack_of_one(tmp_path: Path) -> None:
    episode = write_droid_episode(tmp_path, "success", "a", n_frames=1)
    (episode / "dinox_info.json").symlink_to("dinox_info.json")
    with pytest.raises(DataError) as caught:
        detected(tmp_path)
    assert caught.value.reason == "unreadable_file"


def test_the_studys_section_chooses_the_source(tmp_path: Path) -> None:
    write_droid_episode(tmp_path, "success", "a", n_frames=1, objects=OBJECTS)
    episode = opened(tmp_path)
    none = objects_source("none", cameras=ROLES).open(episode)
    assert none.frame(0).objects == ()
    assert (none.categories, none.roles, none.problems) == ([], {}, [])
    dinox = objects_source("dinox", cameras=ROLES, camera="wrist", min_score=0.5).open(episode)
    assert len(dinox.frame(0).objects) == 4
    with pytest.raises(UnknownNameError, match="hand") as caught:
        objects_source("dinox", cameras=ROLES, camera="hand")
    assert isinstance(caught.value, UserError)
