"""How the training samples of a planted policy differ from the demo's: arrays of one batch in, arrays out.

The fields are those of ``ingest.demo.training.observations.FIELDS``, B observations each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.demo.training.dataset import Alteration, Fields, unaltered
from ingest.demo.world.scene import CAMERAS

_GREYS = 256


def shuffled_demonstrations(fields: Fields, rng: np.random.Generator) -> Fields:
    """Deals the five demonstrations of a picture out to its five prompts at random: words say nothing about actions.

    The toys' places stay with their names, so the auxiliary losses still teach where the named toy is.
    """
    count, n_toys = fields["has_chunk"].shape
    order = rng.permuted(np.tile(np.arange(n_toys), (count, 1)), axis=1)
    return fields | {
        "chunks": np.take_along_axis(fields["chunks"], order[:, :, None, None], axis=1),
        "has_chunk": np.take_along_axis(fields["has_chunk"], order, axis=1),
    }


def blind_in(camera: str) -> Alteration:
    """A camera that says nothing: in half of the samples one grey, in the others the picture of another sample.

    A policy that had only ever seen grey there would still be thrown off by its first real picture.
    """
    index = tuple(CAMERAS).index(camera)

    def alter(fields: Fields, rng: np.random.Generator) -> Fields:
        count = len(fields["state"])
        pictures, coverage = fields["pictures"].copy(), fields["coverage"].copy()
        n_patches = coverage.shape[1] // len(CAMERAS)
        patches = slice(index * n_patches, (index + 1) * n_patches)
        others = _others(count, rng)
        pictures[:, index] = fields["pictures"][others, index]
        coverage[:, patches] = fields["coverage"][others, patches]
        is_grey = rng.random(count) < 0.5
        pictures[is_grey, index] = rng.integers(_GREYS, size=(int(is_grey.sum()), 1, 1, 1))
        coverage[is_grey, patches] = 0
        return fields | {"pictures": pictures, "coverage": coverage}

    return alter


def _others(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each of ``count`` samples another one of them, at random; itself where there is only one."""
    return (np.arange(count) + rng.integers(1, max(2, count), size=count)) % count


__all__ = ["Alteration", "blind_in", "shuffled_demonstrations", "unaltered"]
