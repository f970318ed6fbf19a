"""Marts of means equal what polars makes of the raw tables, written down independently: frames, then episodes."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.dbt.frames import assert_same_rows
from tests.dbt.synthetic import PLANTED, POISON

METRICS = [
    "mass_share", "lift", "log_lift", "precision", "recall", "dice", "iou_p75", "iou_p90", "ap", "pointing_hit",
]  # fmt: skip
METRICS_SEED = [
    "overlap_ratio_seed", "attention_concentration_seed", "iou_seed", "mean_attn_inside_seed", "mean_attn_outside_seed",
]  # fmt: skip
SHIFTS = [
    "mean_diff", "abs_mean_diff", "max_increase", "max_decrease", "l2_distance", "correlation", "shift_magnitude",
    "centroid_shift_px", "l2_unit", "total_variation", "jsd",
]  # fmt: skip
GRAIN = ["pass", "denoise_step", "layer", "query", "rows", "camera", "role", "against"]


def raw(warehouse: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    return warehouse.table(f"raw.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


def mart(warehouse: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    # Not with table(): that of DuckDB 1.4 finds no view in a schema.
    return warehouse.sql(f"from marts.{table}").pl().filter(pl.col("run_id") == PLANTED.run_id)


@pytest.fixture
def counted(warehouse: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Inferences that may count."""
    wanted = (pl.col("status") == "ok") & (pl.col("noise_index") == 0)
    outcomes = raw(warehouse, "episodes").select("episode_id", "outcome")
    return raw(warehouse, "inferences").filter(wanted).join(outcomes, on="episode_id")


def test_object_attention_is_a_mean_of_frame_means(
    warehouse: duckdb.DuckDBPyConnection, counted: pl.DataFrame
) -> None:
    metrics = METRICS + METRICS_SEED
    names = raw(warehouse, "queries").select("layout_id", "pass", "query_index", query="name")
    roles = raw(warehouse, "objects").select("episode_id", "frame_index", "camera", "object_index", "role")
    rows = (
        raw(warehouse, "object_metrics")
        .join(counted.filter(pl.col("condition_id") == "baseline:baseline"), on="inference_id")
        .join(names, on=["layout_id", "pass", "query_index"])
        .join(roles, on=["episode_id", "frame_index", "camera", "object_index"])
        .with_columns(pl.col(metrics).cast(pl.Float64))
    )
    frames = rows.group_by("episode_id", "frame_index", "outcome", *GRAIN).agg(pl.col(metrics).mean())
    episodes = frames.group_by("episode_id", "outcome", *GRAIN).agg(
        pl.col(metrics).mean(), n_frames=pl.col("mass_share").count().cast(pl.Int64)
    )
    columns = ["episode_id", "outcome", *GRAIN, *metrics, "n_frames"]
    found = mart(warehouse, "object_attention_by_episode").select(columns)
    assert_frame_equal(found, episodes.select(columns), check_row_order=False, check_dtypes=False)

    layers = episodes.group_by("outcome", *GRAIN).agg(
        pl.col("mass_share").count().alias("n_episodes"),
        pl.col(metrics).mean().name.prefix("mean_"),
        pl.col(METRICS).std(ddof=1).name.prefix("std_"),
        pl.col(METRICS_SEED).std(ddof=0).name.prefix("std_"),
    )
    found = (
        mart(warehouse, "object_attention_by_layer").filter(pl.col("outcome") != "all").select(layers.columns)
    )
    assert_frame_equal(found, layers, check_row_order=False, check_dtypes=False)


def test_the_last_prefix_layer_is_flagged(warehouse: duckdb.DuckDBPyConnection) -> None:
    for table in ("object_attention_by_episode", "object_attention_by_layer", "prompt_shift_by_layer"):
        flagged = (
            mart(warehouse, table).filter(pl.col("is_last_prefix_layer")).select("pass", "layer").unique()
        )
        assert flagged.rows() == [("prefix", PLANTED.n_layers - 1)]


