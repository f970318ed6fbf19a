"""Distributions: split violins by layer with one dot an episode, and histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from reports.vega.sheet import (
    GREY,
    Rows,
    Sheet,
    Spec,
    backdrop,
    chart_maker,
    layer_axis,
    series_colour,
    value_axis,
)
from reports.words import number

HALF_WIDTH = 0.4
FEWEST = 5  # episodes below which a violin would be drawn from nothing
MOST_DOTS = 60
"""Episodes drawn as dots in one half of a violin: more lie on each other, and 10,000 make a page of 7 MB."""


def drawn_as_dots(rows: Sequence[Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    """All rows, or where they are too many those at even steps of their rank, the lowest and the highest among them."""
    if len(rows) <= MOST_DOTS:
        return list(rows)
    ranked = sorted(rows, key=lambda row: row[key])
    return [ranked[round(i * (len(ranked) - 1) / (MOST_DOTS - 1))] for i in range(MOST_DOTS)]


def dots_in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the dots of `split_violins` stand for: every episode, or how many of how many."""
    halves: dict[tuple[Any, Any], int] = {}
    for row in rows:
        half = row["layer"], row["series"]
        halves[half] = halves.get(half, 0) + 1
    most = max(halves.values(), default=0)
    if most <= MOST_DOTS:
        return "One dot an episode."
    return (
        f"Dots: {MOST_DOTS} of up to {number(most)} episodes in each half of a layer, at even steps of their rank from the "
        "lowest to the highest; the shapes are taken from all."
    )


def violin_outline(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values, widths 0..1) of a kernel density estimate, Scott's rule, over the range of the data."""
    spread = float(logs.max() - logs.min())
    grid = np.linspace(logs.min() - 0.08 * spread, logs.max() + 0.08 * spread, 32)
    width = float(logs.std(ddof=1)) * len(logs) ** -0.2
    density = np.exp(-0.5 * ((grid[:, None] - logs[None, :]) / width) ** 2).sum(axis=1)
    return grid, density / density.max()


@chart_maker
def split_violins(
    rows: Sequence[Mapping[str, Any]],
    *,
    colours: Mapping[str, str],
    y_title: str,
    reference: str,
    shaded: Sequence[int],
) -> Spec:
    """Halves of a violin back to back (first series left, second right) with episodes as dots; base-2 log axis.

    `rows` carry layer, series, name (episode) and log (natural log of the value).
    """
    series = [name for name in colours if any(row["series"] == name for row in rows)]
    areas: Rows = []
    dots: Rows = []
    for side, name in enumerate(series):
        sign = 0 if len(series) == 1 else (-1, 1)[side]
        for layer in sorted({row["layer"] for row in rows}):
            members = [r for r in rows if r["layer"] == layer and r["series"] == name]
            logs = np.array([r["log"] for r in members])
            for i, row in enumerate(drawn_as_dots(members, "log")):
                # A fixed low-discrepancy jitter: the page must not change from one build to the next.
                jitter = 0.05 + 0.28 * ((i * 0.618034) % 1.0)
                x = layer + (sign or (-1) ** i) * jitter
                dots.append(
                    {
                        "layer": layer,
                        "x": x,
                        "series": name,
                        "name": row["name"],
                        "y": math.exp(row["log"]),
                        "n": 1,
                    }
                )
            if len(logs) >= FEWEST and logs.std() > 1e-6:
                for value, width in zip(*violin_outline(logs), strict=True):
                    left = layer - HALF_WIDTH * width * (sign <= 0)
                    right = layer + HALF_WIDTH * width * (sign >= 0)
                    areas.append(
                        {"layer": layer, "series": name, "y": math.exp(value), "x": left, "x2": right}
                    )
    scale, axis = value_axis(y_title, True, [*dots, *areas], [1.0])
    x, y = layer_axis(dots), alt.Y("y:Q", scale=scale, axis=axis)
    colour = series_colour({name: colours[name] for name in series}, legend=len(series) > 1)
    sheet = Sheet()
    parts = backdrop(sheet, {reference: 1.0}, (), shaded, scale, log=True)
    if areas:
        shape = sheet.chart(areas).mark_area(orient="horizontal", opacity=0.28)
        parts.append(
            shape.encode(x=x, x2=alt.X2("x2"), y=y, color=colour, detail=alt.Detail("layer", type="nominal"))
        )
    tips = [
        alt.Tooltip("name:N", title="episode"),
        alt.Tooltip("layer:Q", format="d"),
        alt.Tooltip("y:Q", format=".3~g"),
    ]
    parts.append(
        sheet.chart(dots).mark_circle(size=13, opacity=0.7).encode(x=x, y=y, color=colour, tooltip=tips)
    )
    return sheet.layered(parts, 260)


