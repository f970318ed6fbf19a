"""The synthetic marts that follow from others: by layer, intervals, tests, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from tests.reports.synthetic_results import groups, insert, interval, welch

if TYPE_CHECKING:
    from tests.reports.synthetic import Shape

BY_LAYER = """
insert into marts.object_attention_by_layer by name
with every_outcome as (select * from marts.object_attention_by_episode
              union all by name select * replace ('all' as outcome) from marts.object_attention_by_episode)
select run_id, outcome, pass, denoise_step, layer, query, "rows", camera, role, against, count(*) as n_episodes,
    avg(area_share) as mean_area_share, avg(mass_share) as mean_mass_share, stddev_samp(mass_share) as std_mass_share, avg(lift) as mean_lift,
    stddev_samp(lift) as std_lift, avg(log_lift) as mean_log_lift, stddev_samp(log_lift) as std_log_lift,
    avg(overlap_ratio_seed) as mean_overlap_ratio_seed, stddev_pop(overlap_ratio_seed) as std_overlap_ratio_seed,
    avg(attention_concentration_seed) as mean_attention_concentration_seed,
    stddev_pop(attention_concentration_seed) as std_attention_concentration_seed, avg(iou_seed) as mean_iou_seed,
    stddev_pop(iou_seed) as std_iou_seed, avg(pointing_hit) as mean_pointing_hit, stddev_samp(pointing_hit) as std_pointing_hit,
    case when avg(overlap_ratio_seed) > .5 then 'strong' when avg(overlap_ratio_seed) < .2 then 'diffuse' end as label_overlap_seed,
    any_value(is_last_prefix_layer) as is_last_prefix_layer
from every_outcome where outcome is not null group by all;

insert into marts.prompt_shift_by_layer by name
with every_outcome as (select * from marts.prompt_shift_by_episode
              union all by name select * replace ('all' as outcome) from marts.prompt_shift_by_episode)
select run_id, outcome, condition_id, condition_kind, pass, denoise_step, layer, query, "rows", camera, count(*) as n_episodes,
    avg(l2_distance) as mean_l2_distance, avg(correlation) as mean_correlation, avg(centroid_shift_px) as mean_centroid_shift_px,
    avg(jsd) as mean_jsd, stddev_samp(jsd) as std_jsd, avg(total_variation) as mean_total_variation,
    avg(mass_gain_named) as mean_mass_gain_named, avg(shift_magnitude) as mean_shift_magnitude,
    any_value(is_last_prefix_layer) as is_last_prefix_layer
