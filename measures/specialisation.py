"""Do heads specialise: how much of the spread of a measure lies between the heads of a layer. METHODS 8, H4."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from measures.arrays import AnyArray, Floats, quotient
from measures.permutations import p_value
from measures.samples import MIN_EPISODES, NO_VARIANCE
from measures.split_half import N_SPLITS, split_half

VALUES_AT_A_TIME = 2_000_000


class Specialisation(NamedTuple):
    """Layers first, then all together: share and p_value are [L + 1], the last entry over all layers.

    share: of the variance within layers, what lies between heads, 0..1. split_half: Spearman's rho of the heads'
    deviations from their layer's mean between halves of the episodes, over all layers. low..high: of the last share.
    """

    share: Floats
    p_value: Floats
    low: float
    high: float
    split_half: float
    n_episodes: int
    n_permutations: int
    seed: int
    reason: str | None = None


def specialisation(
    values: AnyArray,
    n_permutations: int = 1_000,
    n_resamples: int = 2_000,
    n_splits: int = N_SPLITS,
    confidence: float = 0.95,
    seed: int = 0,
) -> Specialisation:
    """values [episodes, layers, heads]: a measure of each head, such as the lift of the target; NaN where undefined.

    The share is eta squared of a one-way layout: squared deviations of the heads' means over episodes from their
    layer's mean, over those of all values. Under the null a head's name says nothing, so within an episode the heads of
    a layer are exchanged; layers are never mixed, or a deep layer that differs from a shallow one would count as
    specialised heads. The interval is the percentile bootstrap over episodes. Episodes with an undefined head are left
    out; fewer than 3 episodes, one head, or no variance: NaN and a reason.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values).all(axis=(1, 2))]
    n_episodes, n_layers, n_heads = values.shape
    blank = np.full(n_layers + 1, np.nan)
    nothing = Specialisation(blank, blank, np.nan, np.nan, np.nan, n_episodes, n_permutations, seed)
    if n_heads < 2:
        return nothing._replace(reason="one head: nothing to compare")
    if n_episodes < MIN_EPISODES:
        return nothing._replace(reason=f"n = {n_episodes}: fewer than {MIN_EPISODES}")
    centred = values - values.mean(axis=(0, 2), keepdims=True)
    total = np.square(centred).sum(axis=(0, 2))
    if not total.any():
        return nothing._replace(reason=NO_VARIANCE)
    observed = _between(centred)
    share = quotient(_with_sum(observed), _with_sum(total))
    n_extreme = np.zeros(n_layers + 1, dtype=np.int64)
    for null in _exchanged(centred, n_permutations, seed):
        # Sums in another order differ by rounding: within 1e-10 of the total is a tie.
        n_extreme += (_with_sum(null) >= _with_sum(observed) - 1e-10 * _with_sum(total)).sum(axis=0)
    p = np.array([p_value(int(count), n_permutations, exact=False) for count in n_extreme])
    p[np.isnan(share)] = np.nan
    low, high = np.nanquantile(
        _drawn_shares(values, n_resamples, seed), [(1 - confidence) / 2, (1 + confidence) / 2]
    )
    within_layer = (values - values.mean(axis=2, keepdims=True)).reshape(n_episodes, -1)
    halves = split_half(within_layer, n_splits, seed)
    return Specialisation(
        share, p, float(low), float(high), halves.correlation, n_episodes, n_permutations, seed, halves.reason
    )


def _between(centred: Floats) -> Floats:
    """[..., E, L, H] around their layers' means -> [..., L]: squared deviations of head means, each episode once."""
    return np.asarray(centred.shape[-3] * np.square(centred.mean(axis=-3)).sum(axis=-1), dtype=np.float64)


def _with_sum(by_layer: Floats) -> Floats:
    return np.concatenate([by_layer, by_layer.sum(axis=-1, keepdims=True)], axis=-1)


def _exchanged(centred: Floats, n_permutations: int, seed: int) -> Iterator[Floats]:
    """Batches [some, L] of the between-head squares with heads exchanged within episodes and layers."""
    n_heads = centred.shape[-1]
    rows = max(1, VALUES_AT_A_TIME // centred.size)
    flat, first_heads = centred.ravel(), np.arange(0, centred.size, n_heads).reshape(*centred.shape[:-1], 1)
    for part, start in enumerate(range(0, n_permutations, rows)):
        orders = _orders(min(rows, n_permutations - start), centred.shape, (seed, part))
        # One flat index a value: numpy takes along an axis at half the speed.
        yield _between(flat.take(np.add(orders, first_heads, dtype=np.intp)))


@lru_cache(maxsize=64)
def _orders(n_draws: int, shape: tuple[int, ...], seed: tuple[int, int]) -> AnyArray:
    """uint16 [n_draws, E, L, H]: an order of the heads for each draw, episode and layer.

    Kept (in few bytes), because the passes and cameras of a run hold the same episodes and are tested with the same draws.
    """
    orders = np.random.default_rng(seed).random((n_draws, *shape)).argsort(axis=-1).astype(np.uint16)
    orders.setflags(write=False)
    return orders


def _drawn_shares(values: Floats, n_resamples: int, seed: int) -> Floats:
    """[n_resamples] shares over all layers, episodes drawn with replacement."""
    n_episodes, n_layers, n_heads = values.shape
    rng = np.random.default_rng([seed, 1])
    drawn = rng.integers(0, n_episodes, (n_resamples, n_episodes))
    counts = np.stack([np.bincount(row, minlength=n_episodes) for row in drawn]).astype(np.float64)
    flat = (values - values.mean(axis=(0, 2), keepdims=True)).reshape(n_episodes, -1)
    means = (counts @ flat / n_episodes).reshape(n_resamples, n_layers, n_heads)
    squares = (counts @ np.square(flat)).sum(axis=1)
    of_layer = means.mean(axis=2, keepdims=True)
    between = n_episodes * np.square(means - of_layer).sum(axis=(1, 2))
    total = squares - n_episodes * n_heads * np.square(of_layer).sum(axis=(1, 2))
    return quotient(between, total)
