"""Masks that lie beside the recording: `dinox_info.json` of the episode and the files it names.

    {"<frame>": [{"mask_file", "bbox", "category", "score"}]}

`mask_file` is relative to the episode or to its `masks/`. Our own files add "camera" (a camera folder), and a PNG
label map with "value" (the object's label) in place of an npy array.
"""

from __future__ import annotations

import math
import os
import re
import reprlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Episode, Problem
from ingest.episodes.files import named_in_data, read_json, subject
from ingest.episodes.preprocess import Fit, Letterbox
from ingest.errors import DataError
from ingest.objects.base import FrameObjects, ObjectMask, Role
from ingest.objects.coverage import area_shares
from ingest.objects.masks import read_label_map, read_npy_mask
from ingest.objects.roles import assign_roles

INFO = "dinox_info.json"
MASKS = "masks"
_LARGEST_LABEL = 2**16 - 1  # of a PNG
_FRAME_INDEX = re.compile("[0-9]{1,6}")


@dataclass(frozen=True)
class Detection:
    """One entry that counts."""

    category: str
    score: float
    mask_file: str
    camera: str  # role
    value: int | None  # label in a label map; None for an npy array


@dataclass(frozen=True)
class DinoxSource:
    """Reads `dinox_info.json` of each episode; an episode without one has no objects, and a problem that says so.

    Args:
        camera: role of the camera that detections without "camera" belong to.
        min_score: detections count above it, so that 0 drops scores of 0.
        fits: role of a camera -> how the policy fits its pictures, where that is not in the middle.
        named_roles: categories whose role is known, whatever the instruction says.
    """

    camera: str = "wrist"
    min_score: float = 0.0
    fits: Mapping[str, Fit] = field(default_factory=dict)
    named_roles: Mapping[str, Role] = field(default_factory=dict)

    def open(self, episode: Episode) -> DinoxObjects:
        """Raises DataError ('invalid_json', 'invalid_detections') when the list itself cannot be read."""
        path = episode.path / INFO
        if not os.path.lexists(path):
            name = subject(episode.root, path)
            problem = Problem(
                name, "no_masks", "no detections were recorded; the episode has no object metrics"
            )
            return DinoxObjects(self, episode, {}, {}, [problem])
        frames, problems = _read_detections(self, episode, path)
        categories = {detection.category for found in frames.values() for detection in found}
        target = episode.metadata.get("target")
        target = target if isinstance(target, str) else None
        roles = assign_roles(categories, episode.instruction, target, self.named_roles)
        return DinoxObjects(self, episode, frames, roles, problems)


@dataclass(frozen=True, eq=False)
class DinoxObjects:
    """The detections of one episode; masks are read frame by frame."""

    source: DinoxSource
    episode: Episode
    detections: Mapping[int, list[Detection]]
    roles: Mapping[str, Role]
    problems: list[Problem]

    @property
    def categories(self) -> list[str]:
        return sorted(self.roles)

    def frame(self, frame_index: int) -> FrameObjects:
        """The objects of a frame; empty where nothing was detected.

        Raises:
            DataError: a mask is missing, pickled, broken or not of the raw picture's size ('wrong_mask_size').
        """
        detections = self.detections.get(frame_index, [])
        letterboxes = {
            role: self.source.fits.get(role, Fit()).letterbox(*self.episode.frame_size(role, frame_index))
            for role in dict.fromkeys(detection.camera for detection in detections)
        }
        labels: dict[str, NDArray[np.int64]] = {}
        objects = []
        for index, detection in enumerate(detections):
            letterbox = letterboxes[detection.camera]
            mask = letterbox.mask(self._bitmap(detection, letterbox, labels))
            objects.append(
                ObjectMask(
                    object_index=index,
                    camera=detection.camera,
                    category=detection.category,
                    role=self.roles[detection.category],
                    score=detection.score,
                    mask=mask,
                    area_share=float(area_shares(mask[np.newaxis], letterbox)[0]),
                    source="dinox",
                    mask_path=detection.mask_file,
                )
            )
        return FrameObjects(frame_index, tuple(objects))

    def _bitmap(
        self, detection: Detection, letterbox: Letterbox, labels: dict[str, NDArray[np.int64]]
    ) -> NDArray[np.bool_]:
        """The raw mask; label maps are kept in `labels`, since the objects of a frame share one."""
        if detection.value is not None and detection.mask_file in labels:
            return np.asarray(labels[detection.mask_file] == detection.value)
        root, folder = self.episode.root, self.episode.path
        path = named_in_data(root, folder, detection.mask_file, named_by=folder / INFO)
        # Not Path.exists: that raises for a name longer than the file system takes.
        if not os.path.exists(path):
            path = named_in_data(root, folder / MASKS, detection.mask_file, named_by=folder / INFO)
        size = (letterbox.source_height, letterbox.source_width)
        if detection.value is None:
            return read_npy_mask(root, path, size)
        labels[detection.mask_file] = read_label_map(root, path, size)
        return np.asarray(labels[detection.mask_file] == detection.value)


