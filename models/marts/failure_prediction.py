"""Does the first third of an episode foretell that it fails: attention against what task, length and actions tell."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from measures.blocks import can_block
from measures.prediction import N_FOLDS, Prediction, predict

N_PERMUTATIONS = 500
N_RESAMPLES = 2_000
BASELINE = "task, length and actions"
ATTENTION_TOO = "attention, task, length and actions"
# Name of a set -> the sets of features it joins; the last one is compared with BASELINE.
FEATURE_SETS = {
    "task": ["task"],
    "length": ["length"],
    "actions": ["actions"],
    BASELINE: ["task", "length", "actions"],
    "attention": ["attention"],
    ATTENTION_TOO: ["attention", "task", "length", "actions"],
}
SCHEMA = {
    "run_id": pl.String, "feature_set": pl.String, "auc": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "p": pl.Float64, "null_auc": pl.Float64, "gain": pl.Float64, "gain_low": pl.Float64, "gain_high": pl.Float64, "n_features": pl.Int64,
    "n_success": pl.Int64, "n_failure": pl.Int64, "is_small_n": pl.Boolean, "features": pl.List(pl.String),
    "reason": pl.String, "settings": pl.String,
}  # fmt: skip


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    features = dbt.ref("int_first_third_features_listed").pl()
    runs = dbt.ref("stg_raw__runs").order("run_id").pl()
    rows = [
        row
        for run in runs.iter_rows(named=True)
        for row in run_rows(run, features.filter(pl.col("run_id") == run["run_id"]))
    ]
    return pl.DataFrame(rows, schema=SCHEMA).with_columns(pl.col(pl.Float64).fill_nan(None))


def run_rows(run: dict[str, Any], features: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """One row a set of features; none for a run that does not know of both outcomes."""
    episodes = features.select("episode_id", "outcome", "task_of_episode").unique().sort("episode_id")
    failed = (episodes["outcome"] == "failure").to_numpy()
    if failed.all() or not failed.any():
        return
    tasks = episodes["task_of_episode"].to_numpy()
    is_blocked = can_block(tasks[~failed].tolist(), tasks[failed].tolist())
    blocks = tasks if is_blocked else np.zeros(len(tasks))
    found: dict[str, Prediction] = {}
    for name, sets in FEATURE_SETS.items():
        chosen = features.filter(pl.col("feature_set").is_in(sets))
        names = chosen["feature"].unique().sort().to_list()
        values = matrix(chosen, episodes["episode_id"], names)
        found[name] = predict(
            values,
            failed,
            blocks,
            n_permutations=N_PERMUTATIONS,
            n_resamples=N_RESAMPLES,
            seed=run["seed"],
        )
        settings = {
            "seed": run["seed"],
            "n_folds": N_FOLDS,
            "n_permutations": N_PERMUTATIONS,
            "n_resamples": N_RESAMPLES,
            "penalty": found[name].n_features,
            "blocks": "task" if is_blocked else None,
            "min_episodes": run["min_episodes"],
        }
        yield {
            "run_id": run["run_id"],
            "feature_set": name,
            "auc": found[name].auc,
            "low": found[name].low,
            "high": found[name].high,
            "p": found[name].p_value,
            "null_auc": found[name].null_auc,
            **gain(found, name),
            "n_features": found[name].n_features,
            "n_success": found[name].n_negative,
            "n_failure": found[name].n_positive,
            "is_small_n": min(found[name].n_negative, found[name].n_positive) < run["min_episodes"],
            "features": names,
            "reason": found[name].reason,
            "settings": json.dumps(settings, sort_keys=True),
        }


def gain(found: dict[str, Prediction], name: str) -> dict[str, float]:
    """What attention adds to the baseline, from the same draws of episodes; NaN for the other sets."""
    if name != ATTENTION_TOO or found[name].reason or found[BASELINE].reason:
        return {}
    differences = found[name].distribution - found[BASELINE].distribution
    low, high = np.nanquantile(differences, [0.025, 0.975])
    return {"gain": found[name].auc - found[BASELINE].auc, "gain_low": low, "gain_high": high}


def matrix(features: pl.DataFrame, episodes: pl.Series, names: list[str]) -> np.ndarray:
    """[episodes, features], NaN where an episode lacks one."""
    values = np.full((len(episodes), len(names)), np.nan)
    rows = np.searchsorted(episodes.to_numpy(), features["episode_id"].to_numpy())
    columns = np.searchsorted(names, features["feature"].to_numpy()) if names else []
    values[rows, columns] = features["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return values
