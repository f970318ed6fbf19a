"""Writes a rollout as one episode of the DROID tree: frames, trajectory, instruction, label maps, what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from ingest.demo.world.rollout import REPLAN_EVERY, Rollout
from ingest.demo.world.scene import CAMERAS, CONTROL_PERIOD
from ingest.demo.world.simulator import ACTION_SCALE, CLOSING_SPEED, LABELS, World
from ingest.demo.world.toys import TOY_NAMES

# DROID keys calibration by the camera's serial number; simulated cameras are given one each.
SERIALS = {"base": "10000001", "wrist": "10000002"}
_SMALLEST_MASK = 4  # pixels; less is a sliver at an edge


def episode_path(root: Path, rollout: Rollout, date: str) -> Path:
    """`{root}/{success|failure}/{date}/{scenario}_{target}_{seed}`."""
    task = rollout.task
    return root / rollout.verdict.outcome / date / f"{task.scenario}_{task.target}_{task.seed:05d}"


def write_episode(
    root: Path, rollout: Rollout, world: World, date: str, recorded_with: str | None = None
) -> Path:
    """Writes a recorded rollout below ``root`` and returns its folder. Raises ValueError when it was not recorded.

    ``recorded_with`` names the checkpoint at the stick where it is not the demo's.
    """
    if not rollout.frames:
        raise ValueError("the rollout has no frames: run it with record=True")
    folder = episode_path(root, rollout, date)
    folder.mkdir(parents=True)
    (folder / "instruction.txt").write_text(rollout.instruction + "\n")
    about = _about(rollout) | ({"recorded_with": recorded_with} if recorded_with else {})
    _write_json(folder / "episode.json", about, indent=2)
    _write_frames(folder, rollout)
    _write_json(folder / "dinox_info.json", _write_masks(folder, rollout), indent=None)
    _write_trajectory(folder / "trajectory.h5", rollout, world)
    return folder


def _about(rollout: Rollout) -> dict[str, object]:
    task, verdict = rollout.task, rollout.verdict
    return {
        "suite": "gazehouse_demo",
        "task": f"pick up the {task.target}",
        "task_index": TOY_NAMES.index(task.target),
        "target": task.target,
        "scenario": task.scenario,
        "outcome": verdict.outcome,
        "failure_kind": verdict.failure_kind,
        "failure_family": verdict.failure_family,
        "approached": verdict.approached,
        "seed": task.seed,
        "replan_every": REPLAN_EVERY,
    }


def _write_frames(folder: Path, rollout: Rollout) -> None:
    for camera, name in CAMERAS.items():
        frames = folder / "recordings" / "frames" / name
        frames.mkdir(parents=True)
        for index, frame in enumerate(rollout.frames):
            (frames / f"{index:05d}.jpg").write_bytes(frame[camera])


def _write_masks(folder: Path, rollout: Rollout) -> dict[str, list[dict[str, object]]]:
    """One label-map PNG a frame and camera; returns what ``dinox_info.json`` says of them."""
    info: dict[str, list[dict[str, object]]] = {}
    names = {value: name for name, value in LABELS.items()}
    for index, labels in enumerate(rollout.labels):
        found: list[dict[str, object]] = []
        for camera, name in CAMERAS.items():
            path = folder / "masks" / name / f"{index:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), labels[camera], [cv2.IMWRITE_PNG_COMPRESSION, 9])
            for value in np.unique(labels[camera]):
                mask = labels[camera] == value
                if value == 0 or mask.sum() < _SMALLEST_MASK:
                    continue
                found.append(
                    {
                        "mask_file": path.relative_to(folder).as_posix(),
                        "value": int(value),
                        "camera": name,
                        "bbox": _box(mask),
                        "category": names[int(value)],
                        "score": 1.0,
                    }
                )
        info[str(index)] = found
    return info


def _box(mask: NDArray[np.bool_]) -> list[int]:
    """[x0, y0, x1, y1] in pixels, x1 and y1 just outside."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


def _write_trajectory(path: Path, rollout: Rollout, world: World) -> None:
    n_rows = len(rollout.actions)
    states = np.array(rollout.trace.states[:n_rows])
    actions = np.clip(np.array(rollout.actions), -1, 1)
    still = np.zeros((n_rows, 3))
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["camera_serials"] = json.dumps(
            {CAMERAS[camera]: serial for camera, serial in SERIALS.items()}
        )
        file.attrs["robot"] = "a simulated gripper without arm: joint positions do not exist and are absent"
        file.attrs["frames"] = (
            "row t and frame t show the scene before action t; the policy replanned at policy/frame_index"
        )

        def put(name: str, values: NDArray[Any], about: str) -> None:
            file.create_dataset(name, data=values, compression="gzip").attrs["about"] = about

        put(
            "observation/robot_state/cartesian_position",
            np.concatenate([states[:, :3], still], axis=1),
            "xyz of the fingertips in metres, then Euler angles xyz in radians: the gripper points down and never turns",
        )
        put(
            "observation/robot_state/gripper_position",
            states[:, 3],
            "measured gap between the fingers in metres",
        )
        put(
            "observation/timestamp/control/step_start",
            np.arange(n_rows) * CONTROL_PERIOD * 1000,
            "milliseconds of simulated time",
        )
        put(
            "action/cartesian_velocity",
            np.concatenate([actions[:, :3] * ACTION_SCALE / CONTROL_PERIOD, still], axis=1),
            "commanded, metres a second; no rotation can be commanded",
        )
        put(
            "action/gripper_velocity",
            np.where(actions[:, 3] > 0, -CLOSING_SPEED, CLOSING_SPEED) / CONTROL_PERIOD,
            "commanded change of the gap, metres a second; negative closes",
        )
        put("action/policy_action", np.array(rollout.actions), "as the policy gave it: dx, dy, dz, grip")
        for camera, serial in SERIALS.items():
            poses = np.array([pose[camera] for pose in rollout.camera_poses])
            put(
                f"observation/camera_extrinsics/{serial}_left",
                poses,
                "pose in the base frame: xyz in metres, extrinsic Euler xyz in radians; x right, y down, z forward",
            )
            put(
                f"observation/camera_intrinsics/{serial}_left",
                np.repeat(world.camera_matrix(camera)[None], n_rows, axis=0),
                "pixels of the 180 x 320 frame",
            )
        put(
            "policy/frame_index",
            np.array([replan.frame_index for replan in rollout.replans]),
            "frames the policy saw",
        )
        put(
            "policy/noise_seed",
            np.array([replan.noise_seed for replan in rollout.replans]),
            "torch.manual_seed of its noise",
        )
        put("policy/chunk", np.array([replan.chunk for replan in rollout.replans]), "what it answered")


def _write_json(path: Path, content: object, indent: int | None) -> None:
    separators = None if indent else (",", ":")
    path.write_text(json.dumps(content, indent=indent, separators=separators) + "\n")
