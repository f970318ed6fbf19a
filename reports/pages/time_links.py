"""The lower half of the page on time: how stable maps are from keyframe to keyframe, and how long a share lasts."""

from __future__ import annotations

from reports import words
from reports.html.blocks import Block, Column, Missing, Section, Switch, Table, Variant, text_column
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages.intervals import around
from reports.pages.tables import LAYER
from reports.vega import charts, palette
from reports.vega.curves import intervals_of_each

KEYFRAMES = "an episode needs two keyframes in a row: lower `episodes: {keyframes: {every: N}}`, then `python -m ingest` and `dbt build`"
LONGER = "episodes need at least 5 keyframes with the object in view: lower `episodes: {keyframes: {every: N}}`, then `python -m ingest` and `dbt build`"
TV = "total variation"


def sections(ctx: Context) -> list[Section]:
    """Stability by layer, and correlation by lag."""
    links, lags = ctx.query("flow_and_stability"), ctx.query("share_lags")
    stable = [block for camera in ctx.study.cameras for block in stability(ctx, camera, links)]
    lasting = [block for camera in ctx.study.cameras for block in lagged(ctx, camera, lags)]
    title = "How stable is a map from one keyframe to the next?"
    if not stable:
        why = "No steps between keyframes are stored for this run."
        stable = [Missing(title, why, KEYFRAMES)]
    how = "How long does attention on an object last?"
    if not lasting:
        why = "No episode has enough keyframes with masks for a correlation over time."
        lasting = [Missing(how, why, LONGER)]
    return [Section("stability", title, [], stable), Section("lags", how, [], lasting)]


def stability(ctx: Context, camera: str, links: Result) -> list[Block]:
    """Total variation between neighbouring keyframes, success and failure; the view is chosen."""
    variants: list[Variant] = []
    everything: list[Row] = []
    for view in ctx.study.views:
        found = [
            r for r in links.where(camera=camera) if view.of(r) and r["mean_stability_tv"] is not None and ctx.study.counted(view, r["layer"])
        ]  # fmt: skip
        both = {r["outcome"] for r in found} >= {"success", "failure"}
        rows = []
        for r in found:
            if (r["outcome"] != "all") == both:
                low, high = around(r["mean_stability_tv"], r["std_stability_tv"], r["n_episodes"])
                rows.append({
                    "layer": r["layer"], "series": r["outcome"], "y": r["mean_stability_tv"], "low": low, "high": high,
                    "n": r["n_episodes"], "view": ctx.study.name(view), "l2": r["mean_stability_l2"], "original": r["mean_stability_seed"],
                })  # fmt: skip
        if not rows:
            continue
        everything += rows
        spec = charts.intervals_by_layer(rows, colours=palette.OUTCOMES, y_title=TV, include=[0.0])
        top, low_row = max(rows, key=lambda r: r["y"]), min(rows, key=lambda r: r["y"])
        told = f"Moves most in layer {top['layer']} ({top['series']}, {words.number(top['y'])}), least in layer {low_row['layer']} ({low_row['series']}, {words.number(low_row['y'])})."
        reading = (
            f"{told} Total variation between the unit-mass maps of neighbouring keyframes: 0 the same map, 1 maps that share nothing. A step after a "
            "keyframe that could not be read is left out. Points are means over episodes, bars 95 % t-intervals; "
            f"episodes: {words.outcome_counts(rows)}. The original protocol's stability, the inverse of the mean step of raw maps, stands in the numbers."
        )
        if view.pass_ == "prefix":
            reading += " The last prefix layer is left out."
        variants.append(
            Variant(ctx.study.name(view), spec, reading, f"{camera}, {ctx.study.name(view)}. {told}")
        )
    columns = [
        text_column("view", "what looks"), text_column("series", "outcome"), LAYER, Column("y", TV), Column("low", "from"), Column("high", "to"),
        Column("l2", "L2 of unit maps"), Column("original", "stability (original)"), Column("n", "episodes"),
    ]  # fmt: skip
    title = f"{camera}: how far the map moves from one keyframe to the next, by layer"
    return [Switch(title, "what looks", variants, Table(columns, everything), [links])] if variants else []


def lagged(ctx: Context, camera: str, lags: Result) -> list[Block]:
    """Correlation of a share with itself some keyframes later; view and layer are chosen."""
    groups: list[list[Row]] = []
    spoken: list[tuple[str, str]] = []
    everything: list[Row] = []
    roles = palette.role_colours(
        list(dict.fromkeys(r["role"] for r in lags.where(camera=camera) if r["role"]))
    )
    for view in ctx.study.views:
        picked = [r for r in lags.where(camera=camera) if view.of(r) and r["mean_correlation"] is not None and ctx.study.counted(view, r["layer"])]  # fmt: skip
        for layer in sorted({r["layer"] for r in picked}):
            rows = []
            for r in (r for r in picked if r["layer"] == layer):
                low, high = around(r["mean_correlation"], r["std_correlation"], r["n_episodes"])
                rows.append({"layer": layer, "at": r["lag_keyframes"], "series": r["role"], "y": r["mean_correlation"], "low": low, "high": high, "n": r["n_episodes"], "view": ctx.study.short_name(view)})  # fmt: skip
            everything += rows
            first = [r for r in rows if r["at"] == min(r["at"] for r in rows)]
            parts = [f"{r['series']} {words.number(r['y'], 2)}" for r in first]
            told = f"At a lag of {words.plural(first[0]['at'], 'keyframe')}: {words.listed(parts)}."
            label = f"{ctx.study.short_name(view)}, layer {layer}"
            groups.append([{k: v for k, v in r.items() if k not in ("layer", "view")} for r in rows])
            spoken.append((label, told))
    specs = intervals_of_each(
        groups, colours=roles, x_title="lag, keyframes", y_title="Pearson's r", references={"unrelated": 0.0}
    )
    variants = [
        Variant(label, spec, told, f"{camera}, {label}. {told}")
        for (label, told), spec in zip(spoken, specs, strict=True)
    ]
    if not variants:
        return []
    note = (
        "Correlation, within an episode, of the share on an object with itself some keyframes later; 1: what is attended now is attended then. "
        f"Points are means over the episodes with at least 4 pairs (n = {words.extent([r['n'] for r in everything])}), bars 95 % t-intervals. "
        "Correlations within short episodes lean below 0."
    )
    columns = [text_column("view", "what looks"), LAYER, text_column("series", "role"), Column("at", "lag, keyframes"), Column("y", "mean r"), Column("low", "from"), Column("high", "to"), Column("n", "episodes")]  # fmt: skip
    title = f"{camera}: how long the share on an object lasts"
    return [Switch(title, "what looks, layer", variants, Table(columns, everything), [lags], note=note)]  # fmt: skip
