"""Charts as Vega-Lite specifications (Altair). Values enter as data only; no expression is ever made from data.

Rows carry plain columns: `layer`, `series`, `y`, `low`, `high`, `n`, `counted`. Colours, fonts and the dark scheme come
from the page (`assets/charts.js`), so that a chart follows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from reports.palette import MODALITIES, SEQUENTIAL

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
GREY = "#80868e"
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left"]
HEIGHT = 210

alt.data_transformers.disable_max_rows()


@contextmanager
def unchecked() -> Iterator[None]:
    """No schema validation while charts are made: it takes 90 % of the time. The tests validate every chart."""
    with debug_mode(False):
        yield


class Sheet:
    """The data of one chart, kept out of Altair's hands: it copies and converts every row several times."""

    def __init__(self) -> None:
        self.datasets: dict[str, Rows] = {}

    def chart(self, rows: Rows) -> alt.Chart:
        """A chart of plain rows."""
        name = f"data{len(self.datasets)}"
        self.datasets[name] = rows
        return alt.Chart(alt.NamedData(name=name))

    def finish(self, chart: alt.Chart | alt.LayerChart, height: int = HEIGHT) -> Spec:
        """The specification, as wide as its place; without the default look."""
        spec: Spec = chart.properties(width="container", height=height).to_dict(validate=False)
        for name in ("config", "$schema"):
            spec.pop(name, None)
        return spec | {"datasets": self.datasets}


def dodge(rows: Sequence[Mapping[str, Any]], series: Sequence[str], width: float = 0.44) -> Rows:
    """Copies with `x` = layer, moved a little aside by series so that error bars do not hide each other."""
    step = width / max(len(series), 2)
    middle = (len(series) - 1) / 2
    return [{**row, "x": row["layer"] + step * (series.index(row["series"]) - middle)} for row in rows]


def layer_axis(rows: Sequence[Mapping[str, Any]], title: str = "layer") -> alt.X:
    """Layers as numbers with one tick each."""
    layers = sorted({int(row["layer"]) for row in rows})
    domain = [layers[0] - 0.5, layers[-1] + 0.5]
    axis = alt.Axis(values=layers, format="d", grid=False, labelOverlap=True, title=title)
    return alt.X("x:Q", scale=alt.Scale(domain=domain, nice=False, zero=False), axis=axis)


def value_axis(title: str, log: bool, rows: Rows, include: Sequence[float] = ()) -> tuple[alt.Scale, alt.Axis]:
    """A linear or base-2 logarithmic scale that holds every point, every interval and the reference values."""
    values = [r[k] for r in rows for k in ("y", "low", "high") if r.get(k) is not None] + list(include)
    values = [v for v in values if math.isfinite(v) and (not log or v > 0)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if log:
        scale = alt.Scale(type="log", base=2, domain=[low / 1.15, high * 1.15], nice=False)
        return scale, alt.Axis(title=title, values=powers(low, high), format="~g")
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    scale = alt.Scale(domain=[low - pad if low != 0 else 0, high + pad], nice=False, zero=False)
    return scale, alt.Axis(title=title, tickCount=5)


def powers(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of 2, at most about 8 of them, and values between where there are few."""
    octaves = math.log2(high / low) if low > 0 else 1.0
    if octaves < 2.5:
        found = [t * 10.0**k for k in range(-6, 7) for t in (1, 1.5, 2, 3, 4, 5, 6, 8) if low / 1.15 <= t * 10.0**k <= high * 1.15]
        if len(found) > 1:
            return found
    first, last = math.floor(math.log2(low / 1.15)), math.ceil(math.log2(high * 1.15))
    step = max(1, math.ceil((last - first) / 7))
    return [2.0**k for k in range(first - first % step, last + 1, step)]


def series_colour(colours: Mapping[str, str], legend: bool = True) -> alt.Color:
    """Colour by series; the legend is dropped where there is one series."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color("series:N", scale=scale, legend=series_legend(legend))


def series_legend(shown: bool) -> alt.Legend | None:
    """The legend above a chart, which colour and shape share."""
    return alt.Legend(title=None, orient="top", symbolSize=90, labelLimit=230, symbolOpacity=1) if shown else None


def backdrop(
    sheet: Sheet,
    references: Mapping[str, float],
    bands: Sequence[tuple[float, float]],
    shaded: Sequence[int],
    points: Rows,
    log: bool,
) -> list[alt.Chart]:
    """Reference lines with their labels, a band of values, and layers that do not count."""
    layers: list[alt.Chart] = []
    if shaded:
        data = sheet.chart([{"x": layer - 0.5, "x2": layer + 0.5} for layer in shaded])
        layers.append(data.mark_rect(color=GREY, opacity=0.13).encode(x=quantity("x", alt.X), x2=alt.X2("x2")))
    if bands:
        data = sheet.chart([{"low": low, "high": high} for low, high in bands])
        layers.append(data.mark_rect(color=GREY, opacity=0.12).encode(y=quantity("low", alt.Y), y2=alt.Y2("high")))
    for label, value in references.items():
        line = sheet.chart([{"y": value, "label": label}])
        layers.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(y=quantity("y", alt.Y)))
        align, place, dx = freest_place(value, points, log)
        text = line.mark_text(align=align, baseline="bottom", dx=dx, dy=-2, fontSize=10.5, color=GREY)
        layers.append(text.encode(x=alt.value(place), y=quantity("y", alt.Y), text=alt.Text("label", type="nominal")))
    return layers


def quantity(field: str, channel: type[alt.X] | type[alt.Y]) -> alt.X | alt.Y:
    """A quantitative channel; written out, since Altair takes long over its shorthand."""
    return channel(field, type="quantitative")


def freest_place(value: float, points: Rows, log: bool) -> tuple[str, int | str, int]:
    """(align, x, shift) for the label of a reference line: the end at which the data keeps farther away from it."""
    scaled = [(p["x"], math.log(p["y"] / value) if log else p["y"] - value) for p in points if not log or p["y"] > 0]
    if not scaled:
        return "right", "width", -3
    middle = (min(x for x, _ in scaled) + max(x for x, _ in scaled)) / 2
    # The label stands above its line, so that what lies just above it is in the way.
    left = min((abs(d) for x, d in scaled if x < middle), default=math.inf)
    right = min((abs(d) for x, d in scaled if x >= middle), default=math.inf)
    return ("left", 0, 4) if left > right else ("right", "width", -3)


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
    bars = [row for row in data if row.get("low") is not None and row.get("high") is not None]
    if log:
        bars = [row for row in bars if row["low"] > 0]
    sheet = Sheet()
    parts = backdrop(sheet, references, bands, shaded, data, log)
    parts.append(sheet.chart(data).mark_line(opacity=0.45, strokeWidth=1.5).encode(x=x, y=y, color=colour))
    if bars:
        parts.append(sheet.chart(bars).mark_rule(strokeWidth=2).encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high"), color=colour))
    points = sheet.chart(data).mark_point(filled=True, size=46, opacity=1)
    parts.append(points.encode(x=x, y=y, color=colour, shape=shape, tooltip=tips))
    return sheet.finish(alt.layer(*parts), height)


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
    y = alt.Y("name:N", sort=names, axis=alt.Axis(title=None, labelLimit=190, grid=True, domain=False, ticks=False))
    colour = alt.Color(
        "series:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=None
    )
    sheet = Sheet()
    parts: list[alt.Chart] = []
    if bands:
        shade = sheet.chart([{"low": low, "high": high} for low, high in bands])
        parts.append(shade.mark_rect(color=GREY, opacity=0.12).encode(x=alt.X("low", type="quantitative"), x2=alt.X2("high")))
    if references:
        line = sheet.chart([{"y": v} for v in references.values()])
        parts.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(x=alt.X("y", type="quantitative")))
    bars = [r for r in data if r.get("low") is not None and r.get("high") is not None and (not log or r["low"] > 0)]
    if bars:
        parts.append(sheet.chart(bars).mark_rule(strokeWidth=2).encode(x=alt.X("low", type="quantitative"), x2=alt.X2("high"), y=y, color=colour))
    tips = [alt.Tooltip("name:N"), alt.Tooltip("y:Q", format=".3~g"), alt.Tooltip("n:Q", title="episodes")]
    parts.append(sheet.chart(data).mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour, tooltip=tips))
    return sheet.finish(alt.layer(*parts), 30 * max(len(names), 2))


