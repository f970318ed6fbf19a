"""Intervals of a model's mean log ratio, episodes drawn with replacement: as bootstrap_intervals, but over runs."""

from typing import Any

import numpy as np
import polars as pl

from measures.mean_intervals import INTERVAL_COLUMNS, draw_counts, interval_columns
from measures.samples import MIN_EPISODES

KEYS = ["model_family", "checkpoint_hash", "denoise_step", "layer"]
ORDER = ["dataset", "episode_id"]
SEED = 0  # no run's: several may share a model


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    episodes = (
        dbt.ref("int_model_balance_averaged_to_episodes").pl().drop_nulls("log_ratio").sort(*KEYS, *ORDER)
    )
    groups = episodes.group_by(KEYS, maintain_order=True).agg(
        n=pl.len().cast(pl.Int64), n_resamples=pl.col("n_resamples").max().cast(pl.Int64), values="log_ratio"
    )
    drawn_alike = groups.group_by("n", "n_resamples", maintain_order=True)
    found = [intervals(groups.clear()), *(intervals(same) for _, same in drawn_alike)]
    return pl.concat(found).sort(KEYS, nulls_last=True)


def intervals(groups: pl.DataFrame) -> pl.DataFrame:
    """The rows of models, steps and layers that are known in as many episodes each, from one set of draws."""
    found: dict[str, Any] = {}
    if len(groups):
        n, n_resamples = groups.select("n", "n_resamples").row(0)
        drawn = draw_counts(n, n_resamples, SEED) if n >= MIN_EPISODES else np.empty((0, 0))
        found = interval_columns(np.array(groups["values"].to_list()).T, drawn)
    results = dict.fromkeys(INTERVAL_COLUMNS, pl.Float64) | {"reason": pl.String}
    columns = pl.DataFrame(found, schema=results).with_columns(pl.col(pl.Float64).fill_nan(None))
    return groups.drop("values").hstack(columns)
