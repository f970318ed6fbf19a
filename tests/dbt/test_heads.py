"""Heads: their lifts from raw rows by polars, the planted ones found, ranked and told apart."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest

from measures.specialisation import specialisation
from tests.dbt.frames import assert_same_rows
from tests.dbt.synthetic import PLANTED

Rows = pl.DataFrame
TRACKERS = {(layer, PLANTED.n_heads - 1) for layer, lift in enumerate(PLANTED.head_lift) if lift > 1.5}


def raw(warehouse: duckdb.DuckDBPyConnection, table: str) -> Rows:
    return warehouse.table(f"raw.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


def mart(warehouse: duckdb.DuckDBPyConnection, table: str) -> Rows:
    found = warehouse.table(f"marts.{table}").pl()
    return found.filter((pl.col("run_id") == PLANTED.run_id) & (pl.col("pass") == "prefix"))


@pytest.fixture
def lifts(warehouse: duckdb.DuckDBPyConnection) -> Rows:
    """Lift of the target in each head of an episode: mean over its keyframes, words of the instruction."""
    wanted = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    inferences = raw(warehouse, "inferences").filter(wanted)
    targets = raw(warehouse, "objects").filter(pl.col("role") == "target")
    return (
        raw(warehouse, "attention_masses")
        .filter((pl.col("pass") == "prefix") & (pl.col("query_index") == 0))
        .join(inferences.select("inference_id", "episode_id", "frame_index"), on="inference_id")
        .join(targets.drop("run_id"), on=["episode_id", "frame_index"])
        .with_columns(
            lift=pl.col("object_masses").list.get(pl.col("object_index")).cast(pl.Float64)
            / pl.col("masses").list.get(0).cast(pl.Float64)
            / pl.col("area_share").cast(pl.Float64)
        )
        .group_by("episode_id", "layer", "head")
        .agg(pl.col("lift").mean())
        .sort("episode_id", "layer", "head")
    )


def test_lifts_and_ranks(warehouse: duckdb.DuckDBPyConnection, lifts: Rows) -> None:
    expected = lifts.group_by("layer", "head").agg(
        pl.col("lift").mean().alias("mean_target_lift"), pl.col("lift").std(ddof=1).alias("std_target_lift")
    )
    expected = expected.with_columns(
        rank_by_target_lift=pl.col("mean_target_lift").rank("min", descending=True).cast(pl.Int64)
    )
    found = mart(warehouse, "head_ranking").select(expected.columns)
    assert_same_rows(found, expected)
    best = found.sort("rank_by_target_lift").row(0, named=True)
    assert (best["layer"], best["head"]) == (int(np.argmax(PLANTED.head_lift)), PLANTED.n_heads - 1)
    assert best["mean_target_lift"] == pytest.approx(max(PLANTED.head_lift), rel=0.1)


def test_sinks_of_a_head_are_means_over_episodes(warehouse: duckdb.DuckDBPyConnection) -> None:
    wanted = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    inferences = raw(warehouse, "inferences").filter(wanted & (pl.col("status") == "ok"))
    shares = ["top_share", "sink_share"]
    episodes = (
        raw(warehouse, "attention_masses")
        .filter((pl.col("pass") == "prefix") & (pl.col("query_index") == 0))
        .join(inferences.select("inference_id", "episode_id"), on="inference_id")
        .group_by("episode_id", "layer", "head")
        .agg(pl.col(shares).cast(pl.Float64).mean())
    )
    expected = episodes.group_by("layer", "head").agg(pl.col(shares).mean().name.prefix("mean_"))
    assert expected["mean_sink_share"].n_unique() == len(expected)
    assert_same_rows(mart(warehouse, "head_ranking"), expected)


def test_specialisation_is_that_of_measures(warehouse: duckdb.DuckDBPyConnection, lifts: Rows) -> None:
    counted = lifts.filter(pl.col("layer") < PLANTED.n_layers - 1)
    shape = (PLANTED.n_success + PLANTED.n_failure, PLANTED.n_layers - 1, PLANTED.n_heads)
    values = counted["lift"].to_numpy().reshape(shape)
    rows = mart(warehouse, "head_specialisation").filter(pl.col("measure") == "target_lift").sort("layer")
    assert rows["layer"].to_list() == [-1, 0, 1, 2, 3]
    settings = rows["settings"].str.json_decode(pl.Struct({"seed": pl.Int64}))[0]
    expected = specialisation(values, seed=settings["seed"])
    assert rows["share_between_heads"].to_numpy() == pytest.approx(np.roll(expected.share, 1), rel=1e-6)
    assert rows["p"].to_numpy() == pytest.approx(np.roll(expected.p_value, 1))
    together = rows.row(0, named=True)
    assert together["split_half_correlation"] == pytest.approx(expected.split_half)
    assert together["low"] < together["share_between_heads"] < together["high"]
    differ = [layer for layer, lift in enumerate(PLANTED.head_lift[:-1]) if lift != 1]
    assert rows.filter((pl.col("layer") >= 0) & (pl.col("p_holm") < 0.01))["layer"].to_list() == differ


def test_layers_are_ranked(warehouse: duckdb.DuckDBPyConnection) -> None:
    """By the mean over episodes, each of them the mean over its keyframes; the last prefix layer has no rank."""
    baseline = (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    inferences = (
        raw(warehouse, "inferences").filter(baseline).select("inference_id", "episode_id", "frame_index")
    )
    targets = raw(warehouse, "objects").filter(pl.col("role") == "target")
    metrics = (
        raw(warehouse, "object_metrics")
        .filter((pl.col("pass") == "prefix") & (pl.col("query_index") == 0) & (pl.col("rows") == "mean"))
        .filter(pl.col("head") == -1)
        .join(inferences, on="inference_id")
        .join(targets.drop("run_id"), on=["episode_id", "frame_index", "camera", "object_index"])
        .with_columns(pl.col("lift").cast(pl.Float64))
    )
    lifts = metrics.group_by("episode_id", "layer").agg(
        pl.col("lift").filter(pl.col("against") == "own").mean().alias("target_lift"),
        pl.col("lift").filter(pl.col("against") == "other_episode").mean().alias("elsewhere"),
    )
    values = lifts.select(
        "episode_id", "layer", "target_lift", target_lift_gain=pl.col("target_lift") - pl.col("elsewhere")
    )
    rows = values.unpivot(
        index=["episode_id", "layer"], variable_name="measure", value_name="value"
    ).drop_nulls()
    is_ranked = pl.col("layer") < PLANTED.n_layers - 1
    in_episode = pl.col("value").rank("min", descending=True).over("episode_id", "measure", is_ranked)
    expected = (
        rows.with_columns(episode_rank=in_episode)
        .group_by("measure", "layer")
        .agg(
            n_episodes=pl.len(),
            mean_value=pl.col("value").mean(),
            std_value=pl.col("value").std(ddof=1),
            mean_episode_rank=pl.when(is_ranked.first()).then(pl.col("episode_rank").mean()),
            std_episode_rank=pl.when(is_ranked.first()).then(pl.col("episode_rank").std(ddof=1)),
        )
        .with_columns(
            layer_rank=pl.when(is_ranked).then(
                pl.col("mean_value").rank("min", descending=True).over("measure", is_ranked)
            )
        )
    )
    found = mart(warehouse, "layer_ranking")
    assert_same_rows(found.filter(pl.col("measure").str.starts_with("target")), expected)
    (best,) = found.filter((pl.col("measure") == "target_lift") & (pl.col("layer_rank") == 1)).to_dicts()
    assert best["layer"] == int(np.argmax(PLANTED.head_lift))
    assert set(found["measure"]) == {"variance", "entropy_norm", "target_lift", "target_lift_gain"}


def test_the_verdict_on_heads(warehouse: duckdb.DuckDBPyConnection) -> None:
    verdicts = warehouse.table("marts.hypothesis_verdicts").pl()
    (verdict,) = verdicts.filter(
        (pl.col("run_id") == PLANTED.run_id) & (pl.col("hypothesis") == "H4")
    ).to_dicts()
    rows = mart(warehouse, "head_specialisation").filter(
        (pl.col("measure") == "target_lift") & (pl.col("layer") == -1)
    )
    assert verdict["verdict"] == "supported"
    assert verdict["estimate"] == rows["share_between_heads"][0]
    assert (verdict["n"], verdict["camera"]) == (40, "base")


def test_planted_heads_have_their_roles(warehouse: duckdb.DuckDBPyConnection) -> None:
    roles = mart(warehouse, "head_roles")

    def heads(role: str) -> set[tuple[int, int]]:
        found = roles.filter((pl.col("head_role") == role) & pl.col("has_role"))
        return set(found.select("layer", "head").iter_rows())

    assert heads("tracks target") == TRACKERS
    assert heads("positional") == {(layer, 0) for layer in range(PLANTED.n_layers)}
    assert heads("sink") == set()
    # Half of the linguistic mass lies on the instruction: .3 in the last two layers.
    assert heads("reads instruction") == {
        (layer, head) for layer in (3, 4) for head in range(PLANTED.n_heads)
    }
    assert not roles.filter(pl.col("head_role") == "tracks gripper").height
    trackers = roles.filter((pl.col("head_role") == "tracks target") & pl.col("has_role"))
    assert set(trackers["n_prompts"]) == {len(PLANTED.prompts) + PLANTED.n_paraphrases}
    # Under another prompt they turn to what that one names.
    assert set(trackers["share_of_prompts"]) == {1.0}
