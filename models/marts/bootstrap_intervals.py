"""Intervals of episode means: percentile (the seed's) and BCa, episodes drawn with replacement.

Groups of n episodes share one seeded set of draws, kept as how often each episode was drawn, so that all their
resampled means are one matrix product. `measures.bootstrap.bootstrap_interval(values, seed=seed,
n_resamples=n_resamples)` with the stored seed and the values in the order of episode_id gives the same interval.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from measures.arrays import Floats
from measures.mean_intervals import INTERVAL_COLUMNS, draw_counts, interval_columns
from measures.samples import MIN_EPISODES

KEYS = [
    "run_id", "topic", "family", "metric", "pass", "denoise_step", "query", "rows", "camera", "other_camera", "role",
    "task", "suite", "condition_id", "dimension", "layer", "outcome",
]  # fmt: skip
READ = [*KEYS, "is_last_prefix_layer", "n", "n_resamples", "bootstrap_seed", "episode_values"]
GROUPS_AT_A_TIME = 256
Task = tuple[pl.DataFrame, Floats]


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    groups = (
        dbt.ref("int_episode_values_listed")
        .order("n, run_id, family, layer, other_camera, role, task, suite, condition_id, dimension, outcome")
        .select(", ".join(f'"{name}"' for name in READ))
    )
    # Not DuckDB's own to_arrow_reader: 1.4 has none, and 2.0 warns of what 1.4 has.
    batches = pa.RecordBatchReader.from_stream(groups)
    found = [empty_intervals(batches.schema), *two_at_a_time(intervals, groups_and_draws(batches))]
    return pl.concat(found).sort(KEYS, nulls_last=True)


def two_at_a_time(work: Callable[[Task], pl.DataFrame], tasks: Iterator[Task]) -> Iterator[pl.DataFrame]:
    """Most other marts wait for this one, and numpy lets two threads work; more groups would fill the memory."""
    with ThreadPoolExecutor(2) as threads:
        while pair := list(islice(tasks, 2)):
            yield from threads.map(work, pair)


def groups_and_draws(batches: pa.RecordBatchReader) -> Iterator[Task]:
    """Groups come ordered by n, so that the draws of one n are made once."""
    drawn_for, drawn = None, np.empty((0, 0))
    for batch in slices(batches):
        for key, same in pl.DataFrame(batch).group_by(
            "n", "n_resamples", "bootstrap_seed", maintain_order=True
        ):
            n, n_resamples, seed = key
            if drawn_for != key and n >= MIN_EPISODES:
                drawn_for, drawn = key, draw_counts(n, n_resamples, seed)
            yield same, drawn


def intervals(task: Task) -> pl.DataFrame:
    groups, drawn = task
    return with_results(groups, interval_columns(np.array(groups["episode_values"].to_list()).T, drawn))


def slices(batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """DuckDB's batches hold as many rows as it likes; the resamples of so many groups would not fit into memory."""
    for batch in batches:
        for start in range(0, batch.num_rows, GROUPS_AT_A_TIME):
            yield batch.slice(start, GROUPS_AT_A_TIME)


def with_results(groups: pl.DataFrame, found: dict[str, Any]) -> pl.DataFrame:
    results = pl.DataFrame(found, schema=dict.fromkeys(INTERVAL_COLUMNS, pl.Float64) | {"reason": pl.String})
    kept = groups.select(*KEYS, "is_last_prefix_layer", "n", "n_resamples", seed="bootstrap_seed")
    return kept.hstack(results.with_columns(pl.col(INTERVAL_COLUMNS).fill_nan(None)))


def empty_intervals(schema: pa.Schema) -> pl.DataFrame:
    # Not schema.empty_table(), which imports pandas.
    nothing = pl.DataFrame(pa.Table.from_batches([], schema))
    return with_results(nothing, {name: [] for name in [*INTERVAL_COLUMNS, "reason"]})
