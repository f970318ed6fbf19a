"""How concentrated a map is: entropy, Gini, effective rank, and the seed's 8-bit score. METHODS 5.

All but the seed's are taken on the map at unit mass, so that its scale does not matter.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from scipy.special import entr

from measures.arrays import AnyArray, Floats, quotient
from measures.maps import SIDE, check_square, unit_mass


class Focus(NamedTuple):
    """Each [...], NaN for a zero map."""

    entropy: Floats
    entropy_norm: Floats
    gini: Floats
    effective_rank: Floats
    participation: Floats
    top10_share: Floats
    variance: Floats


def focus(maps: AnyArray) -> Focus:
    """Seven measures of focus of maps [..., P] of any scale; pass picture patches alone to leave padding out.

    - entropy: -sum p ln p, nats, 0 (one patch) .. ln P (uniform); entropy_norm = entropy / ln P (NaN for
      P = 1).
    - gini: sum((2i - P - 1) p_i) / (P sum p) over ascending p, 0 (uniform) .. 1 - 1/P (one patch).
    - effective_rank: exp(entropy), and participation: 1 / sum p^2, both in patches, 1 .. P.
    - top10_share: mass of the ceil(P / 10) heaviest patches (26 of 256, as many as lie above percentile 90).
    - variance of p over patches (ddof 0: the patches are all there are).
    """
    p = unit_mass(maps).maps
    n = p.shape[-1]
    entropy = entr(p).sum(axis=-1)
    ascending = np.sort(p, axis=-1)
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return Focus(
        entropy=entropy,
        entropy_norm=quotient(entropy, np.asarray(np.log(n))),
        gini=np.asarray(ascending @ ranks / n),
        effective_rank=np.exp(entropy),
        participation=quotient(np.ones(p.shape[:-1]), np.square(p).sum(axis=-1)),
        top10_share=ascending[..., n - -(-n // 10) :].sum(axis=-1),
        variance=p.var(axis=-1),
    )


def focus_seed(maps: AnyArray) -> Floats:
    """The seed's focus score: variance of the grey picture of the JET heat map. Seed 3.5 and 6.1.

    maps [M, G, G], raw attention -> [M], in squared grey levels. As the seed draws it: cubic to 224 x
    224, 255 h / (max h + 1e-8) cut to 8 bits, JET, BGR to grey, variance (ddof 0). Negative overshoot of
    the cubic is clipped at 0: the seed casts it to uint8, which is undefined and wraps to bright pixels
    on most machines. The seed blends the heat map over the photograph and passes it through JPEG; here it
    stands alone. A map that holds NaN gives NaN; a zero map gives 0. Raises ValueError on another shape.
    """
    maps = np.asarray(maps, dtype=np.float32)
    check_square(maps)
    scores = np.full(len(maps), np.nan)
    grey_of = _jet_in_grey()
    for index, small in enumerate(maps):
        if np.isfinite(small).all():
            large = cv2.resize(np.ascontiguousarray(small), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            levels = np.maximum(255 * large / (large.max() + np.float32(1e-8)), 0).astype(np.uint8)
            _, deviation = cv2.meanStdDev(cv2.LUT(levels, grey_of))
            scores[index] = deviation[0, 0] ** 2
    return scores


@cache
def _jet_in_grey() -> AnyArray:
    """[256]: the grey level that JET gives each of the 8-bit levels."""
    heat = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_JET)
    return cv2.cvtColor(heat, cv2.COLOR_BGR2GRAY)[:, 0]
