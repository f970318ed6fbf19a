"""Compare: the run on show beside every other run of the warehouse, with differences and their intervals."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.html.blocks import (
    Block,
    Column,
    Missing,
    Section,
    Switch,
    Table,
    TableBlock,
    Variant,
    text_column,
)
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages.tables import LAYER, range_text
from reports.vega import charts, palette

COMMAND = "run another study into the same lake (`python -m ingest --study OTHER.yaml`), then `dbt build` and `python -m reports`"
MOST_RUNS, MOST_ROWS, MOST_NAMES, NAME_LENGTH = 4, 600, 40, 44
DIFFERENCES = (Column("y", "B minus A"), Column("low", "from"), Column("high", "to"), Column("n", "episodes"), Column("mean_a", "mean, A"), Column("mean_b", "mean, B"))  # fmt: skip
TOPICS = {
    "object attention": "Attention on the target",
    "modality balance": "Vision and language",
    "action shift": "Actions under changed prompts",
    "paired difference": "Differences within episodes",
}
METRICS = {
    "log_lift": "log lift on the target",
    "overlap_ratio_seed": "overlap (original)",
    "log_ratio": "log visual / linguistic ratio",
    "mse_standardised": "standardised squared change of the actions",
    "action_mse_minus_paraphrase": "change of the actions above the paraphrases'",
}


def sections(ctx: Context) -> list[Section]:
    """One section a pair of runs."""
    found = ctx.query("run_comparison")
    pairs = found.distinct("run_id_a", "run_id_b")
    if not pairs:
        if not ctx.study.others:
            why = "The warehouse holds one run, so there is nothing to compare it with."
        else:
            why = "The runs of the warehouse share no measure: other models, layers, cameras or prompts."
        return [Section("compare", "Runs side by side", [], [Missing("Runs side by side", why, COMMAND)])]
    return [section(ctx, found, a, b, number) for number, (a, b) in enumerate(pairs[:MOST_RUNS], start=1)]


def run_name(ctx: Context, run_id: str) -> str:
    """'demo (tiny:demo, 58556e21)'."""
    run = next((r for r in [ctx.study.run, *ctx.study.others] if r["run_id"] == run_id), None)
    if run is None:
        return run_id
    return f"{words.cut(str(run['study']), NAME_LENGTH)} ({words.cut(str(run['policy']), NAME_LENGTH)}, run {run_id[:8]})"


def section(ctx: Context, found: Result, a: str, b: str, number: int) -> Section:
    """Everything of two runs."""
    rows = found.where(run_id_a=a, run_id_b=b)
    paired = sum(bool(r["is_paired"]) for r in rows)
    known = [r for r in rows if r["low"] is not None and r["high"] is not None]
    apart = [r for r in known if r["low"] > 0 or r["high"] < 0]
    spoken = [
        f"A is {run_name(ctx, a)}; B is {run_name(ctx, b)}. Differences are B minus A.",
        f"{words.plural(len(rows), 'measure')} {'is' if len(rows) == 1 else 'are'} shared; {how_compared(paired, len(rows))}. "
        f"Of {len(known)} with an interval {len(apart)} "
        f"{'has' if len(apart) == 1 else 'have'} one without 0; the intervals are not corrected for their number, so that about one in "
        "twenty would exclude 0 by chance.",
    ]
    blocks: list[Block] = []
    for topic, title in TOPICS.items():
        mine = [r for r in rows if r["topic"] == topic]
        layered = [r for r in mine if r["layer"] is not None and r["layer"] >= 0]
        if layered and topic != "paired difference":
            blocks += by_layer(ctx, found, title, layered)
        flat = [r for r in mine if r["layer"] is None or r["layer"] < 0]
        if flat:
            blocks.append(by_name(ctx, found, f"{title}: B minus A", flat))
    title = f"{words.cut(run_name(ctx, a), 40)} and {words.cut(run_name(ctx, b), 40)}"
    return Section(f"pair-{number}", title, spoken, [*blocks, table(ctx, found, rows)])


def how_compared(paired: int, n: int) -> str:
    """Of how many measures the episodes are paired; nothing is said of others where there are none."""
    pairs, means = (
        "compared pair by pair on the episodes that both runs hold",
        "compared as independent means",
    )
    if paired == n:
        return f"{'it is' if n == 1 else 'all are'} {pairs}"
    if not paired:
        return f"{'it is' if n == 1 else 'all are'} {means}"
    return f"{paired} of them are {pairs}, the others as independent means"


def metric_name(row: Row) -> str:
    """'log lift on the target'."""
    return METRICS.get(row["metric"], str(row["metric"]).replace("_", " "))


def place(ctx: Context, row: Row) -> str:
    """'log lift on the target: words, wrist'."""
    where = where_words(ctx, row)
    return f"{metric_name(row)}: {where}" if where else metric_name(row)


def where_words(ctx: Context, row: Row) -> str:
    """What looks, at which camera and under which condition: 'words, wrist'."""
    names = {(v.pass_, v.step): ctx.study.short_name(v) for v in ctx.study.views}
    where: list[str] = []
    if row["pass"] is not None or row["denoise_step"] is not None:
        where.append(names.get((row["pass"], row["denoise_step"]), "") or step_words(row))
    where += [row["camera"]] if row["camera"] else []
    if row["condition_id"]:
        where.append(condition_words(ctx, row["condition_id"]))
    return ", ".join(where)


def condition_words(ctx: Context, condition_id: str) -> str:
    """A condition's short name; of a camera or a group of conditions, which the marts name in the same column, its own."""
    if condition_id in ctx.study.condition_names:
        return ctx.study.condition_names[condition_id]
    kind, _, name = condition_id.partition(":")
    if kind == name:
        return f"all {kind}s"
    return name if kind == "camera" else condition_id


