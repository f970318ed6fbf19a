"""The array types that the measures exchange, and the division they share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Reasons = NDArray[np.object_]
"""None where the numbers stand, else the text that says why there are none."""

AnyArray = NDArray[Any]


def quotient(numerator: Floats, denominator: Floats) -> Floats:
    """numerator / denominator, elementwise with broadcasting; NaN (and no warning) where the denominator
    is 0.
    """
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    out = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out
