"""Do heads specialise: how much of the spread of a measure lies between the heads of a layer. METHODS 8, H4."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from measures.arrays import AnyArray, Floats, quotient
from measures.permutations import p_value
from measures.samples import MIN_EPISODES, NO_VARIANCE
from measures.split_half import N_SPLITS, split_half

VALUES_AT_A_TIME = 2_000_000
DRAWS_AT_A_TIME = 4
"""Few enough to stay in the processor's cache, which halves the time."""
MOST_LISTED = 8
"""Heads whose orders are listed: 40,320 orders, 2.6 MB."""

Places = NDArray[np.intp]


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
    return specialisations([values], [seed], n_permutations, n_resamples, n_splits, confidence)[0]


def specialisations(
    measured: Sequence[AnyArray],
    seeds: Sequence[int],
    n_permutations: int = 1_000,
    n_resamples: int = 2_000,
    n_splits: int = N_SPLITS,
    confidence: float = 0.95,
) -> list[Specialisation]:
    """`specialisation` of each; those of one shape and seed, such as two measures of a run, share their exchanges."""
    found: list[Specialisation] = []
    whole: list[Floats] = []
    alike: dict[tuple[tuple[int, ...], int], list[int]] = defaultdict(list)
    for index, (given, seed) in enumerate(zip(measured, seeds, strict=True)):
        values = np.asarray(given, dtype=np.float64)
        values = values[np.isfinite(values).all(axis=(1, 2))]
        n_episodes, n_layers, n_heads = values.shape
        blank = np.full(n_layers + 1, np.nan)
        reason = None
        if n_heads < 2:
            reason = "one head: nothing to compare"
        elif n_episodes < MIN_EPISODES:
            reason = f"n = {n_episodes}: fewer than {MIN_EPISODES}"
        elif not _centred(values).any():
            reason = NO_VARIANCE
        else:
            alike[values.shape, seed].append(index)
        whole.append(values)
        found.append(
            Specialisation(blank, blank, np.nan, np.nan, np.nan, n_episodes, n_permutations, seed, reason)
        )
    for (_, seed), members in alike.items():
        tested = _shares_and_p(np.stack([_centred(whole[index]) for index in members]), n_permutations, seed)
        for index, (share, p) in zip(members, tested, strict=True):
            values = whole[index]
            tails = [(1 - confidence) / 2, (1 + confidence) / 2]
            low, high = np.nanquantile(_drawn_shares(values, n_resamples, seed), tails)
            within_layer = (values - values.mean(axis=2, keepdims=True)).reshape(len(values), -1)
            halves = split_half(within_layer, n_splits, seed)
            found[index] = found[index]._replace(
                share=share,
                p_value=p,
                low=float(low),
                high=float(high),
                split_half=halves.correlation,
                reason=halves.reason,
            )
    return found


def _centred(values: Floats) -> Floats:
    """[E, L, H] around the means of their layers; exactly 0 in a layer whose heads are all alike."""
    varies = np.ptp(values, axis=(0, 2), keepdims=True) > 0
    return (values - values.mean(axis=(0, 2), keepdims=True)) * varies


def _shares_and_p(centred: Floats, n_permutations: int, seed: int) -> list[tuple[Floats, Floats]]:
    """centred [measures, E, L, H] -> of each measure the shares and their p-values, [L + 1] both."""
    observed, total = _with_sum(_between(centred)), _with_sum(np.square(centred).sum(axis=(1, 3)))
    share = quotient(observed, total)
    n_extreme = np.zeros(share.shape, dtype=np.int64)
    for null in _exchanged(centred, n_permutations, seed):
        # Sums in another order differ by rounding: within 1e-10 of the total is a tie.
        n_extreme += (_with_sum(null) >= observed - 1e-10 * total).sum(axis=0)
    p = np.array([[p_value(int(count), n_permutations, exact=False) for count in row] for row in n_extreme])
    p[np.isnan(share)] = np.nan
    return list(zip(share, p, strict=True))


def _between(centred: Floats) -> Floats:
    """[..., E, L, H] around their layers' means -> [..., L]: squared deviations of head means, each episode once."""
    return _squares_of(centred.mean(axis=-3), centred.shape[-3])


def _squares_of(means: Floats, n_episodes: int) -> Floats:
    """Means of heads over episodes, [..., L, H] -> [..., L]: their squares, each episode once."""
    return np.asarray(n_episodes * np.square(means).sum(axis=-1), dtype=np.float64)


def _with_sum(by_layer: Floats) -> Floats:
    return np.concatenate([by_layer, by_layer.sum(axis=-1, keepdims=True)], axis=-1)


def _exchanged(centred: Floats, n_permutations: int, seed: int) -> Iterator[Floats]:
    """Batches [some, measures, L] of the between-head squares with heads exchanged within episodes and layers."""
    shape = centred.shape[1:]
    size = math.prod(shape)
    rows = max(1, VALUES_AT_A_TIME // size)
    # A place of all measures together, so that one order of the heads is looked up once for all of them.
    flat = np.ascontiguousarray(centred.reshape(len(centred), size).T)
    first_heads = np.arange(0, size, shape[-1]).reshape(*shape[:-1], 1)
    for part, start in enumerate(range(0, n_permutations, rows)):
        rng = np.random.default_rng((seed, part))
        n_draws = min(rows, n_permutations - start)
        for done in range(0, n_draws, DRAWS_AT_A_TIME):
            orders = _orders(rng, (min(DRAWS_AT_A_TIME, n_draws - done), *shape[:-1]), shape[-1])
            orders += first_heads
            means = flat.take(orders, axis=0).mean(axis=1)
            yield _squares_of(np.moveaxis(means, -1, 1), shape[0])


def _orders(rng: np.random.Generator, shape: tuple[int, ...], n_heads: int) -> Places:
    """[*shape, n_heads]: orders of the heads, each as likely as any other."""
    if n_heads > MOST_LISTED:
        return rng.random((*shape, n_heads)).argsort(axis=-1)
    known = _all_orders(n_heads)
    return known.take(rng.integers(0, len(known), shape), axis=0)


@lru_cache(maxsize=MOST_LISTED)
def _all_orders(n_heads: int) -> Places:
    """[n_heads!, n_heads], for drawing one is quicker than sorting random keys."""
    return np.array(list(permutations(range(n_heads))), dtype=np.intp)


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
