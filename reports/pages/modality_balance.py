"""Vision and language (M): where the action tokens' attention goes."""

from __future__ import annotations

import math

from reports import charts, distributions, palette, words
from reports.blocks import Block, Column, Figure, Missing, Section, Table, TableBlock, text_column
from reports.context import Context
from reports.pages.tables import LAYER, interval_table
from reports.warehouse import Result, Row

BANDS = [(0.67, 1.5)]
RATIO = "visual / linguistic ratio"
READS = (
    "Above 1.5 the actions attend to vision, below 0.67 to language; the grey band between is balanced. A band is claimed "
    "only where the whole 95 % BCa bootstrap interval (over episodes) lies in it. The axis doubles with every step."
)
COMMAND = "run a policy with action tokens (`capture: {passes: [prefix, suffix]}`), then `dbt build`"


def sections(ctx: Context) -> list[Section]:
    """Ratio by layer, fractions, tasks and the distribution, per denoising step."""
    balance = ctx.query("balance_by_layer")
    if not any(r["outcome"] == "all" for r in balance):
        why = "No attention of action tokens is stored for this run."
        return [Section("balance", "Vision and language", [], [Missing("Vision and language", why, COMMAND)])]
    steps = [step for (step,) in balance.distinct("denoise_step")]
    tasks, each = ctx.query("balance_by_task"), ctx.query("balance_by_episode")
    found = []
    for step in steps:
        blocks: list[Block] = [
            ratio_figure(step, balance),
            fraction_figure(step, balance),
            outcome_figure(ctx, step, balance),
            spread_figure(step, each),
            task_figure(step, tasks),
        ]
        found.append(Section(f"step-{step}", step_name(step, steps), sentences(step, balance), blocks))
    return [
        *found,
        Section("seed", "Episode by episode, with the seed's ratio", [], [seed_table(each, steps)]),
    ]


def step_name(step: int, steps: list[int]) -> str:
    """'Denoising step 0 (first, noisiest)'."""
    if step < 0:
        return "Action tokens"
    where = {steps[0]: " (first, noisiest)", steps[-1]: " (last)"}.get(step, "") if len(steps) > 1 else ""
    return f"Denoising step {step}{where}"


def as_ratio(rows: list[Row], series: str) -> list[Row]:
    """Log ratios and their intervals as ratios."""
    return [
        {
            "layer": r["layer"], "series": series, "n": r["n_episodes"], "y": math.exp(r["log_ratio"]),
            "low": None if r["low"] is None else math.exp(r["low"]), "high": None if r["high"] is None else math.exp(r["high"]),
        }
        for r in rows
        if r["log_ratio"] is not None
    ]  # fmt: skip


def sentences(step: int, balance: Result) -> list[str]:
    """The ratio over all layers and the layers of each band."""
    rows = balance.where(denoise_step=step, outcome="all")
    found = []
    for r in (r for r in rows if r["layer"] == -1 and r["log_ratio"] is not None):
        low, high = (None if r[k] is None else math.exp(r[k]) for k in ("low", "high"))
        claim = (
            f"that is {r['band']}" if r["band"] else "the interval lies in no single band, so none is claimed"
        )
        found.append(
            f"Over all layers the actions attend to vision {words.number(math.exp(r['log_ratio']))} times as much as to language "
            f"({words.evidence(low, high, r['n_episodes'])}): {claim}."
        )
    claims, n_claimed = [], 0
    for band in ("visual", "balanced", "linguistic"):
        layers = [r["layer"] for r in rows if r["band"] == band and r["layer"] >= 0]
        n_claimed += len(layers)
        if layers:
            claims.append(f"{words.layers_named(layers)} {'is' if len(layers) == 1 else 'are'} {band}")
    if claims:
        rest = (
            ""
            if n_claimed == sum(r["layer"] >= 0 for r in rows)
            else " For the others the interval lies in no single band."
        )
        found.append(f"By layer: {'; '.join(claims)}.{rest}")
    return found


def ratio_figure(step: int, balance: Result) -> Block:
    """All episodes, by layer."""
    rows = as_ratio([r for r in balance.where(denoise_step=step, outcome="all") if r["layer"] >= 0], "all")
    heading = "Vision against language by layer, all episodes"
    if not rows:
        return Missing(heading, "The ratio is undefined: no attention falls on language.")
    spec = charts.intervals_by_layer(
        rows, colours=palette.OUTCOMES, y_title=RATIO, log=True, bands=BANDS, references={"equal": 1.0}
    )
    top, low = max(rows, key=lambda r: r["y"]), min(rows, key=lambda r: r["y"])
    alt = f"{heading}. Highest {words.number(top['y'])} in layer {top['layer']}, lowest {words.number(low['y'])} in layer {low['layer']}."
    return Figure(heading, spec, READS, alt, interval_table(rows, RATIO, "outcome"), [balance])


