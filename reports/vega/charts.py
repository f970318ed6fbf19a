"""Charts as Vega-Lite specifications (Altair). Values enter as data only; no expression is ever made from data.

Rows carry plain columns: `layer`, `series`, `y`, `low`, `high`, `n`, `counted`. Colours, fonts and the dark scheme come
from the page (`assets/charts.js`), so that a chart follows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from reports.vega.palette import MODALITIES, SEQUENTIAL
from reports.vega.sheet import (
    GREY,
    HEIGHT,
    Sheet,
    Spec,
    backdrop,
    chart_maker,
    dodge,
    layer_axis,
    series_colour,
    series_legend,
    value_axis,
    with_interval,
)

SHAPES = [
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
]

alt.data_transformers.disable_max_rows()


@contextmanager
def unchecked() -> Iterator[None]:
    """No schema validation while charts are made: it takes 90 % of the time. The tests validate every chart."""
    with debug_mode(False):
        yield


@chart_maker
def intervals_by_layer(
    rows: Sequence[Mapping[str, Any]],
    *,
    colours: Mapping[str, str],
    y_title: str,
    log: bool = False,
    references: Mapping[str, float] | None = None,
    bands: Sequence[tuple[float, float]] = (),
    shaded: Sequence[int] = (),
    include: Sequence[float] = (),
    height: int = HEIGHT,
) -> Spec:
    """Points by layer with error bars (where there is an interval), joined by a thin line, one colour and shape a series."""
    series = [name for name in colours if any(row["series"] == name for row in rows)]
    used = {name: colours[name] for name in series}
    data = dodge(rows, series)
    references = references or {}
    held = [*references.values(), *(v for pair in bands for v in pair), *include]
    x = layer_axis(data)
    scale, axis = value_axis(y_title, log, data, held)
    y = alt.Y("y:Q", scale=scale, axis=axis)
    colour = series_colour(used, legend=len(series) > 1)
    shapes = alt.Scale(domain=series, range=SHAPES[: len(series)])
    shape = alt.Shape("series:N", scale=shapes, legend=series_legend(len(series) > 1))
    tips = [
        alt.Tooltip("series:N", title="series"),
        alt.Tooltip("layer:Q", title="layer", format="d"),
        alt.Tooltip("y:Q", title="value", format=".3~g"),
        alt.Tooltip("low:Q", title="from", format=".3~g"),
        alt.Tooltip("high:Q", title="to", format=".3~g"),
        alt.Tooltip("n:Q", title="episodes", format="d"),
    ]
    bars = with_interval(data)
    if log and not all(row["low"] > 0 for row in bars):
        bars = [row for row in bars if row["low"] > 0]
    sheet = Sheet()
    parts = backdrop(sheet, references, bands, shaded, scale, log)
    parts.append(sheet.chart(data).mark_line(opacity=0.45, strokeWidth=1.5).encode(x=x, y=y, color=colour))
    if bars:
        parts.append(
            sheet.chart(bars)
            .mark_rule(strokeWidth=2)
            .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high"), color=colour)
        )
    points = sheet.chart(data).mark_point(filled=True, size=46, opacity=1)
    parts.append(points.encode(x=x, y=y, color=colour, shape=shape, tooltip=tips))
    return sheet.layered(parts, height)


@chart_maker
def intervals_by_name(
    rows: Sequence[Mapping[str, Any]],
    *,
    colours: Mapping[str, str],
    x_title: str,
    references: Mapping[str, float] | None = None,
    bands: Sequence[tuple[float, float]] = (),
    log: bool = False,
) -> Spec:
    """One line a name (task, prompt): a point and its interval along x."""
    data = [dict(row) for row in rows]
    names = list(dict.fromkeys(row["name"] for row in data))
    held = [*(references or {}).values(), *(v for band in bands for v in band)]
    scale, axis = value_axis(x_title, log, data, held)
    x = alt.X("y:Q", scale=scale, axis=axis)
    y = alt.Y("name:N", sort=names, axis=alt.Axis(title=None, grid=True, domain=False, ticks=False))
    colour = alt.Color(
        "series:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=None
    )
    sheet = Sheet()
    parts: list[alt.Chart] = []
    if bands:
        shade = sheet.chart([{"low": low, "high": high} for low, high in bands])
        parts.append(
            shade.mark_rect(color=GREY, opacity=0.12).encode(
                x=alt.X("low", type="quantitative"), x2=alt.X2("high")
            )
        )
    if references:
        line = sheet.chart([{"y": v, "label": label} for label, v in references.items()])
        place = alt.X("y", type="quantitative")
        parts.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(x=place))
        text = line.mark_text(align="center", baseline="bottom", dy=-4, fontSize=10.5, color=GREY)
        parts.append(text.encode(x=place, y=alt.YValue(0), text=alt.Text("label", type="nominal")))
    bars = [
        r
        for r in data
        if r.get("low") is not None and r.get("high") is not None and (not log or r["low"] > 0)
    ]
    if bars:
        parts.append(
            sheet.chart(bars)
            .mark_rule(strokeWidth=2)
            .encode(x=alt.X("low", type="quantitative"), x2=alt.X2("high"), y=y, color=colour)
        )
    tips = [
        alt.Tooltip("name:N"),
        alt.Tooltip("y:Q", title="value", format=".3~g"),
        alt.Tooltip("n:Q", title="episodes"),
    ]
    parts.append(
        sheet.chart(data)
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x=x, y=y, color=colour, tooltip=tips)
    )
    return sheet.layered(parts, 30 * max(len(names), 2))


@chart_maker
def heat_map(rows: Sequence[Mapping[str, Any]], *, names: Sequence[str], title: str) -> Spec:
    """Layers across, names down, one colour scale from 0 to the largest value."""
    data = [dict(row) for row in rows]
    top = max((row["y"] for row in data if row["y"] is not None), default=1.0) or 1.0
    colour = alt.Color(
        "y:Q",
        scale=alt.Scale(scheme=SEQUENTIAL, domain=[0, top]),
        legend=alt.Legend(
            title=title,
            titleLimit=240,
            orient="top",
            gradientLength=110,
            gradientThickness=9,
            format=".2~g",
            values=[0, top / 2, top],
        ),
    )
    tips = [
        alt.Tooltip("name:N", title="prompt"),
        alt.Tooltip("layer:Q", format="d"),
        alt.Tooltip("y:Q", title=title, format=".3~g"),
        alt.Tooltip("n:Q", title="episodes"),
    ]
    x = alt.X(
        "layer:O", axis=alt.Axis(title="layer", labelAngle=0, ticks=False, domain=False, labelOverlap=True)
    )
    y = alt.Y("name:N", sort=list(names), axis=alt.Axis(title=None, ticks=False, domain=False))
    sheet = Sheet()
    chart = sheet.chart(data).mark_rect(cornerRadius=2).encode(x=x, y=y, color=colour, tooltip=tips)
    return sheet.finish(chart, 26 * max(len(names), 2))


@chart_maker
def fractions_by_layer(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Stacked shares of attention by modality, one bar a layer; they add up to 1."""
    data = [dict(row, order=list(MODALITIES).index(row["series"])) for row in rows]
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=list(MODALITIES), range=list(MODALITIES.values())),
        legend=alt.Legend(title=None, orient="top", symbolType="square"),
    )
    x = alt.X("layer:O", axis=alt.Axis(title="layer", labelAngle=0, ticks=False, labelOverlap=True))
    y = alt.Y(
        "y:Q",
        stack="zero",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title="share of attention", format="%"),
    )
    tips = [
        alt.Tooltip("series:N", title="to"),
        alt.Tooltip("layer:Q", format="d"),
        alt.Tooltip("y:Q", format=".1%"),
    ]
    sheet = Sheet()
    chart = (
        sheet.chart(data)
        .mark_bar(stroke=None)
        .encode(x=x, y=y, color=colour, order=alt.Order("order", type="quantitative"), tooltip=tips)
    )
    return sheet.finish(chart)
