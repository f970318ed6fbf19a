"""Marts over pairs of cameras, suites and models: worked out again from the rows, and what was planted found."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from measures.bootstrap import bootstrap_interval
from tests.dbt.frames import assert_same_rows
from tests.dbt.synthetic import BARE, FEW, LATENT, PLANTED, World

KEYS = ["pass", "denoise_step", "layer"]
N_EPISODES = PLANTED.n_success + PLANTED.n_failure


def raw(warehouse: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    return warehouse.table(f"raw.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


def mart(warehouse: duckdb.DuckDBPyConnection, table: str, world: World = PLANTED) -> pl.DataFrame:
    return warehouse.table(f"marts.{table}").pl().filter(pl.col("run_id") == world.run_id)


def agreement_of_episodes(warehouse: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    wanted = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    links = raw(warehouse, "camera_links").with_columns(pl.col("correlation", "other_frame_correlation").cast(pl.Float64))  # fmt: skip
    return (
        links.join(raw(warehouse, "inferences").filter(wanted), on="inference_id")
        .with_columns(correlation_gain=pl.col("correlation") - pl.col("other_frame_correlation"))
        .group_by("episode_id", *KEYS)
        .agg(pl.col("correlation", "other_frame_correlation", "correlation_gain").mean(), n_frames=pl.len())
        .join(raw(warehouse, "episodes").select("episode_id", "outcome"), on="episode_id")
    )


def test_agreement_of_cameras_is_a_mean_of_episodes(warehouse: duckdb.DuckDBPyConnection) -> None:
    episodes = agreement_of_episodes(warehouse)
    expected = pl.concat(
        [
            part.group_by(KEYS).agg(
                pl.len().alias("n_episodes"),
                pl.col("n_frames").sum(),
                pl.col("correlation", "other_frame_correlation", "correlation_gain").mean().name.prefix("mean_"),
                pl.col("correlation").std(ddof=1).alias("std_correlation"),
                outcome=pl.lit(outcome),
            )
            for outcome, part in [
                ("all", episodes),
                *((one, episodes.filter(pl.col("outcome") == one)) for one in ("success", "failure")),
            ]
        ]
    )  # fmt: skip
    assert_same_rows(mart(warehouse, "camera_agreement_by_layer"), expected)


def test_the_planted_layer_agrees_beyond_habit_and_no_other(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = mart(warehouse, "camera_agreement_by_layer")
    rows = found.filter((pl.col("pass") == "prefix") & (pl.col("outcome") == "all")).sort("layer")
    assert set(rows["other_camera"]) == {"wrist"}
    above = rows.filter(pl.col("correlation_gain_low") > 0.1)
    assert above["layer"].to_list() == [2]
    assert above["mean_correlation"].item() == pytest.approx(PLANTED.agreement[2], abs=0.03)
    values = (
        agreement_of_episodes(warehouse).filter((pl.col("pass") == "prefix") & (pl.col("layer") == 2)).sort("episode_id")
    )["correlation"].to_numpy()  # fmt: skip
    seed = mart(warehouse, "bootstrap_intervals").filter(pl.col("n") == N_EPISODES)["seed"][0]
    interval = bootstrap_interval(values, seed=seed, n_resamples=PLANTED.n_resamples)
    assert above["correlation_low"].item() == pytest.approx(interval.low, abs=1e-9)
    assert above["correlation_high"].item() == pytest.approx(interval.high, abs=1e-9)


def test_without_a_calibration_there_is_a_reason_and_no_number(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = mart(warehouse, "camera_agreement_by_layer", BARE)
    assert len(rows) > 0
    assert rows["mean_correlation"].null_count() == len(rows)
    assert set(rows["n_episodes"]) == {0}
    assert set(rows["reason"]) == {"the recording has no calibration of camera base"}


def test_balance_of_a_suite_is_that_of_its_episodes(warehouse: duckdb.DuckDBPyConnection) -> None:
    episodes = mart(warehouse, "modality_balance_by_episode").drop("suite")
    suites = raw(warehouse, "episodes").select("episode_id", "suite")
    expected = (
        episodes.join(suites, on="episode_id")
        .group_by("suite", "denoise_step", "layer")
        .agg(
            pl.len().alias("n_episodes"),
            pl.col("visual_mass", "linguistic_mass").mean().name.prefix("mean_"),
            pl.col("log_ratio").mean(),
            pl.col("log_ratio").std(ddof=1).alias("std_log_ratio"),
        )
    )
    found = mart(warehouse, "modality_balance_by_suite")
    assert set(found["suite"]) == {"suite 0", "suite 1"}
    assert_same_rows(found, expected)
    assert (found["low"] < found["log_ratio"]).all()
    assert (found["log_ratio"] < found["high"]).all()


def test_an_episode_without_a_suite_is_kept_apart(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = mart(warehouse, "modality_balance_by_suite", BARE)
    assert found["suite"].null_count() == len(found) > 0
    assert found["low"].null_count() == len(found)


def test_a_model_has_the_episodes_of_all_its_runs_each_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    """All worlds but one name the same checkpoint; the few's episodes are called as the planted's are, the bare one's is not."""
    found = warehouse.sql("from marts.modality_balance_by_model").pl()
    assert set(found.select("model_family", "checkpoint_hash").rows()) == {
        ("tiny", "c1"),
        ("cosmos_diffusers", "c2"),
    }
    row = found.filter(pl.col("model_family") == "tiny").row(
        by_predicate=(pl.col("layer") == 0) & (pl.col("denoise_step") == 4), named=True
    )
    every = warehouse.table("marts.modality_balance_by_episode").pl()
    every = every.filter(
        (pl.col("layer") == 0) & (pl.col("denoise_step") == 4) & (pl.col("run_id") != LATENT.run_id)
    )
    values = every.group_by("episode_id").agg(pl.col("log_ratio").mean(), n=pl.len()).sort("episode_id")
    assert values["n"].max() == row["n_runs"] == 2
    assert len(values) == row["n_episodes"] == N_EPISODES + BARE.n_unknown
    assert row["n_episodes"] < N_EPISODES + FEW.n_success + BARE.n_unknown
    assert row["log_ratio"] == pytest.approx(values["log_ratio"].mean())
    interval = bootstrap_interval(values["log_ratio"].to_numpy(), seed=0, n_resamples=PLANTED.n_resamples)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert row["band"] == "visual"