def test_modality_balance_divides_means(warehouse: duckdb.DuckDBPyConnection, counted: pl.DataFrame) -> None:
    regions = raw(warehouse, "regions").filter((pl.col("pass") == "suffix") & pl.col("is_partition"))
    kinds = regions.sort("region_index")["kind"].to_list()
    rows = (
        raw(warehouse, "attention_masses")
        .filter(pl.col("pass") == "suffix")
        .join(counted, on="inference_id")
        .filter(pl.col("condition_id") == "baseline:baseline")
        .select(
            "episode_id", "outcome", "frame_index", "denoise_step", "layer", "head", "query_index", "masses"
        )
    )
    masses = np.array(rows["masses"].to_list(), dtype=np.float64)
    shares = {
        "visual": masses[:, [kind == "visual" for kind in kinds]].sum(axis=1),
        "linguistic": masses[:, [kind == "linguistic" for kind in kinds]].sum(axis=1),
        "text_seed": masses[:, [kind in ("linguistic", "state", "pad") for kind in kinds]].sum(axis=1),
    }
    rows = rows.drop("masses").with_columns(**{name: pl.Series(share) for name, share in shares.items()})

    def heads(query_index: int) -> pl.DataFrame:
        keys = ["episode_id", "outcome", "frame_index", "denoise_step", "layer"]
        return rows.filter(pl.col("query_index") == query_index).group_by(keys).agg(pl.col(*shares).mean())

    action, first_token = heads(0), heads(1)
    keys = ["episode_id", "denoise_step", "layer"]
    expected = action.group_by(keys).agg(
        (pl.col("visual").mean() / pl.col("linguistic").mean()).alias("ratio_of_means"),
        (pl.col("visual") / pl.col("linguistic")).log().mean().exp().alias("geometric_mean_ratio"),
    )
    seed = (
        first_token.with_columns(ratio=pl.col("visual") / pl.col("text_seed"))
        .group_by(keys)
        .agg(
            pl.col("ratio").mean().alias("mean_ratio_seed"),
            pl.col("ratio").std(ddof=0).alias("std_ratio_seed"),
            pl.col("ratio").median().alias("median_ratio_seed"),
        )
    )
    expected = expected.join(seed, on=keys)
    found = mart(warehouse, "modality_balance_by_episode")
    assert_frame_equal(
        found.filter(pl.col("layer") >= 0).select(expected.columns),
        expected,
        check_row_order=False,
        check_dtypes=False,
    )

    averages = action.group_by("episode_id", "denoise_step").agg(
        (pl.col("visual").mean() / pl.col("linguistic").mean()).alias("ratio_of_means")
    )
    found = found.filter(pl.col("layer") == -1).select(averages.columns)
    assert_frame_equal(found, averages, check_row_order=False, check_dtypes=False)


def test_prompt_shifts_leave_out_vacuous_inferences(
    warehouse: duckdb.DuckDBPyConnection, counted: pl.DataFrame
) -> None:
    expected = (
        raw(warehouse, "map_shifts")
        .join(counted, on="inference_id")
        .filter(~pl.col("condition_id").str.starts_with("randomised:"))
        .with_columns(pl.col(SHIFTS).cast(pl.Float64))
        .group_by("episode_id", "condition_id", "pass", "denoise_step", "layer", "rows")
        .agg(pl.col(SHIFTS).mean(), pl.len().cast(pl.Int64).alias("n_frames"))
    )
    found = mart(warehouse, "prompt_shift_by_episode").select(expected.columns)
    assert_frame_equal(found, expected, check_row_order=False, check_dtypes=False)

    # A duck episode's "find the duck" has the baseline's tokens: vacuous in every frame, so without a row.
    ducks = raw(warehouse, "episodes").filter(pl.col("task") == "find the duck")["episode_id"]
    asked = mart(warehouse, "prompt_shift_by_episode").filter(pl.col("condition_id") == "prompt:duck")
    assert len(asked)
    assert not set(asked["episode_id"]) & set(ducks)


def test_prompt_shifts_of_a_layer_are_means_over_episodes(
    warehouse: duckdb.DuckDBPyConnection, counted: pl.DataFrame
) -> None:
    """Prompts for the object that the task names already are left out; paraphrases of it stay."""
    tasks = raw(warehouse, "episodes").select("episode_id", "task")
    counts = pl.col("condition_id").str.starts_with("paraphrase") | (pl.col("prompt") != pl.col("task"))
    grain = ["condition_id", "pass", "denoise_step", "layer", "rows"]
    episodes = (
        raw(warehouse, "map_shifts")
        .join(counted, on="inference_id")
        .join(tasks, on="episode_id")
        .filter(counts)
        .with_columns(pl.col(SHIFTS).cast(pl.Float64))
        .group_by("episode_id", "outcome", *grain)
        .agg(pl.col(SHIFTS).mean())
    )
    expected = episodes.group_by("outcome", *grain).agg(
        pl.len().alias("n_episodes"),
        pl.col(SHIFTS).mean().name.prefix("mean_"),
        pl.col(SHIFTS).std(ddof=1).name.prefix("std_"),
    )
    found = mart(warehouse, "prompt_shift_by_layer").filter(pl.col("outcome") != "all")
    assert_same_rows(found, expected)
    assert found["mean_abs_mean_diff"].n_unique() == len(found)


