"""How much of a map lies on an object: the seed's pixel measures, and exact patch-area measures beside
them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from measures.arrays import AnyArray, Bools, Floats, Reasons, quotient
from measures.maps import SIDE, check_square, upsample_cubic

SEED_EPSILON = 1e-8
HOT_SHARE = 0.3
"""A patch or pixel is hot above this share of the map's maximum (the seed's threshold for IoU)."""

ROUNDING = 5e-7
MAPS_AT_A_TIME = 4
"""As many enlarged maps as stay in the cache of a core."""

WHOLE = 1 - 1e-6
"""A mask that covers this share of the picture leaves no outside to compare with; the slack is float32
rounding.
"""

NO_PICTURE = "the camera shows no picture"
EMPTY_MASK = "the mask is empty"
FULL_MASK = "the mask covers the whole picture"
BROKEN_MAP = "the map is not finite"
ZERO_MAP = "the map has no mass on the picture"
NO_MASS_INSIDE = "no attention on the object: log_lift is undefined"


class SeedOverlap(NamedTuple):
    """The five numbers of the seed's `compute_attention_on_object`, each [M, O]."""

    overlap_ratio: Floats
    attention_concentration: Floats
    iou: Floats
    mean_attn_inside: Floats
    mean_attn_outside: Floats


class PatchOverlap(NamedTuple):
    """Exact patch-area measures, each [M, O]. A row with a reason holds NaN (NO_MASS_INSIDE: in log_lift
    alone).
    """

    mass_share: Floats
    area_share: Floats
    lift: Floats
    log_lift: Floats
    precision: Floats
    recall: Floats
    dice: Floats
    iou_p75: Floats
    iou_p90: Floats
    ap: Floats
    pointing_hit: Floats
    reason: Reasons


def seed_overlap(maps: AnyArray, masks: Bools) -> SeedOverlap:
    """The seed's formulas with its 1e-8 terms and its 0 for an empty side. Seed 3.2, METHODS 2.

    maps [M, G, G]; masks [O, 224, 224] bool. Sums run in float64 (the seed: float32; they agree within
    1e-5). A NaN or an infinity in a map makes all its numbers NaN. Raises ValueError on another shape.
    """
    maps = np.asarray(maps)
    check_square(maps)
    masks = np.asarray(masks, dtype=bool)
    if masks.ndim != 3 or masks.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"expected masks [O, {SIDE}, {SIDE}], found {list(masks.shape)}")
    finite: Bools = np.all(np.isfinite(maps), axis=(1, 2))
    maps = np.where(finite[:, None, None], maps, 0)
    inside_pixels = masks.reshape(len(masks), SIDE * SIDE)
    n_inside = np.count_nonzero(inside_pixels, axis=1).astype(np.float64)
    n_outside = inside_pixels.shape[1] - n_inside
    # Only pixels that some mask covers tell the objects apart; the rest enters through the totals.
    covered = np.flatnonzero(inside_pixels.any(axis=0))
    weights = np.ascontiguousarray(inside_pixels[:, covered].T, dtype=np.float64)

    inside, hot_inside = np.empty((2, len(maps), len(masks)))
    total, n_hot = np.empty((2, len(maps), 1))
    for start in range(0, len(maps), MAPS_AT_A_TIME):
        some = slice(start, start + MAPS_AT_A_TIME)
        pictures, n_hot[some, 0] = _enlarged(maps[some])
        on_objects = pictures.take(covered, axis=1)
        inside[some] = on_objects.astype(np.float64) @ weights
        hot_inside[some] = (on_objects > HOT_SHARE).astype(np.float64) @ weights
        total[some, 0] = [cv2.sumElems(picture)[0] for picture in pictures]  # accumulates in float64

    broken = ~finite[:, None]
    inside[~finite] = np.nan
    mean_inside = inside / np.maximum(n_inside, 1)
    # A difference of near-equal sums can fall a rounding below 0.
    outside = np.maximum(total - inside, 0)
    mean_outside = np.where(n_outside > 0, outside / np.maximum(n_outside, 1), np.where(broken, np.nan, 0.0))
    iou = hot_inside / (n_hot + n_inside - hot_inside + SEED_EPSILON)
    return SeedOverlap(
        overlap_ratio=inside / (total + SEED_EPSILON),
        attention_concentration=mean_inside / (mean_outside + SEED_EPSILON),
        iou=np.where(broken, np.nan, iou),
        mean_attn_inside=mean_inside,
        mean_attn_outside=mean_outside,
    )