def test_the_bars_share_of_the_actions_mass(warehouse: duckdb.DuckDBPyConnection) -> None:
    regions = raw(warehouse, "regions").filter((pl.col("pass") == "suffix") & pl.col("is_partition"))
    names = regions.sort("region_index")["name"].to_list()
    wanted = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    masses = (
        raw(warehouse, "attention_masses")
        .filter((pl.col("pass") == "suffix") & (pl.col("query_index") == 0))
        .join(raw(warehouse, "inferences").filter(wanted & (pl.col("status") == "ok")), on="inference_id")
        .with_columns(bars=pl.col("masses").list.get(names.index("letterbox:base")).cast(pl.Float64))
    )
    expected = masses.group_by("episode_id", "denoise_step", "layer").agg(pl.col("bars").mean().alias("letterbox_mass"))  # fmt: skip
    found = mart(warehouse, "modality_balance_by_episode")
    assert_same_rows(found.filter(pl.col("layer") >= 0), expected)
    layers = found.group_by("denoise_step", "layer").agg(mean_letterbox_mass=pl.col("letterbox_mass").mean())
    by_layer = mart(warehouse, "modality_balance_by_layer").filter(pl.col("outcome") == "all")
    assert_same_rows(by_layer, layers)
    assert (found["letterbox_mass"] > 0).all()
    assert (found["letterbox_mass"] < found["visual_mass"]).all()
