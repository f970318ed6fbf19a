"""How far a map moved from its baseline: the seed's raw differences, and distances between distributions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from measures.arrays import AnyArray, Floats, quotient
from measures.maps import GRID, SIDE, centroid, unit_mass


class MapShift(NamedTuple):
    """Each [M]. The first seven are the seed's on raw maps; centroid in pixels of 224; the last three on
    unit maps.
    """

    mean_diff: Floats
    abs_mean_diff: Floats
    max_increase: Floats
    max_decrease: Floats
    l2_distance: Floats
    correlation: Floats
    shift_magnitude: Floats
    centroid_shift_px: Floats
    l2_unit: Floats
    total_variation: Floats
    jsd: Floats


def map_shift(maps: AnyArray, baseline: AnyArray, grid: int = GRID) -> MapShift:
    """The shift of each map against its baseline. Seed 3.3 and 5.2, METHODS 3.

    maps [M, P] and baseline [M, P] (or [1, P], one for all), P = grid * grid, raw attention. mean_diff,
    abs_mean_diff, max_increase and max_decrease (the signed extremes), l2_distance (Frobenius),
    correlation (Pearson; NaN when either map is constant), shift_magnitude = l2_distance / norm of the
    baseline (NaN for a zero baseline), centroid_shift_px between mass-weighted centroids, and on maps of
    unit mass l2_unit, total_variation (0..1) and jsd (nats, 0..ln 2). The last four are NaN when either
    map is zero.
    Raises ValueError on shapes that do not fit or negative attention.
    """
    here, there = np.asarray(maps, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if here.ndim != 2 or there.ndim != 2 or here.shape[1] != grid * grid:
        raise ValueError(
            f"expected maps and baseline [M, {grid * grid}], found {list(here.shape)}, {list(there.shape)}"
        )
    if there.shape not in (here.shape, (1, here.shape[1])):
        raise ValueError(f"the baseline {list(there.shape)} does not fit the maps {list(here.shape)}")

    here, there = _whole(here), _whole(there)
    difference = here - there
    l2_distance = np.linalg.norm(difference, axis=1)
    unit_here, unit_there = unit_mass(here).maps, unit_mass(there).maps
    moved = centroid(here, grid, grid, SIDE // grid) - centroid(there, grid, grid, SIDE // grid)
    return MapShift(
        mean_diff=difference.mean(axis=1),
        abs_mean_diff=np.abs(difference).mean(axis=1),
        max_increase=difference.max(axis=1),
        max_decrease=difference.min(axis=1),
        l2_distance=l2_distance,
        correlation=correlation(here, there),
        shift_magnitude=quotient(l2_distance, np.linalg.norm(there, axis=1)),
        centroid_shift_px=np.linalg.norm(moved, axis=1),
        l2_unit=np.linalg.norm(unit_here - unit_there, axis=1),
        total_variation=np.abs(unit_here - unit_there).sum(axis=1) / 2,
        jsd=jensen_shannon(unit_here, unit_there),
    )


def _whole(maps: Floats) -> Floats:
    """A map with a NaN or an infinity becomes NaN throughout."""
    finite = np.all(np.isfinite(maps), axis=1, keepdims=True)
    return np.where(finite, maps, np.nan)


def correlation(x: AnyArray, y: AnyArray) -> Floats:
    """Pearson correlation along the last axis, [..., P] x [..., P] -> [...]; NaN where either side is
    constant.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    constant = (np.ptp(x, axis=-1) == 0) | (np.ptp(y, axis=-1) == 0)
    x, y = _centred(x), _centred(y)
    r = np.clip((x * y).sum(axis=-1), -1, 1)
    return np.where(constant, np.nan, r)


def _centred(x: Floats) -> Floats:
    """Mean 0 and norm 1; scaled by the largest deviation first, so that tiny attention does not underflow."""
    x = x - x.mean(axis=-1, keepdims=True)
    x = quotient(x, np.abs(x).max(axis=-1, keepdims=True))
    return quotient(x, np.linalg.norm(x, axis=-1, keepdims=True))


def jensen_shannon(p: AnyArray, q: AnyArray) -> Floats:
    """Jensen-Shannon divergence in nats along the last axis, 0..ln 2; p and q sum to 1. NaN where either
    holds NaN.
    """
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle).sum(axis=-1) + rel_entr(q, middle).sum(axis=-1)) / 2
    return np.asarray(np.clip(divergence, 0, np.log(2)), dtype=np.float64)
