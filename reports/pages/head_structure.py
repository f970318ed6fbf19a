"""The lower half of the page on heads: variance between heads, the flow between layers, and what single heads do."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from reports import words
from reports.html.blocks import (
    Block,
    Column,
    Figure,
    Missing,
    Section,
    Switch,
    Table,
    TableBlock,
    Variant,
    text_column,
)
from reports.marts import answers
from reports.marts.context import Context, View
from reports.marts.warehouse import Result, Row
from reports.pages.intervals import around
from reports.pages.tables import LAYER, interval_table, range_text, with_reasons
from reports.vega import charts, grids, palette
from reports.words import p_value

MEASURES = {"target_lift": "lift of the target", "entropy_norm": "focus (normalised entropy)"}
MEASURE_COLOURS = {"lift of the target": palette.MASKS["own mask"], "focus (normalised entropy)": palette.PROMPTS[3]}  # fmt: skip
SHARE = "share of the variance between heads"
EPISODES = "add episodes to the study, then `python -m ingest` and `dbt build`"
HEADS = "set `capture: {heads: all}` in the study, then `python -m ingest` and `dbt build`"
LINKS = "run `python -m ingest` with at least two layers captured, then `dbt build`"
ROLLOUT = "set `capture: {rollout: true, layers: all}` in the study, then `python -m ingest` and `dbt build`"
MOST_NAMED = 12
ROLES = {
    "tracks target": "lift of at least {bar} on the object that the prompt names, and more than the distractors get",
    "tracks gripper": "lift of at least {bar} on the gripper",
    "tracks goal": "lift of at least {bar} on the goal",
    "reads instruction": "at least {bar} of its attention on the instruction's words",
    "sink": "at least {bar} of its attention on keys that show nothing (first token, letterbox, padding)",
    "positional": "the same heaviest patch in at least {bar} of the keyframes",
}


def verdict_camera(ctx: Context) -> str | None:
    """The camera that the verdict on H4 rests on."""
    verdict = answers.verdict_of(ctx, "H4")
    return None if verdict is None else verdict["camera"]


def sections(ctx: Context) -> list[Section]:
    """Do heads differ, how maps follow each other over layers, what heads do."""
    return [variance(ctx), flow(ctx), roles(ctx)]


def variance(ctx: Context) -> Section:
    """How much lies between the heads of a layer; what does not is shared."""
    found = ctx.query("head_variance")
    title = "Do the heads of a layer differ?"
    if not any(r["share_between_heads"] is not None for r in found):
        reasons = sorted({r["reason"] for r in found if r["reason"]})
        if reasons:
            missing = Missing(title, f"Insufficient data: {words.listed(reasons)}.", EPISODES)
        else:
            missing = Missing(title, "No measure of single heads is stored for this run.", HEADS)
        return Section("variance", title, [], [missing])
    spoken = [
        "Of the variance of a measure within a layer, over episodes and heads, this is the share that lies between heads: near 0 the "
        "heads of a layer are redundant in it (one does what the others do), near 1 each keeps to its own. Heads are exchanged within "
        "a layer and an episode. The marts hold no correlation between the maps of two heads, for the default profile keeps no map a head.",
    ]
    blocks: list[Block] = [overall(ctx, found)]
    blocks += [by_layer(ctx, found, measure) for measure in MEASURES]
    return Section("variance", title, spoken, [*blocks, variance_table(ctx, found)])


def overall(ctx: Context, found: Result) -> Block:
    """All layers together, with intervals: what the verdict rests on."""
    rows = []
    for measure, label in MEASURES.items():
        for view in ctx.study.views:
            for r in found.where(measure=measure, layer=-1):
                if view.of(r) and r["share_between_heads"] is not None:
                    rows.append({
                        "name": f"{ctx.study.short_name(view)}, {r['camera']}: {'lift' if measure == 'target_lift' else 'focus'}",
                        "series": label, "y": r["share_between_heads"], "low": r["low"], "high": r["high"], "n": r["n_episodes"],
                        "p": r["p"], "split": r["split_half_correlation"],
                    })  # fmt: skip
    title = "Share of the variance between heads, all layers together"
    if not rows:
        return Missing(title, "Insufficient data: too few episodes in which every head has a number.")
    spec = charts.intervals_by_name(rows, colours=MEASURE_COLOURS, x_title=SHARE, references={"none": 0.0})
    top, low = max(rows, key=lambda r: r["y"]), min(rows, key=lambda r: r["y"])
    camera = verdict_camera(ctx)
    reading = (
        f"Largest for {top['name']} ({words.number(top['y'])}), smallest for {low['name']} ({words.number(low['y'])}). "
        f"Points over {words.extent([r['n'] for r in rows])} episodes, bars 95 % percentile bootstrap intervals, episodes drawn; "
        "within layers, so that a deep layer that differs from a shallow one does not count."
    )
    if camera:
        reading += f" The verdict on H4 rests on 'words, {camera}: lift'."
    more = [Column("p", "p", p_value), Column("split", "r of the halves", hint="Spearman's rho of the heads' deviations between halves of the episodes")]  # fmt: skip
    alt_text = f"{title}. " + "; ".join(f"{r['name']} {words.number(r['y'])}" for r in rows) + "."
    return Figure(title, spec, reading, alt_text, interval_table(rows, SHARE, "measure", more), [found], wide=True)  # fmt: skip


def by_layer(ctx: Context, found: Result, measure: str) -> Block:
    """The share of each layer; the view is chosen."""
    label = MEASURES[measure]
    title = f"Share of the variance between the heads of a layer: {label}"
    cameras = palette.camera_colours(list(ctx.study.cameras))
    variants: list[Variant] = []
    everything: list[Row] = []
    for view in ctx.study.views:
        rows = [
            {"layer": r["layer"], "series": r["camera"], "y": r["share_between_heads"], "low": None, "high": None, "n": r["n_episodes"], "p_holm": r["p_holm"]}
            for r in found.where(measure=measure)
            if view.of(r) and r["layer"] >= 0 and r["share_between_heads"] is not None
        ]  # fmt: skip
        if not rows:
            continue
        everything += [{**r, "view": ctx.study.name(view)} for r in rows]
        spec = charts.intervals_by_layer(rows, colours=cameras, y_title=SHARE, references={"none": 0.0})
        alpha = ctx.study.statistics["alpha"]
        passed = sum(r["p_holm"] is not None and r["p_holm"] < alpha for r in rows)
        top = max(rows, key=lambda r: r["y"])
        reading = (
            f"Largest {words.number(top['y'])} in layer {top['layer']}, {top['series']}; {passed} of {words.plural(len(rows), 'test')} have a "
            f"Holm-corrected p < {alpha:g} (heads exchanged within episodes). n = {words.extent([r['n'] for r in rows])} episodes. "
            "No error bars: intervals are computed for all layers together alone."
        )
        if view.pass_ == "prefix":
            reading += " The last prefix layer is left out."
        variants.append(Variant(ctx.study.name(view), spec, reading, f"{title}, {ctx.study.name(view)}. {reading}"))  # fmt: skip
    if not variants:
        return Missing(title, "Insufficient data: no layer has a number in every head. For lifts, masks are needed.", HEADS)  # fmt: skip
    columns = [text_column("view", "what looks"), text_column("series", "camera"), LAYER, Column("y", SHARE), Column("p_holm", "p, Holm", p_value), Column("n", "episodes")]  # fmt: skip
    return Switch(title, "what looks", variants, Table(columns, everything), [found])


def variance_table(ctx: Context, found: Result) -> Block:
    """Every test of heads."""
    names = {(v.pass_, v.step): ctx.study.name(v) for v in ctx.study.views}
    rows = [
        {**r, "measure_name": MEASURES.get(r["measure"], r["measure"]), "view": names.get((r["pass"], r["denoise_step"]), r["pass"]),
         "range": range_text(r), "where": "all" if r["layer"] < 0 else str(r["layer"])}
        for r in found
    ]  # fmt: skip
    columns = [
        text_column("measure_name", "measure"), text_column("view", "what looks"), text_column("camera", "camera"),
        text_column("where", "layer"), Column("share_between_heads", "share between heads"), Column("range", "95 % interval", str),
        Column("p", "p", p_value), Column("p_holm", "p, Holm", p_value), Column("family_size", "family"),
        Column("split_half_correlation", "r of the halves"), Column("n_episodes", "episodes"), text_column("reason", "why there is no number"),
    ]  # fmt: skip
    first = {"measure_name": MEASURES["target_lift"], **answers.first_view_and_camera(ctx, "H4")}
    chosen = any(all(r[k] == v for k, v in first.items()) for r in rows)
    filters = {k: first.get(k, "") if chosen else "" for k in ("measure_name", "view", "camera")}
    note = "r of the halves: Spearman's rho of the heads' deviations from their layer's mean between random halves of the episodes. H4 asks for p < alpha and at least 0.7, of the target's lift, over all layers."
    return TableBlock("All tests of heads", Table(with_reasons(columns, rows), rows, filters), [found], note)


def flow(ctx: Context) -> Section:
    """How alike the maps of neighbouring layers are, and where the rollout leads."""
    links = ctx.query("flow_and_stability")
    title = "How do maps follow each other from layer to layer?"
    blocks = [
        linked(ctx, links, "flow", "Correlation of a layer's map with the next one's", "Pearson's r with the next layer", {"unrelated": 0.0}, LINKS),
    ]  # fmt: skip
    if any(r["mean_rollout_mass"] is not None for r in links):
        blocks.append(linked(ctx, links, "rollout_mass", "Attention rollout: mass on the camera's patches", "share of the rollout", {}, ROLLOUT))  # fmt: skip
        blocks.append(linked(ctx, links, "rollout_correlation", "Correlation of a layer's map with the rollout up to it", "Pearson's r with the rollout", {"unrelated": 0.0}, ROLLOUT))  # fmt: skip
    else:
        why = "The study keeps no rollout: it needs the full weights of every layer, and is off unless it is asked for."  # fmt: skip
        blocks.append(Missing("Attention rollout", why, ROLLOUT))
    return Section("flow", title, [], blocks)


def linked(
    ctx: Context, links: Result, what: str, title: str, axis: str, references: dict[str, float], command: str
) -> Block:
    """A number of neighbouring layers with t-intervals, cameras as series; the view is chosen."""
    variants: list[Variant] = []
    everything: list[Row] = []
    for view in ctx.study.views:
        rows = []
        for r in links.where(outcome="all"):
            if view.of(r) and r[f"mean_{what}"] is not None:
                low, high = around(r[f"mean_{what}"], r[f"std_{what}"], r["n_episodes"])
                rows.append({"layer": r["layer"], "series": r["camera"], "y": r[f"mean_{what}"], "low": low, "high": high, "n": r["n_episodes"]})  # fmt: skip
        if not rows:
            continue
        everything += [{**r, "view": ctx.study.name(view)} for r in rows]
        colours = palette.camera_colours(list(ctx.study.cameras))
        spec = charts.intervals_by_layer(rows, colours=colours, y_title=axis, references=references, shaded=ctx.study.shaded(view) if what != "flow" else ())  # fmt: skip
        variants.append(Variant(ctx.study.name(view), spec, f"{followed(rows, what)} Points are means over episodes (n = {words.extent([r['n'] for r in rows])}) of each episode's mean over keyframes; bars 95 % t-intervals.", f"{title}, {ctx.study.name(view)}. {followed(rows, what)}"))  # fmt: skip
    if not variants:
        why = (
            "one layer has no next one" if ctx.study.n_layers == 1 else "no inference of the baseline counts"
        )
        return Missing(title, f"No links between layers are stored: {why}.", command)
    table = interval_table(everything, axis, "camera")
    return Switch(title, "what looks", variants, Table([text_column("view", "what looks"), *table.columns], everything), [links])  # fmt: skip


def followed(rows: Sequence[Row], what: str) -> str:
    """Where the number is highest and lowest, by camera."""
    parts = []
    for camera in dict.fromkeys(r["series"] for r in rows):
        mine = [r for r in rows if r["series"] == camera]
        top, low = max(mine, key=lambda r: r["y"]), min(mine, key=lambda r: r["y"])
        parts.append(
            f"{camera}: highest {words.number(top['y'])} ({step_of(top, what)}), "
            f"lowest {words.number(low['y'])} ({step_of(low, what)})"
        )
    return f"{'; '.join(parts)}."


def step_of(row: Row, what: str) -> str:
    """The layer, or the two layers of a flow."""
    return f"layer {row['layer']} to {row['layer'] + 1}" if what == "flow" else f"layer {row['layer']}"


def roles(ctx: Context) -> Section:
    """In how many episodes a head does what a role asks, and the heads that have one."""
    found = ctx.query("head_roles")
    title = "What do single heads do?"
    if not len(found):
        why = "No attention of single heads on objects and regions is stored for this run."
        return Section("roles", title, [], [Missing(title, why, HEADS)])
    views = [view for view in ctx.study.views if any(view.of(r) for r in found)]
    blocks: list[Block] = [role_grid(ctx, view, found) for view in views]
    return Section("roles", title, role_words(ctx, views, found), [*blocks, role_table(ctx, found)])


def role_words(ctx: Context, views: Sequence[View], found: Result) -> list[str]:
    """How many heads have which role; the bars are ours."""
    told = [
        "A head has a role when its criterion holds in at least 80 % of the episodes of the baseline. The bars are this project's own; no paper fixes them."
    ]
    for view in views:
        mine = [r for r in found if view.of(r)]
        heads = {(r["layer"], r["head"]) for r in mine}
        counts = [
            f"{words.plural(len({(r['layer'], r['head']) for r in mine if r['has_role'] and r['head_role'] == role}), 'head')} '{role}'"
            for role in dict.fromkeys(r["head_role"] for r in mine)
            if any(r["has_role"] and r["head_role"] == role for r in mine)
        ]
        have = len({(r["layer"], r["head"]) for r in mine if r["has_role"]})
        text = f"{ctx.study.name(view)}: {have} of {words.plural(len(heads), 'head')} {'has' if have == 1 else 'have'} a role"
        told.append(f"{text}{': ' + words.listed(counts) if counts else ''}.")
    return told


def role_grid(ctx: Context, view: View, found: Result) -> Block:
    """Layers by heads; the role (and camera) is chosen."""
    mine = [r for r in found if view.of(r)]
    kinds = list(dict.fromkeys((r["head_role"], r["camera"]) for r in mine))
    layers, heads = sorted({r["layer"] for r in mine}), sorted({r["head"] for r in mine})
    cells: dict[tuple[int, int], Row] = {}
    variants, columns = [], [LAYER, Column("head", "head")]
    for i, kind in enumerate(kinds):
        label = kind[0] if kind[1] is None else f"{kind[0]}, {kind[1]}"
        picked = [r for r in mine if (r["head_role"], r["camera"]) == kind]
        for r in picked:
            last = int(not ctx.study.counted(view, r["layer"]))
            cell = cells.setdefault(
                (r["layer"], r["head"]), {"layer": r["layer"], "head": r["head"], "last": last}
            )
            cell |= {f"share{i}": r["share_of_episodes"], f"mean{i}": r["mean_value"]}
        columns += [Column(f"share{i}", label, words.percent, hint="share of episodes")]
        spec = grids.grid(
            None,
            x=grids.Axis("layer", "layer", layers),
            y=grids.Axis("head", "head", heads),
            value=f"share{i}",
            title="share of episodes",
            scale=grids.Scale(0.0, 1.0),
            tips=[
                alt.Tooltip("layer:Q", format="d"),
                alt.Tooltip("head:Q", format="d"),
                alt.Tooltip(f"share{i}", type="quantitative", title="share of episodes", format=".0%"),
                alt.Tooltip(f"mean{i}", type="quantitative", title="mean value", format=".3~g"),
            ],
            dimmed="last",
        )
        spoken = role_sentence(label, picked)
        reading = f"{spoken} {role_reading(kind[0], picked)}"
        if view.pass_ == "prefix":
            reading += " Pale: the last prefix layer, which nothing reads."
        variants.append(Variant(label, spec, reading, f"{ctx.study.name(view)}, layers by heads. {spoken}"))
    rows = [cells[key] for key in sorted(cells)]
    title = f"{ctx.study.name(view)}: how often each head does it"
    having = [sum(r["has_role"] for r in mine if (r["head_role"], r["camera"]) == kind) for kind in kinds]
    first = having.index(
        max(having)
    )  # the role that most heads have, so that the chart opens with something to see
    return Switch(title, "role", variants, Table(columns, rows), [found], rows, first)


def role_sentence(label: str, rows: Sequence[Row]) -> str:
    """Which heads have the role."""
    have = [f"L{r['layer']} H{r['head']}" for r in rows if r["has_role"]]
    if not have:
        return f"'{label}': no head reaches 80 % of the episodes."
    more = f" and {len(have) - MOST_NAMED} more" if len(have) > MOST_NAMED else ""
    named = f"{', '.join(have[:MOST_NAMED])}{more}" if more else words.listed(have)
    return f"'{label}': {named} {'reaches' if len(have) == 1 else 'reach'} 80 % of the episodes."


def role_reading(role: str, rows: Sequence[Row]) -> str:
    """What the role asks, of how many episodes."""
    asks = ROLES.get(role, "the criterion of marts.head_roles, {bar}").format(bar=f"{rows[0]['threshold']:g}")
    return f"Coloured is the share of the episodes in which a head has {asks} (n = {words.extent([r['n_episodes'] for r in rows])}). Shares of episodes have no error bars."


def role_table(ctx: Context, found: Result) -> Block:
    """The heads that have a role."""
    names = {(v.pass_, v.step): ctx.study.name(v) for v in ctx.study.views}
    rows = [
        {**r, "view": names.get((r["pass"], r["denoise_step"]), r["pass"]), "camera": r["camera"] or "any"}
        for r in found
        if r["has_role"]
    ]
    title = "Heads that have a role"
    if not rows:
        return Missing(title, "No head meets the criterion of a role in 80 % of the episodes.")
    columns = [
        text_column("view", "what looks"), text_column("head_role", "role"), text_column("camera", "camera"), LAYER, Column("head", "head"),
        Column("mean_value", "mean value"), Column("threshold", "bar"), Column("share_of_episodes", "share of episodes", words.percent),
        Column("n_prompts", "prompts"), Column("share_of_prompts", "share of prompts", words.percent), Column("n_episodes", "episodes"),
    ]  # fmt: skip
    note = "Share of prompts: the changed prompts in most of whose episodes the criterion holds as well, with the object that the prompt names as the target."
    return TableBlock(title, Table(columns, rows, {"view": "", "head_role": ""}), [found], note)