def _read_detections(
    source: DinoxSource, episode: Episode, path: Path
) -> tuple[dict[int, list[Detection]], list[Problem]]:
    """Frame index -> the detections that count, cameras in the study's order."""
    name = subject(episode.root, path)
    info = read_json(episode.root, path)
    if not isinstance(info, dict):
        raise _invalid(
            name, f"holds a {type(info).__name__}; expected an object of frame -> list of detections"
        )
    order = {role: position for position, role in enumerate(episode.cameras)}
    frames: dict[int, list[Detection]] = {}
    unknown: set[str] = set()
    safe: set[str] = set()
    for key, entries in info.items():
        if not _FRAME_INDEX.fullmatch(key) or not isinstance(entries, list):
            raise _invalid(name, f"has the entry {key!r}; expected a frame index with a list of detections")
        found = [
            _detection(source, episode, f"{name}, frame {key}", entry, unknown, safe) for entry in entries
        ]
        counted = [detection for detection in found if detection is not None]
        if counted:  # "8" and "00008" are the same frame
            both = frames.get(int(key), []) + counted
            frames[int(key)] = sorted(both, key=lambda detection: order[detection.camera])
    beyond = sum(frame >= episode.n_frames for frame in frames)
    problems = [
        Problem(
            name,
            "unknown_camera",
            f"detections on {folder!r}, which episodes.cameras does not name, do not count",
        )
        for folder in sorted(unknown)
    ]
    if beyond:
        detail = f"detections for {beyond} frames beyond the last ({episode.n_frames - 1}) are not used"
        problems.append(Problem(name, "frames_and_masks_differ", detail))
    return frames, problems


def _detection(
    source: DinoxSource, episode: Episode, where: str, entry: Any, unknown: set[str], safe: set[str]
) -> Detection | None:
    """None for an entry that does not count.

    Folders that the study does not name are added to `unknown`, mask files that may be opened to `safe`.
    """
    if not isinstance(entry, dict):
        raise _invalid(where, f"has a {type(entry).__name__} in place of a detection")
    mask_file, score = entry.get("mask_file"), entry.get("score")
    category, folder, value = entry.get("category"), entry.get("camera"), entry.get("value")
    if not _is_number(score):
        raise _invalid(where, f"has score = {_shown(score)}; expected a number")
    if not isinstance(mask_file, str | None):
        raise _invalid(where, f"has mask_file = {mask_file!r}; expected a file name")
    if not mask_file or score <= source.min_score:
        return None
    if not isinstance(category, str) or not category.strip():
        raise _invalid(where, f"has category = {category!r}; expected the object's name")
    if (not _is_label(value)) if mask_file.endswith(".png") else (value is not None):
        raise _invalid(
            where,
            f"has value = {_shown(value)} for {mask_file!r}; a label-map PNG needs its label, others none",
        )
    if mask_file not in safe:
        named_in_data(episode.root, episode.path, mask_file, named_by=episode.path / INFO)
        safe.add(mask_file)
    role = source.camera
    if folder is not None:
        roles = [one for one, name in episode.cameras.items() if name == folder]
        if not roles:
            unknown.add(str(folder))
            return None
        role = roles[0]
    return Detection(category.strip(), float(score), mask_file, role, value)


def _is_number(score: Any) -> TypeGuard[int | float]:
    # Whole numbers of JSON have any length; those beyond a float have no score.
    if isinstance(score, int):
        return not isinstance(score, bool) and abs(score) <= sys.float_info.max
    return isinstance(score, float) and math.isfinite(score)


def _is_label(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST_LABEL


def _shown(value: Any) -> str:
    return reprlib.repr(value)


def _invalid(where: str, found: str) -> DataError:
    return DataError(f"{where} {found}; mend or delete the file", subject=where, reason="invalid_detections")
