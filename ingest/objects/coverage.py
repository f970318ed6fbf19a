"""How much of each patch, and of the picture, an object covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.preprocess import Letterbox


def patch_coverage(masks: NDArray[np.bool_], grid: int = 16) -> NDArray[np.float64]:
    """bool [O, S, S] letterboxed masks -> float64 [O, grid * grid], row-major: share of each patch covered.

    Raises:
        ValueError: other shapes, or a size that `grid` does not divide.
    """
    if masks.ndim != 3 or masks.shape[1] != masks.shape[2] or masks.shape[1] % grid:
        raise ValueError(
            f"expected masks [objects, size, size] with size divisible by {grid}, found {masks.shape}"
        )
    n_objects, size, _ = masks.shape
    patch = size // grid
    share: NDArray[np.float64] = masks.reshape(n_objects, grid, patch, grid, patch).mean(axis=(2, 4))
    return share.reshape(n_objects, grid * grid)


def area_shares(masks: NDArray[np.bool_], letterbox: Letterbox) -> NDArray[np.float64]:
    """bool [O, S, S] letterboxed masks -> float64 [O]: share of the picture's pixels, padding excluded."""
    share: NDArray[np.float64] = masks.sum(axis=(1, 2)) / float(letterbox.height * letterbox.width)
    return share
