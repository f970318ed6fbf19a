"""Object metrics: all maps of a frame at once against the seed's loop over map and object."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import median_seconds
from measures.overlap import seed_overlap

N_MAPS, N_OBJECTS, ROUNDS = 48, 5, 7


def main() -> None:
    """Prints the ratio of the seed's way to ours, same numbers from both."""
    rng = np.random.default_rng(0)
    maps = rng.random((N_MAPS, 16, 16)).astype(np.float32)
    masks = np.zeros((N_OBJECTS, 224, 224), dtype=bool)
    for index in range(N_OBJECTS):
        masks[index, 40 * index : 40 * index + 30, 60:100] = True
    ours, theirs = seed_overlap(maps, masks).overlap_ratio, _seed_way(maps, masks)
    assert np.allclose(ours, theirs, rtol=1e-4), "the two ways disagree"
    seconds = median_seconds(
        {"ours": lambda: seed_overlap(maps, masks), "seed": lambda: _seed_way(maps, masks)}, ROUNDS
    )
    ratio = seconds["seed"] / seconds["ours"]
    print(f"object metrics, {N_MAPS} maps x {N_OBJECTS} objects: the seed's loop / ours: {ratio:.1f} x")
    print(f"  ours {seconds['ours'] * 1e3:.1f} ms a frame")


def _seed_way(maps: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Map by map and object by object, each with its own cubic resize; returns the overlap ratios."""
    ratios = np.empty((len(maps), len(masks)))
    for m, attention in enumerate(maps):
        for o, mask in enumerate(masks):
            large = np.maximum(cv2.resize(attention, (224, 224), interpolation=cv2.INTER_CUBIC), 0)
            large = large / large.max()
            ratios[m, o] = large[mask].sum() / (large.sum() + 1e-8)
            inside, outside = large[mask].mean(), large[~mask].mean()
            hot = large > 0.3
            _ = inside / (outside + 1e-8), (hot & mask).sum() / ((hot | mask).sum() + 1e-8)
    return ratios
