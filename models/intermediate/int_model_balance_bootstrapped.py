"""Intervals of a model's mean log ratio, episodes drawn with replacement: as bootstrap_intervals, but over runs."""

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from measures.mean_intervals import INTERVAL_COLUMNS, draw_counts, interval_columns
from measures.samples import MIN_EPISODES

KEYS = ["model_family", "checkpoint_hash", "denoise_step", "layer"]
ORDER = ["dataset", "episode_id"]
SEED = 0  # no run's: several may share a model


def model(dbt: Any, session: Any) -> pa.Table:
    dbt.config(materialized="table")
    episodes = dbt.ref("int_model_balance_averaged_to_episodes").pl().drop_nulls("log_ratio")
    rows = [interval(group) for _, group in episodes.sort(*KEYS, *ORDER).group_by(KEYS, maintain_order=True)]
    schema = {name: episodes.schema[name] for name in KEYS} | {"n": pl.Int64, "n_resamples": pl.Int64}
    results = dict.fromkeys(INTERVAL_COLUMNS, pl.Float64) | {"reason": pl.String}
    return (
        pl.DataFrame(rows, schema=schema | results).with_columns(pl.col(pl.Float64).fill_nan(None)).to_arrow()
    )


def interval(group: pl.DataFrame) -> dict[str, Any]:
    """The row of one model, denoising step and layer."""
    n, n_resamples = len(group), group["n_resamples"].max()
    drawn = draw_counts(n, n_resamples, SEED) if n >= MIN_EPISODES else np.empty((0, 0))
    found = interval_columns(group["log_ratio"].to_numpy()[:, None], drawn)
    keys = {name: group[name][0] for name in KEYS}
    return {**keys, "n": n, "n_resamples": n_resamples, **{name: values[0] for name, values in found.items()}}
