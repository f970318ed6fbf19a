"""The DROID tree: `{root}/{success|failure}/{date}/{episode}/` with instruction, trajectory and frames.

- `instruction.txt`
- `trajectory.h5`
- `recordings/frames/{camera folder}/{00000}.jpg`
- `white_list.json`, optional: the frame indices to use
- `episode.json`, optional, ours: what the episode is about ('target', 'failure_kind', ...)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Calibration, EpisodeRef, KeyframeRule, Observation, Outcome, Problem
from ingest.episodes.files import inside, read_json, read_text, subject
from ingest.episodes.metadata import read_metadata
from ingest.episodes.pictures import jpeg_size, read_jpeg
from ingest.episodes.trajectory import (
    GRIPPER_PART,
    CalibrationRows,
    Trajectory,
    read_calibration,
    read_trajectory,
)
from ingest.errors import DataError, UserError

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
INSTRUCTION, TRAJECTORY, FRAMES = "instruction.txt", "trajectory.h5", Path("recordings", "frames")
WHITE_LIST = "white_list.json"
# Six digits bound what a stray file name can make of the number of frames.
_FRAME_STEM = re.compile("[0-9]{1,6}")
_EPISODE_MARKS = (INSTRUCTION, TRAJECTORY, "recordings")


class DroidSource:
    """Finds and opens the episodes of one tree.

    Args:
        root: the directory that holds `success/` and `failure/`.
        cameras: role in the study -> folder under `recordings/frames`, e.g. {"wrist": "hand_camera"}.
        keyframes: the rule for episodes without a `white_list.json`.
        dataset: its name in the tables; default the root's.
    """

    def __init__(
        self,
        root: Path,
        cameras: Mapping[str, str],
        keyframes: KeyframeRule | None = None,
        dataset: str | None = None,
    ) -> None:
        if not cameras:
            raise UserError("episodes.cameras names no camera; give at least one, such as wrist: hand_camera")
        for role, folder in cameras.items():
            if not folder or folder in (".", "..") or any(sign in folder for sign in "/\\\x00"):
                raise UserError(f"episodes.cameras.{role} is {folder!r}; expected the name of one folder")
        self.root = Path(root).resolve()
        self.cameras = dict(cameras)
        self.keyframes = keyframes or KeyframeRule()
        self.dataset = dataset or self.root.name

    def discover(self) -> list[EpisodeRef]:
        """Every episode directory, sorted by its path under the root, without opening a file.

        Raises:
            UserError: the root is no directory, holds no episode, or one whose name is no text.
        """
        if not self.root.is_dir():
            raise UserError(f"episodes.root: {self.root} is not a directory")
        refs = sorted(
            EpisodeRef(_episode_id(self.root, path), path, outcome)
            for outcome in OUTCOMES
            for path in _episode_directories(self.root / outcome)
        )
        if not refs:
            raise UserError(
                f"{self.root} holds no episode; expected {{success,failure}}/<date>/<episode>/ with {INSTRUCTION}, "
                f"{TRAJECTORY} and {FRAMES.as_posix()}/<camera>/"
            )
        return refs

    def open(self, ref: EpisodeRef) -> DroidEpisode:
        """Reads everything but the pictures.

        Raises:
            DataError: naming the file that is missing, broken or inconsistent.
        """
        inside(self.root, ref.path)
        if ref.outcome is None:
            raise ValueError(f"{ref.episode_id} was not found by this source")
        instruction = read_text(self.root, ref.path / INSTRUCTION)
        if not instruction:
            name = subject(self.root, ref.path / INSTRUCTION)
            raise DataError(
                f"{name} is empty; write what the robot was told to do",
                subject=name,
                reason="empty_instruction",
            )
        metadata, problems = read_metadata(self.root, ref.path, ref.outcome)
        trajectory = read_trajectory(self.root, ref.path / TRAJECTORY)
        frames = {role: self._frames(ref.path, folder) for role, folder in self.cameras.items()}
        n_frames = 1 + max(max(indices) for indices in frames.values())
        return DroidEpisode(
            episode_id=ref.episode_id,
            path=ref.path,
            root=self.root,
            cameras=self.cameras,
            dataset=self.dataset,
            instruction=instruction,
            outcome=ref.outcome,
            metadata=metadata,
            trajectory=trajectory,
            frames=frames,
            n_frames=n_frames,
            listed_keyframes=self._white_list(ref.path, n_frames),
            rule=self.keyframes,
            problems=problems + _alignment_problems(ref.episode_id, frames, n_frames, trajectory.n_rows),
        )

    def _frames(self, episode: Path, folder: str) -> dict[int, str]:
        """Frame index -> file name in a camera folder."""
        directory = inside(self.root, episode / FRAMES / folder)
        name = subject(self.root, directory)
        if not directory.is_dir():
            there = sorted(path.name for path in _directories(directory.parent)) or "no camera folder"
            raise DataError(
                f"{name} does not exist, found {there}; restore it or name another in episodes.cameras",
                subject=name,
                reason="missing_camera",
            )
        names = sorted(path.name for path in directory.glob("*.jpg") if _FRAME_STEM.fullmatch(path.stem))
        if not names:
            raise DataError(
                f"{name} holds no frame; expected 00000.jpg, 00001.jpg, ...",
                subject=name,
                reason="missing_frames",
            )
        return {int(Path(frame).stem): frame for frame in names}

    def _white_list(self, episode: Path, n_frames: int) -> list[int] | None:
        path = episode / WHITE_LIST
        if not os.path.lexists(path):
            return None
        indices = read_json(self.root, path)
        are_indices = isinstance(indices, list) and all(type(index) is int for index in indices)
        if not are_indices or not indices or min(indices) < 0 or max(indices) >= n_frames:
            raise DataError(
                f"{subject(self.root, path)} must be a list of frame indices from 0 to {n_frames - 1}; "
                "mend it, or delete it to use every n-th frame",
                subject=subject(self.root, path),
                reason="invalid_white_list",
            )
        return sorted(set(indices))


@dataclass(frozen=True, eq=False)
class DroidEpisode:
    """One episode of the tree; satisfies `Episode`. Holds no open file."""

    episode_id: str
    path: Path
    root: Path
    cameras: Mapping[str, str]
    dataset: str
    instruction: str
    outcome: Outcome
    metadata: Mapping[str, Any]
    trajectory: Trajectory
    frames: Mapping[str, Mapping[int, str]]  # role -> frame index -> file name
    n_frames: int
    listed_keyframes: list[int] | None
    rule: KeyframeRule
    problems: list[Problem]
    source: str = "droid"
    _calibrations: dict[str, CalibrationRows | None] = field(default_factory=dict)

    @property
    def suite(self) -> str | None:
        return _text_or_none(self.metadata.get("suite"))

    @property
    def task_index(self) -> int | None:
        index = self.metadata.get("task_index")
        return index if type(index) is int else None

    @property
    def task(self) -> str:
        """What `episode.json` calls the task, else the instruction."""
        return _text_or_none(self.metadata.get("task")) or self.instruction

    @property
    def failure_kind(self) -> str | None:
        return _text_or_none(self.metadata.get("failure_kind")) if self.outcome == "failure" else None

    def keyframes(self) -> list[int]:
        if self.listed_keyframes is None:
            return self.rule.select(self.n_frames)
        return list(self.listed_keyframes)

    def observation(self, frame_index: int) -> Observation:
        """The pictures and the true state of one frame.

        Raises:
            DataError: 'no_state_row' beyond the trajectory, 'state_not_finite', or a picture's own reason.
        """
        state = self._state(frame_index)
        images = {role: read_jpeg(self.root, self._frame(role, frame_index)) for role in self.cameras}
        parts = {name: rows[frame_index] for name, rows in self.trajectory.parts.items()}
        timestamps = self.trajectory.timestamps
        return Observation(
            frame_index=frame_index,
            timestamp=None if timestamps is None else float(timestamps[frame_index]),
            images=images,
            state=state,
            gripper=float(parts[GRIPPER_PART][0]),
            state_parts=parts,
        )

    def frame_size(self, role: str, frame_index: int) -> tuple[int, int]:
        return jpeg_size(self.root, self._frame(role, frame_index))

    def calibration(self, role: str, frame_index: int = 0) -> Calibration | None:
        """From the trajectory's row `frame_index`; None where the file does not map the folder to a serial."""
        if role not in self._calibrations:  # the file is opened once a camera, not once a frame
            folder = self.cameras[role]
            self._calibrations[role] = read_calibration(self.root, self.path / TRAJECTORY, folder)
        rows = self._calibrations[role]
        return None if rows is None else rows.at(frame_index)

    def _state(self, frame_index: int) -> NDArray[np.float64]:
        n_rows = self.trajectory.n_rows
        if not 0 <= frame_index < n_rows:
            raise DataError(
                f"{self.episode_id} frame {frame_index} has no state: {TRAJECTORY} has {n_rows} rows; "
                "the state is never made up: leave the frame out with a white_list.json",
                subject=f"{self.episode_id}#{frame_index}",
                reason="no_state_row",
            )
        state = self.trajectory.state(frame_index)
        if not np.isfinite(state).all():
            raise DataError(
                f"{self.episode_id} frame {frame_index}: the state in {TRAJECTORY} is not finite; "
                "leave the frame out with a white_list.json",
                subject=f"{self.episode_id}#{frame_index}",
                reason="state_not_finite",
            )
        return state

    def _frame(self, role: str, frame_index: int) -> Path:
        # A frame that is not there is missed by its usual name when it is opened.
        name = self.frames[role].get(frame_index, f"{frame_index:05d}.jpg")
        return self.path / FRAMES / self.cameras[role] / name


