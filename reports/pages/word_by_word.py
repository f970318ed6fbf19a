"""Words: what each word of the instruction looks at, object by object and camera by camera."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt

from reports import words
from reports.html.blocks import Block, Column, Figure, Missing, Section, Switch, Table, Variant, text_column
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages import caveats
from reports.pages.intervals import around
from reports.vega import charts, grids, palette

INSTRUCTIONS, MOST_WORDS, MOST_SPELLINGS = 12, 40, 24
WORD_LENGTH, INSTRUCTION_LENGTH, REGION_LENGTH = 18, 90, 24
NAMING, OTHERS = palette.WORDS
LIFT_TITLE = "log2 of the lift"
NOTHING = "No attention of single words is stored for this run in a layer that counts (the last of the prefix does not)."
COMMAND = "set `capture: {queries: [instruction, words, action], passes: [prefix, suffix]}` in the study, then `python -m ingest` and `dbt build`"
MASKS = "add masks to the episodes and run `python -m ingest measure`; where words have no masses per object yet, `python -m ingest run --study FILE --fresh`; then `dbt build`"
READS = "0: no preference; 1: twice the object's share of the picture, minus 1: half. Mean over the heads and keyframes of an episode, then over episodes. Cells have no error bar; the next section has intervals."


def sections(ctx: Context) -> list[Section]:
    """Word by word on objects, every spelling over all instructions, and where words look at all."""
    objects = ctx.query("words_on_objects", n_instructions=INSTRUCTIONS)
    regions = ctx.query("words_on_regions", n_instructions=INSTRUCTIONS)
    if not len(objects) and not len(regions):
        why = NOTHING
        return [Section("words", "Word by word", [], [Missing("Word by word", why, COMMAND)])]
    if not len(objects):
        why = "No object masks were found for this run, so the attention of words cannot be compared with objects."
        return [
            Section("words", "Word by word", [], [Missing("Words on objects", why, MASKS)]),
            elsewhere(regions),
        ]
    layer = chosen_layer(objects)
    blocks: list[Block] = [by_object(objects, layer)]
    blocks += [by_layer(ctx, objects, camera) for camera in ctx.study.cameras]
    spoken = [*told(objects, layer), caveats.NOT_A_CAUSE, *caveats.taught(ctx)]
    return [
        Section("words", "Word by word, on each object", spoken, blocks),
        spellings(ctx, layer),
        elsewhere(regions),
    ]


def chosen_layer(objects: Result) -> int:
    """The layer where the word that names the target has its highest mean lift; the first where no word does."""
    naming = [
        r
        for r in objects.where(role="target", names_target=True, is_last_prefix_layer=False)
        if r["mean_lift"] is not None
    ]
    layers = sorted({r["layer"] for r in naming})
    if not layers:
        return min(r["layer"] for r in objects)

    def mean(layer: int) -> float:
        values = [(r["mean_lift"], r["n_episodes"]) for r in naming if r["layer"] == layer]
        return sum(v * n for v, n in values) / max(1, sum(n for _, n in values))

    return max(layers, key=lambda layer: (mean(layer), -layer))


def told(objects: Result, layer: int) -> list[str]:
    """Which instructions are shown, and at which layer."""
    shown = [i for (i,) in objects.distinct("instruction")]
    text = f"{words.plural(len(shown), 'instruction')} of the study, the most frequent first"
    if len(shown) == INSTRUCTIONS:
        text = f"The {len(shown)} most frequent instructions"
    return [
        f"{text}; each number is a mean over the episodes of that instruction. Layer {layer} is the one in which the words that name the "
        "target have their highest lift on it, and was chosen for that: it shows the strongest link, not the usual one."
    ]


def labelled(rows: Sequence[Row]) -> dict[int, str]:
    """Word number -> '3 banana': words recur, so that they carry their place."""
    found = {r["word_index"]: words.cut(str(r["word"]), WORD_LENGTH) for r in rows}
    return {i: f"{i + 1} {found[i]}" for i in sorted(found)[:MOST_WORDS]}


def log2(value: float | None) -> float | None:
    """Its logarithm, where it has one."""
    return math.log2(value) if value else None


def instruction_label(instruction: str, n: int) -> str:
    """An instruction in a choice."""
    return f"{words.cut(instruction, INSTRUCTION_LENGTH)} (n = {n})"


def tips(column: str, what: str) -> list[alt.Tooltip]:
    """What a cell says."""
    return [
        alt.Tooltip("word:N"),
        alt.Tooltip(column, type="nominal", title=what),
        alt.Tooltip("lift:Q", format=".3~g"),
        alt.Tooltip("share:Q", title="share of the camera", format=".2%"),
        alt.Tooltip("n:Q", title="episodes"),
    ]


def by_object(objects: Result, layer: int) -> Block:
    """Words down, objects and cameras across, in one layer; the instruction is chosen."""
    variants: list[Variant] = []
    everything: list[Row] = []
    for instruction, n in objects.distinct("instruction", "n_of_instruction"):
        mine = objects.where(instruction=instruction, layer=layer)
        names = labelled(mine)
        rows = [
            {"word": names[r["word_index"]], "object": f"{r['role']}, {r['camera']}", "lift": r["mean_lift"], "log2": log2(r["mean_lift"]),
             "share": r["mean_mass_share"], "n": r["n_episodes"]}
            for r in mine if r["word_index"] in names and log2(r["mean_lift"]) is not None
        ]  # fmt: skip
        if not rows:
            continue
        across = sorted({r["object"] for r in rows}, key=lambda o: (not o.startswith("target"), o))
        spec = grids.grid(
            rows,
            x=grids.Axis("object", None, across),
            y=grids.Axis("word", None, list(names.values())),
            value="log2",
            title=LIFT_TITLE,
            scale=grids.Scale.over([r["log2"] for r in rows], 0.0),
            tips=tips("object", "object"),
            x_angle=-35,
        )
        top = max(rows, key=lambda r: r["log2"])
        spoken = f"Highest: '{top['word']}' on {top['object']}, lift {words.number(top['lift'])}."
        reading = f"{spoken} Layer {layer}, n = {words.extent([r['n'] for r in rows])} episodes. {READS}{cut_words(mine)}"
        label = instruction_label(instruction, n)
        variants.append(Variant(label, spec, reading, f"Words by objects. {spoken}"))
        everything += [{**r, "instruction": instruction} for r in rows]
    title = f"Each word's attention on each object and camera, layer {layer}"
    if not variants:
        return Missing(title, "No word has a lift on an object in this layer.", MASKS)
    columns = [text_column("instruction", "instruction"), text_column("word", "word"), text_column("object", "object, camera"), Column("lift", "mean lift"), Column("share", "share of the camera"), Column("n", "episodes")]  # fmt: skip
    return Switch(title, "instruction", variants, Table(columns, everything), [objects], wide=True)


def cut_words(rows: Sequence[Row]) -> str:
    """Says where an instruction has more words than a chart holds."""
    n = len({r["word_index"] for r in rows})
    return f" The first {MOST_WORDS} of {n} words." if n > MOST_WORDS else ""


def by_layer(ctx: Context, objects: Result, camera: str) -> Block:
    """Words down, layers across, on the target; the instruction is chosen."""
    variants: list[Variant] = []
    everything: list[Row] = []
    for instruction, n in objects.distinct("instruction", "n_of_instruction"):
        mine = objects.where(instruction=instruction, camera=camera, role="target")
        names = labelled(mine)
        rows = [
            {"word": names[r["word_index"]], "layer": r["layer"], "lift": r["mean_lift"], "log2": log2(r["mean_lift"]), "share": r["mean_mass_share"],
             "n": r["n_episodes"], "last": int(r["is_last_prefix_layer"])}
            for r in mine if r["word_index"] in names and log2(r["mean_lift"]) is not None
        ]  # fmt: skip
        counted = [r for r in rows if not r["last"]]
        if not counted:
            continue
        spec = grids.grid(
            rows,
            x=grids.Axis("layer", "layer", sorted({r["layer"] for r in rows})),
            y=grids.Axis("word", None, list(names.values())),
            value="log2",
            title=LIFT_TITLE,
            scale=grids.Scale.over([r["log2"] for r in counted], 0.0),
            tips=tips("layer", "layer"),
            dimmed="last",
        )
        top = max(counted, key=lambda r: r["log2"])
        spoken = f"Highest: '{top['word']}' in layer {top['layer']}, lift {words.number(top['lift'])}."
        reading = f"{spoken} n = {words.extent([r['n'] for r in rows])} episodes. {READS} Pale: the last prefix layer, which nothing reads.{cut_words(mine)}"
        label = instruction_label(instruction, n)
        variants.append(Variant(label, spec, reading, f"{camera}: words by layers, on the target. {spoken}"))
        everything += [{**r, "instruction": instruction} for r in rows]
    title = f"{camera}: each word's attention on the target, by layer"
    if not variants:
        return Missing(title, "No counted layer has a lift of a word on the target in this camera.", MASKS)
    columns = [text_column("instruction", "instruction"), text_column("word", "word"), Column("layer", "layer"), Column("lift", "mean lift"), Column("share", "share of the camera"), Column("n", "episodes")]  # fmt: skip
    return Switch(title, "instruction", variants, Table(columns, everything), [objects])


def spellings(ctx: Context, layer: int) -> Section:
    """Every word over all instructions, with intervals."""
    found = ctx.query("words_by_spelling", layer=layer)
    title = "Every word, over all instructions"
    blocks: list[Block] = []
    for camera in ctx.study.cameras:
        rows: list[Row] = []
        for r in found.where(camera=camera):
            low, high = around(r["mean_log_lift"], r["std_log_lift"], r["n_episodes"])
            rows.append({
                "word": r["word"], "series": NAMING if r["names_target"] else OTHERS, "n": r["n_episodes"], "y": math.exp(r["mean_log_lift"]),
                "low": None if low is None else math.exp(low), "high": None if high is None else math.exp(high),
            })  # fmt: skip
        heading = f"{camera}: lift on the target of every word, layer {layer}"
        if not rows:
            blocks.append(Missing(heading, "No word has a lift on the target in this camera.", MASKS))
            continue
        drawn = rows[:MOST_SPELLINGS]
        labels = words.short_names([f"{words.cut(r['word'], WORD_LENGTH)}{' *' if r['series'] == NAMING else ''}" for r in drawn], WORD_LENGTH + 2)  # fmt: skip
        named = [{**r, "name": f"{label} (n = {r['n']})"} for r, label in zip(drawn, labels, strict=True)]
        named.sort(key=lambda r: -r["y"])
        spec = charts.intervals_by_name(named, colours=palette.WORDS, x_title="geometric mean lift on the target", references={"no preference": 1.0}, log=True)  # fmt: skip
        told_ = f"Highest {named[0]['name']}: {words.number(named[0]['y'])}; lowest {named[-1]['name']}: {words.number(named[-1]['y'])}."
        more = f" Drawn are the {MOST_SPELLINGS} most frequent of {len(rows)} words." if len(rows) > MOST_SPELLINGS else ""  # fmt: skip
        reading = f"{told_} A star, and green: the word names the target of its episode. Points are geometric means over the episodes that hold the word (n), bars 95 % t-intervals of the mean log lift; no bar: fewer than 3 episodes. Logarithmic axis.{more}"
        columns = [text_column("word", "word"), text_column("series", "which"), Column("y", "lift"), Column("low", "from"), Column("high", "to"), Column("n", "episodes")]  # fmt: skip
        blocks.append(Figure(heading, spec, reading, f"{heading}. {told_}", Table(columns, rows), [found]))  # fmt: skip
    return Section("spellings", title, [], blocks)


def elsewhere(regions: Result) -> Section:
    """Words down, regions of the input across; the instruction is chosen."""
    title = "Where does each word look at all?"
    variants: list[Variant] = []
    everything: list[Row] = []
    for instruction, n in regions.distinct("instruction", "n_of_instruction"):
        mine = regions.where(instruction=instruction)
        names = labelled(mine)
        rows = [
            {"word": names[r["word_index"]], "region": words.cut(r["region"], REGION_LENGTH), "share": r["mean_mass"], "n": r["n_episodes"]}
            for r in mine if r["word_index"] in names
        ]  # fmt: skip
        across = list(dict.fromkeys(sorted(r["region"] for r in rows)))
        spec = grids.grid(
            rows,
            x=grids.Axis("region", None, across),
            y=grids.Axis("word", None, list(names.values())),
            value="share",
            title="share of the word's attention",
            scale=grids.Scale(0.0, max(r["share"] for r in rows)),
            tips=[
                alt.Tooltip("word:N"),
                alt.Tooltip("region:N"),
                alt.Tooltip("share:Q", format=".2%"),
                alt.Tooltip("n:Q", title="episodes"),
            ],
            x_angle=-35,
        )
        top = max(rows, key=lambda r: r["share"])
        spoken = f"Largest: '{top['word']}' on {top['region']}, {words.percent(top['share'])}."
        reading = f"{spoken} Each row adds up to 100 % over the regions of the input. Mean over heads and over the layers but the last of the prefix, then over n = {words.extent([r['n'] for r in rows])} episodes. No error bars.{cut_words(mine)}"
        variants.append(Variant(instruction_label(instruction, n), spec, reading, f"Words by regions. {spoken}"))  # fmt: skip
        everything += [{**r, "instruction": instruction} for r in rows]
    if not variants:
        return Section("regions", title, [], [Missing(title, NOTHING, COMMAND)])  # fmt: skip
    columns = [text_column("instruction", "instruction"), text_column("word", "word"), text_column("region", "region"), Column("share", "share", words.percent), Column("n", "episodes")]  # fmt: skip
    heading = "Each word's attention by region of the input"
    return Section("regions", title, [], [Switch(heading, "instruction", variants, Table(columns, everything), [regions], wide=True)])  # fmt: skip
