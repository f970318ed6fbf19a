"""Prompt control (H2.1): does changing the prompt move attention, and the actions?"""

from __future__ import annotations

from dataclasses import replace

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
    text_column,
)
from reports.marts import answers
from reports.marts.context import Context, View
from reports.marts.warehouse import Result, Row
from reports.pages import caveats, newly_named
from reports.pages.object_tests import paired_table
from reports.pages.plain_words import fewest_episodes
from reports.pages.tables import LAYER, interval_table, with_interval
from reports.vega import charts, palette

COMMAND = (
    "add `conditions: {prompts: ..., paraphrases: ...}` to the study, then `python -m ingest` and `dbt build`"
)
# Trends of the original protocol: axis, lines, and what the lines are.
TRENDS = {
    "mean_correlation": (
        "correlation", {"0.9": 0.9, "0.8": 0.8},
        "Dashed: 0.9, above which the original protocol calls two maps highly similar, and 0.8, below which it calls them different.",
    ),
    "mean_centroid_shift_px": (
        "centroid shift, px", {"50 px": 50.0}, "Dashed: 50 px, above which the original protocol calls the centroid moved.",
    ),
}  # fmt: skip
NO_BARS = (
    "No error bars: the original protocol draws none, and intervals are computed for what our verdict rests on alone (the "
    "difference to the paraphrases, above)."
)
ESTIMANDS = {
    "jsd_minus_paraphrase": "JSD minus paraphrases, nats",
    "mass_gain_named": "mass gained by the named object",
    "action_mse_minus_paraphrase": "standardised action error minus paraphrases",
}
MEASURES = {
    "jsd": ("mean_jsd", "Jensen-Shannon divergence", "JSD, nats", "mean"),
    "l2": ("mean_l2_distance", "L2 distance of the raw maps, as in the original protocol", "L2", "max"),
}


def sections(ctx: Context) -> list[Section]:
    """Shift by layer and prompt, the null of paraphrases, mass on the named object, actions."""
    shift = ctx.query("shift_by_layer")
    if not len(shift):
        why = "The study has no prompt conditions, or none of them changed the tokens that enter the model."
        return [Section("prompts", "Changed prompts", [], [Missing("Changed prompts", why, COMMAND)])]
    paired = ctx.query("paired_tests", hypothesis="H2.1")
    found: list[Section] = []
    for view in ctx.study.views:
        if any(view.of(r) for r in shift):
            blocks: list[Block] = []
            for name in MEASURES:
                blocks += [
                    b for camera in ctx.study.cameras for b in heat_figure(ctx, view, camera, shift, name)
                ]
            for estimand in ("jsd_minus_paraphrase", "mass_gain_named"):
                blocks += [
                    b
                    for camera in ctx.study.cameras
                    for b in paired_figure(ctx, view, camera, paired, estimand)
                ]
            spoken = [*sentences(ctx, view, paired), *newly_named.sentences(ctx, view)]
            found.append(Section(view.key, ctx.study.name(view), spoken, blocks))
    found.append(Section("actions", "Do the actions move?", action_words(ctx, paired), [action_figure(ctx)]))
    found.append(seed_section(ctx, shift))
    found[0] = replace(found[0], words=[*found[0].words, *paraphrase_words(ctx), caveats.NOT_A_CAUSE])
    table = paired_table(ctx, paired, ESTIMANDS, "Prompt against paraphrases, by layer and prompt", "H2.1")
    note = "Paired by episode, one-sided, Holm-corrected over layers and prompts; the last prefix layer is left out."
    return [*found, Section("tests", "All tests", [note], [table])]


