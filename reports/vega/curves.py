"""Points with intervals along what is ordered but no layer: parts of an episode, action tokens, steps, lags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from reports.vega.charts import SHAPES
from reports.vega.sheet import (
    GREY,
    HEIGHT,
    Rows,
    Sheet,
    Spec,
    chart_maker,
    series_colour,
    series_legend,
    with_interval,
)

DODGE = 0.36


@chart_maker
def intervals_along(
    rows: Sequence[Mapping[str, Any]],
    *,
    colours: Mapping[str, str],
    x_title: str,
    y_title: str,
    ticks: Sequence[str] | None = None,
    references: Mapping[str, float] | None = None,
    from_zero: bool = False,
    percent: bool = False,
) -> Spec:
    """Rows carry `at` (a whole number), series, y, low, high and n; `ticks` are the names of 0, 1, 2, ...

    Lines join the points of a series; error bars stand where both `low` and `high` are known. `from_zero`: the axis
    begins at 0.
    """
    series = series_of(rows, colours)
    data = placed(rows, series)
    places = sorted({int(row["at"]) for row in rows})
    axis = alt.Axis(values=places, format="d", grid=False, labelOverlap=True, title=x_title)
    if ticks is not None:
        named = ", ".join(f"'{tick}'" for tick in ticks)  # our own words, never data
        axis = alt.Axis(values=places, labelExpr=f"[{named}][datum.value]", grid=False, title=x_title)
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[places[0] - 0.5, places[-1] + 0.5], nice=False, zero=False),
        axis=axis,
    )
    lines = references or {}
    value = alt.Axis(title=y_title, tickCount=5, **({"format": "%"} if percent else {}))
    # The domain is the browser's to find, so that charts of other data are the same chart.
    scale = alt.Scale(zero=from_zero, nice=False, padding=8)
    y = alt.Y("y:Q", scale=scale, axis=value)
    colour = series_colour({name: colours[name] for name in series}, legend=len(series) > 1)
    shapes = alt.Scale(domain=series, range=[SHAPES[i % len(SHAPES)] for i in range(len(series))])
    shape = alt.Shape("series:N", scale=shapes, legend=series_legend(len(series) > 1))
    tips = [
        alt.Tooltip("series:N", title="series"),
        alt.Tooltip("at:Q", title=x_title, format="d"),
        alt.Tooltip("y:Q", title="value", format=".3~g"),
        alt.Tooltip("low:Q", title="from", format=".3~g"),
        alt.Tooltip("high:Q", title="to", format=".3~g"),
        alt.Tooltip("n:Q", title="episodes", format="d"),
    ]
    sheet = Sheet()
    parts = reference_lines(sheet, lines)
    parts.append(sheet.chart(data).mark_line(opacity=0.45, strokeWidth=1.5).encode(x=x, y=y, color=colour))
    bars = with_interval(data)
    if bars:
        rules = sheet.chart(bars).mark_rule(strokeWidth=2)
        parts.append(rules.encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high"), color=colour))
    points = sheet.chart(data).mark_point(filled=True, size=46, opacity=1)
    parts.append(points.encode(x=x, y=y, color=colour, shape=shape, tooltip=tips))
    return sheet.layered(parts, HEIGHT)


def series_of(rows: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> list[str]:
    """Series that are there, in the order of their colours."""
    present = {row["series"] for row in rows}
    return [name for name in colours if name in present]


def placed(rows: Sequence[Mapping[str, Any]], series: Sequence[str]) -> Rows:
    """Rows with their place `x`, series a little aside of each other."""
    step, middle = DODGE / max(len(series), 2), (len(series) - 1) / 2
    return [{**row, "x": round(row["at"] + step * (series.index(row["series"]) - middle), 3)} for row in rows]


def intervals_of_each(
    groups: Sequence[Sequence[Mapping[str, Any]]], *, colours: Mapping[str, str], **look: Any
) -> list[Spec]:
    """One chart a group, as `intervals_along` makes it; charts that differ in their data alone are made once."""
    made: dict[tuple[Any, ...], Spec] = {}
    found = []
    for rows in groups:
        series = series_of(rows, colours)
        complete = all(row["low"] is not None and row["high"] is not None for row in rows)
        shape = (tuple(series), tuple(sorted({row["at"] for row in rows})))
        if complete and shape in made:
            old = made[shape]["datasets"]
            fresh = {
                name: placed(rows, series) if kept and "x" in kept[0] else kept for name, kept in old.items()
            }
            found.append({**made[shape], "datasets": fresh})
            continue
        spec = intervals_along(rows, colours=colours, **look)
        found.append(spec)
        if complete:
            made[shape] = spec
    return found


def reference_lines(sheet: Sheet, lines: Mapping[str, float]) -> list[alt.Chart]:
    """Dashed lines with their names at the right of the plot; names of ours, far enough apart."""
    parts = []
    for label, value in lines.items():
        line = sheet.chart([{"y": value, "label": label}])
        at = alt.Y("y", type="quantitative")
        parts.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(y=at))
        text = line.mark_text(align="left", baseline="middle", dx=5, fontSize=10.5, color=GREY)
        parts.append(text.encode(x=alt.XValue("width"), y=at, text=alt.Text("label", type="nominal")))
    return parts
