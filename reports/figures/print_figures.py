"""Charts as files at print quality, drawn by vl-convert without a browser: on white, in the colours of the light page.

The look mirrors `assets/charts.js`, which takes its colours from the page. No chart may ask the network for anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import vl_convert

from reports.errors import OutputRefusedError
from reports.figures.chart_data import as_csv
from reports.figures.named_charts import NamedChart
from reports.html.render import plain
from reports.vega.sheet import Spec

Format = Literal["png", "svg", "pdf", "csv"]
WIDTH = 720  # pixels of the page, before `scale`
INK, MUTED, LINE = "#17212b", "#59646f", "#dfe1dc"  # as in assets/style.css
FONT = "'Liberation Sans', 'Noto Sans', 'DejaVu Sans', Arial, sans-serif"


def drawn(chart: NamedChart, form: Format, width: int = WIDTH, scale: float = 1.0) -> bytes:
    """A chart as a file's bytes: PNG of `width * scale` pixels across, SVG, PDF, or CSV of its rows."""
    if form == "csv":
        return as_csv(chart.datasets, chart.columns).encode()
    text = json.dumps(plain(sized(chart.spec, width)), allow_nan=False)
    look = config(chart.spec, width)
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(text, scale=scale, config=look, allowed_base_urls=[]))
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(text, config=look, allowed_base_urls=[]))
    return str(vl_convert.vegalite_to_svg(text, config=look, allowed_base_urls=[])).encode()


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises OutputRefusedError where the place cannot be written.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputRefusedError(
            f"{path} cannot be written ({error.strerror}): choose another with --out"
        ) from error


def sized(spec: Spec, width: int) -> Spec:
    """A specification that is as wide as asked, margins and legend included."""
    return {**spec, "width": width}


def config(spec: Spec, width: int) -> dict[str, Any]:
    """The look of a chart on paper."""
    return {
        "background": "white",
        "font": FONT,
        "padding": 4,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "view": {"stroke": None},
        "axis": {
            "labelColor": MUTED, "titleColor": MUTED, "gridColor": LINE, "domainColor": LINE, "tickColor": LINE,
            "labelFontSize": 11.5, "titleFontSize": 11.5, "titleFontWeight": 500, "labelPadding": 5, "titlePadding": 8,
            "tickSize": 4, "gridOpacity": 0.8,
        },
        "axisY": {"domain": False, "ticks": False, "labelLimit": max(165, min(280, 0.4 * width))},
        "legend": {
            "labelColor": INK, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 11.5, "titleFontWeight": 500,
            "padding": 0, "offset": 8, "columns": legend_columns(spec, width),
        },
    }  # fmt: skip


def legend_columns(spec: Spec, width: int) -> int:
    """Legend labels side by side, as many as fit."""
    names: dict[str, None] = {}

    def walk(node: Any) -> None:
        if isinstance(node, Mapping):
            scale = node.get("scale")
            if node.get("legend") and isinstance(scale, Mapping) and isinstance(scale.get("domain"), list):
                names.update((str(name), None) for name in scale["domain"])
            for key, value in node.items():
                if key != "datasets":
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(spec)
    widths = [32 + 6.7 * min(34, len(name)) for name in names]
    room = width - 60
    if sum(widths) <= room:
        return max(1, len(names))
    return max(1, math.floor(room / max(60.0, *widths)))
