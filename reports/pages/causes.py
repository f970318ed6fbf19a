"""Causes (H1, H1k): do the actions change when what gets attention is covered, or attention itself is cut?"""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.html.blocks import Block, Checklist, Column, Criterion, Figure, Missing, Section
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages import diagnosis
from reports.pages.tables import interval_table
from reports.vega import charts, palette
from reports.words import p_value

COMMAND = "add `conditions: {occlusion: ..., knockout: ..., repeats: 1}` to the study, then `python -m ingest` and `dbt build`"
ERROR = "standardised error above controls"
BARS = "Points are means over episodes, bars 95 % BCa bootstrap intervals over episodes."
MEANING = (
    "The error is the squared change of the action chunk against the unchanged picture under the same noise, each dimension "
    "divided by its standard deviation over the episode. Above 0: it moves the actions more than its control does."
)
ERRORS = [Column("own", "error"), Column("control", "error, control"), Column("p_holm", "p, Holm", p_value)]
MOST_NAMES = 40


def sections(ctx: Context) -> list[Section]:
    """Covered patches by layer, named regions, cut attention, and changes of the model."""
    fidelity, regions = ctx.query("fidelity"), ctx.query("regions_covered")
    cuts, effects = ctx.query("knockouts"), ctx.query("effects_of_experiments")
    if not (len(fidelity) or len(regions) or len(cuts) or len(effects)):
        why = "The study covers no pictures, cuts no attention and changes no model, so attention stays a correlate."
        return [*diagnosis.section(ctx), Section("none", "Causes", [], [Missing("Causes", why, COMMAND)])]
    floor = next((r["noise_floor"] for r in fidelity if r["noise_floor"] is not None), None)
    found = diagnosis.section(ctx)
    if len(fidelity):
        blocks = [block for fill in fills_of(fidelity) for block in covered_figure(fidelity, fill, floor)]
        found.append(
            Section(
                "covered",
                "Are the most attended patches causes?",
                floor_words(floor),
                [*blocks, *seed(fidelity)],
            )
        )
    if len(regions):
        rows = [
            named(r, f"{r['region']} ({r['camera']}, {r['fill']})", r["mean_error_region"]) for r in regions
        ]
        title = "Covering a named region, against as many pixels elsewhere"
        found.append(
            Section("regions", "Do named places matter?", [], by_name(title, rows, floor, regions, "region"))
        )
    if len(cuts):
        rows = [named(r, cut_name(r), r["mean_error_cut"]) for r in cuts]
        title = "Cutting attention to some keys, against cutting it to as many patches elsewhere"
        reading = [
            "A cut sets scores to minus infinity before the softmax, so the rest of each row still sums to 1."
        ]
        found.append(
            Section(
                "cuts", "Which paths carry the actions?", reading, by_name(title, rows, floor, cuts, "cut")
            )
        )
    if len(effects):
        found.append(Section("changes", "What else moves the actions?", [], effect_figures(effects)))
    return found


def floor_words(floor: float | None) -> list[str]:
    """What another noise alone does."""
    if floor is None:
        return ["The study has no repeats, so what another noise alone does to the actions is unknown."]
    return [
        f"Another noise alone moves the actions by {words.number(floor)} (the dashed line): a difference below it is smaller "
        "than what the policy's own randomness does, however significant."
    ]


def fills_of(fidelity: Result) -> list[str]:
    return list(dict.fromkeys(r["fill"] for r in fidelity))


def covered_figure(fidelity: Result, fill: str, floor: float | None) -> list[Block]:
    """Difference of the error by layer, one series a choice of cameras."""
    rows = [
        {"layer": r["layer"], "series": camera_words(r["camera"]), "y": r["mean_fidelity"], "low": r["low"],
         "high": r["high"], "n": r["n_episodes"], "own": r["mean_error_high"], "control": r["mean_error_control"],
         "p_holm": r["p_holm"]}
        for r in fidelity.where(fill=fill) if r["mean_fidelity"] is not None
    ]  # fmt: skip
    if not rows:
        return []
    colours = palette.camera_colours(list(dict.fromkeys(r["series"] for r in rows)))
    references = {"no difference": 0.0} | ({} if floor is None else {"noise floor": floor})
    spec = charts.intervals_by_layer(rows, colours=colours, y_title=ERROR, references=references)
    title = f"Covering what a layer attends to most ({fill}), against as many patches elsewhere"
    reading = f"{MEANING} Across: the layer whose map, of the unchanged picture, chose the patches. {BARS}"
    reading += f" Episodes: {words.extent([r['n'] for r in rows])}."
    top = max(rows, key=lambda r: r["y"])
    alt = f"{title}. Largest {words.number(top['y'])} in layer {top['layer']}."
    return [Figure(title, spec, reading, alt, interval_table(rows, ERROR, "cameras", ERRORS), [fidelity])]


