"""Whether two cameras' maps meet at the same places of the table, by the recording's calibration."""

from __future__ import annotations

from reports import words
from reports.html.blocks import Block, Column, Figure, Missing, Section
from reports.marts.context import Context, View
from reports.marts.warehouse import Result, Row
from reports.pages.tables import interval_table
from reports.vega import charts, palette

TITLE = "Do the cameras' maps meet on the table?"
COMMAND = "set `episodes: {table_height: METRES}` in the study, where the recordings have a calibration, then `python -m ingest` and `dbt build`"
SAME, APART = "same moment", "half an episode apart"
COLOURS = {SAME: palette.MASKS["own mask"], APART: palette.MASKS["other episodes"]}


def sections(ctx: Context) -> list[Section]:
    """One chart a pair of cameras and view; no section where the study has one camera."""
    if len(ctx.study.cameras) < 2:
        return []
    found = ctx.query("camera_agreement")
    known = [row for row in found if row["mean_correlation"] is not None]
    if not known:
        return [Section("cameras", TITLE, [], [Missing(TITLE, why_not(found), COMMAND)])]
    blocks: list[Block] = []
    spoken: list[str] = []
    for pair in dict.fromkeys((row["camera"], row["other_camera"]) for row in known):
        for view in ctx.study.views:
            rows = [r for r in known if (r["camera"], r["other_camera"]) == pair and view.of(r)]
            if rows:
                blocks.append(figure(ctx, view, pair, rows, found))
                spoken.append(sentence(ctx, view, pair, rows))
    return [Section("cameras", TITLE, spoken, blocks)]


def why_not(found: Result) -> str:
    """The reasons that the mart holds, or that there is nothing."""
    reasons = sorted({row["reason"] for row in found if row["reason"]})
    told = f": {'; '.join(reasons)}" if reasons else ""
    return f"No keyframe of this run has maps of two cameras that could be compared{told}."


def sentence(ctx: Context, view: View, pair: tuple[str, str], rows: list[Row]) -> str:
    """Where the place adds most to the correlation, and whether that is more than nothing."""
    best = max(rows, key=lambda r: r["mean_correlation_gain"] or 0.0)
    above = [r["layer"] for r in rows if (r["correlation_gain_low"] or 0.0) > 0]
    surely = (
        f"the interval lies above 0 in {words.layers_named(above)}"
        if above
        else "in no layer does the interval lie above 0"
    )
    gain = words.evidence(best["correlation_gain_low"], best["correlation_gain_high"], best["n_episodes"])
    return (
        f"{ctx.study.name(view)}, {' and '.join(pair)}: the moment adds most to the correlation in layer {best['layer']}, "
        f"{words.number(best['mean_correlation_gain'])} ({gain}); {surely}, not corrected for {words.plural(len(rows), 'layer')}."
    )


def figure(ctx: Context, view: View, pair: tuple[str, str], rows: list[Row], source: Result) -> Figure:
    """Correlation by layer, and what maps of other moments give."""
    drawn: list[Row] = []
    for r in rows:
        here = {"layer": r["layer"], "n": r["n_episodes"], "patches": r["mean_n_patches"]}
        ends = {"low": r["correlation_low"], "high": r["correlation_high"]}
        drawn.append({**here, **ends, "series": SAME, "y": r["mean_correlation"]})
        if r["mean_other_frame_correlation"] is not None:
            drawn.append({**here, "low": None, "high": None, "series": APART, "y": r["mean_other_frame_correlation"]})  # fmt: skip
    spec = charts.intervals_by_layer(
        drawn, colours=COLOURS, y_title="Pearson's r", references={"unrelated": 0.0}
    )
    title = f"{' and '.join(pair)}: correlation of their maps on the table, {ctx.study.name(view)}"
    reading = (
        f"Patches of {pair[1]} are carried into the picture of {pair[0]} by the calibration, over the plane of the table; the two "
        f"maps are compared over the patches that both cameras see ({words.extent([round(r['mean_n_patches']) for r in rows])} on average). "
        "Half an episode apart: the same with the other camera's map of another moment, which shows what habits of a picture give "
        "without the place. Points are means over episodes, bars 95 % BCa bootstrap intervals over episodes "
        f"(n = {words.extent([r['n_episodes'] for r in rows])})."
    )
    if view.pass_ == "prefix":
        reading += " The last prefix layer is left out."
    best = max(rows, key=lambda r: r["mean_correlation"])
    alt = f"{title}. Highest in layer {best['layer']}: {words.number(best['mean_correlation'])}."
    table = interval_table(drawn, "Pearson's r", more=[Column("patches", "patches both see")])
    return Figure(title, spec, reading, alt, table, [source])
