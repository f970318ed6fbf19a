"""Do two cameras attend to the same places? Maps of one carried into the view of the other over a plane. METHODS 5.

Without depth a pixel is a line and no point. What is carried is therefore taken to lie on a declared plane, the table's
top: what stands above it lands beside its place, the further the higher it is and the lower the camera looks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from measures.arrays import AnyArray, Floats
from measures.cameras import Camera, on_plane, project
from measures.shift import correlation

SAMPLES = 6  # points a side of each patch
HALF = 0.5  # a patch counts as shared when the other camera sees that much of it
MIN_PATCHES = 8  # fewer shared patches make no correlation
TOO_FEW = f"fewer than {MIN_PATCHES} patches in both views"
NO_VARIANCE = "a map is zero or constant where both cameras see"


class PatchView(NamedTuple):
    """A camera and the square of patches that a model lays over its picture, in pixels of that picture.

    Where the square reaches beyond the picture there are bars; where it ends inside, the model crops.
    """

    camera: Camera
    grid: int  # patches a side
    left: float
    top: float
    right: float
    bottom: float
    width: int  # of the picture
    height: int


class Carry(NamedTuple):
    """How the patches of one view lie in another's."""

    matrix: Floats  # [onto patches, from patches]: share of a patch's picture that lands there
    shared: Floats  # [onto patches]: share of the whole patch that is picture in both views
    picture: Floats  # [onto patches]: share of the whole patch that is picture
    source: Floats  # [from patches]: share of the whole patch that is picture


class Agreement(NamedTuple):
    """Each [M] but ``n_patches``; NaN where undefined, with ``reason``."""

    correlation: Floats  # Pearson, over the shared patches
    mass_share: Floats  # of the map that stays: its mass on the shared patches
    other_mass_share: Floats  # of the map that was carried: its mass that landed there
    n_patches: int
    reason: list[str | None]


def carry(source: PatchView, onto: PatchView, plane_height: float, samples: int = SAMPLES) -> Carry:
    """Lays ``source``'s patches into ``onto`` over the plane z = ``plane_height`` (metres, base frame)."""
    n_source, n_onto = source.grid**2, onto.grid**2
    pixels, patches = _points(source, samples)
    is_picture = _in_picture(source, pixels)
    landed = project(onto.camera, on_plane(source.camera, pixels, plane_height))
    there = _patch_at(onto, landed)
    lands = is_picture & (there >= 0)
    of_picture = np.bincount(patches[is_picture], minlength=n_source)
    pairs = there[lands] * n_source + patches[lands]
    counts = np.bincount(pairs, minlength=n_onto * n_source).reshape(n_onto, n_source)

    own_pixels, own_patches = _points(onto, samples)
    own_picture = _in_picture(onto, own_pixels)
    seen = _patch_at(source, project(source.camera, on_plane(onto.camera, own_pixels, plane_height))) >= 0
    per_patch = samples**2
    return Carry(
        matrix=counts / np.maximum(of_picture, 1),
        shared=np.bincount(own_patches[own_picture & seen], minlength=n_onto) / per_patch,
        picture=np.bincount(own_patches[own_picture], minlength=n_onto) / per_patch,
        source=of_picture / per_patch,
    )


def agreement(maps: AnyArray, other: AnyArray, carried: Carry) -> Agreement:
    """``maps`` [M, onto patches] and ``other`` [M, from patches], of unit mass or zero; NaN counts as zero.

    Compared are densities, each a patch's mass over the area of picture in its own camera: near patches are carried onto
    many and far ones onto few, which says how the cameras stand and not where they attend.
    """
    here = np.nan_to_num(np.asarray(maps, dtype=np.float64))
    there = np.nan_to_num(np.asarray(other, dtype=np.float64))
    is_shared = (
        (carried.picture > 0) & (carried.shared >= HALF * carried.picture) & carried.matrix.any(axis=1)
    )
    n_patches = int(is_shared.sum())
    n_maps = len(here)
    landed = there @ carried.matrix[is_shared].T
    mass_share, other_mass_share = here[:, is_shared].sum(axis=1), landed.sum(axis=1)
    if n_patches < MIN_PATCHES:
        nothing = np.full(n_maps, np.nan)
        return Agreement(nothing, mass_share, other_mass_share, n_patches, [TOO_FEW] * n_maps)
    density = here[:, is_shared] / carried.picture[is_shared]
    r = correlation(density, landed / (carried.matrix[is_shared] @ carried.source))
    reason = [NO_VARIANCE if np.isnan(one) else None for one in r]
    return Agreement(r, mass_share, other_mass_share, n_patches, reason)


def _points(view: PatchView, samples: int) -> tuple[Floats, np.ndarray]:
    """Pixels [N, 2] of an even raster over the view's patches, and the patch of each."""
    at = (np.arange(view.grid * samples) + 0.5) / (view.grid * samples)
    x = view.left + at * (view.right - view.left)
    y = view.top + at * (view.bottom - view.top)
    cells = np.repeat(np.arange(view.grid), samples)
    patches = (cells[:, None] * view.grid + cells[None, :]).ravel()
    return np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))]), patches


def _in_picture(view: PatchView, pixels: Floats) -> np.ndarray:
    x, y = pixels.T
    inside: np.ndarray = (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)
    return inside


def _patch_at(view: PatchView, pixels: Floats) -> np.ndarray:
    """Patch of each pixel [N, 2]; -1 outside the picture or the patches, and for NaN."""
    across = (pixels[:, 0] - view.left) / (view.right - view.left) * view.grid
    down = (pixels[:, 1] - view.top) / (view.bottom - view.top) * view.grid
    inside = (
        _in_picture(view, pixels) & (across >= 0) & (across < view.grid) & (down >= 0) & (down < view.grid)
    )
    column = np.where(inside, across, 0).astype(np.int64)
    row = np.where(inside, down, 0).astype(np.int64)
    return np.where(inside, row * view.grid + column, -1)
