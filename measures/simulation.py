"""How often our tests of outcomes reject on data with a known truth (METHODS 7): no effect, or one that is planted.

Values of frames share a random effect of their episode, so that frames of one episode are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from measures.arrays import Floats
from measures.corrections import holm
from measures.two_sample import welch_t

ALPHA = 0.05


@dataclass(frozen=True)
class Design:
    """A study of two outcomes: ``icc`` is the intraclass correlation, ``d`` the effect on episode means in their
    standard deviations, in the first ``n_affected`` metrics of ``n_metrics`` that are correlated by ``between``."""

    n_success: int = 30
    n_failure: int = 30
    n_frames: int = 12
    icc: float = 0.5
    n_metrics: int = 54
    between: float = 0.5
    d: float = 0.0
    n_affected: int = 0


class Rates(NamedTuple):
    """Shares of simulated studies in which a test rejects at 5 %, and of how many studies they are."""

    single: float
    pooled_frames: float
    uncorrected_family: float
    corrected_family: float
    n_studies: int


def rejection_rates(design: Design, n_studies: int, seed: int) -> Rates:
    """Simulates studies and tests them: the first metric alone by episode means (``single``) and by pooled frames, and
    whether any of the family rejects, uncorrected and by Holm."""
    rng = np.random.default_rng(seed)
    counts = np.zeros(4)
    for _ in range(n_studies):
        success = frames(design, design.n_success, design.d, rng)
        failure = frames(design, design.n_failure, 0.0, rng)
        means = success.mean(axis=1), failure.mean(axis=1)
        p = np.array([welch_t(means[0][:, k], means[1][:, k]).p_value for k in range(design.n_metrics)])
        pooled = welch_t(success[..., 0].ravel(), failure[..., 0].ravel()).p_value
        counts += [p[0] < ALPHA, pooled < ALPHA, p.min() < ALPHA, holm(p).min() < ALPHA]
    single, pooled_frames, uncorrected, corrected = (counts / n_studies).tolist()
    return Rates(single, pooled_frames, uncorrected, corrected, n_studies)


def frames(design: Design, n_episodes: int, d: float, rng: np.random.Generator) -> Floats:
    """[episodes, frames, metrics]: variance 1 a frame, of which ``icc`` lies between episodes."""
    shape = (n_episodes, 1, design.n_metrics)
    of_episode = correlated(rng, shape, design.between)
    of_frame = correlated(rng, (n_episodes, design.n_frames, design.n_metrics), design.between)
    values = np.sqrt(design.icc) * of_episode + np.sqrt(1 - design.icc) * of_frame
    spread_of_means = np.sqrt(design.icc + (1 - design.icc) / design.n_frames)
    values[..., : design.n_affected] += d * spread_of_means
    return values


def correlated(rng: np.random.Generator, shape: tuple[int, int, int], between: float) -> Floats:
    """Standard normal numbers whose last axis shares a factor: every two of it correlate by ``between``."""
    shared = rng.standard_normal((*shape[:2], 1))
    result: Floats = np.sqrt(between) * shared + np.sqrt(1 - between) * rng.standard_normal(shape)
    return result
