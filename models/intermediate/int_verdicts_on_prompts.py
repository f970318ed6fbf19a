"""Verdict H2.1: the rules of `measures.verdicts` and `measures.verdicts_seed` on the numbers of the marts."""

from typing import Any

import numpy as np
import polars as pl

from measures import verdicts, verdicts_seed
from measures.verdict import Outcome, Verdict, insufficient, not_applicable
from sql.verdict_tables import Rule, Run, Tables, nothing_done, over_layers, verdict_table

OF_WORDS = (pl.col("pass") == "prefix") & (pl.col("query") == "instruction")


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    tables = {
        "cameras": dbt.ref("int_main_cameras").pl(),
        "paired": dbt.ref("paired_tests").pl().filter(OF_WORDS | pl.col("pass").is_null()),
        "shifts": dbt.ref("prompt_shift_by_episode").pl().filter(OF_WORDS),
        "queries": dbt.ref("stg_raw__queries")
        .pl()
        .filter((pl.col("pass") == "prefix") & (pl.col("name") == "instruction")),
        "conditions": dbt.ref("conditions").pl(),
        "coverage": dbt.ref("coverage").pl(),
    }
    return verdict_table(dbt.ref("runs").pl(), tables, RULES)


def h2_1(run: Run, tables: Tables) -> Verdict:
    missing = prompts_missing(tables, needs_paraphrases=True)
    if missing:
        return missing
    tested = tables["paired"].filter(
        (pl.col("hypothesis") == "H2.1") & (pl.col("camera") == main_camera(tables))
    )
    actions = (
        tables["paired"].filter(pl.col("estimand") == "action_mse_minus_paraphrase")["p_holm"].drop_nulls()
    )
    verdict = prompt_verdict(
        run,
        tested.filter(pl.col("estimand") == "jsd_minus_paraphrase"),
        "JSD above paraphrases (nats)",
        float(actions.min()) if len(actions) else None,  # type: ignore[arg-type]
    )
    gained = tested.filter(pl.col("estimand") == "mass_gain_named")
    gain = prompt_verdict(run, gained, "mass gained by the newly named object")
    if gain.verdict is not Outcome.INSUFFICIENT:
        verdict = verdict._replace(because=f"{verdict.because}. Of the newly named object: {gain.because}")
    return seen_by(tables, verdict)


def prompt_verdict(run: Run, tested: pl.DataFrame, estimand: str, actions_p: float | None = None) -> Verdict:
    """The rule over layers x prompts, with the prompts called by their names."""
    prompts = tested["condition_id"].unique().sort().to_list()
    columns = {
        name: np.stack(
            [
                over_layers(tested.filter(pl.col("condition_id") == prompt), name, run["n_layers"])
                for prompt in prompts
            ],
            axis=1,
        )
        if prompts
        else np.full((run["n_layers"], 1), np.nan)
        for name in ("estimate", "p_holm", "n_episodes", "low", "high")
    }
    verdict = verdicts.h2_1(
        columns["estimate"],
        columns["p_holm"],
        np.nan_to_num(columns["n_episodes"]).astype(int),
        columns["low"],
        columns["high"],
        run["min_episodes"],
        run["alpha"],
        estimand,
        actions_p,
    )
    because = verdict.because
    for number, prompt in reversed(list(enumerate(prompts, start=1))):
        because = because.replace(f"under prompt {number}", f"under {prompt}")
    return verdict._replace(because=because)


def h2_1_seed(run: Run, tables: Tables) -> Verdict:
    missing = prompts_missing(tables, needs_paraphrases=False)
    if missing:
        return missing
    shifts = counterfactuals(tables).filter(
        ~pl.col("is_last_prefix_layer")
        & (pl.col("rows") == "max")
        & (pl.col("camera") == main_camera(tables))
    )
    measured = ["l2_distance", "correlation", "centroid_shift_px"]
    # Prompts first, then episodes: the episode is the unit.
    layers = shifts.group_by("layer", "episode_id").agg(pl.col(measured).mean())
    layers = layers.group_by("layer").agg(pl.col(measured).mean())
    l2, correlation, centroid_px = (over_layers(layers, name, run["n_layers"]) for name in measured)
    n_rows = int(tables["queries"]["n_rows"].max() or 0)  # type: ignore[arg-type]
    n_episodes = shifts["episode_id"].n_unique()
    verdict = verdicts_seed.h2_1(l2, correlation, centroid_px, n_episodes, n_rows, run["min_episodes"])
    return seen_by(tables, verdict)


def counterfactuals(tables: Tables) -> pl.DataFrame:
    """Shifts under prompts that ask for something else than the baseline does."""
    return tables["shifts"].filter((pl.col("condition_kind") == "prompt") & ~pl.col("is_same_object"))


def prompts_missing(tables: Tables, needs_paraphrases: bool) -> Verdict | None:
    kinds = set(tables["conditions"]["kind"])
    if "prompt" not in kinds:
        return not_applicable("the study has no changed prompts")
    if needs_paraphrases and "paraphrase" not in kinds:
        return not_applicable("the study has no paraphrases to compare with")
    if counterfactuals(tables).is_empty():
        return nothing_done(tables) or insufficient(0, None, "no changed prompt gave a map to compare")
    return None


def main_camera(tables: Tables) -> str | None:
    return next(iter(tables["cameras"]["camera"]), None)


def seen_by(tables: Tables, verdict: Verdict) -> Verdict:
    return verdict._replace(because=f"{main_camera(tables)} camera: {verdict.because}")


RULES: dict[tuple[str, str], Rule] = {
    ("H2.1", "ours"): h2_1,
    ("H2.1", "seed"): h2_1_seed,
}
