"""Rerun recordings: what a reader finds in the file is what the marts and the lake hold. Left out without rerun-sdk."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import cv2
import duckdb
import numpy as np
import pytest

from reports.commands.study_opened import opened
from reports.images import drawing
from reports.marts.context import BASELINE, View
from reports.recordings.shots import episode_named, read_reel
from tests.reports import synthetic
from tests.reports.conftest import Site
from tests.reports.test_build import run

FIRST = "success/2026-11-20/0000"


def command(site: Site, *arguments: str | Path) -> tuple[str | Path, ...]:
    return ("rerun", *arguments, "--warehouse", site.warehouse, "--lake", site.lake)


def test_without_the_sdk_it_says_what_to_install(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    code, _, err = run(capsys, *command(rich, FIRST, "--out", tmp_path / "x.rrd"))
    assert (code, err) == (
        2,
        "error: recordings need rerun-sdk, and rerun is not installed: pip install 'gazehouse[rerun]'\n",
    )


@pytest.fixture(scope="module")
def chunks(rich: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Record batches by entity, as Rerun's own reader finds them."""
    pytest.importorskip("rerun")
    from rerun.chunk import RrdReader

    from reports.cli import main

    folder = tmp_path_factory.mktemp("recording")
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in command(rich, FIRST, "--out", folder / "episode.rrd")])
    assert stop.value.code in (0, None)
    assert [path.name for path in folder.iterdir()] == ["episode.rrd"]
    found: dict[str, list[Any]] = {}
    for chunk in RrdReader(str(folder / "episode.rrd")).stream():
        found.setdefault(chunk.entity_path.lstrip("/"), []).append(chunk)
    return found


def rows(chunks: list[Any], component: str) -> list[Any]:
    """Values of a component, by frame."""
    found = []
    for chunk in chunks:
        batch = chunk.to_record_batch()
        (column,) = [name for name in batch.schema.names if component in name]
        found += list(zip(batch["frame"].to_pylist(), batch[column].to_pylist(), strict=True))
    return [value for _, value in sorted(found, key=lambda pair: pair[0])]


def test_there_is_a_picture_and_a_map_of_every_layer_a_keyframe(
    rich: Site, chunks: dict[str, list[Any]]
) -> None:
    maps = {name for name in chunks if re.fullmatch(r"camera\d/(prefix|suffix-0|suffix-4)/layer\d\d", name)}
    assert len(maps) == 2 * 3 * rich.shape.n_layers
    for name in (*maps, "camera0/picture", "camera1/picture", "camera0/objects"):
        assert sum(chunk.num_rows for chunk in chunks[name]) >= rich.shape.n_keyframes, name
        assert all(
            "frame" in chunk.timeline_names and "time" in chunk.timeline_names for chunk in chunks[name]
        )


def test_pictures_and_maps_are_those_of_the_lake_and_the_marts(
    rich: Site, chunks: dict[str, list[Any]]
) -> None:
    with opened(rich.warehouse, rich.lake, None) as ctx:
        reel = read_reel(ctx, episode_named(ctx, FIRST), View("prefix", -1, "instruction"), "base")
        top = max(
            float(shot.maps[BASELINE, layer, -1].max()) for shot in reel.shots for layer in reel.layers()
        )
    pictures, maps = (
        [
            cv2.imdecode(np.frombuffer(bytes(np.ravel(blob).tolist()), np.uint8), cv2.IMREAD_COLOR)
            for blob in rows(chunks[entity], "blob")
        ]
        for entity in ("camera0/picture", "camera0/prefix/layer01")
    )
    table = drawing.colour_table("viridis").astype(float)
    for shot, picture, drawn in zip(reel.shots, pictures, maps, strict=True):
        assert picture.shape == drawn.shape == (224, 224, 3)
        off = np.abs(picture[:, :, ::-1].astype(float) - drawing.resized(shot.picture, 224))
        assert off.mean() < 4, "JPEG of quality 90"
        values = shot.maps[BASELINE, 1, -1]
        for patch in ((8, 8), (5, 11)):  # at a patch's centre the map is the patch itself
            level = 255 * float(values[patch]) / top
            y, x = (14 * p + 7 for p in patch)
            near = table[max(0, int(level) - 12) : int(level) + 14]
            assert np.abs(near - drawn[y, x, ::-1]).max(axis=1).min() <= 8


def test_metrics_and_actions_are_the_marts(rich: Site, chunks: dict[str, list[Any]]) -> None:
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        lifts = con.execute(
            """select lift from marts.frame_metrics where episode_id like $e and camera = 'base' and pass = 'prefix' and layer = 1
               and role = 'target' order by frame_index""",
            {"e": FIRST + "%"},
        ).fetchall()
    assert len(lifts) == rich.shape.n_keyframes
    found = rows(chunks["metrics/lift/camera0/prefix/layer01"], "scalars")
    np.testing.assert_allclose(np.ravel(found), [row[0] for row in lifts])
    np.testing.assert_allclose(np.ravel(rows(chunks["actions/first/dimension00"], "scalars")), [0.0, 1.0])


def test_no_entity_is_named_by_the_data(chunks: dict[str, list[Any]]) -> None:
    ours = [name for name in chunks if not name.startswith("__properties")]
    assert all(re.fullmatch(r"[a-z0-9_/-]+", name) for name in ours), ours
    text = str(chunks["about"][0].to_record_batch().to_pylist())
    assert synthetic.HOSTILE[0] in text, "names are text"


def test_mistakes_are_one_line(rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rerun")
    for arguments, said in (
        (("no/such",), "nearest"),
        ((FIRST, "--out", str(tmp_path / "none" / "x.rrd")), "cannot be written"),
    ):
        code, _, err = run(capsys, *command(rich, *arguments))
        assert (code, err.count("\n")) == (2, 1), err
        assert said in err