def step_words(row: Row) -> str:
    """What looks, where the run on show has no such view."""
    step = row["denoise_step"]
    looks = row["pass"] or "actions"
    return looks if step is None or step < 0 else f"{looks}, step {step}"


def by_layer(ctx: Context, found: Result, title: str, rows: Sequence[Row]) -> list[Block]:
    """Means side by side, and differences with intervals; metric, view and camera are chosen."""
    sides: list[Variant] = []
    differences: list[Variant] = []
    side_rows: list[Row] = []
    difference_rows: list[Row] = []
    for what in dict.fromkeys(place(ctx, r) for r in rows):
        mine = [r for r in rows if place(ctx, r) == what]
        points = [
            {"layer": r["layer"], "series": run, "y": r[f"mean_{run.lower()}"], "low": None, "high": None, "n": r[f"n_{run.lower()}"], "what": what}
            for r in mine for run in ("A", "B") if r[f"mean_{run.lower()}"] is not None
        ]  # fmt: skip
        drawn = [{"layer": r["layer"], "series": "B minus A", "y": r["difference"], "low": r["low"], "high": r["high"], "n": r["n_b"], "what": what} for r in mine if r["difference"] is not None]  # fmt: skip
        if not points or not drawn:
            continue
        metric = what.split(":")[0]
        spec = charts.intervals_by_layer(points, colours=palette.RUNS, y_title=metric)
        told = extremes(drawn)
        counts = f"n = {words.extent([r['n_a'] for r in mine])} (A) and {words.extent([r['n_b'] for r in mine])} (B) episodes"
        sides.append(Variant(what, spec, f"Means over episodes, {counts}. No error bars: the two are compared by their difference, beside.", f"{what}, A and B by layer. {told}"))  # fmt: skip
        side_rows += points
        spec = charts.intervals_by_layer(drawn, colours={"B minus A": palette.RUNS["B"]}, y_title=f"difference of {metric}", references={"equal": 0.0})  # fmt: skip
        kinds = sorted({kind_of(r) for r in mine})
        differences.append(Variant(what, spec, f"{told} {counts}; bars are 95 % bootstrap intervals ({words.listed(kinds, 'or')}). No bar: too few episodes.", f"{what}, B minus A by layer. {told}"))  # fmt: skip
        difference_rows += drawn
    if not sides:
        return []
    what_column = text_column("what", "measure")
    side_columns = [what_column, text_column("series", "run"), LAYER, Column("y", "mean"), Column("n", "episodes")]  # fmt: skip
    columns = [what_column, LAYER, Column("y", "B minus A"), Column("low", "from"), Column("high", "to"), Column("n", "episodes of B")]  # fmt: skip
    return [
        Switch(f"{title}: A and B by layer", "measure", sides, Table(side_columns, side_rows), [found]),
        Switch(f"{title}: B minus A by layer", "measure", differences, Table(columns, difference_rows), [found]),
    ]  # fmt: skip


