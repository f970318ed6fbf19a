"""Which patches, or pixels, of a picture: those that get most attention, and places of the same shape elsewhere.

Patches are [side * side], row-major. ``picture`` says which of them show picture and not only padding.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Array = NDArray[np.float64]


def top_patches(attention: Array, picture: Bools, share: float) -> Bools:
    """The ``share`` of the picture's patches with most attention, at least one; ties go to the first.

    Raises ValueError where no patch shows picture.
    """
    candidates = np.flatnonzero(picture)
    if not len(candidates):
        raise ValueError("no patch shows picture")
    n_chosen = max(1, round(share * len(candidates)))
    order = candidates[np.argsort(-attention[candidates], kind="stable")]
    chosen = np.zeros(len(picture), dtype=bool)
    chosen[order[:n_chosen]] = True
    return chosen


def elsewhere(place: Bools, within: Bools, n_wanted: int, rng: np.random.Generator) -> list[Bools]:
    """``n_wanted`` places of the shape and size of ``place`` [rows, cols], moved inside the rectangle ``within``.

    The place is shifted and wraps around at the rectangle's edges, so that size and shape stay (but for what wraps).
    Shifts are drawn without replacement among the quarter that overlaps the place least. Fewer places where the
    rectangle has fewer; none for the whole rectangle. Raises ValueError where the place does not lie within the rectangle.
    """
    rows, cols = np.flatnonzero(within.any(axis=1)), np.flatnonzero(within.any(axis=0))
    if not len(rows) or (place & ~within).any():
        raise ValueError("the place does not lie within the picture")
    window = (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    inside = place[window]
    overlap = _overlaps(inside).ravel()
    # A place that a shift leaves where it is, such as the whole picture, is nowhere else.
    moving = np.flatnonzero(overlap < inside.sum())
    order = moving[np.argsort(overlap[moving], kind="stable")]
    ties = int(np.count_nonzero(overlap[order] == overlap[order[:1]]))
    n_least = max(len(order) // 4, ties, n_wanted)
    drawn = [*rng.permutation(order[:n_least]), *order[n_least:]]
    found: dict[bytes, Bools] = {}  # shifts of a regular shape may lead to one place
    for shift in drawn:
        moved = np.zeros_like(place)
        moved[window] = np.roll(inside, divmod(int(shift), inside.shape[1]), axis=(0, 1))
        found.setdefault(moved.tobytes(), moved)
        if len(found) == n_wanted:
            break
    return list(found.values())


def _overlaps(inside: Bools) -> NDArray[np.int64]:
    """[height, width]: how many cells a place shares with itself after each wrapping shift (circular correlation)."""
    spectrum = np.fft.rfft2(inside.astype(np.float64))
    shared = np.fft.irfft2(spectrum * spectrum.conj(), s=inside.shape)
    result: NDArray[np.int64] = np.rint(shared).astype(np.int64)
    return result


def seed_pixels(
    attention: Array, size: int, percentile: float, rng: np.random.Generator
) -> tuple[Bools, Bools]:
    """The seed's high and low arm on [size, size] pixels, bars and all. Seed 3.4, METHODS 4.

    The map is enlarged with a cubic kernel; high lies above the percentile, low is a draw of as many pixels below the
    median.
    """
    side = round(len(attention) ** 0.5)
    large = cv2.resize(
        attention.reshape(side, side).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
    )
    high = large > np.percentile(large, percentile)
    candidates = np.flatnonzero(large < np.median(large))
    low = np.zeros(large.size, dtype=bool)
    low[rng.choice(candidates, size=min(int(high.sum()), len(candidates)), replace=False)] = True
    return high, low.reshape(large.shape)
