"""Grids of cells coloured by a value: heads by layers, words by objects. Their rows may lie beside several charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from reports.vega.palette import DIVERGING, SEQUENTIAL
from reports.vega.sheet import Rows, Sheet, Spec, chart_maker

DIMMED = 0.3  # opacity of what counts nowhere
TALLEST, ROW_HEIGHT = 480, 24


@dataclass(frozen=True)
class Scale:
    """From which value to which the colours run; `middle` makes them two-sided."""

    low: float
    high: float
    middle: float | None = None

    @classmethod
    def over(cls, values: Sequence[float], middle: float | None = None) -> Scale:
        """A scale that holds the values, as far to one side of the middle as to the other."""
        if middle is None:
            return cls(min(values), max(values))
        reach = max(abs(v - middle) for v in values) or 1.0
        return cls(middle - reach, middle + reach, middle)


@dataclass(frozen=True)
class Axis:
    """A field of the rows in the order of its values."""

    field: str
    title: str | None
    values: Sequence[str] | Sequence[int]


@chart_maker
def grid(
    data: Rows | None,
    *,
    x: Axis,
    y: Axis,
    value: str,
    title: str,
    scale: Scale,
    tips: Sequence[alt.Tooltip],
    dimmed: str | None = None,
    x_angle: int = 0,
) -> Spec:
    """Cells by two ordered fields. `data` is None where the rows are those that several charts share.

    `dimmed` is a field of 0 and 1: cells where it is 1 are pale.
    """
    across = alt.X(
        x.field,
        type="ordinal",
        sort=list(x.values),
        axis=alt.Axis(
            title=x.title,
            labelAngle=x_angle,
            ticks=False,
            domain=False,
            labelOverlap=not x_angle,
            labelLimit=150,
        ),
    )
    down = alt.Y(
        y.field,
        type="ordinal",
        sort=list(y.values),
        axis=alt.Axis(title=y.title, ticks=False, domain=False),
    )
    sheet = Sheet()
    base = sheet.shared() if data is None else sheet.chart(data)
    cells = base.mark_rect(cornerRadius=2).encode(
        x=across, y=down, color=colour(value, title, scale), tooltip=list(tips)
    )
    if dimmed:
        pale = {"test": f"datum.{dimmed} === 1", "value": DIMMED}  # a name of ours
        cells = cells.encode(opacity=alt.OpacityValue(1, condition=pale))
    rows = max(len(y.values), 2)
    return sheet.finish(
        cells, round(min(TALLEST, ROW_HEIGHT * rows)) if rows < 25 else max(TALLEST, 15 * rows)
    )


def colour(value: str, title: str, scale: Scale) -> alt.Color:
    """A continuous colour with a legend of its two ends and its middle."""
    middle = (scale.low + scale.high) / 2 if scale.middle is None else scale.middle
    high = scale.high if scale.high > scale.low else scale.low + 1e-9
    scheme = SEQUENTIAL if scale.middle is None else DIVERGING
    legend = alt.Legend(
        title=title,
        titleLimit=320,
        orient="top",
        gradientLength=140,
        gradientThickness=9,
        format=".3~g",
        values=[scale.low, middle, high],
    )
    return alt.Color(
        value,
        type="quantitative",
        scale=alt.Scale(scheme=scheme, domain=[scale.low, high]),
        legend=legend,
    )