def paraphrase_words(ctx: Context) -> list[str]:
    """What each paraphrase says, and when it is a fair null."""
    told = [
        f"{ctx.study.condition_names[c['condition_id']]} is '{words.cut(c['prompt_template'] or '', 80)}'"
        for c in ctx.study.conditions
        if c["kind"] == "paraphrase"
    ]
    if not told:
        return []
    return [
        f"The null is a paraphrase: the same object in other words ({words.listed(told)}). It is fair only where the paraphrase "
        "is worded like the prompts: one of another length or build moves the map by its wording alone, and so do prompts that "
        "are worded differently from the instruction."
    ]


def sentences(ctx: Context, view: View, paired: Result) -> list[str]:
    """Whether a changed prompt moves attention more than a paraphrase."""
    alpha = ctx.study.statistics["alpha"]
    found = []
    for camera in ctx.study.cameras:
        rows = [
            r
            for r in paired.where(estimand="jsd_minus_paraphrase", camera=camera)
            if view.of(r) and r["estimate"] is not None
        ]
        tests = [r for r in rows if r["p_holm"] is not None]
        if not rows:
            continue
        best = max(rows, key=lambda r: r["estimate"])
        text = (
            f"{camera}: the largest excess over the paraphrases is {words.number(best['estimate'])} nats "
            f"in layer {best['layer']} under '{ctx.study.condition_names.get(best['condition_id'], best['condition_id'])}' "
            f"({words.evidence(best['low'], best['high'], best['n_episodes'])})."
        )
        passed = sorted({r["layer"] for r in tests if r["p_holm"] < alpha and r["estimate"] > 0})
        if not tests:
            text += " Too few episodes to test it."
        elif passed:
            text += f" Some prompt moves the map more than a paraphrase in {words.layers_named(passed)} (Holm-corrected p < {alpha:g})."
        else:
            text += f" In no layer is it more than under a paraphrase (Holm-corrected p < {alpha:g})."
        found.append(text + words.too_few(tests, int(ctx.study.statistics["min_episodes"])))
    return found


def heat_figure(ctx: Context, view: View, camera: str, shift: Result, measure: str) -> list[Block]:
    """Layers across, prompts down, paraphrases last."""
    column, measured, title, joined = MEASURES[measure]
    picked = [r for r in shift.where(camera=camera, joined=joined) if view.of(r) and r[column] is not None]
    if not picked:
        picked = [r for r in shift.where(camera=camera) if view.of(r) and r[column] is not None]
    if not picked:
        return []
    rows = [
        {
            "layer": r["layer"],
            "name": ctx.study.condition_names[r["condition_id"]],
            "y": r[column],
            "n": r["n_episodes"],
        }
        for r in picked
    ]
    names = list(dict.fromkeys(r["name"] for r in rows))
    spec = charts.heat_map(rows, names=names, title=title)
    heading = f"{camera}: how far each prompt moves the map, {measured}"
    reading = (
        "Means over episodes against the baseline prompt on the same frame. The rows of paraphrases at the bottom are the null: "
        "only what is brighter than they are counts. One colour scale for the whole chart."
    )
    counts = {name: words.extent([r["n"] for r in rows if r["name"] == name]) for name in names}
    reading += f" Episodes: {', '.join(f'{name} {n}' for name, n in counts.items())}."
    if view.pass_ == "prefix":
        reading += f" Layer {ctx.study.last_prefix_layer} is the last of the prefix and does not count."
    table = Table([text_column("name", "prompt"), LAYER, Column("y", title), Column("n", "episodes")], rows)
    top = max(rows, key=lambda r: r["y"])
    alt = f"{heading}. Highest {words.number(top['y'])} for {top['name']} in layer {top['layer']}."
    return [Figure(heading, spec, reading, alt, table, [shift])]


