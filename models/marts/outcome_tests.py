"""Success against failure: for every layer and metric the tests and effect sizes of METHODS 7, on episode values."""

import json
from typing import Any

import numpy as np
import polars as pl

from measures import corrections, effect_sizes, two_sample
from measures.blocks import can_block

N_PERMUTATIONS = 10_000
KEYS = ["run_id", "family", "metric", "pass", "denoise_step", "query", "rows", "camera", "layer"]
RESULTS = [
    "mean_success", "mean_failure", "difference", "student_t_seed", "p_student_seed", "welch_t", "p_welch",
    "p_mann_whitney", "p_permutation", "cohens_d_seed", "cohens_d", "d_low", "d_high", "hedges_g", "g_low",
    "g_high", "cliffs_delta", "delta_low", "delta_high",
]  # fmt: skip
SCHEMA = {
    "n_success": pl.Int64, "n_failure": pl.Int64, **dict.fromkeys(RESULTS, pl.Float64), "is_small_n": pl.Boolean,
    "reason": pl.String, "settings": pl.String,
}  # fmt: skip


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    groups = dbt.ref("int_outcomes_compared").pl()
    pairs = [pair_of(group) for group in groups.iter_rows(named=True)]
    permutations = two_sample.permutation_tests(pairs, n_permutations=N_PERMUTATIONS)
    ranked = two_sample.mann_whitney_tests(pairs)
    rows = [
        compare(*of_group)
        for of_group in zip(groups.iter_rows(named=True), pairs, permutations, ranked, strict=True)
    ]
    found = groups.select(KEYS).hstack(pl.DataFrame(rows, schema=SCHEMA)).sort(KEYS, nulls_last=True)
    return corrected(found.with_columns(pl.col(pl.Float64).fill_nan(None)))


def pair_of(group: dict[str, Any]) -> two_sample.Groups:
    """Successes and failures, with their tasks where labels can be exchanged within those."""
    success = np.array(group["success_values"] or [], dtype=np.float64)
    failure = np.array(group["failure_values"] or [], dtype=np.float64)
    tasks = group["success_tasks"] or [], group["failure_tasks"] or []
    blocks = (np.array(tasks[0]), np.array(tasks[1])) if can_block(*tasks) else None
    return two_sample.Groups(success, failure, group["seed"], blocks)


def compare(
    group: dict[str, Any],
    pair: two_sample.Groups,
    permutation: two_sample.TwoSample,
    ranked: two_sample.TwoSample,
) -> dict[str, Any]:
    """One row of the mart but for the corrections, which need the family."""
    success, failure = np.asarray(pair.x), np.asarray(pair.y)
    student = two_sample.student_t(success, failure)
    welch = two_sample.welch_t(success, failure)
    d = effect_sizes.cohens_d(success, failure)
    g = effect_sizes.hedges_g(success, failure, d=d)
    delta = effect_sizes.cliffs_delta(success, failure)
    settings = {
        "seed": group["seed"],
        "n_permutations": permutation.n_rearranged,
        "is_exact": permutation.is_exact,
        "blocks": "task" if pair.blocks else None,
        "alpha": group["alpha"],
        "min_episodes": group["min_episodes"],
        "confidence": d.confidence,
    }
    return {
        "n_success": len(success),
        "n_failure": len(failure),
        "mean_success": mean(success),
        "mean_failure": mean(failure),
        "difference": mean(success) - mean(failure),
        "student_t_seed": student.statistic,
        "p_student_seed": student.p_value,
        "welch_t": welch.statistic,
        "p_welch": welch.p_value,
        "p_mann_whitney": ranked.p_value,
        "p_permutation": permutation.p_value,
        "cohens_d_seed": effect_sizes.cohens_d_seed(success, failure, d=d).value,
        "cohens_d": d.value,
        "d_low": d.low,
        "d_high": d.high,
        "hedges_g": g.value,
        "g_low": g.low,
        "g_high": g.high,
        "cliffs_delta": delta.value,
        "delta_low": delta.low,
        "delta_high": delta.high,
        "is_small_n": min(len(success), len(failure)) < group["min_episodes"],
        "reason": welch.reason or permutation.reason,
        "settings": json.dumps(settings, sort_keys=True),
    }


def corrected(tests: pl.DataFrame) -> pl.DataFrame:
    """Holm and Benjamini-Hochberg within each family; a test that could not be run is not counted."""
    families = [
        with_corrections(family) for _, family in tests.group_by("run_id", "family", maintain_order=True)
    ]
    return pl.concat([with_corrections(tests.clear()), *families])


def with_corrections(family: pl.DataFrame) -> pl.DataFrame:
    size = corrections.family_size(family["p_welch"].to_numpy())
    columns: dict[str, Any] = {"family_size": pl.lit(size, pl.Int64)}
    for name in ("p_welch", "p_permutation"):
        p = family[name].to_numpy()
        columns[f"{name}_holm"] = pl.Series(corrections.holm(p), dtype=pl.Float64)
        columns[f"{name}_bh"] = pl.Series(corrections.benjamini_hochberg(p), dtype=pl.Float64)
    return family.with_columns(**columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
