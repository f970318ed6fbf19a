"""Changing the raw picture of a camera where its patches, or its pixels as the policy sees them, say so.

The picture is changed before the policy's own preprocessing, so that the same code serves every policy.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.episodes.preprocess import Letterbox

Bools = NDArray[np.bool_]
Picture = NDArray[np.uint8]


def enlarged(patches: Bools, side: int, size: int) -> Bools:
    """bool [side * side] -> [size, size] pixels."""
    edges = (np.arange(size) * side) // size
    grid = patches.reshape(side, side)
    result: Bools = grid[edges[:, None], edges[None, :]]
    return result


def in_picture(letterbox: Letterbox) -> Bools:
    """[size, size]: the pixels that show picture and not padding."""
    inside = np.zeros((letterbox.size, letterbox.size), dtype=bool)
    inside[
        letterbox.top : letterbox.top + letterbox.height, letterbox.left : letterbox.left + letterbox.width
    ] = True
    return inside


def raw_pixels(seen: NDArray[np.generic], letterbox: Letterbox, kept: float) -> NDArray[np.generic]:
    """[size, size] on the policy's picture -> [source_height, source_width]: the value at each raw pixel's centre.

    ``kept`` is the share of each side that the policy sees of the letterboxed picture, where it crops its middle. Raw
    pixels that it does not see get 0.
    """
    rows, rows_seen = _places(letterbox.top, letterbox.height, letterbox.source_height, letterbox.size, kept)
    cols, cols_seen = _places(letterbox.left, letterbox.width, letterbox.source_width, letterbox.size, kept)
    found = seen[rows[:, None], cols[None, :]]
    result: NDArray[np.generic] = np.where(
        rows_seen[:, None] & cols_seen[None, :], found, np.zeros((), dtype=seen.dtype)
    )
    return result


def _places(
    start: int, length: int, n_raw: int, size: int, kept: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    centres = start + (np.arange(n_raw) + 0.5) * length / n_raw
    cropped = (centres - size * (1 - kept) / 2) / kept
    places = np.floor(cropped).astype(np.int64)
    return places.clip(0, size - 1), (places >= 0) & (places < size)


def filled(picture: Picture, mask: Bools, fill: str, patch: float) -> Picture:
    """uint8 [H, W, 3] with the pixels of ``mask`` [H, W] black, in the mean colour of the rest, or blurred.

    ``patch`` is the side of a patch in raw pixels: the standard deviation of the blur.
    """
    changed = picture.copy()
    if fill == "black":
        changed[mask] = 0
    elif fill == "mean":
        rest = picture[~mask] if not mask.all() else picture.reshape(-1, 3)
        changed[mask] = np.rint(rest.mean(axis=0)).astype(np.uint8)
    else:
        changed[mask] = blurred(picture, patch)[mask]
    return changed


def blurred(picture: Picture, sigma: float) -> Picture:
    """uint8 [H, W, 3] under a Gaussian of ``sigma`` pixels."""
    result = cv2.GaussianBlur(picture, (0, 0), sigmaX=sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(result, dtype=np.uint8)
