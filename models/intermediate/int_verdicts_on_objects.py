"""Verdicts H1.1 and H1.1b: the rules of `measures.verdicts` and `measures.verdicts_seed` on the numbers of the marts."""

from typing import Any

import numpy as np
import polars as pl

from measures import verdicts, verdicts_seed
from measures.verdict import Verdict, not_applicable
from sql.verdict_tables import Rule, Run, Tables, nothing_done, over_layers, verdict_table

OF_WORDS = (pl.col("pass") == "prefix") & (pl.col("query") == "instruction")


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    tables = {
        "cameras": dbt.ref("int_main_cameras").pl(),
        "objects": dbt.ref("object_attention_by_layer")
        .pl()
        .filter(
            OF_WORDS
            & (pl.col("outcome") == "all")
            & (pl.col("role") == "target")
            & (pl.col("against") == "own")
        ),
        "tests": dbt.ref("outcome_tests").pl().filter(OF_WORDS),
        "intervals": dbt.ref("bootstrap_intervals")
        .pl()
        .filter(
            OF_WORDS
            & (pl.col("topic") == "object attention")
            & (pl.col("metric") == "overlap_ratio_seed")
            & (pl.col("outcome") == "all")
            & (pl.col("role") == "target")
        ),
        "paired": dbt.ref("paired_tests").pl().filter(OF_WORDS),
        "episodes": dbt.ref("episodes").pl(),
        "coverage": dbt.ref("coverage").pl(),
    }
    return verdict_table(dbt.ref("runs").pl(), tables, RULES)


def h1_1(run: Run, tables: Tables) -> Verdict:
    missing = objects_missing(tables)
    if missing:
        return missing
    of_camera = tables["paired"].filter(pl.col("camera") == main_camera(tables))
    lift = of_camera.filter(pl.col("estimand") == "target_lift")
    tested = of_camera.filter(pl.col("estimand") == "target_log_lift_minus_other_episode")
    if tested.is_empty():
        return not_applicable("there are no masks of other episodes to compare the target's with")
    n_layers = run["n_layers"]
    verdict = verdicts.h1_1(
        over_layers(lift, "estimate", n_layers),
        over_layers(tested, "p_holm", n_layers),
        np.nan_to_num(over_layers(tested, "n_episodes", n_layers)).astype(int),
        over_layers(lift, "low", n_layers),
        over_layers(lift, "high", n_layers),
        min_episodes=run["min_episodes"],
        alpha=run["alpha"],
    )
    return seen_by(tables, verdict)


def h1_1_seed(run: Run, tables: Tables) -> Verdict:
    missing = objects_missing(tables) or outcomes_missing(tables)
    if missing:
        return missing
    counted = (
        ~pl.col("is_last_prefix_layer")
        & (pl.col("rows") == "max")
        & (pl.col("camera") == main_camera(tables))
    )
    layers, intervals = (tables[name].filter(counted) for name in ("objects", "intervals"))
    tests = outcome_tests(tables, "overlap_ratio_seed")
    n_layers = run["n_layers"]
    verdict = verdicts_seed.h1_1(
        over_layers(layers, "mean_overlap_ratio_seed", n_layers),
        over_layers(layers, "mean_attention_concentration_seed", n_layers),
        over_layers(tests, "p_student_seed", n_layers),
        *outcome_counts(tests),
        over_layers(intervals, "percentile_low", n_layers),
        over_layers(intervals, "percentile_high", n_layers),
        min_episodes=run["min_episodes"],
        alpha=run["alpha"],
    )
    return seen_by(tables, verdict)


def h1_1b(run: Run, tables: Tables) -> Verdict:
    missing = objects_missing(tables) or outcomes_missing(tables)
    if missing:
        return missing
    tests = outcome_tests(tables, "log_lift")
    columns = ["hedges_g", "p_welch_holm", "p_permutation_holm", "g_low", "g_high"]
    g, p_welch, p_permutation, low, high = (over_layers(tests, name, run["n_layers"]) for name in columns)
    n_success, n_failure = outcome_counts(tests)
    verdict = verdicts.h1_1b(
        g, p_welch, p_permutation, n_success, n_failure, low, high, run["min_episodes"], run["alpha"]
    )
    return seen_by(tables, verdict)


def h1_1b_seed(run: Run, tables: Tables) -> Verdict:
    missing = objects_missing(tables) or outcomes_missing(tables)
    if missing:
        return missing
    tests = outcome_tests(tables, "overlap_ratio_seed")
    verdict = verdicts_seed.h1_1b(
        over_layers(tests, "cohens_d_seed", run["n_layers"]),
        over_layers(tests, "p_student_seed", run["n_layers"]),
        *outcome_counts(tests),
        min_episodes=run["min_episodes"],
        alpha=run["alpha"],
    )
    return seen_by(tables, verdict)


def outcome_tests(tables: Tables, metric: str) -> pl.DataFrame:
    return tables["tests"].filter((pl.col("camera") == main_camera(tables)) & (pl.col("metric") == metric))


def outcome_counts(tests: pl.DataFrame) -> tuple[int, int]:
    """Successes and failures in the layer that has the fewest: a verdict over layers is only as good as that."""
    if tests.is_empty():
        return 0, 0
    fewest = tests.sort(pl.min_horizontal("n_success", "n_failure")).row(0, named=True)
    return int(fewest["n_success"]), int(fewest["n_failure"])


def objects_missing(tables: Tables) -> Verdict | None:
    if not tables["objects"].is_empty():
        return None
    return nothing_done(tables) or not_applicable(
        "no masks of the instruction's object with attention of its words"
    )


def outcomes_missing(tables: Tables) -> Verdict | None:
    if tables["episodes"]["outcome"].is_null().all():
        return not_applicable("the data set does not say which episodes succeeded")
    return None


def main_camera(tables: Tables) -> str | None:
    return next(iter(tables["cameras"]["camera"]), None)


def seen_by(tables: Tables, verdict: Verdict) -> Verdict:
    return verdict._replace(because=f"{main_camera(tables)} camera: {verdict.because}")


RULES: dict[tuple[str, str], Rule] = {
    ("H1.1", "ours"): h1_1,
    ("H1.1", "seed"): h1_1_seed,
    ("H1.1b", "ours"): h1_1b,
    ("H1.1b", "seed"): h1_1b_seed,
}
