"""The lower half of the object attention page: the seed's numbers and criteria, effect sizes, table of tests."""

from __future__ import annotations

from typing import Any

from reports import words
from reports.html.blocks import (
    Block,
    Checklist,
    Column,
    Criterion,
    Figure,
    Missing,
    Section,
    Table,
    TableBlock,
    text_column,
)
from reports.marts import answers
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages.tables import (
    LAYER,
    interval_table,
    paired_columns,
    range_text,
    test_columns,
    with_interval,
    with_reasons,
)
from reports.vega import charts, palette

METRICS = {
    "log_lift": "log lift",
    "mass_share": "mass share",
    "overlap_ratio_seed": "overlap (original)",
    "attention_concentration_seed": "concentration (original)",
    "iou_seed": "IoU (original)",
    "log_ratio": "log visual/linguistic ratio",
}
SEED = {
    "overlap_ratio_seed": ("overlap", 0.5),
    "attention_concentration_seed": ("concentration", 2.0),
    "iou_seed": ("IoU", 0.5),
}
PLURALS = {"success": "successes", "failure": "failures"}
LABELS = {
    "overlap_ratio_seed": "label_overlap_seed",
    "attention_concentration_seed": "label_concentration_seed",
    "iou_seed": "label_iou_seed",
}
ESTIMANDS = {
    "target_log_lift_minus_other_episode": "target minus other episodes, log lift",
    "target_minus_distractors": "target minus distractors, log lift",
    "target_lift": "lift of the target",
}


def sections(ctx: Context) -> list[Section]:
    """Effects of the outcome, the seed's numbers, and all tests."""
    tests = ctx.query("outcome_tests")
    seed = ctx.query("seed_by_layer")
    paired = ctx.query("paired_tests", hypothesis="H1.1")
    return [
        Section("outcomes", "Success against failure", outcome_words(ctx, tests), [*effect_figures(ctx, tests), *composition(ctx), tests_table(ctx, tests)]),
        Section(
            "seed", "The original protocol's measures and criteria",
            [
                "Computed as the original protocol says (rows joined by their maximum, cubic upsampling, maximum scaled to 1), words to image only.",
                *area_words(ctx, seed),
            ],
            [*criteria(ctx, seed, tests), *seed_figures(ctx, seed)],
        ),
        Section(
            "paired", "Tests of the target against the nulls",
            ["The episode is the unit. p-values are corrected over the layers of a family, which leaves out the last prefix layer."],
            [paired_table(ctx, paired, ESTIMANDS, "Target against the nulls, by layer", "H1.1")],
        ),
    ]  # fmt: skip


def outcome_words(ctx: Context, tests: Result) -> list[str]:
    """Whether outcomes differ, and how many tests there were."""
    rows = [r for r in tests if r["metric"] == "log_lift" and r["p_welch_holm"] is not None]
    if not rows:
        return []
    alpha = ctx.study.statistics["alpha"]
    passed = [r for r in rows if r["p_welch_holm"] < alpha]
    small = (
        " One outcome has fewer episodes than the study asks for, so this is no verdict."
        if any(r["is_small_n"] for r in rows)
        else ""
    )
    raw = [r for r in rows if r["p_welch"] < alpha]
    text = (
        f"{len(raw)} of {words.plural(len(rows), 'test')} of the log lift (Welch) are below {alpha:g} uncorrected; if success and "
        f"failure never differed, {words.brief(alpha * len(rows))} would be expected by chance. After Holm's correction within "
        f"families {len(passed)} remain{'s' if len(passed) == 1 else ''}{survivors(ctx, passed)}."
    )
    return [text + small]


def survivors(ctx: Context, rows: list[Row]) -> str:
    """': words, wrist, layers 1 and 5', for every family with a test that remains."""
    names = {(v.pass_, v.step): ctx.study.short_name(v) for v in ctx.study.views}
    families: dict[str, list[int]] = {}
    for r in rows:
        view = names.get((r["pass"], r["denoise_step"]), r["pass"])
        families.setdefault(f"{view}, {r['camera']}", []).append(r["layer"])
    parts = [f"{name}, {words.layers_named(layers)}" for name, layers in families.items()]
    return f": {'; '.join(parts)}" if parts else ""


def area_words(ctx: Context, seed: Result) -> list[str]:
    """That overlap is larger for larger objects, with the target's size in successes and failures."""
    parts = []
    for camera in ctx.study.cameras:
        areas = {
            outcome: next((r["mean_area_share"] for r in seed.where(camera=camera, outcome=outcome)), None)
            for outcome in ("success", "failure")
        }
        told = [f"{words.percent(v)} of it in {PLURALS[k]}" for k, v in areas.items() if v is not None]
        if told:
            parts.append(f"{camera} {words.listed(told)}")
    if not parts:
        return []
    return [
        "Overlap grows with the object's area (a flat map's overlap is the share of the map that the object covers), so "
        f"compare it only between objects of one size. Of the picture the target covers on average: {'; '.join(parts)}. Lift divides the area out."
    ]


