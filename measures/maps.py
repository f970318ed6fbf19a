"""Attention maps as distributions and as pictures: unit mass, centroid, the seed's cubic enlargement.

A map has one value a patch, row-major. The picture behind it counts as 224 x 224 pixels, whatever the model's input:
16 x 16 patches of 14 in Pi0 and Pi0.5, 14 x 14 of 16 in Cosmos Policy, 8 x 8 of 28 in SmolVLA.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from measures.arrays import AnyArray, Floats

GRID = 16
PATCH = 14
SIDE = GRID * PATCH


class UnitMaps(NamedTuple):
    """maps [..., P] that each sum to 1 (NaN where there was nothing to divide), mass [...] before the
    division.
    """

    maps: Floats
    mass: Floats


def unit_mass(maps: AnyArray) -> UnitMaps:
    """Divide each map by its sum. METHODS 1, normalisation.

    maps [..., P]: non-negative attention, any scale. A zero map becomes a NaN map of mass 0: it has no shape.
    A map that holds a NaN or an infinity becomes a NaN map of that mass.
    Raises ValueError when a value is negative: attention never is, and a difference of maps is no
    distribution.
    """
    values = np.asarray(maps, dtype=np.float64)
    if (values < 0).any():
        raise ValueError("a map holds negative values: unit_mass takes attention, not a difference of maps")
    mass = values.sum(axis=-1)
    usable = (mass > 0) & np.isfinite(mass)
    unit = np.full(values.shape, np.nan)
    np.divide(values, mass[..., None], out=unit, where=usable[..., None])
    return UnitMaps(unit, mass)


def centroid(maps: AnyArray, rows: int = GRID, cols: int = GRID, patch: int = PATCH) -> Floats:
    """Mass-weighted mean of the patch centres, in pixels of the picture. METHODS 3.

    maps [..., rows * cols], any scale. Returns [..., 2] as (x, y); the centre of column c is patch * c +
    (patch - 1) / 2, which is 14 c + 6.5. NaN for a zero map. Raises ValueError when the map does not have
    rows * cols patches.
    """
    unit = unit_mass(maps).maps
    if unit.shape[-1] != rows * cols:
        raise ValueError(f"a map of {unit.shape[-1]} patches does not fill a grid of {rows} x {cols}")
    row, col = np.divmod(np.arange(rows * cols), cols)
    centres = patch * np.stack([col, row], axis=-1) + (patch - 1) / 2
    return np.asarray(unit @ centres, dtype=np.float64)


def upsample_cubic(maps: AnyArray) -> AnyArray:
    """Enlarge as the seed does: cubic, clipped at 0, divided by the maximum. Seed 3.2, METHODS 2.

    maps [M, G, G] -> [M, 224, 224] in [0, 1]; float64 stays float64, all else is worked in float32 as
    in the seed. A zero map stays zero. Raises ValueError on another shape.
    """
    maps = np.asarray(maps)
    check_square(maps)
    if maps.dtype != np.float64:
        maps = maps.astype(np.float32)
    large = np.empty((len(maps), SIDE, SIDE), dtype=maps.dtype)
    for small, picture in zip(maps, large, strict=True):
        cv2.resize(np.ascontiguousarray(small), (SIDE, SIDE), dst=picture, interpolation=cv2.INTER_CUBIC)
        np.maximum(picture, 0, out=picture)
        peak = picture.max()
        if peak > 0:
            np.divide(picture, peak, out=picture)
    return large


def check_square(maps: AnyArray) -> None:
    """Raises ValueError unless maps are [M, G, G] with whole patches on 224 pixels."""
    if maps.ndim != 3 or maps.shape[1] != maps.shape[2] or not maps.shape[1] or SIDE % maps.shape[1]:
        raise ValueError(
            f"expected maps [M, G, G] with G a divisor of {SIDE}, such as {GRID}, found {list(maps.shape)}"
        )


def side_of(n_patches: int) -> int:
    """G of a map of G * G patches. Raises ValueError for a number that is no square."""
    side = math.isqrt(n_patches)
    if side * side != n_patches:
        raise ValueError(f"a map of {n_patches} patches is not square")
    return side
