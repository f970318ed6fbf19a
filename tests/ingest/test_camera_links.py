"""Maps of two cameras in the lake: with one place for both they are compared patch by patch; else there is a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from measures.cross_camera import NO_VARIANCE
from tests.episodes.builders import write_droid_episode
from tests.ingest.replay import picture_share
from tests.ingest.world import DUCK, World, cli, table_of, unit_bytes, write_checkpoint, write_study

KEYS = ("pass", "denoise_step", "layer", "query_index")
SERIALS = {"varied_camera_1": "1", "hand_camera": "2"}
POSE = [0.93, -0.2, 0.42, -2.22252852, 0.0, 1.17562062]
MATRIX = [[374.9, 0, 160], [0, 374.9, 90], [0, 0, 1]]


def calibrate(episode: Path, matrices: dict[str, Any]) -> None:
    """Both cameras stand in one place; ``matrices`` serial -> intrinsics, or none at all."""
    with h5py.File(episode / "trajectory.h5", "a") as file:
        for kind in ("extrinsics", "intrinsics"):
            if f"observation/camera_{kind}" in file:
                del file[f"observation/camera_{kind}"]
        file.attrs["camera_serials"] = json.dumps(SERIALS)
        for serial, matrix in matrices.items():
            file[f"observation/camera_extrinsics/{serial}_left"] = np.tile(POSE, (12, 1))
            file[f"observation/camera_intrinsics/{serial}_left"] = np.tile(matrix, (12, 1, 1))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    sections = {"conditions": {"prompts": {"cube": "pick up the cube"}}}
    world = write_study(tmp_path_factory.mktemp("cameras"), sections)
    text = world.study_file.read_text().replace("  root:", "  table_height: 0.0\n  root:")
    world.study_file.write_text(text)
    write_checkpoint(world.checkpoint)
    wrong_size = (np.array(MATRIX) * [[4], [4], [1]]).tolist()
    nan = np.full((3, 3), np.nan).tolist()
    for name, matrices in (
        ("both", {"1": MATRIX, "2": MATRIX}),
        ("none", {}),
        ("wrong", {"1": MATRIX, "2": wrong_size}),
        ("nan", {"1": nan, "2": MATRIX}),
    ):
        calibrate(
            write_droid_episode(world.root, "success", name, 12, DUCK, pose="cartesian_position"), matrices
        )
    assert world.run().is_complete
    return world


def links(world: World, name: str) -> list[dict[str, Any]]:
    episodes = {row["inference_id"]: row for row in table_of(world.lake, "inferences")}
    rows = table_of(world.lake, "camera_links")
    assert {episodes[row["inference_id"]]["condition_id"] for row in rows} == {"baseline:baseline"}
    return [
        {**row, "frame_index": episodes[row["inference_id"]]["frame_index"]}
        for row in rows
        if episodes[row["inference_id"]]["episode_id"].endswith(f"/{name}")
    ]


def test_one_place_for_both_cameras_compares_patch_with_patch(world: World) -> None:
    frame_of = {row["inference_id"]: row["frame_index"] for row in table_of(world.lake, "inferences")}
    maps = {
        (row["inference_id"], row["camera"], *(row[key] for key in KEYS)): np.array(row["map"])
        for row in table_of(world.lake, "attention_maps")
        if row["head"] == -1 and row["rows"] == "mean"
    }
    found = links(world, "both")
    id_at = {row["frame_index"]: row["inference_id"] for row in found}
    assert sorted(id_at) == [0, 4, 8]
    share = np.array(picture_share())
    shown = share > 0
    # Half of three keyframes on, rounded down: the next one, and the first after the last.
    next_frame = {0: 4, 4: 8, 8: 0}
    assert len(found) == len({(row["inference_id"], *(row[key] for key in KEYS)) for row in found}) > 0
    for row in found:
        assert (row["camera"], row["other_camera"], row["reason"]) == ("base", "wrist", None)
        key = tuple(row[name] for name in KEYS)
        base = maps[row["inference_id"], "base", *key]
        wrist = maps[row["inference_id"], "wrist", *key]
        away = maps[id_at[next_frame[frame_of[row["inference_id"]]]], "wrist", *key]
        expected = [
            np.corrcoef(base[shown] / share[shown], one[shown] / share[shown])[0, 1] for one in (wrist, away)
        ]
        assert [row["correlation"], row["other_frame_correlation"]] == pytest.approx(expected, abs=1e-5)
        assert [row["mass_share"], row["other_mass_share"]] == pytest.approx([base[shown].sum(), wrist[shown].sum()], abs=1e-5)  # fmt: skip
        assert row["n_patches"] == shown.sum()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "the recording has no calibration of camera base"),
        ("nan", "the recording has no calibration of camera base"),
        ("wrong", "the intrinsics of camera wrist do not belong to a picture of its size"),
    ],
)
def test_without_a_usable_calibration_there_is_a_reason(world: World, name: str, reason: str) -> None:
    found = links(world, name)
    assert len(found) == len(links(world, "both"))
    assert {row["reason"] for row in found} == {reason} != {NO_VARIANCE}
    assert {row["correlation"] for row in found} == {row["n_patches"] for row in found} == {None}


def test_measure_gives_the_same_bytes(world: World) -> None:
    before = unit_bytes(world.lake)
    ended = cli("measure", "--study", world.study_file, "--lake", world.lake)
    assert (ended.code, ended.err) == (0, "")
    assert unit_bytes(world.lake) == before


def test_without_a_plane_there_is_a_reason(world: World, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(world.study_file.read_text().replace("  table_height: 0.0\n", ""))
    assert cli("run", "--study", study, "--lake", tmp_path / "lake", "--limit", 1, "--no-load").code == 0
    reasons = {row["reason"] for row in table_of(tmp_path / "lake", "camera_links")}
    assert reasons <= {
        "no plane to meet on: episodes.table_height is not set",
        "the recording has no calibration of camera base",
    }
    assert len(reasons) == 1
