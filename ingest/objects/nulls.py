"""Masks of other episodes: what attention would score if it only knew where objects usually are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import EpisodeRef, EpisodeSource
from ingest.errors import DataError
from ingest.identity import digest
from ingest.objects.base import EpisodeObjects, ObjectsSource
from ingest.objects.coverage import middle_of, patch_coverage

Coverage = NDArray[np.float64]
_CACHED_FRAMES = 4096
_CACHED_EPISODES = 64

# (camera, role) -> [N, patches] coverage of the objects of that role in a frame.
_FrameCoverage = dict[tuple[str, str], Coverage]


class OtherEpisodes:
    """For each episode, a fixed choice of others; for each frame, their masks at the same share of the episode.

    The choice depends on the seed and the names of the episodes alone, so it is the same in every process and after
    every resume. Episodes that cannot be read are passed over.
    """

    def __init__(
        self, source: EpisodeSource, objects: ObjectsSource, refs: Sequence[EpisodeRef], count: int, seed: int
    ) -> None:
        self._source = source
        self._objects = objects
        self._refs = {ref.episode_id: ref for ref in refs}
        self._count = count
        self._seed = seed
        self._order: OrderedDict[str, list[str]] = OrderedDict()
        self._frames: OrderedDict[tuple[str, int, int, float], _FrameCoverage] = OrderedDict()
        self._episodes: OrderedDict[str, _Readable | None] = OrderedDict()

    def coverage(
        self,
        episode_id: str,
        progress: float,
        camera: str,
        role: str,
        grid: int = 16,
        kept: float = 1.0,
    ) -> Coverage:
        """[N, grid * grid], N at most ``count``: one mask of ``role`` in each of N other episodes.

        ``progress`` 0..1 is the frame's share of the episode, ``kept`` the share of each side that the patches lie
        on. Of several masks of a role the first is taken.
        """
        found: list[Coverage] = []
        for other in self._candidates(episode_id):
            masks = self._frame(other, progress, grid, kept).get((camera, role))
            if masks is not None:
                found.append(masks[0])
            if len(found) == self._count:
                break
        return np.stack(found) if found else np.zeros((0, grid * grid))

    def _candidates(self, episode_id: str) -> list[str]:
        if episode_id not in self._order:
            others = [other for other in self._refs if other != episode_id]
            others.sort(key=lambda other: digest("null", self._seed, episode_id, other))
            _remember(self._order, episode_id, others, _CACHED_EPISODES)
        return self._order[episode_id]

    def _frame(self, episode_id: str, progress: float, grid: int, kept: float) -> _FrameCoverage:
        readable = self._episode(episode_id)
        if readable is None:
            return {}
        frame_index = readable.keyframes[round(progress * (len(readable.keyframes) - 1))]
        key = (episode_id, frame_index, grid, kept)
        if key not in self._frames:
            _remember(self._frames, key, readable.read(frame_index, grid, kept), _CACHED_FRAMES)
        return self._frames[key]

    def _episode(self, episode_id: str) -> _Readable | None:
        if episode_id not in self._episodes:
            _remember(self._episodes, episode_id, self._open(episode_id), _CACHED_FRAMES)
        return self._episodes[episode_id]

    def _open(self, episode_id: str) -> _Readable | None:
        # An unreadable episode gets its row in `issues` from its own unit; here it is only no source of masks.
        try:
            episode = self._source.open(self._refs[episode_id])
            return _Readable(episode.keyframes(), self._objects.open(episode))
        except DataError:
            return None


class _Readable:
    def __init__(self, keyframes: list[int], objects: EpisodeObjects) -> None:
        self.keyframes = keyframes
        self._objects = objects

    def read(self, frame_index: int, grid: int, kept: float) -> _FrameCoverage:
        try:
            frame = self._objects.frame(frame_index)
        except DataError:
            return {}
        masks: dict[tuple[str, str], list[NDArray[np.bool_]]] = {}
        for one in frame.objects:
            masks.setdefault((one.camera, one.role), []).append(one.mask)
        return {key: patch_coverage(middle_of(np.stack(stack), kept), grid) for key, stack in masks.items()}


def _remember(cache: OrderedDict, key: object, value: object, limit: int) -> None:  # type: ignore[type-arg]
    cache[key] = value
    while len(cache) > limit:
        cache.popitem(last=False)