def _enlarged(maps: AnyArray) -> tuple[AnyArray, AnyArray]:
    """`upsample_cubic` as [M, pixels], and the number of hot pixels [M].

    Cubic enlargement is linear, so one matrix product does what OpenCV does map by map, six times as fast
    and equal to about 3e-7 of the maximum. A map with a pixel that close to the threshold goes through
    OpenCV itself, so that IoU counts the same pixels as the seed.
    """
    if maps.dtype != np.float64:
        maps = maps.astype(np.float32)
    kernel = _cubic_kernel(maps.shape[1], maps.dtype.str)
    pictures = np.matmul(kernel, maps @ kernel.T).reshape(len(maps), SIDE * SIDE)
    cv2.threshold(pictures, 0, 0, cv2.THRESH_TOZERO, dst=pictures)
    peaks = pictures.max(axis=1, keepdims=True)
    np.divide(pictures, np.where(peaks > 0, peaks, 1), out=pictures)

    n_hot = _count_above(pictures, HOT_SHARE + ROUNDING)
    for index in np.flatnonzero(_count_above(pictures, HOT_SHARE - ROUNDING) != n_hot):
        pictures[index] = upsample_cubic(maps[index : index + 1]).ravel()
        n_hot[index] = np.count_nonzero(pictures[index] > HOT_SHARE)
    return pictures, n_hot


def _count_above(pictures: AnyArray, threshold: float) -> AnyArray:
    return np.array([np.count_nonzero(picture > threshold) for picture in pictures], dtype=np.int64)


@cache
def _cubic_kernel(grid: int, dtype: str) -> AnyArray:
    """[224, grid]: the weights by which OpenCV's INTER_CUBIC makes a column of 224 pixels from its patches."""
    return cv2.resize(np.eye(grid, dtype=dtype), (grid, SIDE), interpolation=cv2.INTER_CUBIC)


def uniform_map(picture: AnyArray) -> Floats:
    """The map of a gaze that prefers nothing: the same on every patch that shows picture, 0 on padding,
    sum 1.

    picture [P]: share of each patch that is picture. Its lift is 1 for every mask, its average precision
    and IoU are the area share. METHODS 2, the null. All zero when there is no picture.
    """
    shows = np.asarray(picture, dtype=np.float64) > 0
    return shows / max(int(shows.sum()), 1)


def patch_overlap(maps: AnyArray, coverage: AnyArray, picture: AnyArray | None = None) -> PatchOverlap:
    """Overlap by exact patch areas, letterbox padding left out. METHODS 2, "ours".

    maps [M, P]: attention a, any scale. coverage [O, P]: share c of each patch that the mask covers, 0..1.
    picture [P]: share w of each patch that is picture and not padding, 0..1 (default: all picture).

    A patch spreads its attention evenly over its area, so everything here equals what pixels would give
    if the map were enlarged without interpolation and the padding cut off: a patch on the border holds
    the area w and the mass a w, of which a c lies on the object. A mask that spills into padding is cut
    to min(c, w).

    - mass_share = sum a c / sum a w; area_share = sum c / sum w; lift = mass_share / area_share; log_lift
      = ln lift.
    - precision, recall, dice: the patches hotter than 0.3 of the map's maximum against the mask, by area.
    - iou_p75, iou_p90: the patches at or above that percentile of the picture's patches, and above 0. A
      constant map is hot everywhere and scores the area share; a one-hot map is hot in its one patch.
    - ap: average precision, sum of precision x gain in recall over all thresholds, tied patches in one step.
    - pointing_hit: 1 when the top patch is on the object: the mask covers at least half of its picture,
      or, for an object smaller than half a patch, no patch holds more of it. Patches tied for the top
      count by their share of hits.

    An empty mask, one that covers the whole picture, a zero map and a map with NaN give NaN and a reason.
    Raises ValueError on shapes that do not fit, negative attention, or shares outside 0..1.
    """
    attention, covers, shows = _checked(maps, coverage, picture)
    finite: Bools = np.all(np.isfinite(attention), axis=1)
    attention = np.where((shows > 0) & finite[:, None], attention, 0.0)

    area = shows.sum()
    object_area = covers.sum(axis=1)
    mass = attention @ shows
    mass_share = quotient(attention @ covers.T, mass[:, None])
    area_share = np.broadcast_to(quotient(object_area, np.asarray(area)), mass_share.shape)
    lift = quotient(mass_share, area_share)
    log_lift = np.log(lift, out=np.full(lift.shape, np.nan), where=lift > 0)

    hot: Bools = np.greater(attention, HOT_SHARE * attention.max(axis=1, keepdims=True, initial=0.0))
    hot_area = (hot @ shows)[:, None]
    hot_inside = hot @ covers.T

    reason = _reasons(float(area), object_area, finite, mass)
    undefined = np.array([[text is not None for text in row] for row in reason], dtype=bool)
    undefined = undefined.reshape(lift.shape)
    reason[~undefined & (lift == 0)] = NO_MASS_INSIDE

    measured = {
        "mass_share": mass_share,
        "area_share": area_share,
        "lift": lift,
        "log_lift": log_lift,
        "precision": quotient(hot_inside, hot_area),
        "recall": quotient(hot_inside, object_area),
        "dice": quotient(2 * hot_inside, hot_area + object_area),
        "iou_p75": _iou_at_percentile(attention, covers, shows, 75),
        "iou_p90": _iou_at_percentile(attention, covers, shows, 90),
        "ap": _average_precision(attention, covers, shows),
        "pointing_hit": _pointing_hit(attention, covers, shows),
    }
    return PatchOverlap(
        **{name: np.where(undefined, np.nan, numbers) for name, numbers in measured.items()}, reason=reason
    )


