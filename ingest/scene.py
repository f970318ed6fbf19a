"""A keyframe, read and prepared: what the policy sees, and where the objects are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Episode, EpisodeRef, EpisodeSource, Observation
from ingest.episodes.preprocess import PIXELS, Fit, Letterbox
from ingest.errors import DataError, GazehouseError
from ingest.issues import Issues
from ingest.measure import MaskStack
from ingest.objects.base import EpisodeObjects, FrameObjects, ObjectsSource
from ingest.objects.coverage import middle_of, patch_coverage
from ingest.policies.base import Policy, Seen
from ingest.views import Views, views_of

Coverage = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class FrameScene:
    """One keyframe. ``seen`` and ``observation`` are None where the frame could not be read."""

    index: int
    progress: float  # 0..1, the frame's share of the episode
    observation: Observation | None = None
    seen: Seen | None = None
    objects: FrameObjects = field(default_factory=lambda: FrameObjects(0))
    stacks: Mapping[str, MaskStack] = field(default_factory=dict)  # camera -> its objects
    reason: str | None = None
    views: Views = field(default_factory=dict)

    def coverage(self) -> Coverage:
        """Camera -> [objects of the frame, patches]; rows of objects in other cameras are 0."""
        n_objects = len(self.objects.objects)
        found = {}
        for camera, stack in self.stacks.items():
            found[camera] = np.zeros((n_objects, stack.coverage.shape[1]))
            found[camera][list(stack.object_indices)] = stack.coverage
        return found


@dataclass
class OpenEpisode:
    """An open episode, its objects, and the keyframes of it that were read so far with their issues."""

    episode: Episode
    objects: EpisodeObjects
    _frames: dict[int, tuple[FrameScene, Issues]] = field(default_factory=dict)

    def frame(self, index: int, policy: Policy, issues: Issues) -> FrameScene:
        """One keyframe; what is wrong with it goes to the issues of every unit that asks."""
        if index not in self._frames:
            own = Issues(issues.unit, issues.episode_id)
            self._frames[index] = (look(self.episode, self.objects, index, policy, own), own)
        scene, found = self._frames[index]
        issues.repeat(found)
        return scene


class SceneReader:
    """Opens episodes, and keeps the last one open: the units of an episode follow each other."""

    def __init__(self, source: EpisodeSource, objects: ObjectsSource) -> None:
        self._source = source
        self._objects = objects
        self._last: tuple[str, OpenEpisode] | None = None

    def open(self, ref: EpisodeRef) -> OpenEpisode:
        """Raises DataError when the episode, or the list of its objects, cannot be read."""
        if self._last is None or self._last[0] != ref.episode_id:
            self._last = None
            episode = self._source.open(ref)
            self._last = (ref.episode_id, OpenEpisode(episode, self._objects.open(episode)))
        return self._last[1]


def look(episode: Episode, objects: EpisodeObjects, index: int, policy: Policy, issues: Issues) -> FrameScene:
    """Reads one keyframe. What cannot be used becomes an issue: the frame fails, or only its masks are left out."""
    progress = index / max(episode.n_frames - 1, 1)
    try:
        observation = episode.observation(index)
        seen = policy.see(observation)
    except DataError as error:
        issues.add("read", error.subject, error.reason, str(error), is_loss=True)
        return FrameScene(index, progress, reason=error.reason)
    found = read_objects(episode, objects, index, issues)
    for camera in {one.camera for one in found.objects} & set(seen.letterboxes):
        _refuse_other_place(camera, seen.letterboxes[camera], policy.geometry.fits.get(camera, Fit()))
    stacks = mask_stacks(found, seen.letterboxes, policy.geometry.cameras, seen.kept)
    boxes = {
        camera: policy.geometry.fits.get(camera, Fit()).letterbox(box.source_height, box.source_width)
        for camera, box in seen.letterboxes.items()
    }
    views = views_of(episode, index, boxes, policy.geometry.cameras, seen.kept, issues)
    return FrameScene(index, progress, observation, seen, found, stacks, views=views)


def _refuse_other_place(camera: str, seen: Letterbox, fit: Fit) -> None:
    """Raises GazehouseError where masks, which go by the policy's geometry, would lie beside its pictures."""
    found, wanted = seen.scaled(PIXELS), fit.letterbox(seen.source_height, seen.source_width)
    rounding = 2 * max(1.0, PIXELS / seen.size)
    if max(abs(one - other) for one, other in zip(found.sides, wanted.sides, strict=True)) > rounding:
        raise GazehouseError(
            f"camera {camera}: the policy puts its picture at {found.sides} (top, left, height, width of {PIXELS} "
            f"pixels), but masks would lie at {wanted.sides}: set geometry.fits of the adapter"
        )


def read_objects(episode: Episode, objects: EpisodeObjects, index: int, issues: Issues) -> FrameObjects:
    """The objects of a frame; none, and an issue, where a mask of it cannot be used."""
    try:
        return objects.frame(index)
    except DataError as error:
        issues.add("objects", error.subject, error.reason, str(error), is_loss=True)
        return FrameObjects(index)


def mask_stacks(
    objects: FrameObjects,
    letterboxes: Mapping[str, Letterbox],
    grids: Mapping[str, int],
    kept: Mapping[str, float],
) -> dict[str, MaskStack]:
    """Camera -> the frame's objects in it, as coverage of its patches.

    ``grids`` are patches a side, ``kept`` the share of each side that the model sees, where it crops the picture.
    """
    stacks = {}
    for camera, letterbox in letterboxes.items():
        members = objects.of_camera(camera)
        share = kept.get(camera, 1.0)
        masks = middle_of(objects.masks(camera, letterbox.size), share)
        stacks[camera] = MaskStack(
            object_indices=tuple(one.object_index for one in members),
            roles=tuple(one.role for one in members),
            masks=masks,
            coverage=patch_coverage(masks, grids[camera]),
            picture=letterbox.picture_share(grids[camera]),
            kept=share,
        )
    return stacks
