"""What an object of a frame is to the rest of Gazehouse, whoever segmented it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Episode, Problem

Role = Literal["target", "distractor", "gripper", "goal", "decoy", "occluder"]


@dataclass(frozen=True, eq=False)
class ObjectMask:
    """One object in one camera of one frame."""

    object_index: int  # its position in `FrameObjects.objects`, so unique in the frame over all cameras
    camera: str  # role in the study, such as 'wrist'
    category: str
    role: Role
    score: float
    mask: NDArray[np.bool_]  # [S, S], letterboxed as the policy's input is
    area_share: float  # of the picture (padding excluded) that the mask covers
    source: str  # the kind of source, such as 'dinox'
    mask_path: str | None  # as the source names it, relative to the episode


@dataclass(frozen=True)
class FrameObjects:
    """The objects of a frame: cameras in the study's order, within a camera in the source's order."""

    frame_index: int
    objects: tuple[ObjectMask, ...] = ()

    def of_camera(self, camera: str) -> tuple[ObjectMask, ...]:
        return tuple(one for one in self.objects if one.camera == camera)

    def masks(self, camera: str, size: int = 224) -> NDArray[np.bool_]:
        """bool [O, size, size] of one camera, in order; [0, size, size] without objects."""
        masks = [one.mask for one in self.of_camera(camera)]
        return np.stack(masks) if masks else np.zeros((0, size, size), dtype=np.bool_)


class EpisodeObjects(Protocol):
    """The objects of one open episode."""

    @property
    def categories(self) -> list[str]:
        """Every category that counts anywhere in the episode, sorted."""
        ...

    @property
    def roles(self) -> Mapping[str, Role]:
        """The role of each of `categories`."""
        ...

    @property
    def problems(self) -> list[Problem]: ...

    def frame(self, frame_index: int) -> FrameObjects:
        """Empty where nothing was detected. Raises DataError when a mask of the frame cannot be used."""
        ...


class ObjectsSource(Protocol):
    def open(self, episode: Episode) -> EpisodeObjects:
        """Raises DataError when the episode's detections cannot be read at all."""
        ...
