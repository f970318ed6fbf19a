"""Vision or language: fractions of attention mass, their ratio, and the bands the seed reads it in.

Every function works elementwise or along one axis on masses of any shape. Ratio suite of the seed, METHODS 6.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from measures.arrays import AnyArray, Bools, Floats, quotient

ABOUT_ZERO = 1e-8
"""A linguistic mass below this is about 0, and the ratio undefined (the seed's bound)."""

LINGUISTIC_BELOW = 0.67
VISUAL_ABOVE = 1.5

Masses = AnyArray | float


class Band(StrEnum):
    VISUAL = "visual"
    LINGUISTIC = "linguistic"
    BALANCED = "balanced"


class ModalityBalance(NamedTuple):
    """Shares of the total mass (they sum to 1; NaN where it is 0), and visual over linguistic. Shape of
    the input.
    """

    visual_fraction: Floats
    linguistic_fraction: Floats
    action_fraction: Floats
    state_fraction: Floats
    other_fraction: Floats
    total_mass: Floats
    ratio: Floats
    log_ratio: Floats


class RatioSummary(NamedTuple):
    """One number for many ratios, three ways. n counts the defined ratios, n_undefined the others."""

    mean_of_ratios: Floats
    ratio_of_means: Floats
    geometric_mean: Floats
    n: AnyArray
    n_undefined: AnyArray


def modality_balance(
    visual: Masses, linguistic: Masses, action: Masses = 0.0, state: Masses = 0.0, other: Masses = 0.0
) -> ModalityBalance:
    """Fractions of five masses and the visual/linguistic ratio. The masses broadcast against each other.

    A linguistic mass below 1e-8 leaves ratio and log_ratio NaN; log_ratio (natural) also needs a visual
    mass above it.
    """
    given = (visual, linguistic, action, state, other)
    parts = np.stack(np.broadcast_arrays(*(np.asarray(mass, dtype=np.float64) for mass in given)))
    total = parts.sum(axis=0)
    share = quotient(parts, total)
    return ModalityBalance(
        visual_fraction=share[0],
        linguistic_fraction=share[1],
        action_fraction=share[2],
        state_fraction=share[3],
        other_fraction=share[4],
        total_mass=total,
        ratio=ratio(parts[0], parts[1]),
        log_ratio=log_ratio(parts[0], parts[1]),
    )


def ratio(visual: Masses, linguistic: Masses) -> Floats:
    """visual / linguistic; NaN where the linguistic mass is below 1e-8, never infinite."""
    visual, linguistic = _pair(visual, linguistic)
    return quotient(visual, np.where(linguistic >= ABOUT_ZERO, linguistic, 0.0))


def log_ratio(visual: Masses, linguistic: Masses) -> Floats:
    """ln(visual / linguistic): symmetric about 0; NaN where either mass is below 1e-8."""
    visual, linguistic = _pair(visual, linguistic)
    both: Bools = np.logical_and(visual >= ABOUT_ZERO, linguistic >= ABOUT_ZERO)
    quotients = np.where(both, quotient(visual, linguistic), 1.0)
    return np.where(both, np.log(quotients), np.nan)


def density_lift(mass: Masses, total_mass: Masses, n_tokens: Masses, total_tokens: Masses) -> Floats:
    """Share of the mass over share of the tokens: 1 is what a model gives that attends to all tokens alike.

    512 image tokens draw more than 20 words by their number alone. NaN without mass or without tokens.
    """
    share = quotient(np.asarray(mass, dtype=np.float64), np.asarray(total_mass, dtype=np.float64))
    tokens = quotient(np.asarray(n_tokens, dtype=np.float64), np.asarray(total_tokens, dtype=np.float64))
    return quotient(share, tokens)


def summarise_ratios(visual: Masses, linguistic: Masses, axis: int = -1) -> RatioSummary:
    """Three averages of the visual/linguistic ratio along an axis (steps, or layers for `layers_avg`).

    mean_of_ratios: over the defined ratios (the seed's); ratio_of_means: mean visual over mean linguistic
    mass of all of them; geometric_mean: exp of the mean log ratio over those with both masses. NaN where
    nothing is left.
    """
    visual, linguistic = _pair(visual, linguistic)
    ratios = ratio(visual, linguistic)
    n = np.count_nonzero(~np.isnan(ratios), axis=axis)
    return RatioSummary(
        mean_of_ratios=_nanmean(ratios, axis),
        ratio_of_means=ratio(_nanmean(visual, axis), _nanmean(linguistic, axis)),
        geometric_mean=np.exp(_nanmean(log_ratio(visual, linguistic), axis)),
        n=n,
        n_undefined=ratios.shape[axis] - n,
    )


def band(low: float, high: float) -> Band | None:
    """The band that holds the whole interval low..high of a ratio, or None when it straddles an edge or
    is NaN.

    linguistic below 0.67, visual above 1.5, balanced from 0.67 to 1.5 with both edges. A point has low =
    high, as in the seed. Raises ValueError when low > high.
    """
    if low > high:
        raise ValueError(f"an interval runs from low to high, found {low} to {high}")
    if math.isnan(low) or math.isnan(high):
        return None
    if low > VISUAL_ABOVE:
        return Band.VISUAL
    if high < LINGUISTIC_BELOW:
        return Band.LINGUISTIC
    if low >= LINGUISTIC_BELOW and high <= VISUAL_ABOVE:
        return Band.BALANCED
    return None


def _pair(visual: Masses, linguistic: Masses) -> tuple[Floats, Floats]:
    first, second = np.broadcast_arrays(
        np.asarray(visual, dtype=np.float64), np.asarray(linguistic, dtype=np.float64)
    )
    return first, second


def _nanmean(values: Floats, axis: int) -> Floats:
    present = ~np.isnan(values)
    return quotient(
        np.where(present, values, 0.0).sum(axis=axis), np.asarray(present.sum(axis=axis), dtype=np.float64)
    )
