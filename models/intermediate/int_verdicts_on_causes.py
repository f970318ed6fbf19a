"""Verdicts H1, H1k and H2.2: the rules of `measures.verdicts_causal` on the numbers of the marts."""

import math
from typing import Any

import polars as pl

from measures import verdicts_causal
from measures.verdict import Verdict, insufficient, not_applicable
from sql.verdict_tables import Rule, Run, Tables, nothing_done, number, verdict_table


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    tables = {
        "paired": dbt.ref("paired_tests").pl(),
        "occlusions": dbt.ref("int_occlusions_compared").pl(),
        "experiments": dbt.ref("effects_by_condition").pl(),
        "answers": dbt.ref("answers_by_question").pl(),
        "conditions": dbt.ref("conditions").pl(),
        "coverage": dbt.ref("coverage").pl(),
    }
    return verdict_table(dbt.ref("runs").pl(), tables, RULES)


def causal(run: Run, tables: Tables, hypothesis: str, estimand: str, kind: str) -> Verdict:
    """H1 and H1k: every layer, camera and fill, or every cut, is a test of one family."""
    missing = experiment_missing(tables, kind)
    if missing:
        return missing
    tested = tables["paired"].filter((pl.col("hypothesis") == hypothesis) & (pl.col("estimand") == estimand))
    if tested.is_empty():
        return nothing_done(tables) or insufficient(
            0, None, f"no {kind} was run with a control to compare with"
        )
    noise = (
        tables["experiments"]
        .filter(pl.col("condition_kind") == "noise")["mean_mse_standardised"]
        .drop_nulls()
    )
    columns = ["estimate", "p_holm", "low", "high"]
    estimate, p, low, high = (
        tested[name].cast(pl.Float64).fill_null(math.nan).to_numpy() for name in columns
    )
    return verdicts_causal.causal(
        estimate,
        p,
        tested["n_episodes"].to_numpy(),
        [test_name(row) for row in tested.iter_rows(named=True)],
        float(noise.mean()) if len(noise) else None,  # type: ignore[arg-type]
        low,
        high,
        run["min_episodes"],
        run["alpha"],
    )


def test_name(row: Run) -> str:
    layer = "all layers" if row["layer"] is None else f"L{row['layer']}"
    camera = "" if row["camera"] is None else f", camera {row['camera']}"
    return f"{row['condition_id']} ({layer}{camera})"


def h1_seed(run: Run, tables: Tables) -> Verdict:
    missing = experiment_missing(tables, "occlusion")
    if missing:
        return missing
    counted = tables["occlusions"].filter(
        ~pl.col("is_last_prefix_layer") & (pl.col("fill") == "black") & pl.col("fidelity_seed").is_not_null()
    )
    if counted.is_empty():
        return nothing_done(tables) or not_applicable(
            "the study leaves out the seed's arms, or does not fill with black"
        )
    # Cameras that were covered one at a time count as one episode's mean.
    episodes = counted.group_by("layer", "episode_id").agg(pl.col("fidelity_seed").mean())
    by_layer = {
        layer: frame.sort("episode_id")["fidelity_seed"].to_list()
        for (layer,), frame in episodes.sort("layer").group_by("layer", maintain_order=True)
    }
    return verdicts_causal.fidelity_seed(
        list(by_layer), list(by_layer.values()), run["min_episodes"], run["alpha"]
    )


def h2_2(run: Run, tables: Tables) -> Verdict:
    missing = experiment_missing(tables, "vqa")
    if missing:
        return missing
    if tables["answers"].is_empty():
        return not_applicable("the model gave no answers that have a known right one")
    best = (
        tables["answers"]
        .sort("low", "condition_id", nulls_last=True, descending=[True, False])
        .row(0, named=True)
    )
    difference, low, high, accuracy, majority = (
        number(best[name])
        for name in ("mean_difference", "low", "high", "mean_accuracy", "mean_majority_accuracy")
    )
    verdict = verdicts_causal.answers(
        difference, low, high, accuracy, majority, best["n_episodes"], run["min_episodes"]
    )
    return verdict._replace(because=f"{best['condition_id']}: {verdict.because}")


def experiment_missing(tables: Tables, kind: str) -> Verdict | None:
    lacking = {
        "occlusion": "the study has no occlusion",
        "knockout": "the study has no knock-out",
        "vqa": "the study asks the model no questions (vqa)",
    }
    return None if kind in set(tables["conditions"]["kind"]) else not_applicable(lacking[kind])


def h1(run: Run, tables: Tables) -> Verdict:
    return causal(run, tables, "H1", "error_high_minus_control", "occlusion")


def h1k(run: Run, tables: Tables) -> Verdict:
    return causal(run, tables, "H1k", "error_cut_minus_control", "knockout")


RULES: dict[tuple[str, str], Rule] = {
    ("H1", "ours"): h1,
    ("H1", "seed"): h1_seed,
    ("H1k", "ours"): h1k,
    ("H2.2", "ours"): h2_2,
}