def test_mass_gained_is_the_planted_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    shifts = mart(warehouse, "prompt_shift_by_layer").filter(
        (pl.col("condition_kind") == "prompt") & (pl.col("outcome") == "all") & (pl.col("layer") > 0)
    )
    assert shifts["mean_mass_gain_named"].to_numpy() == pytest.approx(PLANTED.mass_gain, abs=0.02)
    under_paraphrase = mart(warehouse, "prompt_shift_by_layer").filter(
        pl.col("condition_kind") == "paraphrase"
    )
    assert under_paraphrase["mean_mass_gain_named"].drop_nulls().abs().max() < 0.2  # type: ignore[operator]


def test_poison_is_nowhere(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Vacuous, nan and second-noise inferences carry numbers outside every true value."""
    largest = {
        "object_attention_by_episode": "mass_share",
        "frame_metrics": "mass_share",
        "modality_balance_by_step": "linguistic_mass",
        "word_attention": "mass",
        "prompt_shift_by_episode": "jsd",
        "action_shift_by_condition": "mean_mse",
    }
    bounds = {"jsd": 0.69, "mean_mse": 99.0}
    for table, column in largest.items():
        top = warehouse.table(f"marts.{table}").aggregate(f"max({column})").fetchall()[0][0]
        assert top is not None
        assert top < bounds.get(column, POISON), f"{table}.{column}"


def test_coverage_counts_what_was_planned(warehouse: duckdb.DuckDBPyConnection) -> None:
    coverage = {row["condition_group"]: row for row in mart(warehouse, "coverage").iter_rows(named=True)}
    n_episodes = PLANTED.n_success + PLANTED.n_failure
    baseline = coverage["baseline"]
    assert baseline["n_units"] == n_episodes + 3
    assert (baseline["n_failed"], baseline["n_skipped"], baseline["n_pending"]) == (1, 1, 1)
    prompts = coverage["prompts"]
    assert prompts["n_inferences"] == prompts["n_planned_inferences"] == n_episodes * 2 * PLANTED.n_frames
    assert prompts["n_ok"] + prompts["n_vacuous"] + prompts["n_nan"] == prompts["n_inferences"]
    assert prompts["n_nan"] == 1
    assert prompts["n_vacuous"] == 14 * PLANTED.n_frames


def test_words_attend_to_regions_that_sum_to_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    sums = (
        mart(warehouse, "word_attention")
        .group_by("episode_id", "layer", "word_index")
        .agg(pl.col("mass").sum())
    )
    assert sums["mass"].to_numpy() == pytest.approx(1.0, abs=1e-6)
    assert sums["word_index"].n_unique() == 3


def test_the_gallery_finds_its_pictures(warehouse: duckdb.DuckDBPyConnection) -> None:
    gallery = mart(warehouse, "frame_gallery")
    assert gallery["picture"].is_not_null().all()
    assert gallery["mask"].is_not_null().all()
    assert set(gallery["condition_id"].str.split(":").list.first()) == {"baseline", "prompt"}
    assert set(gallery["head"]) == {-1, 0}, "the mean over heads and each head, not their maximum"
    key = [
        "episode_id",
        "frame_index",
        "camera",
        "condition_id",
        "pass",
        "denoise_step",
        "layer",
        "head",
        "query",
    ]
    assert gallery.select(key).is_duplicated().sum() == 0


def test_what_was_asked_and_done_at_a_frame(
    warehouse: duckdb.DuckDBPyConnection, counted: pl.DataFrame
) -> None:
    expected = counted.filter(pl.col("condition_id").str.contains("^(baseline|prompt):"))
    columns = ["episode_id", "frame_index", "condition_id", "prompt", "actions"]
    order = columns[:3]
    found = mart(warehouse, "frame_inferences")
    assert_frame_equal(found.select(columns).sort(order), expected.select(columns).sort(order))
    assert found.select(order).is_duplicated().sum() == 0