def effect_figures(ctx: Context, tests: Result) -> list[Block]:
    """Hedges g of the log lift by layer, one chart a camera, the views as series."""
    views = {ctx.study.short_name(view): view for view in ctx.study.views}
    colours = dict(zip(views, ("#00866a", "#b8579a", "#7d6bb3", "#a67c00"), strict=False))
    found: list[Block] = []
    for camera in ctx.study.cameras:
        rows: list[Row] = []
        for name, view in views.items():
            picked = [r for r in tests.where(metric="log_lift", camera=camera) if view.of(r)]
            counted = [{**r, "n": (r["n_success"] or 0) + (r["n_failure"] or 0)} for r in picked]
            rows += with_interval(counted, series=name, y="hedges_g", low="g_low", high="g_high", n="n")
        if not rows:
            why = "An effect size needs at least 3 successes and 3 failures with masks."
            found.append(Missing(f"{camera}: effect of the outcome", f"Insufficient data: {why}"))
            continue
        spec = charts.intervals_by_layer(
            rows, colours=colours, y_title="Hedges g", references={"no difference": 0.0}
        )
        title = f"{camera}: how far success and failure are apart in the target's log lift"
        reading = (
            "Hedges g: the difference of the means in pooled standard deviations, without its small-sample bias; above 0, success "
            f"attends more. Bars are 95 % intervals (noncentral t), n = {words.extent([r['n'] for r in rows])} episodes."
        )
        found.append(
            Figure(title, spec, reading, title, interval_table(rows, "Hedges g", "what looks"), [tests])
        )
    return found


def composition(ctx: Context) -> list[Block]:
    """From which tasks and scenes the successes and failures come: what else could make the groups differ."""
    counts = ctx.query("outcomes_by_scenario")
    by_scenario = len({r["scenario"] for r in counts}) > 1
    if not any(r["n_success"] for r in counts) or not any(r["n_failure"] for r in counts):
        return []
    key = "scenario" if by_scenario else "task"
    rows = [
        {
            key: name,
            "n_success": sum(r["n_success"] for r in counts.where(**{key: name})),
            "n_failure": sum(r["n_failure"] for r in counts.where(**{key: name})),
            "kinds": ", ".join(sorted(_kinds(counts.where(**{key: name})))) or "none",
        }
        for name in dict.fromkeys(sorted(r[key] for r in counts))
    ]
    columns = [
        text_column(key, key),
        Column("n_success", "successes"),
        Column("n_failure", "failures"),
        text_column("kinds", "kinds of failure"),
    ]
    note = (
        "Outcomes are not dealt out at random: where a row holds mostly one of them, a difference between success and "
        f"failure may be one between {key}s. The permutation test exchanges episodes only within a task where tasks "
        "hold both outcomes."
    )
    return [
        TableBlock(f"Where successes and failures come from, by {key}", Table(columns, rows), [counts], note)
    ]


def _kinds(rows: list[Row]) -> set[str]:
    return {kind for r in rows if r["failure_kinds"] for kind in r["failure_kinds"].split(", ")}


def tests_table(ctx: Context, tests: Result) -> Block:
    """Every comparison of outcomes on objects, to be filtered."""
    names = {(v.pass_, v.step): ctx.study.name(v) for v in ctx.study.views}
    rows = [
        {
            **r,
            "metric_name": METRICS.get(r["metric"], r["metric"]),
            "view": names.get((r["pass"], r["denoise_step"]), f"{r['pass']} {r['denoise_step']}"),
            "g_range": range_text(r, "g_low", "g_high"),
        }
        for r in tests
        if r["metric"] != "log_ratio"
    ]
    if not rows:
        why = "Comparing outcomes needs successes and failures with masks; this study lacks one of them."
        return Missing(
            "Tests of success against failure", f"Insufficient data: {why}", "python -m ingest status"
        )
    filters = {"metric_name": METRICS["log_lift"], "view": rows[0]["view"], "camera": ctx.study.cameras[0]}
    filters |= answers.first_view_and_camera(ctx, "H1.1b")
    if not any(all(r[key] == value for key, value in filters.items()) for r in rows):
        filters = dict.fromkeys(filters, "")
    note = (
        "Every measure by layer. Student's t with equal variances is the original protocol's; Welch, Mann-Whitney and the permutation "
        "test are ours. Corrected within a family: the layers of one measure, view and camera."
    )
    return TableBlock(
        "All tests of success against failure",
        Table(with_reasons(test_columns(), rows), rows, filters),
        [tests],
        note,
    )


