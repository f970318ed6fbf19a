"""Keyframes as the policy saw them, and label maps of their objects, so that pages need no raw data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.identity import hex_digest
from ingest.lake import write_atomically

_JPEG_QUALITY = 88
_MAX_LABELS = 255


def write_pictures(
    run_folder: Path, episode_id: str, frame_index: int, pictures: Mapping[str, NDArray[np.uint8]]
) -> dict[str, str]:
    """Camera -> path below the run's folder. Names in paths are hashes and numbers, never data."""
    paths = {}
    for camera, picture in pictures.items():
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        path = _path(episode_id, frame_index, camera, "jpg")
        write_atomically(
            run_folder / path, _encode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
        )
        paths[camera] = path
    return paths


def write_label_maps(
    run_folder: Path,
    episode_id: str,
    frame_index: int,
    masks: Mapping[str, tuple[Sequence[int], NDArray[np.bool_]]],
) -> dict[str, str]:
    """``masks`` maps a camera to its object indices and masks [O, 224, 224]; pixel = object_index + 1.

    Where masks overlap the smaller one is drawn on top. Cameras without objects have no file.
    """
    paths = {}
    for camera, (object_indices, stack) in masks.items():
        if not len(stack):
            continue
        labels = np.zeros(stack.shape[1:], dtype=np.uint8)
        for position in np.argsort([-mask.sum() for mask in stack], kind="stable"):
            labels[stack[position]] = min(object_indices[position] + 1, _MAX_LABELS)
        path = _path(episode_id, frame_index, camera, "png")
        write_atomically(run_folder / path, _encode(".png", labels, []))
        paths[camera] = path
    return paths


def _path(episode_id: str, frame_index: int, camera: str, suffix: str) -> str:
    return f"pictures/{hex_digest(episode_id)}/{frame_index:05d}-{hex_digest(camera, length=8)}.{suffix}"


def _encode(suffix: str, image: NDArray[Any], options: list[int]) -> bytes:
    done, encoded = cv2.imencode(suffix, image, options)
    if not done:
        raise RuntimeError(f"OpenCV could not encode a {image.shape} picture as {suffix}")
    return encoded.tobytes()
