"""`trajectory.h5` of a DROID episode: the robot's true state, row by row, and the camera calibration.

HDF5 can point into other files (external links, external storage, virtual datasets): those are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Calibration
from ingest.episodes.files import inside, subject
from ingest.errors import DataError

ROBOT_STATE = "observation/robot_state"
STEP_START = "observation/timestamp/control/step_start"  # milliseconds
EXTRINSICS = "observation/camera_extrinsics"
INTRINSICS = "observation/camera_intrinsics"
CAMERA_TYPE = "observation/camera_type"
CAMERA_SERIALS = "camera_serials"  # our attribute of the file: JSON, camera folder -> serial

# What the state vector holds, in this order: the arm's joints, or for a gripper without arm its pose; then the gripper.
POSE_PARTS = ("joint_positions", "cartesian_position")
GRIPPER_PART = "gripper_position"
# Names of robosuite, which LIBERO and RoboCasa record; policies that were trained on them (Cosmos Policy) read them.
ROBOSUITE_PARTS = ("robot0_gripper_qpos", "robot0_eef_pos", "robot0_eef_quat")

_VALUES_LIMIT = 50_000_000
_HAND_CAMERA_TYPE = 0
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Trajectory:
    """The state arrays of an episode, in memory; the file is closed."""

    n_rows: int
    parts: Mapping[str, NDArray[np.float64]]  # recorded name -> [T, D_i]
    pose_part: str
    timestamps: NDArray[np.float64] | None  # [T] seconds since the first row

    def state(self, row: int) -> NDArray[np.float64]:
        """float64 [D]: the pose part, then the gripper."""
        return np.concatenate([self.parts[self.pose_part][row], self.parts[GRIPPER_PART][row]])


def read_trajectory(root: Path, path: Path) -> Trajectory:
    """The state of every row.

    Raises:
        DataError: 'missing_file', 'truncated_h5', 'missing_array', 'wrong_shape', 'foreign_data', 'outside_root'.
    """
    return _with_file(root, path, lambda file: _trajectory(file, subject(root, path)))


class CalibrationRows(NamedTuple):
    """One camera over an episode; a row a frame, as in `Calibration`."""

    extrinsics: NDArray[np.float64]  # [T, 6]
    intrinsics: NDArray[np.float64]  # [T, 3, 3]

    def at(self, row: int) -> Calibration | None:
        """None beyond the last row, and where the recording has no numbers."""
        if not 0 <= row < min(len(self.extrinsics), len(self.intrinsics)):
            return None
        found = Calibration(self.extrinsics[row], self.intrinsics[row])
        return found if all(np.isfinite(values).all() for values in found) else None


def read_calibration(root: Path, path: Path, folder: str) -> CalibrationRows | None:
    """The calibration of a camera folder; None when the file does not say which serial it is, or has none.

    Raises:
        DataError: as `read_trajectory`.
    """
    return _with_file(root, path, lambda file: _calibration(file, subject(root, path), folder))


def _with_file(root: Path, path: Path, read: Callable[[h5py.File], _Read]) -> _Read:
    name = subject(root, path)
    if not inside(root, path).is_file():
        raise DataError(
            f"{name} does not exist; the state is never made up: restore the file or take the episode out of the tree",
            subject=name,
            reason="missing_file",
        )
    try:
        with h5py.File(path, "r") as file:
            return read(file)
    # h5py reports damage as any of these, on opening or at the damaged chunk.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{name} is truncated or not HDF5 ({str(error).splitlines()[0]}); copy it again from its source",
            subject=name,
            reason="truncated_h5",
        ) from error


def _trajectory(file: h5py.File, name: str) -> Trajectory:
    parts: dict[str, NDArray[np.float64]] = {}
    for part in (*POSE_PARTS, GRIPPER_PART, *ROBOSUITE_PARTS):
        array = _array(file, f"{ROBOT_STATE}/{part}", name)
        # NaN throughout marks what a robot does not have.
        if array is not None and not (array.size and np.isnan(array).all()):
            parts[part] = _as_rows(array, f"{name}:{ROBOT_STATE}/{part}")
    pose_part = next((part for part in POSE_PARTS if part in parts), None)
    if pose_part is None or GRIPPER_PART not in parts:
        wanted = " or ".join(POSE_PARTS) if pose_part is None else GRIPPER_PART
        raise DataError(
            f"{name} has no {ROBOT_STATE}/{wanted}; the state is never made up: record it or leave the episode out",
            subject=name,
            reason="missing_array",
        )
    lengths = {part: len(array) for part, array in parts.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise DataError(
            f"{name}: arrays of {ROBOT_STATE} have {lengths} rows; expected the same number, at least one",
            subject=name,
            reason="wrong_shape",
        )
    n_rows = next(iter(lengths.values()))
    return Trajectory(n_rows, parts, pose_part, _timestamps(file, name, n_rows))


def _timestamps(file: h5py.File, name: str, n_rows: int) -> NDArray[np.float64] | None:
    milliseconds = _array(file, STEP_START, name)
    if milliseconds is None:
        return None
    if milliseconds.shape != (n_rows,):
        raise DataError(
            f"{name}:{STEP_START} is {list(milliseconds.shape)}; expected [{n_rows}], one time a row",
            subject=name,
            reason="wrong_shape",
        )
    seconds: NDArray[np.float64] = (milliseconds - milliseconds[0]) / 1000.0
    return seconds


def _as_rows(array: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """[T] or [T, D] -> [T, D]."""
    if array.ndim not in (1, 2):
        raise DataError(
            f"{name} is {list(array.shape)}; expected [rows] or [rows, values]",
            subject=name,
            reason="wrong_shape",
        )
    return array[:, np.newaxis] if array.ndim == 1 else array


def _calibration(file: h5py.File, name: str, folder: str) -> CalibrationRows | None:
    serial = _serial(file, name, folder)
    if serial is None:
        return None
    # A stereo camera has a pose per eye; DROID's frames are the left ones.
    for key in (f"{serial}_left", serial):
        extrinsics = _array(file, f"{EXTRINSICS}/{key}", name)
        intrinsics = _array(file, f"{INTRINSICS}/{key}", name)
        if extrinsics is None or intrinsics is None:
            continue
        if extrinsics.shape[1:] != (6,) or intrinsics.shape[1:] != (3, 3):
            raise DataError(
                f"{name}: the calibration of {key} is {list(extrinsics.shape)} and {list(intrinsics.shape)}; "
                "expected [rows, 6] and [rows, 3, 3]",
                subject=name,
                reason="wrong_shape",
            )
        return CalibrationRows(extrinsics, intrinsics)
    return None


def _serial(file: h5py.File, name: str, folder: str) -> str | None:
    """From our attribute, else for the hand camera from DROID's camera types, where one serial alone is of that type."""
    if CAMERA_SERIALS in file.attrs:
        return _named_serial(str(file.attrs[CAMERA_SERIALS]), name, folder)
    types = _node(file, CAMERA_TYPE, name)
    if folder != "hand_camera" or not isinstance(types, h5py.Group):
        return None
    hands = []
    for serial in types:
        values = _array(file, f"{CAMERA_TYPE}/{serial}", name)
        if values is not None and values.size and (values == _HAND_CAMERA_TYPE).all():
            hands.append(str(serial))
    return hands[0] if len(hands) == 1 else None


