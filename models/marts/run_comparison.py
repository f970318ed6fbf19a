"""Every two runs of the warehouse on the measures they share: the difference of their episode means, with its interval."""

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from measures.mean_intervals import TAILS, both_intervals, draw_counts
from measures.samples import MIN_EPISODES, NO_VARIANCE

KEYS = [
    "run_id_a", "run_id_b", "topic", "metric", "pass", "denoise_step", "query", "rows", "camera", "condition_id",
    "layer",
]  # fmt: skip
SCHEMA = {
    "mean_a": pl.Float64, "mean_b": pl.Float64, "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "n_a": pl.Int64, "n_b": pl.Int64, "is_paired": pl.Boolean, "method": pl.String, "n_resamples": pl.Int64,
    "seed": pl.Int64, "reason": pl.String,
}  # fmt: skip
MOST_RESAMPLES = 2_000

Floats = NDArray[np.float64]


class Sides(NamedTuple):
    """Episode values of both runs; in step with each other where is_paired."""

    a: Floats
    b: Floats
    is_paired: bool


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    groups = dbt.ref("int_runs_paired").pl()
    draws: dict[tuple[int, int, int], Floats] = {}
    rows = [compare(group, draws) for group in groups.iter_rows(named=True)]
    found = groups.select(KEYS).hstack(pl.DataFrame(rows, schema=SCHEMA))
    return found.with_columns(pl.col(pl.Float64).fill_nan(None)).sort(KEYS, nulls_last=True)


def compare(group: dict[str, Any], draws: dict[tuple[int, int, int], Floats]) -> dict[str, Any]:
    """b minus a. ``draws`` keeps what was drawn for groups of the same size."""
    sides = sides_of(group)
    n_resamples = min(group["n_resamples"], MOST_RESAMPLES)

    def drawn(n: int, seed: int) -> Floats:
        key = n, n_resamples, seed
        if key not in draws:
            draws[key] = draw_counts(n, n_resamples, seed)
        return draws[key]

    low, high, reason = np.nan, np.nan, None
    seed = group["seed"]
    if min(len(sides.a), len(sides.b)) < MIN_EPISODES:
        reason = f"n = {len(sides.a)} and {len(sides.b)}: fewer than {MIN_EPISODES}"
    elif sides.is_paired:
        differences = sides.b - sides.a
        if np.ptp(differences) == 0:
            reason = NO_VARIANCE
        else:
            low, high = both_intervals(differences[:, None], drawn(len(differences), seed))[2:, 0]
    else:
        of_a = drawn(len(sides.a), seed) @ sides.a / len(sides.a)
        of_b = drawn(len(sides.b), seed + 1) @ sides.b / len(sides.b)
        low, high = np.quantile(of_b - of_a, TAILS)
    return {
        "mean_a": sides.a.mean(),
        "mean_b": sides.b.mean(),
        "difference": sides.b.mean() - sides.a.mean(),
        "low": low,
        "high": high,
        "n_a": len(sides.a),
        "n_b": len(sides.b),
        "is_paired": sides.is_paired,
        "method": "bca" if sides.is_paired else "percentile",
        "n_resamples": n_resamples,
        "seed": seed,
        "reason": reason,
    }


def sides_of(group: dict[str, Any]) -> Sides:
    """The episodes that both runs have, pair by pair; where they have fewer than 3 in common, all of either."""
    of_a = dict(zip(group["episode_numbers_a"], group["values_a"], strict=True))
    of_b = dict(zip(group["episode_numbers_b"], group["values_b"], strict=True))
    both = [episode for episode in of_a if episode in of_b]
    if len(both) < MIN_EPISODES:
        return Sides(np.array(group["values_a"]), np.array(group["values_b"]), False)
    return Sides(np.array([of_a[one] for one in both]), np.array([of_b[one] for one in both]), True)
