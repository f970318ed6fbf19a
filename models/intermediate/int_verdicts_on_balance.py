"""Verdict M: the rules of `measures.verdicts` and `measures.verdicts_seed` on the numbers of the marts."""

import math
from typing import Any

import polars as pl

from measures import verdicts, verdicts_seed
from measures.verdict import Verdict, not_applicable
from sql.verdict_tables import Rule, Run, Tables, nothing_done, number, verdict_table

WORDS_ELSEWHERE = (
    "words are read by a cross-attention of its own, whose shares are no shares of the self-attention; "
    "modality_balance_by_layer has both"
)


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    tables = {
        "balance": dbt.ref("modality_balance_by_layer").pl().filter(pl.col("outcome") == "all"),
        "coverage": dbt.ref("coverage").pl(),
    }
    return verdict_table(dbt.ref("runs").pl(), tables, RULES)


def modality(run: Run, tables: Tables) -> Verdict:
    average = layers_average(tables)
    if isinstance(average, Verdict):
        return average
    if average["mean_linguistic_mass"] is None:
        return not_applicable(WORDS_ELSEWHERE)
    step, min_episodes = average["denoise_step"], run["min_episodes"]
    layers = tables["balance"].filter((pl.col("denoise_step") == step) & (pl.col("layer") >= 0)).sort("layer")
    log_ratio, low, high = (number(average[name]) for name in ("log_ratio", "low", "high"))
    layer_low, layer_high = (
        layers[name].cast(pl.Float64).fill_null(math.nan).to_list() for name in ("low", "high")
    )
    verdict = verdicts.modality(
        log_ratio, low, high, average["n_episodes"], layer_low, layer_high, min_episodes
    )
    return at_step(average, verdict)


def modality_seed(run: Run, tables: Tables) -> Verdict:
    average = layers_average(tables)
    if isinstance(average, Verdict):
        return average
    mean_ratio = number(average["mean_ratio_seed"])
    return at_step(average, verdicts_seed.modality(mean_ratio, average["n_episodes"], run["min_episodes"]))


def layers_average(tables: Tables) -> Run | Verdict:
    """The layers_avg row of the last denoising step captured: the one next to the actions that are carried out."""
    rows = tables["balance"].filter(pl.col("layer") == -1).sort("denoise_step")
    if rows.is_empty():
        return nothing_done(tables) or not_applicable("attention of the action tokens was not captured")
    return rows.row(-1, named=True)


def at_step(average: Run, verdict: Verdict) -> Verdict:
    return verdict._replace(
        because=f"at denoising step {average['denoise_step']}, mean over layers: {verdict.because}"
    )


RULES: dict[tuple[str, str], Rule] = {
    ("M", "ours"): modality,
    ("M", "seed"): modality_seed,
}
