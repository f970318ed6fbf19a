"""Vision and language once more: over the episode, and suite by suite."""

from __future__ import annotations

import math

from reports import words
from reports.html.blocks import Block, Column, Figure, Missing, Switch, Table, Variant, text_column
from reports.marts.warehouse import Result, Row
from reports.pages.intervals import around
from reports.vega import charts, palette
from reports.vega.curves import intervals_along

BANDS = [(0.67, 1.5)]
RATIO = "visual / linguistic ratio"
TENTHS = tuple(f"{10 * i + 5} %" for i in range(10))
PANELS = {
    "ratio": (RATIO, "log_ratio", "Geometric means over episodes."),
    "mass on pictures": ("share of attention", "visual_mass", "Share of all attention of the action tokens."),
    "mass on text": ("share of attention", "linguistic_mass", "Share of all attention of the action tokens."),
    "pictures of both": (
        "pictures / (pictures + text)",
        "visual_fraction",
        "Attention on pictures as a share of that on pictures and text together.",
    ),
}
COLOURS = {
    "ratio": palette.OUTCOMES["all"],
    "mass on pictures": palette.MODALITIES["visual"],
    "mass on text": palette.MODALITIES["linguistic"],
    "pictures of both": palette.MODALITIES["visual"],
}
MOST_SUITES = 40


def over_episode(step: int, found: Result) -> Block:
    """Four panels in one place: the ratio, both masses, and the fraction, by tenths of the episode."""
    heading = "Vision against language over the episode"
    variants: list[Variant] = []
    everything: list[Row] = []
    for panel, (axis, column, what) in PANELS.items():
        rows = []
        for r in found.where(denoise_step=step):
            mean = r[f"mean_{column}"]
            if mean is None:
                continue
            low, high = around(mean, r[f"std_{column}"], r["n_episodes"])
            ends = [mean, low, high]
            y, low, high = [math.exp(v) if v is not None and column == "log_ratio" else v for v in ends]
            rows.append({"at": r["tenth"], "series": panel, "y": y, "low": low, "high": high, "n": r["n_episodes"]})  # fmt: skip
        if not rows:
            continue
        spec = intervals_along(
            rows,
            colours={panel: COLOURS[panel]},
            x_title="part of the episode",
            y_title=axis,
            ticks=TENTHS,
            references={"equal": 1.0} if panel == "ratio" else None,
            percent=panel != "ratio",
        )
        show = words.number if panel == "ratio" else words.percent
        told = f"From {show(rows[0]['y'])} in the first tenth kept to {show(rows[-1]['y'])} in the last."
        reading = (
            f"{told} {what} The episode in tenths, by the number of its frames; points are means over episodes "
            f"(n = {words.extent([r['n'] for r in rows])}), bars 95 % t-intervals of each mean by itself. Layers averaged."
        )
        variants.append(Variant(panel, spec, reading, f"{heading}, {panel}. {told}"))
        everything += [{**r, "tick": TENTHS[r["at"]]} for r in rows]
    if not variants:
        return Missing(heading, "No keyframe has a defined ratio.")
    columns = [text_column("series", "measure"), text_column("tick", "part of the episode"), Column("y", "value"), Column("low", "from"), Column("high", "to"), Column("n", "episodes")]  # fmt: skip
    return Switch(heading, "measure", variants, Table(columns, everything), [found])


def by_suite(step: int, found: Result) -> Block:
    """One line a suite; models are compared on the page Compare."""
    heading = "Vision against language by suite"
    picked = found.where(denoise_step=step)
    if len(picked) < 2:
        why = "The run holds one suite. Models and runs are compared on the page Compare."
        return Missing(heading, why, "name further suites under `episodes` in a study of their own, then `python -m ingest --study OTHER.yaml` and `dbt build`")  # fmt: skip
    names = words.short_names([f"n = {r['n_episodes']}: {r['suite']}" for r in picked], 40)
    rows: list[Row] = []
    for name, r in zip(names, picked, strict=True):
        y, low, high = [None if v is None else math.exp(v) for v in (r["log_ratio"], r["low"], r["high"])]
        rows.append({"name": name, "series": "all", "y": y, "low": low, "high": high, "n": r["n_episodes"], "suite": r["suite"], "band": r["band"]})  # fmt: skip
    spec = charts.intervals_by_name(
        rows[:MOST_SUITES],
        colours=palette.OUTCOMES,
        x_title=RATIO,
        log=True,
        bands=BANDS,
        references={"equal": 1.0},
    )
    top, low_row = max(rows, key=lambda r: r["y"]), min(rows, key=lambda r: r["y"])
    told = f"Highest {words.number(top['y'])} for {top['suite']}, lowest {words.number(low_row['y'])} for {low_row['suite']}."
    reading = f"{told} Geometric means over a suite's episodes (n), bars 95 % BCa intervals of the mean log ratio, episodes drawn; grey: neither leads (0.67 to 1.5). Logarithmic axis."
    columns = [text_column("suite", "suite"), Column("y", RATIO), Column("low", "from"), Column("high", "to"), Column("n", "episodes"), text_column("band", "band")]  # fmt: skip
    return Figure(heading, spec, reading, f"{heading}. {told}", Table(columns, rows), [found], wide=True)
