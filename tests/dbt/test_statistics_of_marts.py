"""Tests, intervals and verdicts of the marts equal scipy, statsmodels and `measures` on the episode values."""

from __future__ import annotations

import hashlib
import json

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from measures.bootstrap import bootstrap_interval
from tests.dbt.synthetic import PLANTED, World
from tests.measures.scipy_seeds import seeded


def mart(warehouse: duckdb.DuckDBPyConnection, table: str, world: World = PLANTED) -> pl.DataFrame:
    return warehouse.table(f"marts.{table}").pl().filter(pl.col("run_id") == world.run_id)


def target(warehouse: duckdb.DuckDBPyConnection, rows: str, layer: int, against: str = "own") -> pl.DataFrame:
    """Episode values of the target under the instruction's words."""
    return (
        mart(warehouse, "object_attention_by_episode")
        .filter(
            (pl.col("pass") == "prefix")
            & (pl.col("role") == "target")
            & (pl.col("against") == against)
            & (pl.col("rows") == rows)
            & (pl.col("layer") == layer)
        )
        .sort("episode_id")
    )


@pytest.mark.parametrize(("metric", "rows"), [("log_lift", "mean"), ("overlap_ratio_seed", "max")])
def test_success_against_failure_is_what_scipy_says(
    warehouse: duckdb.DuckDBPyConnection, metric: str, rows: str
) -> None:
    tests = mart(warehouse, "outcome_tests").filter(
        (pl.col("pass") == "prefix") & (pl.col("metric") == metric)
    )
    assert tests["layer"].to_list() == [0, 1, 2, 3]
    for row in tests.iter_rows(named=True):
        values = target(warehouse, rows, row["layer"])
        success, failure = (
            values.filter(pl.col("outcome") == outcome)[metric].drop_nulls().to_numpy()
            for outcome in ("success", "failure")
        )
        assert (row["n_success"], row["n_failure"]) == (len(success), len(failure))
        assert row["difference"] == pytest.approx(success.mean() - failure.mean())
        assert row["p_student_seed"] == pytest.approx(stats.ttest_ind(success, failure).pvalue)
        assert row["p_welch"] == pytest.approx(stats.ttest_ind(success, failure, equal_var=False).pvalue)
        assert row["p_mann_whitney"] == pytest.approx(stats.mannwhitneyu(success, failure).pvalue)
        assert row["p_permutation"] == pytest.approx(row["p_welch"], abs=0.03)
        population = np.sqrt((success.var() + failure.var()) / 2)
        assert row["cohens_d_seed"] == pytest.approx((success.mean() - failure.mean()) / population)
        assert row["g_low"] < row["hedges_g"] < row["g_high"]
        assert not row["is_small_n"]
    for raw, holm, bh in [
        ("p_welch", "p_welch_holm", "p_welch_bh"),
        ("p_permutation", "p_permutation_holm", "p_permutation_bh"),
    ]:
        assert tests[holm].to_numpy() == pytest.approx(multipletests(tests[raw], method="holm")[1])
        assert tests[bh].to_numpy() == pytest.approx(multipletests(tests[raw], method="fdr_bh")[1])
    assert tests["family_size"].unique().to_list() == [4]
    assert json.loads(tests["settings"][0])["n_permutations"] == 10_000


def test_the_planted_difference_is_found_in_its_layer_alone(warehouse: duckdb.DuckDBPyConnection) -> None:
    tests = mart(warehouse, "outcome_tests").filter(
        (pl.col("pass") == "prefix") & (pl.col("metric") == "log_lift")
    )
    found = tests.filter(pl.col("p_permutation_holm") < 0.01)
    assert found["layer"].to_list() == list(PLANTED.success_layers)
    assert found["difference"][0] == pytest.approx(PLANTED.success_log_lift, abs=0.2)