def named(row: Row, name: str, own: float | None) -> Row:
    return {
        "name": name, "series": "difference", "y": row["mean_difference"], "low": row["low"], "high": row["high"],
        "n": row["n_episodes"], "own": own, "control": row["mean_error_control"], "p_holm": row["p_holm"],
    }  # fmt: skip


def cut_name(row: Row) -> str:
    where = "all chosen layers" if row["layer"] is None else f"layer {row['layer']}"
    return f"{row['cut']} ({where})"


def by_name(title: str, rows: Sequence[Row], floor: float | None, source: Result, what: str) -> list[Block]:
    """Differences to controls, one line a name; names without a control stay in the table."""
    drawn = [r for r in rows if r["y"] is not None][:MOST_NAMES]
    if not drawn:
        return []
    references = {"no difference": 0.0} if floor is None else {"noise floor": floor}
    spec = charts.intervals_by_name(
        drawn, colours={"difference": palette.PROMPTS[3]}, x_title=ERROR, references=references
    )
    counts = ", ".join(f"{r['name']} {r['n']}" for r in drawn)
    reading = f"{MEANING} {BARS} Episodes: {counts}."
    alt = f"{title}. " + "; ".join(f"{r['name']}: {words.number(r['y'])}" for r in drawn) + "."
    table = interval_table(rows, ERROR, what, ERRORS)
    return [Figure(title, spec, reading, alt, table, [source], wide=True)]


def effect_figures(effects: Result) -> list[Block]:
    """Errors of the actions by condition, a chart a kind."""
    found: list[Block] = []
    for kind in dict.fromkeys(r["condition_kind"] for r in effects):
        rows = [
            {"name": shown_name(r["condition_id"]), "series": kind, "y": r["mean_mse_standardised"],
             "low": r["low"], "high": r["high"], "n": r["n_episodes"]}
            for r in effects.where(condition_kind=kind) if r["mean_mse_standardised"] is not None
        ]  # fmt: skip
        if rows:
            axis = "standardised squared change of the actions"
            spec = charts.intervals_by_name(
                rows[:MOST_NAMES],
                colours={kind: palette.PROMPTS[1]},
                x_title=axis,
                references={"no change": 0.0},
            )
            title = KINDS[kind]
            reading = f"Against the baseline on the same frame. {BARS} Episodes: {words.extent([r['n'] for r in rows])}."
            if len(rows) > MOST_NAMES:
                reading += f" Drawn are the {MOST_NAMES} largest of {len(rows)}; the table has all."
            alt = f"{title}. Largest {words.number(rows[0]['y'])}: {rows[0]['name']}."
            found.append(
                Figure(title, spec, reading, alt, interval_table(rows, axis, kind), [effects], wide=True)
            )
    return found


def shown_name(condition_id: str) -> str:
    """'noise 1' for the repeats, which have numbers alone; else what stands after the kind."""
    kind, name = condition_id.split(":", 1)
    return f"{kind} {name}" if name.isdecimal() else name


KINDS = {
    "noise": "Another noise on the same picture: the noise floor",
    "ablation": "Heads switched off before the output projection",
    "randomised": "Attention weights of the top layers shuffled",
    "augmentation": "Noise or blur, stronger where attention is low",
}


def seed(fidelity: Result) -> list[Block]:
    """The original protocol's criterion, by layer."""
    rows = [r for r in fidelity.where(fill="black") if r["mean_fidelity_seed"] is not None]
    if not rows:
        return []
    criteria = [
        Criterion(
            f"Layer {r['layer']}, {camera_words(r['camera'])}: fidelity above 0",
            f"{words.number(r['mean_fidelity_seed'])} ({r['label_seed']})",
            r["mean_fidelity_seed"] > 0,
        )
        for r in rows
    ]
    note = "MSE with its high pixels black minus MSE with its low ones, squared action units, under the same noise; its low pixels may lie in the padding."
    return [Checklist("The original protocol's criterion for H1", criteria, [fidelity], note)]


def camera_words(camera: str) -> str:
    return "all cameras together" if camera == "together" else f"{camera} camera"