def paired_table(ctx: Context, paired: Result, names: dict[str, str], title: str, hypothesis: str) -> Block:
    """The paired tests of a hypothesis, to be filtered; at first it shows what the verdict rests on (`names`' first)."""
    views = {(v.pass_, v.step): ctx.study.name(v) for v in ctx.study.views}
    rows = [
        {
            **r,
            "estimand_name": names.get(r["estimand"], r["estimand"]),
            "view": views.get((r["pass"], r["denoise_step"]), "actions" if r["pass"] is None else r["pass"]),
            "condition": ctx.study.condition_names.get(r["condition_id"], r["condition_id"]),
            "range": range_text(r),
        }
        for r in paired
    ]
    if not rows:
        return Missing(title, "Insufficient data: no paired test could be made.", "python -m ingest status")
    columns = [
        c
        for c in paired_columns("")
        if c.key in ("estimand_name", "view") or any(r[c.key] is not None for r in rows)
    ]
    first = answers.first_view_and_camera(ctx, hypothesis) | {"estimand_name": next(iter(names.values()))}
    keys = ["estimand_name", *(["view"] if len({r["view"] for r in rows}) > 1 else [])]
    keys += [c.key for c in columns if c.key == "camera"]
    chosen = [r for r in rows if all(r[key] == first.get(key, r[key]) for key in keys)]
    filters = {key: first.get(key, "") if chosen else "" for key in keys}
    return TableBlock(title, Table(columns, rows, filters), [paired])


def seed_figures(ctx: Context, seed: Result) -> list[Block]:
    """Mean and standard deviation by layer, as in the seed."""
    found: list[Block] = []
    for metric, (name, threshold) in SEED.items():
        for camera in ctx.study.cameras:
            rows: list[Row] = []
            for outcome in ("success", "failure"):
                for r in seed.where(camera=camera, outcome=outcome):
                    mean, std = r[f"mean_{metric}"], r[f"std_{metric}"] or 0.0
                    if mean is not None:
                        rows.append(
                            {
                                "layer": r["layer"],
                                "series": outcome,
                                "y": mean,
                                "low": mean - std,
                                "high": mean + std,
                                "n": r["n_episodes"],
                                "label": r[LABELS[metric]],
                            }
                        )
            if not rows:
                continue
            spec = charts.intervals_by_layer(
                rows, colours=palette.OUTCOMES, y_title=name, references={f"strong: {threshold:g}" if metric != "iou_seed" else "good: 0.5": threshold},
                shaded=[ctx.study.last_prefix_layer], height=180,
            )  # fmt: skip
            title = f"{camera}: {name} by layer, mean and standard deviation"
            reading = (
                "As in the original protocol: means over episodes; bars are one standard deviation (ddof = 0), not an interval of "
                f"the mean. {words.sentence(words.outcome_counts(rows))}"
            )
            table = interval_table(rows, name, "outcome")
            table = Table([*table.columns, text_column("label", "the original protocol's label")], rows)
            found.append(Figure(title, spec, reading, title, table, [seed]))
    return found


def criteria(ctx: Context, seed: Result, tests: Result) -> list[Block]:
    """The three criteria of H1.1, by camera."""
    found: list[Block] = []
    middle = ctx.study.middle_layers
    for camera in ctx.study.cameras:
        rows = [r for r in seed.where(camera=camera, outcome="all") if not r["is_last_prefix_layer"]]
        overlaps = {
            r["layer"]: r["mean_overlap_ratio_seed"] for r in rows if r["mean_overlap_ratio_seed"] is not None
        }
        strong = [layer for layer, v in overlaps.items() if v > 0.5]
        centre = {r["layer"]: r["mean_attention_concentration_seed"] for r in rows if r["layer"] in middle}
        known = {k: v for k, v in centre.items() if v is not None}
        pvalues = [
            r["p_student_seed"]
            for r in tests.where(camera=camera, joined="max", metric="overlap_ratio_seed")
            if r["pass"] == "prefix" and r["p_student_seed"] is not None
        ]
        found.append(Checklist(f"{camera}: the original protocol's criteria for H1.1", [
            Criterion(
                "Overlap above 0.5 in at least 3 layers",
                f"{words.plural(len(strong), 'layer')}; highest {words.number(max(overlaps.values(), default=None))}",
                len(strong) >= 3 if overlaps else None,
            ),
            Criterion(
                f"Concentration above 2 in the middle layers ({words.ranges(middle) or 'none here'})",
                ", ".join(f"layer {k}: {words.number(v)}" for k, v in known.items()) or "no value",
                all(v > 2 for v in known.values()) if known else None,
            ),
            Criterion(
                "Student's p of the overlap below .05 between success and failure in some layer",
                f"smallest of {len(pvalues)} uncorrected tests: {words.p_value(min(pvalues))}" if pvalues else "insufficient data",
                min(pvalues) < 0.05 if pvalues else None,
            ),
        ], [seed, tests], "All three must be met. Its labels (strong, diffuse, good ...) stand in the numbers of the charts below."))  # fmt: skip
    return found


def episode_table(rows: list[dict[str, Any]]) -> Table:
    """Episode, layer and lift behind a violin chart."""
    columns = [text_column("name", "episode"), text_column("series", "outcome"), LAYER, Column("y", "lift")]
    return Table(columns, rows)
