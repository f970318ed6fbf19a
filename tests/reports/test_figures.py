"""Single figures: the same charts as the pages', as files of the size that was asked for, and as the rows they draw."""

from __future__ import annotations

import csv
import io
import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import duckdb
import numpy as np
import pytest

from reports.commands.study_opened import opened
from reports.figures import named_charts, print_figures
from reports.figures.chart_data import chart_rows
from reports.vega import sheet
from tests.reports.conftest import Site, Visit
from tests.reports.drawn import specs
from tests.reports.test_build import run

FIGURE = "object-attention/prefix-1"


@pytest.fixture(scope="module")
def named(rich: Site) -> list[named_charts.NamedChart]:
    """Every chart of the pages, drawn."""
    with opened(rich.warehouse, rich.lake, None) as ctx:
        return [c for page in named_charts.drawn_pages(ctx) for c in named_charts.charts_of(ctx, page)]


def command(site: Site, *arguments: str | Path) -> tuple[str | Path, ...]:
    return ("figure", *arguments, "--warehouse", site.warehouse, "--lake", site.lake)


@pytest.mark.parametrize(("width", "scale"), [(720, 3.0), (400, 1.5)])
def test_a_png_has_the_pixels_that_were_asked_for(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], width: int, scale: float
) -> None:
    out = tmp_path / "lift.png"
    assert (
        run(capsys, *command(rich, FIGURE, "--out", out, "--width", str(width), "--scale", str(scale)))[0]
        == 0
    )
    image = cv2.imread(str(out))
    assert image is not None
    assert image.shape[1] == round(width * scale)
    assert tuple(image[0, 0]) == (255, 255, 255), "paper is white"
    colours = {tuple(int(v) for v in colour) for colour in np.unique(image.reshape(-1, 3), axis=0)}
    assert {(0xB4, 0x78, 0x1F), (0x00, 0x5E, 0xD5)} <= colours, "success and failure, as on the pages (BGR)"


