"""The study's `objects` section -> where its masks come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from ingest.episodes.base import Episode, Problem
from ingest.episodes.preprocess import Fit
from ingest.errors import UnknownNameError
from ingest.objects.base import EpisodeObjects, FrameObjects, ObjectsSource, Role
from ingest.objects.dinox import DinoxSource

Kind = Literal["dinox", "none"]


@dataclass(frozen=True)
class NoObjects:
    """For studies without masks: every frame is empty. Is its own `EpisodeObjects`."""

    categories: list[str] = field(default_factory=list)
    roles: Mapping[str, Role] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def open(self, episode: Episode) -> EpisodeObjects:
        return self

    def frame(self, frame_index: int) -> FrameObjects:
        return FrameObjects(frame_index)


def objects_source(
    kind: Kind,
    *,
    cameras: Collection[str],
    camera: str = "wrist",
    min_score: float = 0.0,
    fits: Mapping[str, Fit] = MappingProxyType({}),
    named_roles: Mapping[str, Role] = MappingProxyType({}),
) -> ObjectsSource:
    """The source of a study's masks.

    Args:
        kind: 'dinox' or 'none'.
        cameras: the roles that the study's episodes have.
        camera: the role that detections without a camera belong to.
        min_score: detections count above it.
        fits: role of a camera -> how the policy fits its pictures, where that is not in the middle.
        named_roles: categories whose role is known, whatever the instruction says.

    Raises:
        UnknownNameError: `camera` is not one of `cameras`.
    """
    if kind == "none":
        return NoObjects()
    if camera not in cameras:
        raise UnknownNameError(f"objects.camera is {camera!r}; episodes.cameras has {sorted(cameras)}")
    return DinoxSource(camera, min_score, fits, named_roles)
