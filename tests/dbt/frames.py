"""Frames of one mart against those that a test worked out."""

from __future__ import annotations

import inspect

import polars as pl
from polars.testing import assert_frame_equal

# polars renamed it; the first name still works, with a warning.
TOLERANCE = "rel_tol" if "rel_tol" in inspect.signature(assert_frame_equal).parameters else "rtol"


def assert_same_rows(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """In any order, numbers of any width within 1e-6 of themselves; of ``found``, the columns of ``expected`` count."""
    assert_frame_equal(
        found.select(expected.columns),
        expected,
        check_row_order=False,
        check_dtypes=False,
        **{TOLERANCE: 1e-6},
    )