def test_an_svg_is_xml_with_the_pages_words_and_a_pdf_is_one(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    svg, pdf = tmp_path / "lift.svg", tmp_path / "lift.PDF"
    assert run(capsys, *command(rich, FIGURE, "--out", svg))[0] == 0
    assert run(capsys, *command(rich, FIGURE, "--out", pdf))[0] == 0
    root = ElementTree.parse(svg).getroot()
    texts = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {"success", "failure", "layer", "lift (1 = no preference)"} <= texts
    assert (root.tag, root.get("width")) == ("{http://www.w3.org/2000/svg}svg", "720")
    assert pdf.read_bytes().startswith(b"%PDF-")


def test_csv_is_the_mart(rich: Site, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *command(rich, FIGURE, "--format", "csv", "--out", "-"))
    assert code == 0
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        stored = con.execute("""
            select layer, outcome, estimate, bca_low, bca_high, n from marts.bootstrap_intervals
            where metric = 'lift' and camera = 'base' and pass = 'prefix' and outcome <> 'all'
        """).fetchall()
    header, *lines = csv.reader(io.StringIO(out))
    assert header == ["layer", "outcome", "lift", "from", "to", "episodes"]
    found = {(int(layer), outcome, *map(float, numbers)) for layer, outcome, *numbers in lines}
    assert found == {(row[0], row[1], *map(float, row[2:])) for row in stored}


def test_every_chart_of_the_pages_has_a_name_and_is_that_chart(
    rich: Site, named: list[named_charts.NamedChart]
) -> None:
    assert len({chart.name for chart in named}) == len(named)
    assert all(re.fullmatch(r"[a-z-]+/[a-z0-9-]+-\d+(/\d+)?", chart.name) for chart in named)
    assert all(re.fullmatch(r"[a-z0-9-]+", chart.file_stem) for chart in named)
    on_pages = {
        title
        for path in rich.root.glob("*.html")
        if "vega.js" in path.read_text(encoding="utf-8")
        for title in specs(path)
    }
    assert {chart.title.split("; ")[0] for chart in named} == on_pages
    for chart in named:
        columns, rows = chart_rows(chart.datasets, chart.columns)
        assert len(columns) > 1, chart.name
        assert rows, chart.name
        assert len({c.label for c in chart.columns}) == len(chart.columns), chart.name


def test_names_are_known_without_drawing(
    rich: Site, named: list[named_charts.NamedChart], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(rich.warehouse, rich.lake, None) as ctx:
        monkeypatch.setattr(sheet, "part_of_a_page", None)  # what takes the time
        names = [pair for page in named_charts.drawn_pages(ctx) for pair in named_charts.names_of(ctx, page)]
    assert names == [(chart.name, chart.title) for chart in named]
    assert len(names) > 50


def test_a_choice_of_a_place_has_a_number_and_its_own_rows(rich: Site) -> None:
    with opened(rich.warehouse, rich.lake, None) as ctx:
        first = named_charts.chart_named(ctx, "words/words-1")
        third = named_charts.chart_named(ctx, "words/words-1/3")
    assert first.name == "words/words-1/1"
    assert first.title != third.title
    assert first.datasets != third.datasets


def test_an_unknown_figure_is_refused_by_the_nearest_one(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, nearest in (
        ("object-atention/prefix-1", "'object-attention'"),
        ("object-attention/prefx-1", "'object-attention/prefix-1'"),
        ("../../etc/passwd", "nearest"),
        ("<script>/x", "nearest"),
    ):
        code, _, err = run(capsys, *command(rich, name))
        assert (code, err.count("\n")) == (2, 1)
        assert nearest in err
    assert list(tmp_path.iterdir()) == []


def test_one_figure_or_the_list(rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *command(rich))[0] == 2
    assert run(capsys, *command(rich, FIGURE, "--list"))[0] == 2
    code, _, err = run(capsys, *command(rich, FIGURE, "--out", tmp_path / "none" / "x.svg"))
    assert (code, err.count("\n")) == (2, 1)
    code, out, err = run(capsys, *command(rich, "--list"))
    assert (code, err) == (0, "")
    assert f"{FIGURE}\tbase: lift on the target by layer, success and failure\n" in out
    assert all(part.isprintable() for line in out.splitlines() for part in line.split("\t"))


def test_a_chart_cannot_ask_the_network(rich: Site) -> None:
    """A specification that names an address is drawn without it, or not at all."""
    spec = {"mark": "point", "data": {"url": "https://example.invalid/rows.csv"}, "datasets": {}}
    with pytest.raises(ValueError, match=r"example\.invalid"):
        print_figures.drawn(named_charts.NamedChart("x/y-1", "", spec, ()), "svg")


def test_links_save_what_the_command_writes(
    rich: Site, visit: Visit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = visit.open(rich.root / "object-attention.html", charts=".vega")
    figure = page.locator("#prefix-1")
    saved = {}
    for name in ("PNG", "SVG", "CSV"):
        button = figure.locator(".exports button", has_text=name)
        button.focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        saved[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[name])
    assert [path.name for path in saved.values()] == [
        f"object-attention-prefix-1.{s}" for s in ("png", "svg", "csv")
    ]
    image = cv2.imread(str(saved["PNG"]))
    assert image is not None
    assert image.shape[1] == 2160
    assert ElementTree.parse(saved["SVG"]).getroot().tag.endswith("svg")
    _, written, _ = run(capsys, *command(rich, FIGURE, "--format", "csv", "--out", "-"))
    ours, theirs = (
        list(csv.reader(io.StringIO(text))) for text in (written, saved["CSV"].read_text(encoding="utf-8"))
    )
    assert ours[0] == theirs[0]
    for mine, page_row in zip(ours[1:], theirs[1:], strict=True):
        assert mine[1] == page_row[1]
        assert all(
            math.isclose(float(a), float(b), rel_tol=1e-6)
            for a, b in zip(mine[2:], page_row[2:], strict=True)
        )
    assert not visit.troubles


def test_a_choice_is_saved_under_its_number_with_hostile_names_as_text(
    rich: Site, visit: Visit, tmp_path: Path
) -> None:
    page = visit.open(rich.root / "words.html")
    figure = page.locator("figure.switch").first
    figure.locator("[data-switch]").select_option(index=1)
    with page.expect_download() as download:
        figure.locator(".exports button", has_text="CSV").click()
    assert download.value.suggested_filename == "words-words-1-2.csv"
    download.value.save_as(tmp_path / "words.csv")
    with opened(rich.warehouse, rich.lake, None) as ctx:
        chart = named_charts.chart_named(ctx, "words/words-1/2")
    columns, rows = chart_rows(chart.datasets, chart.columns)
    found = list(csv.DictReader(io.StringIO((tmp_path / "words.csv").read_text(encoding="utf-8"))))
    assert [row[columns["word"]] for row in found] == [row["word"] for row in rows]
    assert any("</script>" in row[columns["word"]] for row in found)
    assert not visit.troubles


def test_links_are_not_printed(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "heads.html", charts="none")
    assert page.locator(".exports").first.is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".exports").first.is_visible()
