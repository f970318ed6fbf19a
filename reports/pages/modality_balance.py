"""Vision and language (M): where the action tokens' attention goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports import words
from reports.html.blocks import Block, Column, Figure, Missing, Section, Table, TableBlock, text_column
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages import balance_more, per_token
from reports.pages.tables import LAYER, interval_table
from reports.vega import charts, distributions, palette

BANDS = [(0.67, 1.5)]
RATIO = "visual / linguistic ratio"
GEOMETRIC = "visual / linguistic, geometric mean over episodes"
READS = (
    "Points are geometric means over episodes of each episode's ratio of mean masses. Above 1.5 the actions attend to vision, "
    "below 0.67 to language; the grey band between is balanced. A band is claimed only where the whole 95 % BCa bootstrap "
    "interval (over episodes) lies in it. Logarithmic axis."
)
EVEN_READS = " 'Even' is what attention spread evenly over the keys would give: there are more patches than text tokens."
CLASSES = (
    "'Visual' is every patch, the bars of the letterbox too; 'linguistic' every text token, with the start token and the "
    "fixed words around the instruction; 'action' the action tokens themselves; 'other' what is none of these, such as padding."
)
DENSITIES = (
    Column("even", "ratio if spread evenly", hint="image patches / text tokens"),
    Column("visual_density", "pictures, per token", hint="mass share / token share; 1 = an even share"),
    Column("text_density", "text, per token", hint="mass share / token share; 1 = an even share"),
)
NAME_LENGTH = 34
TASK_COLUMNS = {"y": GEOMETRIC, "low": "from", "high": "to", "n": "episodes"}
COMMAND = "run a policy with action tokens (`capture: {passes: [prefix, suffix]}`), then `dbt build`"


def sections(ctx: Context) -> list[Section]:
    """Ratio by layer, fractions, tasks and the distribution, per denoising step."""
    balance = ctx.query("balance_by_layer")
    if not any(r["outcome"] == "all" for r in balance):
        why = "No attention of action tokens is stored for this run."
        return [Section("balance", "Vision and language", [], [Missing("Vision and language", why, COMMAND)])]
    steps = [step for (step,) in balance.distinct("denoise_step")]
    tasks, each = ctx.query("balance_by_task"), ctx.query("balance_by_episode")
    even, bars = ctx.query("balance_if_uniform"), ctx.query("letterbox_of_words")
    course, suites = ctx.query("balance_over_episode"), ctx.query("balance_by_suite")
    found = []
    for step in steps:
        blocks: list[Block] = [
            ratio_figure(step, balance, even),
            fraction_figure(step, balance, bars),
            outcome_figure(step, balance),
            spread_figure(step, each),
            balance_more.over_episode(step, course),
            task_figure(step, tasks),
            balance_more.by_suite(step, suites),
        ]
        each_token = per_token.sentence(ctx, step)
        spoken = [
            *sentences(step, balance),
            *even_words(step, balance, even),
            *([each_token] if each_token else []),
        ]
        found.append(Section(f"step-{step}", step_name(step, steps), spoken, blocks))
    title = "Episode by episode, with the original protocol's ratio"
    return [*found, Section("seed", title, [], [seed_table(each, steps)])]


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
            "visual_density": r.get("density_lift_visual"), "text_density": r.get("density_lift_linguistic"),
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
        found.append(
            f"Over all layers the actions attend to vision {words.number(math.exp(r['log_ratio']))} times as much as to language "
            f"(geometric mean over episodes; {words.evidence(low, high, r['n_episodes'])}): {band_claim(r)}."
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


def band_claim(row: Row) -> str:
    """Which band is claimed, or why none is."""
    if row["band"]:
        return f"that is {row['band']}"
    if row["low"] is None or row["high"] is None:
        return "without an interval no band is claimed"
    return "the interval lies in no single band, so none is claimed"


def even_words(step: int, balance: Result, even: Result) -> list[str]:
    """What attention spread evenly over the keys would give, and what a token of each kind gets."""
    found = []
    for r in even.where(denoise_step=step):
        visual, text = (words.extent([r[f"fewest_{k}"], r[f"most_{k}"]]) for k in ("visual", "text"))
        found.append(
            f"Attention spread evenly over the keys would give a ratio of {words.number(r['ratio'])}, because there are "
            f"{visual} image patches and {text} text tokens."
        )
    for r in balance.where(denoise_step=step, outcome="all", layer=-1):
        if r["density_lift_visual"] is not None and r["density_lift_linguistic"] is not None:
            found.append(
                f"Per token, text gets {words.number(r['density_lift_linguistic'])} times and a picture's patch "
                f"{words.number(r['density_lift_visual'])} times an even share (mass share / token share, means over episodes)."
            )
    return [" ".join(found)] if found else []


def ratio_figure(step: int, balance: Result, even: Result) -> Block:
    """All episodes, by layer, with the ratio of evenly spread attention."""
    level = next((r["ratio"] for r in even.where(denoise_step=step)), None)
    rows = as_ratio([r for r in balance.where(denoise_step=step, outcome="all") if r["layer"] >= 0], "all")
    rows = [{**row, "even": level} for row in rows]
    heading = "Vision against language by layer, all episodes"
    if not rows:
        return Missing(heading, "The ratio is undefined: no attention falls on language.")
    references = {"equal": 1.0} | ({} if level is None else {"even": level})
    spec = charts.intervals_by_layer(
        rows, colours=palette.OUTCOMES, y_title=RATIO, log=True, bands=BANDS, references=references
    )
    top, low = max(rows, key=lambda r: r["y"]), min(rows, key=lambda r: r["y"])
    alt = f"{heading}. Highest {words.number(top['y'])} in layer {top['layer']}, lowest {words.number(low['y'])} in layer {low['layer']}."
    reading = READS + ("" if level is None else EVEN_READS)
    table = interval_table(rows, GEOMETRIC, "outcome", DENSITIES)
    return Figure(heading, spec, reading, alt, table, [balance, even])


def outcome_figure(step: int, balance: Result) -> Block:
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
    reading = f"{READS} Episodes: {words.outcome_counts(rows)}."
    table = interval_table(rows, GEOMETRIC, "outcome", DENSITIES)
    return Figure(heading, spec, reading, heading, table, [balance])


def fraction_figure(step: int, balance: Result, bars: Result) -> Block:
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
    reading = (
        f"Means over episodes; each bar adds up to 100 %. {CLASSES}{letterbox_words(step, balance, bars)}"
    )
    return Figure(heading, spec, reading, alt, table, [balance, bars])


def letterbox_words(step: int, balance: Result, bars: Result) -> str:
    """How much of the visual mass lies on the bars: of the actions', and of the words'."""
    means = balance.where(denoise_step=step, outcome="all", layer=-1)
    of_actions = [
        r["letterbox_mass"] / r["visual_mass"] for r in means if r["letterbox_mass"] and r["visual_mass"]
    ]
    of_words = [r["share"] for r in bars if r["share"]]
    said = [f"of the actions' visual mass {words.percent(share)} lies on the bars" for share in of_actions]
    said += [f"of the instruction's words' {words.percent(share)}" for share in of_words]
    return f" {'; '.join(said).capitalize()}." if said else ""


def task_figure(step: int, tasks: Result) -> Block:
    """All layers together, by task."""
    picked = [r for r in tasks.where(denoise_step=step) if r["log_ratio"] is not None]
    names = words.short_names([r["task"] or "no task" for r in picked], NAME_LENGTH)
    rows = [
        {**row, "name": f"n = {row['n']}: {name}", "task": r["task"] or "no task"}
        for name, r, row in zip(names, picked, as_ratio(picked, "all"), strict=True)
    ]
    heading = "Vision against language by task, over all layers"
    if not rows:
        return Missing(heading, "No task has a defined ratio.")
    shown = rows[:40]
    spec = charts.intervals_by_name(
        shown, colours=palette.OUTCOMES, x_title=RATIO, log=True, bands=BANDS, references={"equal": 1.0}
    )
    more = f" The first 40 of {len(rows)} tasks." if len(rows) > 40 else ""
    reading = (
        "Ratio of the masses averaged over layers, geometric mean over the task's episodes (n); bars are 95 % BCa bootstrap "
        f"intervals over them. No bar: too few. Logarithmic axis.{more}"
    )
    columns = [text_column("task", "task"), *(Column(k, label) for k, label in TASK_COLUMNS.items())]
    return Figure(
        heading, spec, reading, heading, Table([*columns, *DENSITIES[1:]], rows), [tasks], wide=True
    )


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
    box = distributions.quartiles([v for series in values.values() for v in series])
    colours = palette.OUTCOMES | {"unknown": palette.OUTCOMES["all"]}
    spec = distributions.histogram(values, colours=colours, x_title=RATIO, marks=list(BANDS[0]))
    rows = [r for r in each.where(denoise_step=step) if r["ratio_of_means"]]
    table = Table(
        [
            text_column("episode_id", "episode"),
            text_column("outcome", "outcome"),
            Column("ratio_of_means", RATIO),
        ],
        rows,
    )
    stacked = " The colours are stacked." if len(values) > 1 else ""
    reading = (
        f"One count an episode (n = {total}), equal bins on a logarithmic axis.{stacked} Above the bars a box: quartiles "
        f"{words.number(box[0])} to {words.number(box[2])}, median {words.number(box[1])}, its line from the least to the most. {band_words(values)}"
    )
    return Figure(heading, spec, reading, heading, table, [each])


def band_words(values: Mapping[str, Sequence[float]]) -> str:
    """How many episodes lie in each band, and where its edges are drawn."""
    every = [v for series in values.values() for v in series]
    low, high = BANDS[0]
    counts = (sum(v > high for v in every), sum(low <= v <= high for v in every), sum(v < low for v in every))
    told = f"{counts[0]} above {high:g} (visual), {counts[1]} between, {counts[2]} below {low:g} (linguistic)"
    edges = [f"{v:g}" for v in distributions.marks_in_range(every, BANDS[0])]
    drawn = f"; dashed: {words.listed(edges)}." if edges else "; neither edge lies near enough to be drawn."
    return told[:1].upper() + told[1:] + drawn


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
        Column("geometric_mean_ratio", "geometric mean over keyframes"),
        Column("mean_ratio_seed", "mean (original)"),
        Column("std_ratio_seed", "std (original)", hint="ddof = 0"),
        Column("median_ratio_seed", "median (original)"),
        Column("min_ratio_seed", "min (original)"),
        Column("max_ratio_seed", "max (original)"),
    ]
    note = "The original protocol's ratio is that of the first action token, padding counted as text, averaged over frames; ours is the ratio of the mean masses of all action tokens."
    table = Table(columns, rows, {"step": str(steps[-1]), "outcome": ""})
    return TableBlock("Ratio by episode, mean over layers", table, [each], note)
