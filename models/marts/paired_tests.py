"""Differences within episodes: sign-flip permutation tests with corrected families, and their BCa intervals."""

import json
from typing import Any

import polars as pl

from measures import corrections, paired
from measures.samples import Alternative

N_PERMUTATIONS = 10_000
KEYS = [
    "run_id", "hypothesis", "family", "estimand", "pass", "denoise_step", "query", "rows", "camera",
    "condition_id", "layer",
]  # fmt: skip
SCHEMA = {
    "n_episodes": pl.Int64, "estimate": pl.Float64, "p": pl.Float64, "alternative": pl.String,
    "is_small_n": pl.Boolean, "reason": pl.String, "settings": pl.String,
}  # fmt: skip


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    groups = dbt.ref("int_episode_differences_listed").pl()
    tests = paired.paired_permutations(
        [values.to_numpy() for values in groups["episode_values"]],
        groups["alternative"].fill_null(Alternative.TWO_SIDED).to_list(),
        groups["seed"].to_list(),
        n_permutations=N_PERMUTATIONS,
    )
    rows = [row_of(group, test) for group, test in zip(groups.iter_rows(named=True), tests, strict=True)]
    found = groups.select(*KEYS, "low", "high").hstack(pl.DataFrame(rows, schema=SCHEMA))
    return corrected(found.sort(KEYS, nulls_last=True))


def row_of(group: dict[str, Any], test: paired.Paired) -> dict[str, Any]:
    """One row of the mart but for the corrections, which need the family."""
    alternative = group["alternative"]
    settings = {
        "seed": group["seed"],
        "n_permutations": test.n_rearranged,
        "is_exact": test.is_exact,
        "bootstrap_seed": group["bootstrap_seed"],
        "n_resamples": group["n_resamples"],
        "alpha": group["alpha"],
        "min_episodes": group["min_episodes"],
    }
    return {
        "n_episodes": test.n,
        "estimate": test.estimate,
        # A lift of 1 is no preference, so a test of the lift itself against 0 would say nothing.
        "p": test.p_value if alternative else None,
        "alternative": alternative,
        "is_small_n": test.n < group["min_episodes"],
        "reason": test.reason or (None if alternative else "estimate only: not a difference"),
        "settings": json.dumps(settings, sort_keys=True),
    }


def corrected(tests: pl.DataFrame) -> pl.DataFrame:
    """Holm and Benjamini-Hochberg within each family; a test that could not be run is not counted."""
    tests = tests.with_columns(pl.col(pl.Float64).fill_nan(None))
    families = [
        with_corrections(family) for _, family in tests.group_by("run_id", "family", maintain_order=True)
    ]
    return pl.concat([with_corrections(tests.clear()), *families])


def with_corrections(family: pl.DataFrame) -> pl.DataFrame:
    p = family["p"].cast(pl.Float64).to_numpy()
    columns: dict[str, Any] = {
        "p_holm": pl.Series(corrections.holm(p), dtype=pl.Float64),
        "p_bh": pl.Series(corrections.benjamini_hochberg(p), dtype=pl.Float64),
        "family_size": pl.lit(corrections.family_size(p), pl.Int64),
    }
    return family.with_columns(**columns).with_columns(pl.col(pl.Float64).fill_nan(None))