def kind_of(row: Row) -> str:
    """How the interval was made."""
    return "BCa over pairs of episodes" if row["is_paired"] else "percentile, episodes of either run drawn"


def extremes(rows: Sequence[Row]) -> str:
    """The largest difference, and where intervals leave 0 out."""
    top = max(rows, key=lambda r: abs(r["y"]))
    known = [r for r in rows if r["low"] is not None and r["high"] is not None]
    apart = [r["layer"] for r in known if r["low"] > 0 or r["high"] < 0]
    text = f"Largest difference {words.number(top['y'])} in layer {top['layer']}"
    if not known:
        return f"{text}; no interval, too few episodes."
    return f"{text}; the interval leaves 0 out in {words.layers_named(apart) if apart else 'no layer'}."


def by_name(ctx: Context, found: Result, heading: str, rows: Sequence[Row]) -> Block:
    """Differences of what has no layer, or is a mean over layers; a chart a metric, for they have no common scale."""
    drawn = [
        {"metric": metric_name(r), "name": name_beside(ctx, r), "series": "B minus A", "y": r["difference"], "low": r["low"], "high": r["high"],
         "n": min(r["n_a"], r["n_b"]), "mean_a": r["mean_a"], "mean_b": r["mean_b"], "kind": kind_of(r)}
        for r in rows if r["difference"] is not None
    ]  # fmt: skip
    if not drawn:
        return Missing(heading, "Insufficient data: no difference could be taken.")
    variants: list[Variant] = []
    for metric in dict.fromkeys(r["metric"] for r in drawn):
        mine = [r for r in drawn if r["metric"] == metric]
        names = words.short_names([r["name"] for r in mine], 60)
        shown = [{**r, "name": name} for r, name in zip(mine, names, strict=True)][:MOST_NAMES]
        spec = charts.intervals_by_name(
            shown,
            colours={"B minus A": palette.RUNS["B"]},
            x_title=f"difference of {metric}",
            references={"equal": 0.0},
        )
        top = max(shown, key=lambda r: abs(r["y"]))
        told = f"{metric[0].upper()}{metric[1:]}: largest difference {words.number(top['y'])}, {top['name']}."
        kinds = sorted({r["kind"] for r in shown})
        reading = (
            f"{told} Points are differences of means over episodes (n = {words.extent([r['n'] for r in shown])}), bars 95 % bootstrap "
            f"intervals ({words.listed(kinds, 'or')}), not corrected for their number."
        )
        variants.append(Variant(metric, spec, reading, f"{heading}. {told}"))
    columns = [text_column("metric", "measure"), text_column("name", "of"), *DIFFERENCES]
    return Switch(heading, "measure", variants, Table(columns, drawn), [found], wide=True)


def name_beside(ctx: Context, row: Row) -> str:
    """What stands beside a point: where it was measured, the measure itself where it has no place."""
    where = where_words(ctx, row) or metric_name(row)
    return f"{where}, mean over layers" if row["layer"] is not None else where


def table(ctx: Context, found: Result, rows: Sequence[Row]) -> Block:
    """Every shared measure."""
    shown = [
        {**r, "what": place(ctx, r), "topic_name": TOPICS.get(r["topic"], r["topic"]), "range": range_text(r),
         "where": "" if r["layer"] is None else "all" if r["layer"] < 0 else str(r["layer"]), "paired": "pairs" if r["is_paired"] else "means"}
        for r in rows
    ]  # fmt: skip
    columns = [
        text_column("topic_name", "topic"), text_column("what", "measure"), text_column("where", "layer"), Column("mean_a", "mean, A"),
        Column("mean_b", "mean, B"), Column("difference", "B minus A"), Column("range", "95 % interval", str), Column("n_a", "n, A"), Column("n_b", "n, B"),
        text_column("paired", "compared as"), text_column("reason", "why there is no interval"),
    ]  # fmt: skip
    note = "Pairs: episodes that both runs hold, at least 3; means: all of either."
    if len(shown) > MOST_ROWS:
        note += f" The first {MOST_ROWS} of {words.number(len(shown))} rows; the query below gives all."
    return TableBlock("All shared measures", Table(columns, shown[:MOST_ROWS], {"topic_name": ""}), [found], note)  # fmt: skip
