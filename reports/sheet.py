"""What every chart is made with: its data, its axes, its legend, the lines it is read against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
GREY = "#80868e"
HEIGHT = 210


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


def value_axis(
    title: str, log: bool, rows: Rows, include: Sequence[float] = ()
) -> tuple[alt.Scale, alt.Axis]:
    """A linear or base-2 logarithmic scale that holds every point, every interval and the reference values."""
    values = [r[k] for r in rows for k in ("y", "low", "high") if r.get(k) is not None] + list(include)
    values = [v for v in values if math.isfinite(v) and (not log or v > 0)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if log:
        scale = alt.Scale(type="log", base=2, domain=[low / 1.15, high * 1.15], nice=False)
        return scale, alt.Axis(title=title, values=powers(low, high), format=".3~g")
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    scale = alt.Scale(domain=[low - pad if low != 0 else 0, high + pad], nice=False, zero=False)
    return scale, alt.Axis(title=title, tickCount=5)


def powers(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of 2, at most about 8 of them, and values between where there are few."""
    octaves = math.log2(high / low) if low > 0 else 1.0
    if octaves < 2.5:
        found = [
            t * 10.0**k
            for k in range(-6, 7)
            for t in (1, 1.5, 2, 3, 4, 5, 6, 8)
            if low / 1.15 <= t * 10.0**k <= high * 1.15
        ]
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
    return (
        alt.Legend(title=None, orient="top", symbolSize=90, labelLimit=230, symbolOpacity=1)
        if shown
        else None
    )


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
        layers.append(
            data.mark_rect(color=GREY, opacity=0.13).encode(x=quantity("x", alt.X), x2=alt.X2("x2"))
        )
    if bands:
        data = sheet.chart([{"low": low, "high": high} for low, high in bands])
        layers.append(
            data.mark_rect(color=GREY, opacity=0.12).encode(y=quantity("low", alt.Y), y2=alt.Y2("high"))
        )
    for label, value in references.items():
        line = sheet.chart([{"y": value, "label": label}])
        layers.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(y=quantity("y", alt.Y)))
        free = freest_place(value, points, log)
        if free is None:
            continue
        align, place, dx, baseline = free
        dy = -2 if baseline == "bottom" else 3
        text = line.mark_text(align=align, baseline=baseline, dx=dx, dy=dy, fontSize=10.5, color=GREY)
        layers.append(
            text.encode(x=alt.value(place), y=quantity("y", alt.Y), text=alt.Text("label", type="nominal"))
        )
    return layers


def quantity(field: str, channel: type[alt.X] | type[alt.Y]) -> alt.X | alt.Y:
    """A quantitative channel; written out, since Altair takes long over its shorthand."""
    return channel(field, type="quantitative")


def freest_place(value: float, points: Rows, log: bool) -> tuple[str, int | str, int, str] | None:
    """(align, x, shift, baseline) for the label of a reference line: the end and side where the data keeps away from it.

    None where there is no room for it; the words below the chart name the line too.
    """
    scaled: list[tuple[float, float]] = []
    for point in points:
        ends = [point["y"], *(v for v in (point.get("low"), point.get("high")) if v is not None)]
        away = [math.log(v / value) if log else v - value for v in ends if not log or v > 0]
        if away:
            # An interval that crosses the line is in the way on both sides.
            crosses = min(away) < 0 < max(away)
            scaled += (
                [(point["x"], 1e-9), (point["x"], -1e-9)] if crosses else [(point["x"], d) for d in away]
            )
    if not scaled:
        return "right", "width", -3, "bottom"
    first, last = min(x for x, _ in scaled), max(x for x, _ in scaled)
    third = max(0.3 * (last - first), 0.6)

    def clearance(is_left: bool, is_above: bool) -> float:
        near = [
            d if is_above else -d for x, d in scaled if (x < first + third if is_left else x > last - third)
        ]
        return min((d for d in near if d > 0), default=math.inf if is_above else 1e9)

    # Below the line there must be room inside the plot, or the label would lie on the axis.
    lowest, highest = min(d for _, d in scaled), max(d for _, d in scaled)
    sides = (True, False) if lowest < -0.12 * (max(highest, 0) - lowest) else (True,)
    places = [(end, side) for side in sides for end in (False, True)]
    is_left, is_above = max(places, key=lambda place: clearance(*place))
    if clearance(is_left, is_above) < 0.05 * (max(highest, 0) - min(lowest, 0)):
        return None
    end: tuple[str, int | str, int] = ("left", 0, 4) if is_left else ("right", "width", -3)
    return *end, "bottom" if is_above else "top"