def paired_figure(ctx: Context, view: View, camera: str, paired: Result, estimand: str) -> list[Block]:
    """Estimates with intervals, one series a prompt."""
    names = ctx.study.condition_names
    picked = [r for r in paired.where(estimand=estimand, camera=camera) if view.of(r)]
    conditions = list(dict.fromkeys(r["condition_id"] for r in picked))
    rows: list[Row] = []
    for condition in conditions:
        mine = [r for r in picked if r["condition_id"] == condition]
        rows += with_interval(
            mine, series=names.get(condition, condition), y="estimate", low="low", high="high", n="n_episodes"
        )
    if not rows:
        return []
    colours = palette.prompt_colours(list(dict.fromkeys(names.get(c, c) for c in conditions)))
    if estimand == "jsd_minus_paraphrase":
        heading, axis = f"{camera}: shift beyond that of a paraphrase", "JSD minus paraphrases, nats"
        reading = "Jensen-Shannon divergence to the baseline, minus the mean over the paraphrases of the same episode. Above 0: the map moves more than under the paraphrases, which name the same object in other words. That is a fair comparison only where the paraphrase is worded like the prompts."
    else:
        heading, axis = (
            f"{camera}: attention gained by the object that the changed prompt names",
            "gain in mass share",
        )
        reading = "Share of the camera's attention on the newly named object under the changed prompt, minus its share under the baseline; frames where it is in view."
    reading += f" Points are means over episodes (n = {words.extent([r['n'] for r in rows])}), bars 95 % BCa bootstrap intervals over episodes."
    if answers.is_of_verdict(ctx, "H2.1", view, camera) and estimand == "jsd_minus_paraphrase":
        reading += " The verdict on H2.1 rests on the middle layers of this chart."
    spec = charts.intervals_by_layer(rows, colours=colours, y_title=axis, references={"no change": 0.0})
    top = max(rows, key=lambda r: r["y"])
    alt = f"{heading}. Highest {words.number(top['y'])} for {top['series']} in layer {top['layer']}."
    return [Figure(heading, spec, reading, alt, interval_table(rows, axis, "prompt"), [paired])]


def action_words(ctx: Context, paired: Result) -> list[str]:
    """Whether the actions move more than under a paraphrase."""
    alpha = ctx.study.statistics["alpha"]
    rows = [r for r in paired.where(estimand="action_mse_minus_paraphrase") if r["estimate"] is not None]
    if not rows:
        return ["Insufficient data: no action error could be compared with that of a paraphrase."]
    names = ctx.study.condition_names
    passed = [r for r in rows if r["p_holm"] is not None and r["p_holm"] < alpha]
    if passed:
        told = [names.get(r["condition_id"], r["condition_id"]) for r in passed]
        least = min(passed, key=lambda r: r["estimate"])
        by = f"{words.number(least['estimate'])} ({words.evidence(least['low'], least['high'], least['n_episodes'])})"
        return [
            f"The actions move more than under a paraphrase for {words.listed(told)} (same noise; Holm-corrected p < {alpha:g}): "
            f"the standardised squared difference is larger by {by} for {names.get(least['condition_id'], least['condition_id'])}, the least "
            f"of them.{words.too_few(passed, fewest_episodes(ctx))}"
        ]
    return [
        f"For no prompt do the actions move significantly more than under a paraphrase (Holm-corrected p < {alpha:g})."
    ]


def action_figure(ctx: Context) -> Block:
    """Squared error of the actions against the baseline, per prompt."""
    actions = ctx.query("action_shift")
    rows = [
        {
            "name": ctx.study.condition_names[r["condition_id"]], "series": r["condition_kind"], "n": r["n_episodes"],
            "y": r["mean_mse_standardised"], "low": r["low"], "high": r["high"],
        }
        for r in actions
        if r["mean_mse_standardised"] is not None
    ]  # fmt: skip
    if not rows:
        return Missing(
            "Effect on the actions", "No action effects are stored for the changed prompts.", COMMAND
        )
    colours = {"prompt": palette.PROMPTS[0], "paraphrase": palette.PARAPHRASE}
    axis = "squared difference of the action chunk, standardised"
    spec = charts.intervals_by_name(rows, colours=colours, x_title=axis, references={"no change": 0.0})
    heading = "Change of the actions under each prompt, paraphrases in grey"
    reading = "Mean squared difference to the baseline's action chunk under the same noise, each dimension divided by its standard deviation. Points are means over episodes, bars 95 % BCa bootstrap intervals."
    counts = ", ".join(f"{r['name']} {r['n']}" for r in rows)
    reading += f" Episodes: {counts}."
    alt = f"{heading}. " + "; ".join(f"{r['name']}: {words.number(r['y'])}" for r in rows) + "."
    return Figure(heading, spec, reading, alt, interval_table(rows, axis, "prompt"), [actions], wide=True)