def _named_serial(attribute: str, name: str, folder: str) -> str | None:
    try:
        serials = json.loads(attribute)
    except (ValueError, RecursionError):
        serials = None
    if not isinstance(serials, dict):
        raise DataError(
            f"{name}: the attribute {CAMERA_SERIALS} is not a JSON object of camera folder -> serial",
            subject=name,
            reason="invalid_json",
        )
    serial = serials.get(folder)
    return serial if isinstance(serial, str) and serial and "/" not in serial else None


def _array(file: h5py.File, path: str, name: str) -> NDArray[np.float64] | None:
    """A numeric dataset as float64; None when the file has no such dataset."""
    dataset = _node(file, path, name)
    if dataset is None:
        return None
    where = f"{name}:{path}"
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiub" or dataset.ndim == 0:
        raise DataError(f"{where} is not an array of numbers", subject=name, reason="wrong_shape")
    if dataset.is_virtual or dataset.external:
        raise _foreign(where, name)
    if dataset.size > _VALUES_LIMIT:
        raise DataError(f"{where} claims {dataset.size} values", subject=name, reason="wrong_shape")
    return np.asarray(dataset[()], dtype=np.float64)


def _node(file: h5py.File, path: str, name: str) -> h5py.Group | h5py.Dataset | None:
    """Follows hard links alone, so that nothing is read from another file."""
    node: h5py.Group | h5py.Dataset = file
    for part in path.split("/"):
        if not isinstance(node, h5py.Group) or part not in node:
            # `in` is False as well for a link whose target is missing.
            return None
        if not isinstance(node.get(part, getlink=True), h5py.HardLink):
            raise _foreign(f"{name}:{path}", name)
        node = node[part]
    return node


def _foreign(where: str, name: str) -> DataError:
    return DataError(
        f"{where} is a link or lies in another file; copy the values into the file",
        subject=name,
        reason="foreign_data",
    )
