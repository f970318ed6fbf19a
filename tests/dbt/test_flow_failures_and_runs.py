"""Links of layers, the foretelling of failures, and runs against each other: worked out again, planted truths found."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy import stats

from measures.bootstrap import bootstrap_interval
from measures.prediction import predict
from tests.dbt.frames import assert_same_rows
from tests.dbt.synthetic import BARE, FEW, PLANTED, World


def raw(warehouse: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    return warehouse.table(f"raw.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


def mart(warehouse: duckdb.DuckDBPyConnection, table: str, world: World = PLANTED) -> pl.DataFrame:
    return warehouse.table(f"marts.{table}").pl().filter(pl.col("run_id") == world.run_id)


# --- layer_flow -----------------------------------------------------------------------------------------------------


def test_flow_and_stability_are_means_of_episodes(warehouse: duckdb.DuckDBPyConnection) -> None:
    wanted = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    keys = ["pass", "denoise_step", "layer"]
    columns = ["flow", "stability_l2", "stability_tv", "stability_l2_raw"]
    episodes = (
        raw(warehouse, "layer_links")
        .join(raw(warehouse, "inferences").filter(wanted), on="inference_id")
        .group_by("episode_id", *keys)
        .agg(pl.col(columns).cast(pl.Float64).mean())
    )
    expected = episodes.group_by(keys).agg(
        pl.len().cast(pl.Int64).alias("n_episodes"),
        pl.col("flow", "stability_l2", "stability_tv").mean().name.prefix("mean_"),
        pl.col("flow").std(ddof=1).alias("std_flow"),
        (1 / (pl.col("stability_l2_raw") + 1e-8)).mean().alias("mean_stability_seed"),
    )
    found = mart(warehouse, "layer_flow").filter(pl.col("outcome") == "all").select(expected.columns)
    assert_same_rows(found, expected)
    by_layer = found.filter(pl.col("pass") == "prefix").sort("layer")["mean_flow"].to_list()
    assert by_layer[:-1] == pytest.approx(PLANTED.flow, abs=0.02)
    assert by_layer[-1] is None


# --- failure_prediction ---------------------------------------------------------------------------------------------


def test_the_planted_feature_foretells_failure_and_the_baseline_does_not(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    rows = {row["feature_set"]: row for row in mart(warehouse, "failure_prediction").iter_rows(named=True)}
    attention = rows["attention"]
    assert attention["auc"] > 0.85
    assert attention["low"] <= attention["auc"] <= attention["high"]
    assert attention["low"] > 0.5
    assert attention["p"] < 0.01
    # Every episode has the same length and the same actions, and every task as many failures.
    for name in ("task", "length", "actions", "task, length and actions"):
        assert rows[name]["p"] > 0.05, name
        assert rows[name]["low"] <= 0.5 <= rows[name]["high"], name
    everything = rows["attention, task, length and actions"]
    assert everything["gain"] == pytest.approx(everything["auc"] - rows["task, length and actions"]["auc"])
    assert everything["gain_low"] > 0
    assert everything["n_features"] == sum(
        rows[name]["n_features"] for name in ("task", "length", "actions", "attention")
    )


def test_the_area_is_that_of_measures_on_features_of_the_first_third(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """The lifts by depth, from the marts' frames; first keyframes are the first third."""
    lifts = (
        mart(warehouse, "frame_metrics")
        .filter(
            (pl.col("frame_index") == 0)
            & pl.col("query").is_in(["instruction", "action"])
            & (pl.col("denoise_step") != 0)
            & ~((pl.col("pass") == "prefix") & (pl.col("layer") == PLANTED.n_layers - 1))
        )
        .with_columns(pl.col("lift").log(), depth=3 * pl.col("layer") // PLANTED.n_layers)
        # The mean over objects of a role first, then over layers.
        .group_by("episode_id", "query", "layer", "depth", "role")
        .agg(pl.col("lift").mean())
        .group_by("episode_id", "query", "depth", "role")
        .agg(pl.col("lift").mean())
        .pivot(on="role", values="lift")
    )
    margins = lifts.select(
        "episode_id",
        place=pl.concat_str("query", "depth"),
        target="target",
        margin=pl.col("target") - pl.col("distractor"),
    )
    wide = margins.pivot(on="place", values=["target", "margin"]).sort("episode_id")
    ratios = (
        mart(warehouse, "modality_balance_by_step")
        .filter(
            (pl.col("condition_id") == "baseline:baseline")
            & (pl.col("frame_index") == 0)
            & (pl.col("layer") >= 0)
        )
        .with_columns(depth=3 * pl.col("layer") // PLANTED.n_layers)
        .group_by("episode_id", "depth")
        .agg(pl.col("log_ratio").mean())
        .pivot(on="depth", values="log_ratio")
        .sort("episode_id")
    )
    features = np.hstack([wide.drop("episode_id").to_numpy(), ratios.drop("episode_id").to_numpy()])
    episodes = mart(warehouse, "episodes").sort("episode_id")
    (row,) = mart(warehouse, "failure_prediction").filter(pl.col("feature_set") == "attention").to_dicts()
    settings = json.loads(row["settings"])
    assert settings["blocks"] == "task"
    found = predict(
        features,
        (episodes["outcome"] == "failure").to_numpy(),
        episodes["task"].to_numpy(),
        n_permutations=settings["n_permutations"],
        n_resamples=settings["n_resamples"],
        seed=settings["seed"],
    )
    assert row["n_features"] == features.shape[1]
    assert row["auc"] == pytest.approx(found.auc, abs=1e-6)
    assert (row["low"], row["high"], row["p"]) == pytest.approx(
        (found.low, found.high, found.p_value), abs=1e-6
    )
    assert (row["n_success"], row["n_failure"]) == (PLANTED.n_success, PLANTED.n_failure)


def test_without_both_outcomes_nothing_can_be_foretold(warehouse: duckdb.DuckDBPyConnection) -> None:
    for world in (FEW, BARE):
        assert mart(warehouse, "failure_prediction", world).is_empty()


# --- run_comparison -------------------------------------------------------------------------------------------------


def between(warehouse: duckdb.DuckDBPyConnection, a: World, b: World) -> pl.DataFrame:
    found = warehouse.table("marts.run_comparison").pl()
    return found.filter((pl.col("run_id_a") == a.run_id) & (pl.col("run_id_b") == b.run_id))


def test_runs_are_compared_on_their_shared_episodes(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = between(warehouse, FEW, PLANTED).filter(
        (pl.col("metric") == "log_lift") & (pl.col("pass") == "prefix") & (pl.col("rows") == "mean")
    )
    assert rows["layer"].to_list() == [0, 1, 2, 3]
    for row in rows.iter_rows(named=True):
        values = [
            mart(warehouse, "object_attention_by_episode", world).filter(
                (pl.col("pass") == "prefix")
                & (pl.col("role") == "target")
                & (pl.col("against") == "own")
                & (pl.col("rows") == "mean")
                & (pl.col("layer") == row["layer"])
            )
            for world in (FEW, PLANTED)
        ]
        both = values[0].join(values[1], on="episode_id", suffix="_b").sort("episode_id")
        differences = (both["log_lift_b"] - both["log_lift"]).drop_nulls().to_numpy()
        assert row["is_paired"]
        assert row["n_a"] == row["n_b"] == len(differences) <= FEW.n_success
        assert row["difference"] == pytest.approx(differences.mean())
        assert row["difference"] == pytest.approx(row["mean_b"] - row["mean_a"])
        expected = bootstrap_interval(differences, n_resamples=row["n_resamples"], seed=row["seed"])
        assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_layers_of_models_of_another_depth_are_not_compared(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = between(warehouse, BARE, PLANTED)
    assert set(rows["layer"]) == {-1}
    assert not rows["is_paired"].any()
    assert rows["reason"].str.contains("fewer than 3").all()


def test_runs_without_common_episodes_are_drawn_apart() -> None:
    """The interval of two independent means, against Welch's."""
    from models.marts.run_comparison import compare

    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 40), rng.normal(1, 2, 60)
    group = {
        "episode_numbers_a": list(range(40)),
        "values_a": a.tolist(),
        "episode_numbers_b": list(range(100, 160)),
        "values_b": b.tolist(),
        "n_resamples": 2000,
        "seed": 3,
    }
    row = compare(group, {})
    welch = stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    assert not row["is_paired"]
    assert row["difference"] == pytest.approx(b.mean() - a.mean())
    assert (row["low"], row["high"]) == pytest.approx((welch.low, welch.high), abs=0.1)