def _episode_directories(outcome: Path) -> Iterator[Path]:
    """`<date>/<episode>` below an outcome; a directory that holds an episode's files is one at either depth."""
    for date in _directories(outcome):
        if any((date / mark).exists() for mark in _EPISODE_MARKS):
            yield date
        else:
            yield from _directories(date)


def _episode_id(root: Path, path: Path) -> str:
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"the directory {name!r} has a name that is not UTF-8; rename it") from error
    return name


def _directories(parent: Path) -> Iterator[Path]:
    if not parent.is_dir():
        return
    with os.scandir(parent) as entries:
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith("."):
                yield Path(entry.path)


def _alignment_problems(
    episode_id: str, frames: Mapping[str, Mapping[int, str]], n_frames: int, n_rows: int
) -> list[Problem]:
    """Frames of the cameras, and rows of the trajectory, that do not line up."""
    problems = []
    for role, indices in frames.items():
        missing = n_frames - len(indices)
        if missing:
            detail = f"camera {role} lacks {missing} of {n_frames} frames; those frames fail where they are keyframes"
            problems.append(Problem(episode_id, "missing_frames", detail))
    if n_rows != n_frames:
        spare = n_rows - n_frames
        beyond = (
            f"the last {-spare} frames have no state and fail" if spare < 0 else f"{spare} rows are not used"
        )
        detail = f"{n_frames} frames but {n_rows} rows in {TRAJECTORY}, taken as aligned at 0; {beyond}"
        problems.append(Problem(episode_id, "frames_and_rows_differ", detail))
    return problems


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None
