"""Small DROID trees with real JPEG, HDF5, npy and PNG files, and the ways in which they break."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

CAMERAS = ("varied_camera_1", "hand_camera")
ROLES = {"base": "varied_camera_1", "wrist": "hand_camera"}
DATE = "2025-12-10"
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in raw pixels, ends excluded


def write_droid_episode(
    root: Path,
    outcome: str,
    name: str,
    n_frames: int = 16,
    instruction: str = "pick up the duck",
    size: tuple[int, int] = (180, 320),
    cameras: Sequence[str] = CAMERAS,
    objects: Mapping[str, Box] | None = None,
    target: str | None = None,
    *,
    n_rows: int | None = None,
    pose: str = "joint_positions",
    masks: str = "npy",
    metadata: Mapping[str, Any] | None = None,
    white_list: Any = None,
    serials: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Path:
    """One episode at `{root}/{outcome}/{DATE}/{name}`; returns its directory.

    Args:
        name: the directory's name; with a slash, date and name.
        objects: category -> box, drawn and detected in every frame of every camera; None writes no dinox_info.json.
        target, metadata: go into episode.json, which is left out when both are None.
        n_rows: rows of the trajectory, default n_frames.
        masks: 'npy' (one file an object) or 'png' (one label map a frame).
        serials: camera folder -> serial; also writes that camera's calibration.
    """
    episode = root / outcome / name if "/" in name else root / outcome / DATE / name
    episode.mkdir(parents=True)
    (episode / "instruction.txt").write_text(instruction, encoding="utf-8")
    rng = np.random.default_rng(seed)
    _write_trajectory(
        episode / "trajectory.h5", rng, n_frames if n_rows is None else n_rows, pose, serials or {}
    )
    for camera in cameras:
        folder = episode / "recordings" / "frames" / camera
        folder.mkdir(parents=True)
        background = _background(rng, size)
        for index in range(n_frames):
            picture = np.roll(background, 3 * index, axis=1)
            for position, (x0, y0, x1, y1) in enumerate((objects or {}).values()):
                picture[y0:y1, x0:x1] = _COLOURS[position % len(_COLOURS)]
            cv2.imwrite(str(folder / f"{index:05d}.jpg"), picture)
    if objects is not None:
        _write_masks(episode, objects, size, cameras, n_frames, masks)
    if target is not None or metadata is not None:
        text = json.dumps({**({} if target is None else {"target": target}), **(metadata or {})})
        (episode / "episode.json").write_text(text)
    if white_list is not None:
        (episode / "white_list.json").write_text(json.dumps(white_list))
    return episode


def frame_path(episode: Path, camera: str = "hand_camera", frame_index: int = 0) -> Path:
    return episode / "recordings" / "frames" / camera / f"{frame_index:05d}.jpg"


def truncate_jpeg(episode: Path, camera: str = "hand_camera", frame_index: int = 0) -> Path:
    """Cuts a frame in half, as an interrupted copy does."""
    return _halve(frame_path(episode, camera, frame_index))


def truncate_h5(episode: Path) -> Path:
    return _halve(episode / "trajectory.h5")


def remove_camera(episode: Path, camera: str = "hand_camera") -> Path:
    folder = episode / "recordings" / "frames" / camera
    shutil.rmtree(folder)
    return folder


def wrong_mask_size(episode: Path, frame_index: int = 0) -> Path:
    """Replaces the first npy mask of a frame by one of 224x224: drawn on the policy's input, not on the picture."""
    path = sorted((episode / "masks").glob(f"{frame_index:05d}_*.npy"))[0]
    np.save(path, np.ones((224, 224), dtype=np.uint8))
    return path


def empty_instruction(episode: Path) -> Path:
    path = episode / "instruction.txt"
    path.write_text(" \n")
    return path


_COLOURS = ((0, 220, 255), (0, 200, 0), (220, 60, 30), (40, 40, 220))  # BGR


def _background(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    coarse = rng.integers(40, 216, (6, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _write_trajectory(
    path: Path, rng: np.random.Generator, n_rows: int, pose: str, serials: Mapping[str, str]
) -> None:
    with h5py.File(path, "w") as file:
        state = file.create_group("observation/robot_state")
        widths = {"joint_positions": 7, "cartesian_position": 6}
        state[pose] = rng.normal(size=(n_rows, widths[pose]))
        state["gripper_position"] = rng.uniform(size=n_rows)
        file["observation/timestamp/control/step_start"] = 1_700_000_000_000 + 100 * np.arange(n_rows)
        if serials:
            file.attrs["camera_serials"] = json.dumps(dict(serials))
        for serial in serials.values():
            file[f"observation/camera_extrinsics/{serial}_left"] = rng.normal(size=(n_rows, 6))
            file[f"observation/camera_intrinsics/{serial}_left"] = rng.normal(size=(n_rows, 3, 3))


def _write_masks(
    episode: Path,
    objects: Mapping[str, Box],
    size: tuple[int, int],
    cameras: Sequence[str],
    n_frames: int,
    kind: str,
) -> None:
    (episode / "masks").mkdir()
    info: dict[str, list[dict[str, Any]]] = {}
    for index in range(n_frames):
        for camera in cameras:
            labels = np.zeros(size, dtype=np.uint8)
            for value, (category, (x0, y0, x1, y1)) in enumerate(objects.items(), start=1):
                labels[y0:y1, x0:x1] = value
                detection: dict[str, Any] = {"bbox": [x0, y0, x1, y1], "category": category, "score": 0.9}
                if kind == "png":
                    detection |= {"mask_file": f"masks/{index:05d}_{camera}.png", "value": value}
                else:
                    detection["mask_file"] = f"masks/{index:05d}_{camera}_{value}.npy"
                    bitmap = np.zeros(size, dtype=np.bool_)
                    bitmap[y0:y1, x0:x1] = True
                    np.save(episode / detection["mask_file"], bitmap)
                info.setdefault(f"{index:05d}", []).append(detection | {"camera": camera})
            if kind == "png":
                cv2.imwrite(str(episode / "masks" / f"{index:05d}_{camera}.png"), labels)
    (episode / "dinox_info.json").write_text(json.dumps(info))


def _halve(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path