def seed_section(ctx: Context, shift: Result) -> Section:
    """Correlation and centroid trends with the seed's thresholds, and its criteria."""
    names, middle = ctx.study.condition_names, ctx.study.middle_layers
    blocks: list[Block] = []
    prefix = [r for r in shift if r["pass"] == "prefix"]
    joined = "max" if any(r["joined"] == "max" for r in prefix) else "mean"
    prefix = [r for r in prefix if r["joined"] == joined]
    for camera in ctx.study.cameras:
        mine = [
            r
            for r in prefix
            if r["camera"] == camera and r["layer"] in middle and r["condition_kind"] == "prompt"
        ]
        best = {
            "l2": max(
                (r["mean_l2_distance"] for r in mine if r["mean_l2_distance"] is not None), default=None
            ),
            "r": min(
                (r["mean_correlation"] for r in mine if r["mean_correlation"] is not None), default=None
            ),
            "px": max(
                (r["mean_centroid_shift_px"] for r in mine if r["mean_centroid_shift_px"] is not None),
                default=None,
            ),
        }
        blocks.append(Checklist(f"{camera}: the original protocol's criteria for H2.1", [
            Criterion(f"L2 above 5 in the middle layers ({words.ranges(middle) or 'none here'})", f"highest {words.number(best['l2'])}", None if best["l2"] is None else best["l2"] > 5),
            Criterion("Correlation below 0.8", f"lowest {words.number(best['r'])}", None if best["r"] is None else best["r"] < 0.8),
            Criterion("Centroid shift above 50 px", f"largest {words.number(best['px'])} px", None if best["px"] is None else best["px"] > 50),
        ], [shift], "Means over episodes; shown is the middle layer and prompt that comes nearest to the criterion. The verdict asks for every middle layer, prompts averaged. For a maximum over N rows L2 cannot exceed the square root of 2N."))  # fmt: skip
    for column, (axis, references, lines) in TRENDS.items():
        for camera in ctx.study.cameras:
            rows = [
                {
                    "layer": r["layer"],
                    "series": names[r["condition_id"]],
                    "y": r[column],
                    "low": None,
                    "high": None,
                    "n": r["n_episodes"],
                }
                for r in prefix
                if r["camera"] == camera and r[column] is not None
            ]
            if not rows:
                continue
            kinds = {names[r["condition_id"]]: r["condition_kind"] for r in prefix}
            colours = palette.prompt_colours([k for k, kind in kinds.items() if kind == "prompt"])
            colours |= {k: palette.PARAPHRASE for k, kind in kinds.items() if kind != "prompt"}
            spec = charts.intervals_by_layer(
                rows,
                colours=colours,
                y_title=axis,
                references=references,
                shaded=[ctx.study.last_prefix_layer],
                height=180,
            )
            heading = (
                f"{camera}: {axis} with the baseline map, by layer"
                if axis == "correlation"
                else f"{camera}: {axis}, by layer"
            )
            reading = f"Words to image, against the baseline prompt on the same frame; means over episodes (n = {words.extent([r['n'] for r in rows])}), paraphrases in grey. {lines} {NO_BARS}"
            blocks.append(
                Figure(heading, spec, reading, heading, interval_table(rows, axis, "prompt"), [shift])
            )
    return Section("seed", "The original protocol's measures and criteria", [], blocks)
