"""Small promises: outlines, letterbox bars, packed maps, charts that are valid, numbers as text."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import altair as alt
import cv2
import numpy as np
import pytest

from reports import words
from reports.images import drawing, pictures
from reports.vega import charts, distributions, palette


def test_contours_enclose_the_label() -> None:
    labels = np.zeros((224, 224), np.uint8)
    cv2.circle(labels, (60, 100), 20, 3, -1)
    labels[150:170, 150:200] = 3
    lines = pictures.contours(labels, 3)
    assert len(lines) == 2
    filled = np.zeros_like(labels)
    cv2.fillPoly(filled, [np.array(line).reshape(-1, 2) for line in lines], 3)
    assert (filled != labels).mean() < 0.001
    assert pictures.contours(labels, 4) == []


def test_bars_are_what_all_pictures_leave_black(tmp_path: Path) -> None:
    for i in range(3):
        image = np.zeros((224, 224, 3), np.uint8)
        image[49:175] = 20 * i + 30
        image[49 : 49 + 10 * i] = 0  # a dark top of the scene is no bar
        cv2.imwrite(str(tmp_path / f"{i}.jpg"), image)
    assert pictures.bars(sorted(tmp_path.glob("*.jpg"))) == (49, 49, 0, 0)
    assert pictures.bars([]) == (0, 0, 0, 0)


def test_packed_maps_keep_their_values_to_half_a_level() -> None:
    maps = np.random.default_rng(0).dirichlet(np.full(256, 0.3), 5).astype(np.float32)
    levels, top = pictures.quantised(maps)
    back = (
        np.frombuffer(base64.b64decode(pictures.packed(levels)), np.uint8).reshape(5, 256)
        / 255
        * np.array(top)[:, None]
    )
    assert np.abs(back - maps).max() <= 0.51 / 255 * max(top)
    assert pictures.quantised(np.array([[np.nan, -1.0]], np.float32))[1] == [0.0]


def test_colours_grow_brighter_from_end_to_end() -> None:
    table = drawing.colour_table()
    luminance = table @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -0.6).all()
    assert luminance[-1] > 200


LAYERS = [
    {"layer": i, "series": s, "y": 1 + i, "low": 0.5 + i, "high": 2.0 + i, "n": 9, "name": s}
    for s in ("success", "failure")
    for i in range(3)
]
SPECS: dict[str, Any] = {
    "intervals": lambda: charts.intervals_by_layer(
        LAYERS, colours=palette.OUTCOMES, y_title="lift", log=True, references={"none": 1.0}, bands=[(0.6, 1.5)], shaded=[2]
    ),
    "names": lambda: charts.intervals_by_name(LAYERS[:2], colours=palette.OUTCOMES, x_title="x", bands=[(0, 1)], references={"a": 0}),
    "heat map": lambda: charts.heat_map(LAYERS, names=["success", "failure"], title="JSD"),
    "fractions": lambda: charts.fractions_by_layer([{"layer": 0, "series": s, "y": 0.2} for s in palette.MODALITIES]),
    "violins": lambda: distributions.split_violins(
        [{"layer": 0, "series": s, "name": str(i), "log": i / 9} for s in ("success", "failure") for i in range(9)],
        colours=palette.OUTCOMES, y_title="lift", reference="none", shaded=[],
    ),
    "histogram": lambda: distributions.histogram(
        {"success": [1.0, 2.0, 3.0]}, colours=palette.OUTCOMES, x_title="ratio", marks=[0.67, 1.5]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_charts_are_valid_and_hold_no_expression(name: str) -> None:
    spec = SPECS[name]()
    alt.Chart.from_dict(spec, validate=True)
    for word in ("expr", "labelExpr", "calculate", "filter", "signal", "href", "url"):
        assert f'"{word}"' not in json.dumps(spec), word


def test_violins_need_episodes() -> None:
    few = [
        {"layer": 0, "series": "success", "name": str(i), "log": float(i)}
        for i in range(distributions.FEWEST - 1)
    ]
    spec = distributions.split_violins(
        few, colours=palette.OUTCOMES, y_title="lift", reference="none", shaded=[]
    )
    assert "area" not in json.dumps(spec["layer"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (float("nan"), "n/a"),
        (0.0, "0"),
        (12.345, "12.3"),
        (-0.5, "−0.500"),
        (1234, "1,234"),
        (2e-7, "2.00e−7"),
        (999.9, "1,000"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert words.number(value).replace("e−07", "e−7") == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "< .001"), (0.0312, ".031"), (0.2, ".20"), (1.0, "1.00"), (None, "n/a")]
)
def test_p_values(p: float | None, text: str) -> None:
    assert words.p_value(p) == text


def test_lists_and_ranges() -> None:
    assert words.ranges([0, 1, 2, 5]) == "0–2 and 5"
    assert words.layers_named([3]) == "layer 3"
    assert words.sentence("base camera: so") == "Base camera: so."
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.brief(0.42) == "0.42"
    assert words.brief(100.0) == "100"
