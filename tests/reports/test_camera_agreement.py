"""Whether the cameras agree: the chart is the mart's, the sentence follows from it, and what is missing is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from reports import words
from reports.html import render
from reports.html.blocks import Missing
from reports.marts.context import Context, read_study
from reports.marts.warehouse import open_warehouse
from reports.pages import camera_agreement
from tests.reports.conftest import Site
from tests.reports.drawn import specs
from tests.reports.test_numbers import rows
from tests.reports.test_what_pages_say import sections

PAGE = "object-attention.html"
TITLE = "base and wrist: correlation of their maps on the table, Words to image"
STORED = """
    select layer, mean_correlation, correlation_low, correlation_high, mean_other_frame_correlation,
        mean_correlation_gain, correlation_gain_low, correlation_gain_high
    from marts.camera_agreement_by_layer
    where pass = 'prefix' and outcome = 'all' and not is_last_prefix_layer
    order by layer
"""


def test_the_chart_holds_the_mart(rich: Site) -> None:
    chart = specs(rich.root / PAGE)[TITLE]
    points = max(chart["datasets"].values(), key=lambda data: sum("series" in row for row in data))
    drawn = {(p["series"], p["layer"]): (p["y"], p["low"], p["high"]) for p in points if "series" in p}
    stored = rows(rich, STORED)
    assert len(stored) == rich.shape.n_layers - 1
    assert len(drawn) == 2 * len(stored)
    for layer, correlation, low, high, apart, *_ in stored:
        assert drawn["same moment", layer] == pytest.approx((correlation, low, high))
        assert drawn["half an episode apart", layer] == (pytest.approx(apart), None, None)


def test_the_sentence_follows_from_the_mart(rich: Site) -> None:
    best = max(rows(rich, STORED), key=lambda row: row[5])
    layer, gain, low, high = best[0], *best[5:]
    said = sections(rich.root / PAGE)["cameras"]
    assert f"adds most to the correlation in layer {layer}, {words.number(gain)}" in said
    assert words.interval(low, high) in said
    assert "the interval lies above 0 in layer 0, not corrected for 2 layers" in said


def test_one_camera_is_asked_nothing(little: Site) -> None:
    assert "cameras" not in sections(little.root / PAGE)


def test_what_could_not_be_compared_is_told_with_its_reason(rich: Site, tmp_path: Path) -> None:
    warehouse = shutil.copy(rich.warehouse, tmp_path / "w.duckdb")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "update marts.camera_agreement_by_layer set mean_correlation = null, reason = 'no plane to meet on'"
        )
    with open_warehouse(Path(warehouse)) as opened:
        study = read_study(opened, None)
        (section,) = camera_agreement.sections(
            Context(opened, study, rich.lake, tmp_path, render.environment())
        )
    (missing,) = section.blocks
    assert isinstance(missing, Missing)
    assert "could be compared: no plane to meet on." in missing.why
    assert "table_height" in missing.command
