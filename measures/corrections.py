"""p-values corrected within one family. METHODS 7: a family is a metric over its layers, and its size is
shown.

A NaN stands for a test that could not be run: it stays NaN and is not counted in the family.
"""

from __future__ import annotations

import numpy as np

from measures.arrays import AnyArray, Bools, Floats
from measures.samples import Values


def family_size(p_values: Values) -> int:
    """How many tests the family has: the p-values that are not NaN."""
    return int(np.count_nonzero(~np.isnan(np.asarray(p_values, dtype=np.float64))))


def holm(p_values: Values) -> Floats:
    """Holm's step-down (1979): holds the chance of any false positive in the family at alpha. Same shape
    back.
    """
    p, run = _checked(p_values)
    ranked, order = _ranked(p[run])
    corrected = np.maximum.accumulate(ranked * np.arange(len(ranked), 0, -1))
    return _put_back(p, run, order, corrected)


def benjamini_hochberg(p_values: Values) -> Floats:
    """Benjamini & Hochberg's step-up (1995): holds the expected share of false positives at alpha. Same
    shape.
    """
    p, run = _checked(p_values)
    ranked, order = _ranked(p[run])
    factors = len(ranked) / np.arange(1, len(ranked) + 1)
    corrected = np.minimum.accumulate((ranked * factors)[::-1])[::-1]
    return _put_back(p, run, order, corrected)


def _checked(p_values: Values) -> tuple[Floats, Bools]:
    p = np.array(p_values, dtype=np.float64)
    run: Bools = np.logical_not(np.isnan(p))
    if ((p[run] < 0) | (p[run] > 1)).any():
        raise ValueError("a p-value lies outside 0..1")
    return p, run


def _ranked(p: Floats) -> tuple[Floats, AnyArray]:
    order = np.argsort(p, kind="stable")
    return p[order], order


def _put_back(p: Floats, run: Bools, order: AnyArray, corrected: Floats) -> Floats:
    unsorted = np.empty(len(corrected))
    unsorted[order] = np.minimum(corrected, 1)
    p[run] = unsorted
    return p
