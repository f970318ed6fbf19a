"""How often our tests of outcomes reject on data with a known truth (METHODS 7): no effect, or one that is planted.

Values of frames share a random effect of their episode, so that frames of one episode are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from measures.arrays import Floats
from measures.corrections import holm
from measures.two_sample import Groups, permutation_tests, welch_t

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
    """Shares of simulated studies in which a test rejects at 5 %, and of how many studies they are.

    single: the first metric by episode means and Welch's test; permutation: the same by the permutation test;
    pooled_frames: the same by Welch's test of all frames. Of the family, whether any metric is found: uncorrected_family and
    corrected_family (Holm) by Welch's test, ruled_family by the rule of H1.1b: corrected p of both tests.
    """

    single: float
    permutation: float
    pooled_frames: float
    uncorrected_family: float
    corrected_family: float
    ruled_family: float
    n_studies: int


def rejection_rates(design: Design, n_studies: int, seed: int) -> Rates:
    """Simulates studies and tests them as the warehouse does."""
    rng = np.random.default_rng(seed)
    counts = np.zeros(len(Rates._fields) - 1)
    for _ in range(n_studies):
        success = frames(design, design.n_success, design.d, rng)
        failure = frames(design, design.n_failure, 0.0, rng)
        pooled = welch_t(success[..., 0].ravel(), failure[..., 0].ravel()).p_value
        pairs = [Groups(*means) for means in zip(success.mean(axis=1).T, failure.mean(axis=1).T, strict=True)]
        welch = np.array([welch_t(pair.x, pair.y).p_value for pair in pairs])
        permuted = np.array([test.p_value for test in permutation_tests(pairs)])
        ruled = np.maximum(holm(welch), holm(permuted))
        found = (welch[0], permuted[0], pooled, welch.min(), holm(welch).min(), ruled.min())
        counts += np.array(found) < ALPHA
    single, permutation, pooled_frames, uncorrected, corrected, ruled = (counts / n_studies).tolist()
    return Rates(single, permutation, pooled_frames, uncorrected, corrected, ruled, n_studies)


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
