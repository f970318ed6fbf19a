"""What every chart is made with: its data, its axes, its legend, the lines it is read against."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from itertools import pairwise
from typing import Any, ParamSpec

import altair as alt

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
P = ParamSpec("P")
GREY = "#80868e"
HEIGHT = 210
LABEL_HEIGHT = 14  # of one line, in pixels
_is_drawn: ContextVar[bool] = ContextVar("is_drawn", default=True)


@contextmanager
def without_drawing() -> Iterator[None]:
    """Charts are left empty: who wants only the names of a page's charts need not wait for Altair, two thirds of the time."""
    token = _is_drawn.set(False)
    try:
        yield
    finally:
        _is_drawn.reset(token)


def chart_maker(make: Callable[P, Spec]) -> Callable[P, Spec]:
    """Of a function that makes a chart: one without rows and marks where nothing is drawn (`without_drawing`)."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> Spec:
        return make(*args, **kwargs) if _is_drawn.get() else {"datasets": {}}

    return made


class Sheet:
    """The data of one chart, kept out of Altair's hands: it copies and converts every row several times."""

    def __init__(self) -> None:
        self.datasets: dict[str, Rows] = {}

    def chart(self, rows: Rows) -> alt.Chart:
        """A chart of plain rows; the same rows are kept once."""
        name = next((known for known, kept in self.datasets.items() if kept is rows), None)
        if name is None:
            name = f"data{len(self.datasets)}"
            self.datasets[name] = rows
        return alt.Chart(alt.NamedData(name=name))

    @staticmethod
    def shared() -> alt.Chart:
        """A chart of the rows that lie beside several charts (`blocks.Switch`)."""
        return alt.Chart(alt.NamedData(name="shared"))

    def finish(self, chart: alt.Chart, height: int = HEIGHT) -> Spec:
        """The specification, as wide as its place; without the default look."""
        return part_of_a_page(chart) | self._sized(height)

    def layered(self, charts: Sequence[alt.Chart], height: int = HEIGHT) -> Spec:
        """Charts on one another. Altair's own `layer` copies each of them several times: half of a site's time."""
        return {"layer": [part_of_a_page(chart) for chart in charts]} | self._sized(height)

    def _sized(self, height: int) -> Spec:
        return {"width": "container", "height": height, "datasets": self.datasets}


def part_of_a_page(chart: alt.Chart) -> Spec:
    """A chart without what Altair adds to one that stands alone: schema and default look."""
    spec: Spec = chart.to_dict(validate=False, context={"top_level": False})
    return spec


def with_interval(rows: Rows) -> Rows:
    """Rows that have both ends of an interval; the very list where all have."""
    found = [row for row in rows if row.get("low") is not None and row.get("high") is not None]
    return rows if len(found) == len(rows) else found


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
    scale: alt.Scale,
    log: bool,
) -> list[alt.Chart]:
    """Reference lines with their labels at the right of the plot, a band of values, and layers that do not count."""
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
    for (label, value), shift in zip(references.items(), apart(references, scale, log), strict=True):
        line = sheet.chart([{"y": value, "label": wrapped(label)}])
        layers.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(y=quantity("y", alt.Y)))
        text = line.mark_text(
            align="left", baseline="middle", dx=5, dy=shift, fontSize=10.5, lineBreak="\n", color=GREY
        )
        layers.append(
            text.encode(x=alt.XValue("width"), y=quantity("y", alt.Y), text=alt.Text("label", type="nominal"))
        )
    return layers


def wrapped(label: str) -> str:
    """A label of two words or more on two lines: it stands beside the plot, which it must leave room."""
    first, _, rest = label.partition(" ")
    return f"{first}\n{rest}" if rest and len(label) > 9 else label


def apart(references: Mapping[str, float], scale: alt.Scale, log: bool) -> list[int]:
    """Pixels by which labels are moved so that those of neighbouring lines do not lie on each other."""
    low, high = scale.to_dict(validate=False)["domain"]

    def at(value: float) -> float:
        place = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
        return HEIGHT * place

    places = {label: at(value) for label, value in references.items()}
    shifts = dict.fromkeys(references, 0)
    order = sorted(places, key=lambda label: places[label])
    for below, above in pairwise(order):
        lines = sum(wrapped(label).count("\n") + 1 for label in (below, above)) / 2
        room = lines * LABEL_HEIGHT - (places[above] - places[below])
        if room > 0:
            shifts[below] += math.ceil(room / 2)
            shifts[above] -= math.ceil(room / 2)
    return [shifts[label] for label in references]


def quantity(field: str, channel: type[alt.X] | type[alt.Y]) -> alt.X | alt.Y:
    """A quantitative channel; written out, since Altair takes long over its shorthand."""
    return channel(field, type="quantitative")