def test_intervals_are_those_of_measures(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The stored seed and the values in the order of episode_id give the same numbers again."""
    intervals = mart(warehouse, "bootstrap_intervals").filter(
        (pl.col("topic") == "object attention")
        & (pl.col("metric") == "log_lift")
        & (pl.col("pass") == "prefix")
        & (pl.col("rows") == "mean")
        & (pl.col("role") == "target")
    )
    assert len(intervals) == 3 * PLANTED.n_layers
    for row in intervals.iter_rows(named=True):
        values = target(warehouse, "mean", row["layer"])
        if row["outcome"] != "all":
            values = values.filter(pl.col("outcome") == row["outcome"])
        settings = {"n_resamples": row["n_resamples"], "seed": row["seed"]}
        for method in ("percentile", "bca"):
            expected = bootstrap_interval(values["log_lift"], method=method, **settings)
            assert row["n"] == expected.n
            assert row["estimate"] == pytest.approx(expected.estimate)
            assert row[f"{method}_low"] == pytest.approx(expected.low, rel=1e-9)
            assert row[f"{method}_high"] == pytest.approx(expected.high, rel=1e-9)


def test_seeds_hang_on_the_run_and_on_n_alone(warehouse: duckdb.DuckDBPyConnection) -> None:
    """So that another group, or another run in the warehouse, changes no number."""
    pairs = warehouse.table("marts.bootstrap_intervals").project("n, seed").distinct().fetchall()
    assert len(pairs) > 3
    for n, seed in pairs:
        digest = hashlib.md5(f"{PLANTED.seed}|bootstrap|{n}".encode()).digest()
        assert seed == int.from_bytes(digest[8:], "little") % 2147483647


def test_paired_tests_flip_the_signs_of_episode_differences(warehouse: duckdb.DuckDBPyConnection) -> None:
    tests = mart(warehouse, "paired_tests").filter(
        (pl.col("estimand") == "target_log_lift_minus_other_episode") & (pl.col("pass") == "prefix")
    )
    assert tests["layer"].to_list() == [0, 1, 2, 3]
    for row in tests.iter_rows(named=True):
        own, elsewhere = (
            target(warehouse, "mean", row["layer"], against) for against in ("own", "other_episode")
        )
        both = own.join(elsewhere, on="episode_id", suffix="_elsewhere")
        differences = (both["log_lift"] - both["log_lift_elsewhere"]).drop_nulls().to_numpy()
        expected = stats.permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            alternative="greater",
            n_resamples=5000,
            **seeded(stats.permutation_test, 0),
        )
        assert row["n_episodes"] == len(differences)
        assert row["estimate"] == pytest.approx(differences.mean())
        assert row["p"] == pytest.approx(expected.pvalue, abs=0.03)
        assert row["low"] < row["estimate"] < row["high"]
    assert tests["p_holm"].to_numpy() == pytest.approx(multipletests(tests["p"], method="holm")[1])


def test_prompts_are_compared_with_paraphrases_of_the_same_episode(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    shifts = mart(warehouse, "prompt_shift_by_episode").filter(
        (pl.col("pass") == "prefix") & (pl.col("rows") == "mean") & (pl.col("layer") == 2)
    )
    # Two paraphrases an episode; those of a cat's episode that have the baseline's tokens were not run and count as 0.
    null = (
        shifts.filter(pl.col("condition_kind") == "paraphrase")
        .group_by("episode_id")
        .agg(pl.col("jsd").sum() / PLANTED.n_paraphrases, pl.len().alias("n"))
    )
    assert set(null["n"]) == {1, 2}
    asked = shifts.filter((pl.col("condition_id") == "prompt:banana") & ~pl.col("is_same_object"))
    both = asked.join(null, on="episode_id", suffix="_null")
    test = mart(warehouse, "paired_tests").row(
        by_predicate=(pl.col("estimand") == "jsd_minus_paraphrase")
        & (pl.col("pass") == "prefix")
        & (pl.col("condition_id") == "prompt:banana")
        & (pl.col("layer") == 2),
        named=True,
    )
    assert test["n_episodes"] == len(both)
    assert test["estimate"] == pytest.approx((both["jsd"] - both["jsd_null"]).mean())
    n_halved = int((both["n"] == 1).sum())
    paraphrase_jsd = PLANTED.paraphrase_jsd * (1 - n_halved / len(both) / 2)
    assert test["estimate"] == pytest.approx(PLANTED.prompt_jsd - paraphrase_jsd, abs=0.02)
    # Four layers count, two prompts.
    assert test["family_size"] == 8


def test_verdicts_find_what_was_planted(warehouse: duckdb.DuckDBPyConnection) -> None:
    verdicts = {
        (row["hypothesis"], row["criteria"]): row
        for row in mart(warehouse, "hypothesis_verdicts").iter_rows(named=True)
    }
    found = {key: row["verdict"] for key, row in verdicts.items()}
    assert found == {
        ("H1.1", "ours"): "supported",
        ("H1.1", "seed"): "not supported",
        ("H1.1b", "ours"): "supported",
        ("H1.1b", "seed"): "supported",
        ("H2.1", "ours"): "supported",
        ("H2.1", "seed"): "unreachable",
        ("M", "ours"): "not supported",
        ("M", "seed"): "not supported",
        **{(hypothesis, "ours"): "supported" for hypothesis in ("H2.2", "H1", "H1k")},
        **{(hypothesis, "ours"): "supported" for hypothesis in ("H3", "H4")},
        ("H1", "seed"): "supported",
    }
    lift = verdicts["H1.1", "ours"]
    assert lift["low"] < lift["estimate"] < lift["high"]
    assert lift["estimate"] == pytest.approx(PLANTED.lift, rel=0.3)
    assert lift["n"] == PLANTED.n_success + PLANTED.n_failure
    assert "under prompt:" in verdicts["H2.1", "ours"]["because"]


def test_a_modality_band_needs_its_whole_interval(warehouse: duckdb.DuckDBPyConnection) -> None:
    layers = mart(warehouse, "modality_balance_by_layer").filter(
        (pl.col("outcome") == "all") & (pl.col("denoise_step") == 4)
    )
    bands = dict(layers.select("layer", "band").rows())
    assert bands == {
        -1: "balanced",
        0: "visual",
        1: "visual",
        2: "balanced",
        3: "linguistic",
        4: "linguistic",
    }
    assert (layers["low"] < layers["log_ratio"]).all()
    assert dict(layers.select("layer", "depth_third").rows()) == {
        -1: None, 0: "early", 1: "early", 2: "middle", 3: "middle", 4: "late",
    }  # fmt: skip
    planted = np.log(np.array(PLANTED.visual) / np.array(PLANTED.linguistic))
    by_layer = layers.filter(pl.col("layer") >= 0).sort("layer")["log_ratio"]
    assert by_layer.to_numpy() == pytest.approx(planted, abs=0.1)