from every_outcome where outcome is not null group by all;
"""


def by_layer(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(BY_LAYER)


def band(low: float | None, high: float | None) -> str | None:
    if low is None or high is None:
        return None
    if low > np.log(1.5):
        return "visual"
    if high < np.log(0.67):
        return "linguistic"
    return "balanced" if low > np.log(0.67) and high < np.log(1.5) else None


def intervals_and_tests(con: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    run = shape.run_id
    tests: list[dict[str, Any]] = []
    intervals: list[dict[str, Any]] = []
    paired: list[dict[str, Any]] = []
    metrics = {"log_lift": "mean", "lift": "mean", "mass_share": "mean", "overlap_ratio_seed": "max",
               "attention_concentration_seed": "max", "iou_seed": "max"}  # fmt: skip
    for metric, kind in metrics.items():
        for g in groups(
            con,
            f"""
            select pass, denoise_step, layer, query, "rows", camera, list({metric} order by episode_id) as x,
                   list(outcome order by episode_id) as outcomes
            from marts.object_attention_by_episode where role = 'target' and against = 'own' and "rows" = '{kind}'
            group by all order by all""",
        ):
            x, outcomes = np.array(g.pop("x")), np.array(g.pop("outcomes"))
            key = {"run_id": run, "family": metric, "metric": metric, **g}
            parts = {"success": x[outcomes == "success"], "failure": x[outcomes == "failure"], "all": x}
            for outcome, values in parts.items():
                if len(values):
                    i = interval(values)
                    intervals.append({**key, "role": "target", "outcome": outcome, "n": len(values), "estimate": i["estimate"],
                                      "bca_low": i["low"], "bca_high": i["high"], "percentile_low": i["low"],
                                      "percentile_high": i["high"], "n_resamples": 10000, "seed": 42})  # fmt: skip
            if metric != "lift" and len(parts["failure"]):
                t = welch(parts["success"], parts["failure"])
                p = t.get("p_welch")
                corrected = None if p is None else min(1.0, p * shape.n_layers)
                tests.append({**key, "n_success": len(parts["success"]), "n_failure": len(parts["failure"]),
                              "mean_success": parts["success"].mean(), "mean_failure": parts["failure"].mean(),
                              "difference": parts["success"].mean() - parts["failure"].mean(), **t, "p_welch_holm": corrected,
                              "p_welch_bh": corrected, "p_permutation_holm": corrected, "p_permutation_bh": corrected,
                              "family_size": shape.n_layers, "is_small_n": len(x) < 40,
                              "settings": '{"seed": 42, "n_permutations": 10000}'})  # fmt: skip
    add_paired(con, run, paired, shape)
    add_modality(con, run)
    insert(con, "outcome_tests", tests)
    insert(con, "bootstrap_intervals", intervals)
    insert(con, "paired_tests", paired)


def add_paired(con: duckdb.DuckDBPyConnection, run: str, paired: list[dict[str, Any]], shape: Shape) -> None:
    def add(hypothesis: str, estimand: str, g: dict[str, Any]) -> None:
        x = np.array(g.pop("x"))
        i = interval(x)
        p = float(2 * (x.mean() <= 0)) if len(x) < 3 else 0.0004
        paired.append({"run_id": run, "hypothesis": hypothesis, "family": estimand, "estimand": estimand, **g,
                       "n_episodes": len(x), **i, "p": p, "p_holm": min(1.0, p * shape.n_layers), "p_bh": p,
                       "family_size": shape.n_layers, "alternative": "greater", "is_small_n": len(x) < 20})  # fmt: skip

    table = "marts.object_attention_by_episode"
    keys = 'a.pass, a.denoise_step, a.layer, a.query, a."rows", a.camera'
    join = 'using (run_id, episode_id, pass, denoise_step, layer, query, "rows", camera'
    for g in groups(
        con,
        f"""select {keys}, list(a.log_lift - b.log_lift) as x from {table} a join {table} b {join}, role)
            where a.role = 'target' and a.against = 'own' and b.against = 'other_episode' and a."rows" = 'mean'
              and not a.is_last_prefix_layer group by all order by all""",
    ):
        add("H1.1", "target_log_lift_minus_other_episode", g)
    for g in groups(
        con,
        f"""select {keys}, list(a.log_lift - b.log_lift) as x from {table} a join {table} b {join}, against)
            where a.role = 'target' and a.against = 'own' and b.role = 'distractor' and a."rows" = 'mean'
              and not a.is_last_prefix_layer group by all order by all""",
    ):
        add("H1.1", "target_minus_distractors", g)
    shift = "marts.prompt_shift_by_episode"
    for g in groups(
        con,
        f"""select {keys}, a.condition_id, list(a.jsd - b.jsd) as x from {shift} a join {shift} b {join})
            where a.condition_kind = 'prompt' and b.condition_kind = 'paraphrase' and a."rows" = 'mean'
              and not a.is_last_prefix_layer group by all order by all""",
    ):
        add("H2.1", "jsd_minus_paraphrase", g)
    for g in groups(
        con,
        f"""select {keys}, a.condition_id, list(a.mass_gain_named) as x from {shift} a
            where a.condition_kind = 'prompt' and a."rows" = 'mean' and not a.is_last_prefix_layer
            group by all order by all""",
    ):
        add("H2.1", "mass_gain_named", g)
    conditions = groups(con, f"select distinct condition_id, condition_kind from {shift} order by all")
    for i, c in enumerate(conditions):
        mean = 0.02 if c["condition_kind"] == "paraphrase" else 0.3 + 0.05 * i
        insert(con, "action_shift_by_condition", [{**c, "run_id": run, "outcome": "all", "n_episodes": 18, "mean_mse": mean,
               "mean_mse_standardised": 2 * mean, "low": 1.7 * mean, "high": 2.4 * mean}])  # fmt: skip
        if c["condition_kind"] == "prompt":
            paired.append({"run_id": run, "hypothesis": "H2.1", "family": "action", "estimand": "action_mse_minus_paraphrase",
                           "condition_id": c["condition_id"], "n_episodes": 18, "estimate": 2 * mean - 0.04,
                           "low": 1.7 * mean - 0.04, "high": 2.4 * mean - 0.04, "p": 0.001, "p_holm": 0.004, "p_bh": 0.001,
                           "family_size": 4, "alternative": "greater", "is_small_n": True})  # fmt: skip


def add_modality(con: duckdb.DuckDBPyConnection, run: str) -> None:
    source = "marts.modality_balance_by_episode"
    means = ", ".join(
        [
            f"avg({m}_mass) as mean_{m}_mass"
            for m in ("visual", "linguistic", "state", "action", "other", "letterbox")
        ]
        + [f"avg(density_lift_{m}) as mean_density_lift_{m}" for m in ("visual", "linguistic")]
    )
    for table, extra, rows in (
        ("modality_balance_by_layer", "outcome",
         f"(select * from {source} union all by name select * replace ('all' as outcome) from {source})"),
        ("modality_balance_by_task", "task, outcome", f"(select * replace ('all' as outcome) from {source})"),
        ("modality_balance_by_suite", "suite", source),
    ):  # fmt: skip
        out = []
        for g in groups(
            con,
            f"""select denoise_step, layer, {extra}, {means}, list(ln(ratio_of_means)) as x from {rows}
                where outcome is not null group by all order by all""",
        ):
            x = np.array(g.pop("x"))
            i = interval(x)
            third = None if g["layer"] < 0 else ("early", "middle", "late")[min(2, g["layer"] * 3 // 8)]
            out.append({"run_id": run, **g, "n_episodes": len(x), "ratio_of_means": g["mean_visual_mass"] / g["mean_linguistic_mass"],
                        "log_ratio": i["estimate"], "low": i["low"], "high": i["high"], "band": band(i["low"], i["high"]),
                        "depth_third": third})  # fmt: skip
        insert(con, table, out)


def verdicts(con: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    n, camera = shape.n_success + shape.n_failure, shape.cameras[-1]
    rich = n >= 20
    objects = "insufficient data" if shape.masks else "not applicable"
    rows = [
        ("H1.1", "ours", "supported" if rich and shape.masks else objects,
         "Does the instruction look at the object it names?", 9.4, 7.1, 12.0, "lift",
         "7 layers have a mean lift of at least 1.5; the third best, L1, has mean lift 9.4 [7.1, 12], p = 0.0004"),
        ("H1.1", "seed", "not supported", "Does the instruction look at the object it names?", 0.23, None, None,
         "overlap ratio", "overlap is over 0.5 in 0 layers (3 needed)"),
        ("H1.1b", "ours", "not supported" if rich else "insufficient data",
         "Does attention on the target differ between success and failure?", 0.42, -0.15, 0.99, "Hedges g of the log lift",
         "0 of 7 layers have corrected p < 0.05; the clearest, L2, has g 0.42 [-0.15, 0.99], p = 0.21"),
        ("H2.1", "ours", ("supported" if rich else "insufficient data") if shape.prompts else "not applicable",
         "Does a changed prompt move attention?", 0.21, 0.18, 0.25, "JSD, nats",
         "2 of 4 tests; the clearest, L1 under prompt:cat, has JSD above paraphrases (nats) 0.21 [0.18, 0.25], p = 0.002"),
        ("M", "ours", "supported" if rich else "insufficient data", "Do actions attend to vision or to language?", 2.5, 2.2, 2.9,
         "visual / linguistic ratio", "at denoising step 4, mean over layers: the visual/linguistic ratio is 2.5 [2.2, 2.9]: visual band"),
        ("H1", "ours", "supported", "Is high attention causal?", 0.38, 0.3, 0.5, "standardised squared error of the actions",
         "2 of 4 tests; the clearest, occlusion:black (L1, camera together), has error above controls 0.38 [0.3, 0.5], p = 0.001")
        if shape.prompts and rich
        else ("H1", "ours", "not applicable", "Is high attention causal?", None, None, None, None, "The study has no occlusion."),
        ("H3", "ours", "supported" if rich and shape.masks else objects, "Does attention move in the course of an episode?", 0.07, 0.05, 0.08,
         "change of the target's mass share, an episode or an action token",
         "2 of 3 tests; the clearest, L1 from the first third to the last, has a change of the share on the target of 0.07 [0.05, 0.08]"),
        ("H4", "ours", "supported" if rich and shape.masks else objects, "Do heads specialise?", 0.69, 0.64, 0.75,
         "share of variance between heads", "0.69 [0.64, 0.75] of the variance lies between heads"),
        ("H2.2", "ours", "not applicable", "Can the model say what it sees?", None, None, None, None, "The study asks no questions."),
    ]  # fmt: skip
    sees = ("H1.1", "H1.1b", "H2.1", "H3", "H4")
    insert(con, "hypothesis_verdicts", [
        {"run_id": shape.run_id, "hypothesis": h, "criteria": c, "verdict": v, "question": q, "estimate": e, "low": lo, "high": hi,
         "estimate_unit": u, "n": n, "family_size": shape.n_layers, "camera": camera if h in sees else None,
         "because": f"{camera} camera: {b}" if h in sees else b, "query": "select 1"}
        for h, c, v, q, e, lo, hi, u, b in rows])  # fmt: skip