def outcome_figure(ctx: Context, step: int, balance: Result) -> Block:
    """Success and failure."""
    rows: list[Row] = []
    for outcome in ("success", "failure"):
        rows += as_ratio(
            [r for r in balance.where(denoise_step=step, outcome=outcome) if r["layer"] >= 0], outcome
        )
    heading = "Vision against language, success and failure"
    if len({r["series"] for r in rows}) < 2:
        return Missing(heading, "The study holds one outcome only, so there is nothing to compare.")
    spec = charts.intervals_by_layer(
        rows, colours=palette.OUTCOMES, y_title=RATIO, log=True, bands=BANDS, references={"equal": 1.0}
    )
    counts = words.listed([f"{ctx.study.n_episodes(o)} of {o}" for o in ("success", "failure")])
    return Figure(
        heading,
        spec,
        f"{READS} Episodes: {counts}.",
        heading,
        interval_table(rows, RATIO, "outcome"),
        [balance],
    )


def fraction_figure(step: int, balance: Result) -> Block:
    """Where all of the attention goes."""
    rows = [
        {"layer": r["layer"], "series": name, "y": r[f"{name}_mass"]}
        for r in balance.where(denoise_step=step, outcome="all")
        if r["layer"] >= 0
        for name in palette.MODALITIES
        if r[f"{name}_mass"] is not None
    ]
    heading = "Where the action tokens' attention goes, by layer"
    if not rows:
        return Missing(heading, "No masses are stored.")
    spec = charts.fractions_by_layer(rows)
    means = {
        name: sum(r["y"] for r in rows if r["series"] == name)
        / max(1, sum(r["series"] == name for r in rows))
        for name in palette.MODALITIES
    }
    alt = (
        f"{heading}. Mean over layers: "
        + ", ".join(f"{k} {words.percent(v)}" for k, v in means.items())
        + "."
    )
    table = Table(
        [LAYER, text_column("series", "to"), Column("y", "share of attention", words.percent)], rows
    )
    reading = "Means over episodes; each bar adds up to 100 %. 'Action' is attention among the action tokens, 'other' is padding, letterbox and special tokens."
    return Figure(heading, spec, reading, alt, table, [balance])


def task_figure(step: int, tasks: Result) -> Block:
    """All layers together, by task."""
    picked = [r for r in tasks.where(denoise_step=step) if r["log_ratio"] is not None]
    rows = [
        {**row, "name": r["task"] or "no task", "series": "all"}
        for r, row in zip(picked, as_ratio([{**r, "layer": -1} for r in picked], "all"), strict=True)
    ]
    for row in rows:
        row.pop("layer")
    heading = "Vision against language by task, over all layers"
    if not rows:
        return Missing(heading, "No task has a defined ratio.")
    shown = rows[:40]
    spec = charts.intervals_by_name(
        shown, colours=palette.OUTCOMES, x_title=RATIO, log=True, bands=BANDS, references={"equal": 1.0}
    )
    more = f" The first 40 of {len(rows)} tasks." if len(rows) > 40 else ""
    small = min(r["n"] for r in rows)
    reading = f"Ratio of the mean over layers; bars are 95 % BCa bootstrap intervals over the task's episodes (at least {small}). No bar: too few.{more}"
    return Figure(heading, spec, reading, heading, interval_table(rows, RATIO, "task"), [tasks], wide=True)


def spread_figure(step: int, each: Result) -> Block:
    """How the episodes spread."""
    values: dict[str, list[float]] = {}
    for r in each.where(denoise_step=step):
        if r["ratio_of_means"]:
            values.setdefault(r["outcome"], []).append(r["ratio_of_means"])
    total = sum(len(v) for v in values.values())
    heading = "The episodes' ratios, over all layers"
    if total < 3:
        return Missing(
            heading, f"Insufficient data: {words.plural(total, 'episode')}, a distribution needs 3."
        )
    colours = palette.OUTCOMES | {"unknown": palette.OUTCOMES["all"]}
    spec = distributions.histogram(values, colours=colours, x_title=RATIO, marks=[0.67, 1.5])
    rows = [r for r in each.where(denoise_step=step) if r["ratio_of_means"]]
    table = Table(
        [
            text_column("episode_id", "episode"),
            text_column("outcome", "outcome"),
            Column("ratio_of_means", RATIO),
        ],
        rows,
    )
    reading = f"One count an episode (n = {total}); dashed lines at 0.67 and 1.5, the seed's bands."
    return Figure(heading, spec, reading, heading, table, [each])


def seed_table(each: Result, steps: list[int]) -> Block:
    """The seed's mean of ratios beside the ratio of means."""
    rows = [{**r, "step": str(r["denoise_step"])} for r in each]
    columns = [
        text_column("episode_id", "episode"),
        text_column("outcome", "outcome"),
        text_column("step", "denoising step"),
        Column("n_frames", "keyframes"),
        Column("n_undefined", "undefined", hint="keyframes without attention on language"),
        Column("ratio_of_means", "ratio of means"),
        Column("geometric_mean_ratio", "geometric mean"),
        Column("mean_ratio_seed", "mean (seed)"),
        Column("std_ratio_seed", "std (seed)", hint="ddof = 0"),
        Column("median_ratio_seed", "median (seed)"),
        Column("min_ratio_seed", "min (seed)"),
        Column("max_ratio_seed", "max (seed)"),
    ]
    note = "The seed's ratio is that of the first action token, padding counted as text, averaged over frames; ours is the ratio of the mean masses of all action tokens."
    table = Table(columns, rows, {"step": str(steps[-1]), "outcome": ""})
    return TableBlock("Ratio by episode, mean over layers", table, [each], note)
