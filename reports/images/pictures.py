"""Pictures: copied from the lake, contours of label maps, letterbox bars, maps packed for the browser.

The browser draws the maps (`assets/maps.js`): bilinear between the patches' centres, so that nothing is drawn that no patch
holds, and 40 % of the map over 60 % of the picture.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BLACK = 12  # grey level up to which a whole row counts as a bar; JPEG leaves a few levels of noise
TOLERANCE = 0.7  # px by which a contour may be simplified


class PictureError(Exception):
    """A picture or mask that the warehouse names is not in the lake, or cannot be read."""


def packed(values: NDArray[Any]) -> str:
    """Bytes as base64 text."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def quantised(maps: NDArray[np.float32]) -> tuple[NDArray[np.uint8], list[float]]:
    """Maps [n, patches] as 8 bits of their own maximum, and those maxima; negative and missing values become 0."""
    clean = np.nan_to_num(np.clip(maps, 0, None))
    top = clean.max(axis=1) if clean.size else np.zeros(len(clean), np.float32)
    scale = np.where(top > 0, top, 1.0)[:, None]
    return np.rint(255 * clean / scale).astype(np.uint8), [round(float(t), 8) for t in top]


def below(root: Path, relative: str) -> Path:
    """A file named by the warehouse, which must lie below the run's folder."""
    path = (root / relative).resolve()
    if not path.is_relative_to(root.resolve()):
        raise PictureError(f"{relative!r} points out of the lake")
    if not path.is_file():
        raise PictureError(f"{relative} is not in {root}")
    return path


def copied(root: Path, relative: str, target: Path) -> str:
    """Copy a picture beside the page; its new name, with a suffix that is known to be a picture."""
    source = below(root, relative)
    suffix = source.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".webp", ".png"):
        raise PictureError(f"{relative} is no JPEG, WebP or PNG")
    shutil.copyfile(source, target.with_suffix(suffix))
    return target.with_suffix(suffix).name


def read_labels(root: Path, relative: str) -> NDArray[np.uint8]:
    """A label map [height, width]: object_index + 1, 0 = none."""
    image = cv2.imread(str(below(root, relative)), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise PictureError(f"{relative} cannot be read as a label map")
    return image.astype(np.uint8)


def contours(labels: NDArray[np.uint8], label: int) -> list[list[int]]:
    """Outlines of one label as flat x, y, x, y lists in picture pixels."""
    found, _ = cv2.findContours((labels == label).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    lines = [cv2.approxPolyDP(line, TOLERANCE, True).reshape(-1) for line in found if len(line) > 2]
    return [[int(v) for v in line] for line in lines]


def bars(pictures: Sequence[Path]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right): widths of the black bars that all of some pictures share, in pixels."""
    brightest: NDArray[np.uint8] | None = None
    for path in pictures:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if image is not None and (brightest is None or brightest.shape == image.shape):
            grey = image.astype(np.uint8)
            brightest = grey if brightest is None else np.maximum(brightest, grey)
    if brightest is None or brightest.max() <= BLACK:
        return (0, 0, 0, 0)
    rows = np.flatnonzero(brightest.max(axis=1) > BLACK)
    columns = np.flatnonzero(brightest.max(axis=0) > BLACK)
    height, width = brightest.shape
    return (int(rows[0]), int(height - 1 - rows[-1]), int(columns[0]), int(width - 1 - columns[-1]))
