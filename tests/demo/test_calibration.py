"""The demo's calibration is true: a toy of the scene lies where both cameras, and the carried patches, say it lies."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ingest.demo.world.toys import TOY_NAMES
from ingest.episodes.droid import DroidSource
from ingest.episodes.preprocess import Fit
from ingest.issues import Issues
from ingest.objects.coverage import patch_coverage
from ingest.views import views_of
from measures.cameras import camera_of, on_plane, project
from measures.cross_camera import agreement, carry

EPISODES = Path(__file__).resolve().parents[2] / "ingest" / "demo" / "episodes"
CAMERAS = {"base": "varied_camera_1", "wrist": "hand_camera"}


def test_a_known_place_of_the_scene_is_on_the_toy_in_both_pictures() -> None:
    """Rendered anew: the simulator says where the toy stands, and its label image where it is seen."""
    pytest.importorskip("mujoco", reason="needs the extra sim")
    from ingest.demo.world.simulator import LABELS, Placement, World

    world = World()
    places = {"cube": (0.47, 0.06, 0.3), "duck": (0.42, -0.08, 1.0), "bottle": (0.55, 0.0, 0.0)}
    world.reset(Placement(poses=places, hand=(0.46, 0.0, 0.24)))
    for name in CAMERAS:
        camera = camera_of(world.camera_pose(name), world.camera_matrix(name))
        labels = world.labels(name)
        for toy in places:
            middle = world.position(toy)
            x, y = project(camera, np.array([[*middle[:2], middle[2] + 0.012]]))[0]
            assert labels[int(y), int(x)] == LABELS[toy], (name, toy)


def test_masks_of_one_camera_are_carried_onto_those_of_the_other() -> None:
    """Recorded: the middle of a toy's mask in the base picture, through the table, is on its mask in the wrist's."""
    source = DroidSource(EPISODES, CAMERAS)
    box = Fit().letterbox(180, 320)
    distances, own, other = [], [], []
    for ref in source.discover()[::8]:
        boxes = dict.fromkeys(CAMERAS, box)
        issues = Issues("unit", ref.episode_id)
        views = views_of(source.open(ref), 0, boxes, dict.fromkeys(CAMERAS, 16), {}, issues)
        base, wrist = views["base"], views["wrist"]
        assert not isinstance(base, str)
        assert not isinstance(wrist, str)
        carried = carry(wrist, base, 0.0)
        in_base, in_wrist = (masks_of(ref.path, camera) for camera in CAMERAS.values())
        for toy in in_base.keys() & in_wrist.keys():
            table = on_plane(base.camera, middle_of(in_base[toy])[None], 0.015)
            distances.append(np.linalg.norm(project(wrist.camera, table)[0] - middle_of(in_wrist[toy])))
            here = patch_coverage(box.mask(in_base[toy])[None])
            for another, mask in in_wrist.items():
                r = agreement(here, patch_coverage(box.mask(mask)[None]), carried).correlation[0]
                (own if another == toy else other).append(r)
    assert len(own) > 10
    assert np.median(distances) < 12, "pixels of 320, a toy is 25 to 40 wide there"
    assert np.nanmedian(own) > 0.5
    assert np.nanmedian(other) < 0.1


def masks_of(episode: Path, camera: str) -> dict[str, np.ndarray]:
    """Toy -> its raw mask [180, 320] in the first frame."""
    found = json.loads((episode / "dinox_info.json").read_text())["0"]
    labels = cv2.imread(str(episode / "masks" / camera / "00000.png"), cv2.IMREAD_UNCHANGED)
    return {
        one["category"]: labels == one["value"]
        for one in found
        if one["camera"] == camera and one["category"] in TOY_NAMES
    }


def middle_of(mask: np.ndarray) -> np.ndarray:
    """[2] x and y of a raw mask's middle, in pixels from the picture's edge."""
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])
