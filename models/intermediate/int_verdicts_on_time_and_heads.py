"""Verdicts H3 and H4: the rules of `measures.verdicts_time` and `measures.verdicts_heads` on the numbers of the marts."""

from typing import Any

import numpy as np
import polars as pl

from measures import verdicts_heads, verdicts_time
from measures.verdict import Verdict, not_applicable
from sql.verdict_tables import Rule, Run, Tables, nothing_done, number, over_layers, verdict_table

OF_WORDS = (pl.col("pass") == "prefix") & (pl.col("query") == "instruction")


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    tables = {
        "cameras": dbt.ref("int_main_cameras").pl(),
        "targets": dbt.ref("object_attention_by_layer")
        .pl()
        .filter(OF_WORDS & (pl.col("role") == "target") & (pl.col("against") == "own")),
        "paired": dbt.ref("paired_tests").pl().filter(pl.col("hypothesis") == "H3"),
        "heads": dbt.ref("head_specialisation")
        .pl()
        .filter(OF_WORDS & (pl.col("measure") == "target_lift") & (pl.col("layer") == -1)),
        "coverage": dbt.ref("coverage").pl(),
    }
    return verdict_table(dbt.ref("runs").pl(), tables, RULES)


def h3(run: Run, tables: Tables) -> Verdict:
    """Thirds of the words' attention, and the slope over the action tokens at the last denoising step captured."""
    missing = targets_missing(tables)
    if missing:
        return missing
    tested = tables["paired"].filter(pl.col("camera") == main_camera(tables))
    thirds = tested.filter(OF_WORDS & (pl.col("estimand") == "target_share_last_minus_first_third"))
    slopes = tested.filter(pl.col("estimand") == "target_share_slope_over_action_tokens")
    slopes = slopes.filter(pl.col("denoise_step") == pl.col("denoise_step").max())
    lifts = tested.filter(OF_WORDS & (pl.col("estimand") == "target_log_lift_last_minus_first_third"))
    if thirds.is_empty() and slopes.is_empty():
        return not_applicable(
            "no episode has keyframes in its first and last third, nor single action tokens"
        )
    n_layers = run["n_layers"]
    change, p, n, low, high = (
        np.stack([over_layers(frame, name, n_layers) for frame in (thirds, slopes)], axis=1)
        for name in ("estimate", "p", "n_episodes", "low", "high")
    )
    verdict = verdicts_time.h3(
        change,
        p,
        np.nan_to_num(n).astype(int),
        low,
        high,
        over_layers(lifts, "estimate", n_layers),
        over_layers(lifts, "p", n_layers),
        run["min_episodes"],
        run["alpha"],
    )
    return seen_by(tables, verdict)


def h4(run: Run, tables: Tables) -> Verdict:
    missing = targets_missing(tables)
    if missing:
        return missing
    if run["n_heads"] < 2:
        return not_applicable("the model has one head a layer")
    heads = tables["heads"].filter(pl.col("camera") == main_camera(tables))
    if heads.is_empty():
        return not_applicable("no attention of single heads on masks is kept")
    row = heads.row(0, named=True)
    share, p, correlation, low, high = (
        number(row[name]) for name in ("share_between_heads", "p", "split_half_correlation", "low", "high")
    )
    verdict = verdicts_heads.h4(
        share, p, correlation, row["n_episodes"], low, high, run["min_episodes"], run["alpha"]
    )
    return seen_by(tables, verdict)


def targets_missing(tables: Tables) -> Verdict | None:
    if not tables["targets"].is_empty():
        return None
    return nothing_done(tables) or not_applicable(
        "no masks of the instruction's object with attention of its words"
    )


def main_camera(tables: Tables) -> str | None:
    return next(iter(tables["cameras"]["camera"]), None)


def seen_by(tables: Tables, verdict: Verdict) -> Verdict:
    return verdict._replace(because=f"{main_camera(tables)} camera: {verdict.because}")


RULES: dict[tuple[str, str], Rule] = {("H3", "ours"): h3, ("H4", "ours"): h4}
