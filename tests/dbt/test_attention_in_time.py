"""Attention over an episode and over an action chunk: from raw rows by polars, and the planted drift found."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.dbt.frames import assert_same_rows
from tests.dbt.synthetic import PLANTED

KEYS = ["pass", "denoise_step", "layer", "camera", "role"]


def raw(warehouse: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    return warehouse.table(f"raw.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


def mart(warehouse: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    return warehouse.table(f"marts.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


@pytest.fixture
def baseline(warehouse: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    wanted = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    return raw(warehouse, "inferences").filter(wanted).select("inference_id", "episode_id", "frame_index")


@pytest.fixture
def roles(warehouse: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    return raw(warehouse, "objects").select("episode_id", "frame_index", "camera", "object_index", "role")


@pytest.fixture
def thirds(warehouse: duckdb.DuckDBPyConnection, baseline: pl.DataFrame, roles: pl.DataFrame) -> pl.DataFrame:
    """Mass share of a role in an episode's first and last keyframe, which are its first and last third."""
    wanted = (pl.col("against") == "own") & (pl.col("rows") == "mean") & (pl.col("head") == -1)
    return (
        raw(warehouse, "object_metrics")
        .filter(wanted & pl.col("mass_share").is_not_null())
        .join(baseline, on="inference_id")
        .join(roles, on=["episode_id", "frame_index", "camera", "object_index"])
        .group_by("episode_id", "frame_index", *KEYS)
        .agg(pl.col("mass_share").cast(pl.Float64).mean())
        .with_columns(
            third=pl.when(pl.col("frame_index") == 0).then(pl.lit("first")).otherwise(pl.lit("last"))
        )
    )


def test_thirds_are_means_of_episode_means(
    warehouse: duckdb.DuckDBPyConnection, thirds: pl.DataFrame
) -> None:
    expected = thirds.group_by("third", *KEYS).agg(
        pl.col("mass_share").mean().alias("mean_mass_share"),
        pl.col("mass_share").std(ddof=1).alias("std_mass_share"),
        pl.len().cast(pl.Int64).alias("n_episodes"),
    )
    found = mart(warehouse, "roi_over_time").filter(
        (pl.col("outcome") == "all") & pl.col("action_token").is_null() & (pl.col("third") != "all")
    )
    assert_same_rows(found, expected)


def test_action_tokens_are_shares_of_the_mean_over_heads(
    warehouse: duckdb.DuckDBPyConnection, baseline: pl.DataFrame, roles: pl.DataFrame
) -> None:
    # Region 0 is the camera's picture; query k + 1 is action token k.
    masses = (
        raw(warehouse, "attention_masses")
        .filter((pl.col("pass") == "suffix") & (pl.col("query_index") > 0))
        .join(baseline, on="inference_id")
        .with_columns(picture=pl.col("masses").list.get(0).cast(pl.Float64))
        .with_columns(object_index=pl.lit([0, 1, 2], dtype=pl.List(pl.Int16)))
        .explode("object_masses", "object_index")
    )
    over_heads = masses.group_by(
        "episode_id", "frame_index", "denoise_step", "layer", "query_index", "object_index"
    ).agg(
        (pl.col("object_masses").cast(pl.Float64).sum() / pl.col("picture").sum()).alias("share"),
        pl.col("object_masses").cast(pl.Float64).mean().alias("seed"),
    )
    frames = over_heads.join(roles, on=["episode_id", "frame_index", "object_index"])
    keys = ["denoise_step", "layer", "query_index", "role"]
    episodes = (
        frames.group_by("episode_id", "frame_index", *keys)
        .agg(pl.col("share", "seed").mean())
        .group_by("episode_id", *keys)
        .agg(pl.col("share", "seed").mean())
    )
    expected = episodes.group_by(keys).agg(
        pl.col("share").mean().alias("mean_mass_share"), pl.col("seed").mean().alias("mean_mass_seed")
    )
    expected = expected.with_columns(action_token=pl.col("query_index") - 1).drop("query_index")
    found = mart(warehouse, "roi_over_time").filter(
        (pl.col("outcome") == "all") & pl.col("action_token").is_not_null()
    )
    assert_same_rows(found, expected)


def test_the_planted_drift_is_found_in_its_layer_alone(
    warehouse: duckdb.DuckDBPyConnection, thirds: pl.DataFrame
) -> None:
    tests = mart(warehouse, "paired_tests").filter(
        (pl.col("estimand") == "target_share_last_minus_first_third") & (pl.col("pass") == "prefix")
    )
    assert tests["layer"].to_list() == [0, 1, 2, 3]
    assert set(tests["alternative"]) == {"two-sided"}
    for row in tests.iter_rows(named=True):
        of_target = thirds.filter(
            (pl.col("role") == "target") & (pl.col("pass") == "prefix") & (pl.col("layer") == row["layer"])
        )
        both = of_target.pivot(on="third", index="episode_id", values="mass_share").drop_nulls()
        differences = (both["last"] - both["first"]).to_numpy()
        assert row["n_episodes"] == len(differences)
        assert row["estimate"] == pytest.approx(differences.mean(), rel=1e-6)
        assert row["p"] == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.03)
    drifting = tests.filter(pl.col("p_holm") < 0.01)["layer"].to_list()
    assert drifting == list(PLANTED.drift_layers)
    lifts = mart(warehouse, "paired_tests").filter(
        (pl.col("estimand") == "target_log_lift_last_minus_first_third")
        & (pl.col("pass") == "prefix")
        & (pl.col("layer") == PLANTED.drift_layers[0])
    )
    assert lifts["estimate"][0] == pytest.approx(PLANTED.drift, abs=0.1)


def test_the_planted_slope_over_action_tokens_is_found(warehouse: duckdb.DuckDBPyConnection) -> None:
    tests = mart(warehouse, "paired_tests").filter(
        (pl.col("estimand") == "target_share_slope_over_action_tokens") & (pl.col("denoise_step") == 4)
    )
    # The suffix's last layer counts: its output is used.
    assert tests["layer"].to_list() == list(range(PLANTED.n_layers))
    assert tests.filter(pl.col("p_holm") < 0.01)["layer"].to_list() == list(PLANTED.slope_layers)
    (slope,) = tests.filter(pl.col("layer") == PLANTED.slope_layers[0])["estimate"]
    assert slope == pytest.approx(PLANTED.token_slope, rel=0.3)


def test_the_verdict_corrects_over_layers_and_both_estimands(warehouse: duckdb.DuckDBPyConnection) -> None:
    tests = mart(warehouse, "paired_tests").filter(
        ((pl.col("estimand") == "target_share_last_minus_first_third") & (pl.col("pass") == "prefix"))
        | ((pl.col("estimand") == "target_share_slope_over_action_tokens") & (pl.col("denoise_step") == 4))
    )
    (verdict,) = mart(warehouse, "hypothesis_verdicts").filter(pl.col("hypothesis") == "H3").to_dicts()
    corrected = multipletests(tests["p"].to_numpy(), method="holm")[1]
    assert verdict["verdict"] == "supported"
    assert verdict["family_size"] == len(tests) == 9
    n_significant = int(np.count_nonzero(corrected < 0.05))
    assert f"{n_significant} of 9 tests" in verdict["because"]
    assert "the log lift changes by" in verdict["because"]
    assert verdict["low"] < verdict["estimate"] < verdict["high"]
