"""How maps follow each other: from layer to layer, and from keyframe to keyframe. METHODS 5, seed 10.1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from measures.arrays import AnyArray, Floats
from measures.shift import correlation


class MapStep(NamedTuple):
    """Each [M], NaN where either map is zero (l2_raw: where either is not finite)."""

    l2: Floats
    total_variation: Floats
    l2_raw: Floats


def flow(maps: AnyArray, next_layer: AnyArray) -> Floats:
    """Pearson correlation of each map with that of the next layer, [M, P] x [M, P] -> [M].

    NaN where either map is constant or holds a NaN. Scale does not matter. Seed 10.1, attention flow.
    """
    return correlation(maps, next_layer)


def map_step(maps: AnyArray, previous: AnyArray, mass: AnyArray, previous_mass: AnyArray) -> MapStep:
    """How far each map moved since the previous keyframe. METHODS 5, stability.

    maps, previous [M, P] of unit mass (NaN for a zero map); mass, previous_mass [M], so that maps * mass are the raw
    sums of attention. l2 and total_variation (0..1) compare the unit maps; l2_raw, as in the seed's
    `attention_stability`, the raw ones, in which a zero map counts as zero.
    """
    here, there = np.asarray(maps, dtype=np.float64), np.asarray(previous, dtype=np.float64)
    difference = here - there
    raw = _raw(here, mass) - _raw(there, previous_mass)
    return MapStep(
        l2=np.linalg.norm(difference, axis=-1),
        total_variation=np.abs(difference).sum(axis=-1) / 2,
        l2_raw=np.linalg.norm(raw, axis=-1),
    )


def _raw(unit: Floats, mass: AnyArray) -> Floats:
    mass = np.asarray(mass, dtype=np.float64)
    return np.where(mass[..., None] == 0, 0.0, unit * mass[..., None])
