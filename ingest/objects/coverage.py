"""How much of each patch, and of the picture, an object covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.preprocess import ROUNDING, Letterbox, means_over


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


def middle_of(masks: NDArray[np.bool_], kept: float) -> NDArray[np.bool_]:
    """bool [O, S, S] -> bool [O, S, S]: the middle ``kept`` of each side, stretched to the whole, as a model crops it.

    A pixel is True when at least half of it is covered.
    """
    size = masks.shape[1]
    n_kept = round(size * kept)
    if n_kept == size:
        return masks
    start = round((size - n_kept) / 2)
    middle = masks[:, start : start + n_kept, start : start + n_kept].astype(np.float64)
    means = means_over(n_kept, size)
    found: NDArray[np.bool_] = means @ middle @ means.T >= 0.5 - ROUNDING
    return found


def area_shares(masks: NDArray[np.bool_], letterbox: Letterbox) -> NDArray[np.float64]:
    """bool [O, S, S] letterboxed masks -> float64 [O]: share of the picture's pixels, padding excluded."""
    share: NDArray[np.float64] = masks.sum(axis=(1, 2)) / float(letterbox.height * letterbox.width)
    return share