def marks_in_range(values: Sequence[float], marks: Sequence[float]) -> list[float]:
    """Marks within a factor of 2 of the values: others would press the bars into a corner."""
    return [m for m in marks if min(values) / 2 <= m <= max(values) * 2]


@chart_maker
def histogram(
    values: Mapping[str, Sequence[float]], *, colours: Mapping[str, str], x_title: str, marks: Sequence[float]
) -> Spec:
    """Counts of positive values in equal bins of their logarithm, stacked by series; dashed lines at `marks` nearby."""
    every = [v for series in values.values() for v in series]
    near = marks_in_range(every, marks)
    logs = np.log(every)
    edges = np.histogram_bin_edges(logs, bins=min(16, max(6, round(1.5 * math.sqrt(len(every))))))
    data, highest = stacked_bins(values, edges)
    span = [{"y": v} for v in (math.exp(edges[0]), math.exp(edges[-1]))]
    scale, axis = value_axis(x_title, True, span, near)
    colour = series_colour({k: v for k, v in colours.items() if k in values}, legend=len(values) > 1)
    sheet = Sheet()
    ticks = alt.Axis(title="episodes", tickMinStep=1, tickCount=4)
    room = alt.Scale(domain=[0, 1.25 * highest], nice=False)  # the box stands above the bars
    bars = (
        sheet.chart(data)
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("low", type="quantitative", scale=scale, axis=axis),
            x2=alt.X2("high"),
            y=alt.Y("from", type="quantitative", axis=ticks, scale=room),
            y2=alt.Y2("to"),
            color=colour,
            tooltip=[alt.Tooltip("series:N"), alt.Tooltip("count:Q", title="episodes")],
        )
    )
    layers = [bars, *box_above(sheet, every, 1.15 * highest)]
    if near:
        rules = sheet.chart([{"x": m} for m in near]).mark_rule(strokeDash=[4, 3], color=GREY)
        layers.append(rules.encode(x=alt.X("x", type="quantitative")))
    return sheet.layered(layers, 180)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile, linear between neighbours."""
    first, median, third = np.percentile(values, [25, 50, 75])
    return float(first), float(median), float(third)


def box_above(sheet: Sheet, values: Sequence[float], height: float) -> list[alt.Chart]:
    """A lying box: a thin line over the range, a thick one between the quartiles, a dot at the median."""
    first, median, third = quartiles(values)
    data = sheet.chart([{
        "least": min(values), "most": max(values), "first": first, "third": third, "median": median, "at": height,
    }])  # fmt: skip
    y = alt.Y("at", type="quantitative")
    tips = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("least", "first", "median", "third", "most")]

    def line(low: str, high: str, width: int) -> alt.Chart:
        ends = {"x": alt.X(low, type="quantitative"), "x2": alt.X2(high)}
        return data.mark_rule(strokeWidth=width, color=GREY).encode(**ends, y=y, tooltip=tips)

    dot = data.mark_point(filled=True, size=60, color="#ffffff", stroke="#17212b", strokeWidth=1.5)
    middle = dot.encode(x=alt.X("median", type="quantitative"), y=y, tooltip=tips)
    return [line("least", "most", 1), line("first", "third", 7), middle]


def stacked_bins(values: Mapping[str, Sequence[float]], edges: np.ndarray) -> tuple[Rows, int]:
    """Bars of each series on top of those before it, and the height of the highest stack."""
    data: Rows = []
    floor = np.zeros(len(edges) - 1, dtype=int)
    for name, series in values.items():
        counts, _ = np.histogram(np.log(series), bins=edges)
        for k in np.flatnonzero(counts):
            data.append({
                "low": math.exp(edges[k]), "high": math.exp(edges[k + 1]), "series": name, "count": int(counts[k]),
                "from": int(floor[k]), "to": int(floor[k] + counts[k]),
            })  # fmt: skip
        floor += counts
    return data, int(floor.max())
