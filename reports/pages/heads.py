"""Heads and layers (H4): which heads are focused, on what, and are they the same ones in other episodes?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import altair as alt

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
from reports.marts.context import Context, View
from reports.marts.warehouse import Result, Row
from reports.pages import caveats, head_structure, layer_order
from reports.pages.intervals import around
from reports.pages.tables import LAYER, interval_table
from reports.vega import charts, grids, palette

COMMAND = "set `capture: {heads: all}` in the study, then `python -m ingest` and `dbt build`"
MASKS = "add masks to the episodes and run `python -m ingest measure`, then `dbt build`"
HEAD = Column("head", "head")
RANKED, DRAWN = 30, 15  # heads of a table, and of a chart, of each view and camera


@dataclass(frozen=True)
class Measure:
    """One number a head: its column, what it is called, what it means, and whether small is what is looked for."""

    column: str
    label: str
    meaning: str
    smallest_first: bool = False


FOCUS = (
    Measure("mean_entropy_norm", "normalised entropy", "Entropy of the map over that of a flat one: 0 is a single patch, 1 attention spread evenly.", True),
    Measure("mean_gini", "Gini coefficient", "Inequality of the patches: 0 is spread evenly, towards 1 a few patches take all."),
    Measure("mean_effective_rank", "effective rank, patches", "exp(entropy): over how many patches the map is spread as if evenly.", True),
    Measure("mean_participation", "participation, patches", "1 / sum of squares: a count of patches in which heavy ones weigh more.", True),
    Measure("mean_top10_share", "mass on the top 10 % of patches", "Share of the map on its heaviest tenth of the patches; spread evenly it is 0.1."),
    Measure("mean_variance", "variance of the map", "Variance over the patches of the map scaled to sum 1."),
    Measure("mean_focus_seed", "focus (original)", "The original protocol's score: variance of the 8-bit grey heat map of the first frame, mean over episodes. It does not see how much attention the camera gets."),
)  # fmt: skip
LIFT = Measure(
    "log2_lift", "log2 of the lift on the target", "0 is no preference for the target, 1 twice its area, minus 1 half; the mean over episodes of the lift, then its logarithm."
)  # fmt: skip


def sections(ctx: Context) -> list[Section]:
    """Grids of layers by heads, the ranking, the variance between heads, the flow between layers, roles."""
    heads = ctx.query("heads")
    if not len(heads):
        why = "No measure of single heads is stored for this run."
        return [
            Section("heads", "Layers and heads", [], [Missing("Layers and heads", why, COMMAND)]),
            *layer_order.sections(ctx),
            *head_structure.sections(ctx),
        ]
    found = []
    for view in ctx.study.views:
        mine = [r for r in heads if view.of(r)]
        if mine:
            blocks: list[Block] = [
                grid_of(ctx, view, camera, heads)
                for camera in ctx.study.cameras
                if any(r["camera"] == camera for r in mine)
            ]
            found.append(Section(view.key, ctx.study.name(view), sentences(ctx, view, mine), blocks))
    found[0] = replace(found[0], words=[*found[0].words, caveats.NOT_A_CAUSE])
    return [*found, ranking(ctx, heads), *layer_order.sections(ctx), *head_structure.sections(ctx)]


def counted(rows: Sequence[Row]) -> list[Row]:
    """Without the last prefix layer, and with heads alone that have a number of the target where that is asked."""
    return [r for r in rows if not r["is_last_prefix_layer"]]


def named(row: Row) -> str:
    """'L3 H1'."""
    return f"L{row['layer']} H{row['head']}"


def sentences(ctx: Context, view: View, rows: Sequence[Row]) -> list[str]:
    """The most focused head, the one with the highest lift, and whether both rankings hold in other episodes."""
    found = []
    for camera in ctx.study.cameras:
        mine = counted([r for r in rows if r["camera"] == camera])
        focused = [r for r in mine if r["mean_entropy_norm"] is not None]
        if not focused:
            continue
        first = min(focused, key=lambda r: (r["mean_entropy_norm"], r["layer"], r["head"]))
        text = (
            f"{camera}: of {words.plural(len(focused), 'head')} that count the most focused is {named(first)} (normalised entropy "
            f"{words.number(first['mean_entropy_norm'])} over {words.plural(first['n_episodes'], 'episode')})"
        )
        lifted = [r for r in mine if r["mean_target_lift"] is not None]
        if lifted:
            top = max(lifted, key=lambda r: (r["mean_target_lift"], -r["layer"], -r["head"]))
            text += f"; the highest mean lift on the target has {named(top)}, {words.number(top['mean_target_lift'])}"
        found.append(f"{text}.{agreement(first)}")
    return found


def agreement(row: Row) -> str:
    """Whether the rankings of a view and camera hold in the other half of the episodes."""
    told = [
        f"{name} {words.number(row[column], 2)}"
        for name, column in (("by focus", "focus_rank_correlation"), ("by lift", "target_lift_rank_correlation"))
        if row[column] is not None
    ]  # fmt: skip
    if not told:
        return " Too few episodes to say whether the ranking holds in others."
    return f" Rank correlation between halves of the episodes: {words.listed(told)} (1 = the same order)."


def grid_of(ctx: Context, view: View, camera: str, heads: Result) -> Block:
    """Layers across, heads down; the measure is chosen."""
    rows: list[Row] = [
        {
            "layer": r["layer"], "head": r["head"], "n": r["n_episodes"], "last": int(r["is_last_prefix_layer"]),
            LIFT.column: math.log2(r["mean_target_lift"]) if r["mean_target_lift"] else None,
            **{m.column: r[m.column] for m in FOCUS},
        }
        for r in heads.where(camera=camera) if view.of(r)
    ]  # fmt: skip
    measures = [m for m in (*FOCUS, LIFT) if any(r[m.column] is not None for r in rows)]
    layers, all_heads = sorted({r["layer"] for r in rows}), sorted({r["head"] for r in rows})
    variants = []
    for measure in measures:
        column = measure.column
        known = [r for r in rows if r[column] is not None and not r["last"]]
        values = [r[column] for r in known] or [0.0]
        tips = [
            alt.Tooltip("layer:Q", format="d"),
            alt.Tooltip("head:Q", format="d"),
            alt.Tooltip(column, type="quantitative", title=measure.label, format=".4~g"),
            alt.Tooltip("n:Q", title="episodes"),
        ]
        spec = grids.grid(
            None,
            x=grids.Axis("layer", "layer", layers),
            y=grids.Axis("head", "head", all_heads),
            value=column,
            title=measure.label,
            scale=grids.Scale.over(values, 0.0 if measure is LIFT else None),
            tips=tips,
            dimmed="last",
        )
        spoken = extremes(measure, known)
        variants.append(Variant(measure.label, spec, f"{spoken} {measure.meaning} {colours_read(view, rows)}", f"{camera}, {measure.label}, layers by heads. {spoken}"))  # fmt: skip
    columns = [LAYER, HEAD, *(Column(m.column, m.label) for m in measures), Column("n", "episodes")]
    title = f"{camera}: every head's map, layers across and heads down"
    return Switch(title, "measure", variants, Table(columns, rows), [heads], rows)


def extremes(measure: Measure, known: Sequence[Row]) -> str:
    """The first and the last head by a measure."""
    if not known:
        return "No head that counts has a number."
    order = sorted(known, key=lambda r: (r[measure.column], r["layer"], r["head"]))
    first, last = (order[0], order[-1]) if measure.smallest_first else (order[-1], order[0])
    word = ("Lowest", "highest") if measure.smallest_first else ("Highest", "lowest")
    return f"{word[0]} {named(first)} ({words.number(first[measure.column])}), {word[1]} {named(last)} ({words.number(last[measure.column])})."


def colours_read(view: View, rows: Sequence[Row]) -> str:
    """How the colours are to be read, of how many episodes, and why there are no error bars."""
    counts = words.extent([r["n"] for r in rows])
    text = f"Means over episodes (n = {counts}); colours run from the lowest to the highest value of the heads that count. A cell has no error bar; the ranking below has intervals."
    if view.pass_ == "prefix":
        text += " Pale: the last prefix layer, which nothing reads."
    return text


def ranking(ctx: Context, heads: Result) -> Section:
    """Heads by lift on the target with intervals, and the table of both rankings."""
    title = "Which heads rank first, and do they in other episodes?"
    words_ = [
        "Ranks are taken over the heads of all layers. A rank is worth something only where it holds in other episodes: the rank "
        "correlation is the mean over random halves of the episodes."
    ]
    return Section("ranking", title, words_, [lift_chart(ctx, heads), ranking_table(ctx, heads)])


def lift_chart(ctx: Context, heads: Result) -> Block:
    """The heads with the highest lift on the target, one chart a view and camera."""
    title = f"Lift on the target of the {DRAWN} heads that rank first"
    variants, everything = [], []
    for view in ctx.study.views:
        for camera in ctx.study.cameras:
            mine = [r for r in counted(heads.where(camera=camera)) if view.of(r) and r["mean_target_lift"] is not None]  # fmt: skip
            mine.sort(key=lambda r: (-r["mean_target_lift"], r["layer"], r["head"]))
            rows = []
            for r in mine[:DRAWN]:
                low, high = around(r["mean_target_lift"], r["std_target_lift"], r["n_episodes_with_target"])
                rows.append({"name": named(r), "series": "all", "y": r["mean_target_lift"], "low": low, "high": high, "n": r["n_episodes_with_target"]})  # fmt: skip
            if not rows:
                continue
            where = f"{ctx.study.short_name(view)}, {camera}"
            everything += [{**r, "where": where} for r in rows]
            spec = charts.intervals_by_name(
                rows,
                colours={"all": palette.MASKS["own mask"]},
                x_title="lift (1 = no preference)",
                references={"no preference": 1.0},
            )
            above = sum(r["low"] is not None and r["low"] > 1 for r in rows)
            reading = (
                f"{rows[0]['name']} is first with {words.number(rows[0]['y'])}; the intervals of {above} of these {len(rows)} lie above 1. "
                f"Points are means over episodes (n = {words.extent([r['n'] for r in rows])}), bars 95 % t-intervals of each head by itself, "
                f"not corrected for having been chosen as the first of {len(mine)}.{agreement(mine[0])}"
            )
            alt_text = f"{title}: {where}. " + "; ".join(f"{r['name']} {words.number(r['y'])}" for r in rows[:5]) + "."  # fmt: skip
            variants.append(Variant(where, spec, reading, alt_text))
    if not variants:
        return Missing(title, "No object masks were found for this run, so a head's attention cannot be compared with objects.", MASKS)  # fmt: skip
    table = interval_table(everything, "lift")
    table = Table([text_column("where", "what looks, camera"), *table.columns], everything)
    return Switch(
        title, "what looks, camera", variants, table, [heads], first=first_choice(ctx, variants), wide=True
    )


def first_choice(ctx: Context, variants: Sequence[Variant]) -> int:
    """The words on the verdict's camera, where there are some."""
    verdict = head_structure.verdict_camera(ctx)
    wanted = [i for i, v in enumerate(variants) if v.label == f"words, {verdict}"]
    return wanted[0] if wanted else 0