def _checked(maps: AnyArray, coverage: AnyArray, picture: AnyArray | None) -> tuple[Floats, Floats, Floats]:
    attention = np.asarray(maps, dtype=np.float64)
    covers = np.asarray(coverage, dtype=np.float64)
    if attention.ndim != 2 or covers.ndim != 2 or attention.shape[1] != covers.shape[1]:
        raise ValueError(
            f"expected maps [M, P] and coverage [O, P], found {list(attention.shape)}, {list(covers.shape)}"
        )
    shows = np.ones(attention.shape[1]) if picture is None else np.asarray(picture, dtype=np.float64)
    if shows.shape != (attention.shape[1],):
        raise ValueError(f"expected picture [{attention.shape[1]}], found {list(shows.shape)}")
    if (attention < 0).any():
        raise ValueError("a map holds negative values: overlap takes attention, not a difference of maps")
    for name, shares in (("coverage", covers), ("picture", shows)):
        if not ((shares >= -1e-6) & (shares <= 1 + 1e-6)).all():
            raise ValueError(
                f"{name} holds shares outside 0..1 or NaN: it takes the share of each patch, not a count"
            )
    shows = shows.clip(0, 1)
    return attention, np.minimum(covers.clip(0, 1), shows), shows


def _reasons(area: float, object_area: Floats, finite: Bools, mass: Floats) -> Reasons:
    """[M, O] texts; what is wrong with the mask is said before what is wrong with the map."""
    reason = np.full((len(mass), len(object_area)), None, dtype=object)
    reason[mass <= 0] = ZERO_MAP
    reason[~finite] = BROKEN_MAP
    reason[:, object_area >= WHOLE * area] = FULL_MASK
    reason[:, object_area <= 0] = EMPTY_MASK
    if area <= 0:
        reason[:] = NO_PICTURE
    return reason


def _iou_at_percentile(attention: Floats, covers: Floats, shows: Floats, percentile: float) -> Floats:
    seen = attention[:, shows > 0]
    if not seen.size:
        return np.full((len(attention), len(covers)), np.nan)
    threshold = np.percentile(seen, percentile, axis=1)[:, None]
    hot = (attention >= threshold) & (attention > 0)
    intersection = hot @ covers.T
    union = (hot @ shows)[:, None] + covers.sum(axis=1) - intersection
    return quotient(intersection, union)


def _average_precision(attention: Floats, covers: Floats, shows: Floats) -> Floats:
    n_patches = attention.shape[1]
    if not n_patches:
        return np.full((len(attention), len(covers)), np.nan)
    order = np.argsort(-attention, axis=1, kind="stable")
    ranked = np.take_along_axis(attention, order, axis=1)
    # Tied patches cross the threshold together: each takes the precision at the end of its tie.
    ends = np.ones(ranked.shape, dtype=bool)
    ends[:, :-1] = ranked[:, :-1] != ranked[:, 1:]
    end_of_tie = np.where(ends, np.arange(n_patches), n_patches)
    end_of_tie = np.minimum.accumulate(end_of_tie[:, ::-1], axis=1)[:, ::-1]

    shown = np.take_along_axis(shows[order].cumsum(axis=1), end_of_tie, axis=1)
    gained = np.empty((len(covers), len(attention)))
    for cover, sums in zip(
        covers, gained, strict=True
    ):  # one by one: all at once would not fit into the cache
        object_area = cover[order]  # [M, P]
        precision = quotient(np.take_along_axis(object_area.cumsum(axis=1), end_of_tie, axis=1), shown)
        # Padding ranks anywhere among the zeros and has no area; before the first area its precision is 0 / 0.
        sums[:] = np.where(object_area > 0, object_area * precision, 0.0).sum(axis=1)
    return quotient(gained, covers.sum(axis=1)[:, None]).T


def _pointing_hit(attention: Floats, covers: Floats, shows: Floats) -> Floats:
    if not attention.shape[1]:
        return np.full((len(attention), len(covers)), np.nan)
    needed = np.minimum(shows / 2, covers.max(axis=1, keepdims=True))
    hits = (covers >= needed) & (covers > 0)
    top = (attention == attention.max(axis=1, keepdims=True)) & (shows > 0)
    return quotient(top.astype(np.float64) @ hits.T, top.sum(axis=1, dtype=np.float64)[:, None])