def heat_map(rows: Sequence[Mapping[str, Any]], *, names: Sequence[str], title: str) -> Spec:
    """Layers across, names down, one colour scale from 0 to the largest value."""
    data = [dict(row) for row in rows]
    top = max((row["y"] for row in data if row["y"] is not None), default=1.0) or 1.0
    colour = alt.Color(
        "y:Q",
        scale=alt.Scale(scheme=SEQUENTIAL, domain=[0, top]),
        legend=alt.Legend(title=title, titleLimit=240, orient="top", gradientLength=160, gradientThickness=9, format=".2~g", tickCount=3),
    )
    tips = [
        alt.Tooltip("name:N", title="prompt"),
        alt.Tooltip("layer:Q", format="d"),
        alt.Tooltip("y:Q", title=title, format=".3~g"),
        alt.Tooltip("n:Q", title="episodes"),
    ]
    x = alt.X("layer:O", axis=alt.Axis(title="layer", labelAngle=0, ticks=False, domain=False, labelOverlap=True))
    y = alt.Y("name:N", sort=list(names), axis=alt.Axis(title=None, labelLimit=150, ticks=False, domain=False))
    sheet = Sheet()
    chart = sheet.chart(data).mark_rect(cornerRadius=2).encode(x=x, y=y, color=colour, tooltip=tips)
    return sheet.finish(chart, 26 * max(len(names), 2))


def fractions_by_layer(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Stacked shares of attention by modality, one bar a layer; they add up to 1."""
    data = [dict(row, order=list(MODALITIES).index(row["series"])) for row in rows]
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=list(MODALITIES), range=list(MODALITIES.values())),
        legend=alt.Legend(title=None, orient="top", symbolType="square"),
    )
    x = alt.X("layer:O", axis=alt.Axis(title="layer", labelAngle=0, ticks=False, labelOverlap=True))
    y = alt.Y("y:Q", stack="zero", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title="share of attention", format="%"))
    tips = [alt.Tooltip("series:N", title="to"), alt.Tooltip("layer:Q", format="d"), alt.Tooltip("y:Q", format=".1%")]
    sheet = Sheet()
    chart = sheet.chart(data).mark_bar(stroke=None).encode(x=x, y=y, color=colour, order=alt.Order("order", type="quantitative"), tooltip=tips)
    return sheet.finish(chart)