def ranking_table(ctx: Context, heads: Result) -> Block:
    """Heads that are among the first of either ranking."""
    names = {(v.pass_, v.step): ctx.study.name(v) for v in ctx.study.views}
    rows = []
    for r in counted(heads.rows):
        ranks = [r[k] for k in ("rank_by_focus", "rank_by_target_lift") if r[k] is not None]
        if ranks and min(ranks) <= RANKED:
            rows.append({**r, "view": names.get((r["pass"], r["denoise_step"]), r["pass"])})
    columns = [
        text_column("view", "what looks"), text_column("camera", "camera"), LAYER, HEAD,
        Column("rank_by_focus", "rank by focus"), Column("mean_entropy_norm", "normalised entropy"),
        Column("focus_rank_correlation", "r of the halves, focus"),
        Column("rank_by_target_lift", "rank by lift"), Column("mean_target_lift", "mean lift"),
        Column("std_target_lift", "std of the lift", hint="over episodes, ddof = 1"),
        Column("target_lift_rank_correlation", "r of the halves, lift"),
        Column("rank_by_focus_seed", "rank (original)"), Column("n_episodes", "episodes"),
    ]  # fmt: skip
    first = {"view": rows[0]["view"], "camera": head_structure.verdict_camera(ctx) or rows[0]["camera"]} if rows else {}  # fmt: skip
    if not any(all(r[k] == v for k, v in first.items()) for r in rows):
        first = dict.fromkeys(first, "")
    note = f"The heads among the first {RANKED} of either ranking, within a view and camera; the last prefix layer is left out, so that ranks may have gaps."
    return TableBlock("Both rankings", Table(columns, rows, first), [heads], note)
