"""What an episode is to the rest of Gazehouse, wherever it was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Outcome = Literal["success", "failure"]


class Calibration(NamedTuple):
    """One camera at one frame, in the robot's base frame."""

    extrinsic: NDArray[np.float64]  # [6] camera pose: xyz in metres, Euler angles "xyz" in radians
    intrinsic: NDArray[np.float64]  # [3, 3] in pixels of the raw image


@dataclass(frozen=True)
class Problem:
    """Something seen that does not stop the episode: a row in `issues`.

    `subject` is the file or frame, `reason` a short fixed name, `detail` what was found and what follows from it.
    """

    subject: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Observation:
    """One frame of an episode, before any model's own preprocessing."""

    frame_index: int
    timestamp: float | None  # seconds since the first row of the episode
    images: Mapping[str, NDArray[np.uint8]]  # camera role -> [H, W, 3] RGB, raw size
    state: NDArray[np.float64]  # [D] in the order that the source documents
    gripper: float | None
    state_parts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # recorded name -> [D_i]


@dataclass(frozen=True, order=True)
class EpisodeRef:
    """An episode that was found but not opened. Refs sort by `episode_id`."""

    episode_id: str  # unique within the source; for a tree the whole path under its root
    path: Path
    outcome: Outcome | None


@dataclass(frozen=True)
class KeyframeRule:
    """Which frames the policy is asked about when the episode does not list them: 0, every, 2 * every, ..., or only
    the ``first`` of these, or of either no more than ``at_most``, spread over all of them.

    Raises ValueError for a number below 1.
    """

    every: int = 8
    first: int | None = None
    at_most: int | None = None

    def __post_init__(self) -> None:
        for name in ("every", "first", "at_most"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"keyframes.{name} is {value}; it must be at least 1")

    def select(self, n_frames: int) -> list[int]:
        """Ascending frame indices. Where ``at_most`` thins them, the first and the last stay (one alone: the first),
        and steps between those kept differ by ``every`` at most.
        """
        frames = list(range(0, n_frames, self.every))[: self.first]
        if self.at_most is None or len(frames) <= self.at_most:
            return frames
        last, steps = len(frames) - 1, max(self.at_most - 1, 1)
        return [frames[(2 * step * last + steps) // (2 * steps)] for step in range(self.at_most)]


class Episode(Protocol):
    """A recorded episode. Every attribute is known once it is open; pictures are read frame by frame."""

    @property
    def episode_id(self) -> str: ...
    @property
    def dataset(self) -> str: ...
    @property
    def suite(self) -> str | None: ...
    @property
    def task_index(self) -> int | None: ...
    @property
    def task(self) -> str: ...
    @property
    def instruction(self) -> str: ...
    @property
    def outcome(self) -> Outcome | None: ...
    @property
    def failure_kind(self) -> str | None: ...
    @property
    def n_frames(self) -> int: ...
    @property
    def source(self) -> str:
        """The kind of source, such as 'droid'."""
        ...

    @property
    def root(self) -> Path:
        """The directory that no file of this episode may lie outside of."""
        ...

    @property
    def path(self) -> Path:
        """The episode's own directory or file."""
        ...

    @property
    def cameras(self) -> Mapping[str, str]:
        """Role of the study -> the camera's name in the recording, in the study's order."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Extras that the recording carries, such as 'target'; plain JSON values."""
        ...

    @property
    def problems(self) -> list[Problem]: ...

    def keyframes(self) -> list[int]:
        """Frame indices to ask the policy about, ascending."""
        ...

    def observation(self, frame_index: int) -> Observation:
        """Raises DataError when the frame cannot be used; other frames may still be."""
        ...

    def frame_size(self, role: str, frame_index: int) -> tuple[int, int]:
        """(height, width) in pixels of a raw picture, without decoding it. Raises DataError."""
        ...

    def calibration(self, role: str, frame_index: int = 0) -> Calibration | None:
        """None when the recording does not say; never a guess."""
        ...


class EpisodeSource(Protocol):
    def discover(self) -> list[EpisodeRef]:
        """Every episode, sorted, without reading their files. Raises UserError when there is none."""
        ...

    def open(self, ref: EpisodeRef) -> Episode:
        """Raises DataError naming the file, what was expected and what to do."""
        ...
