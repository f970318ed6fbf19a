"""Difference maps on an episode's page: prompt minus baseline on a scale whose middle is no change; the video beside the page."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from reports import site
from reports.images import drawing
from tests.reports.conftest import Site, Visit
from tests.reports.test_build import damaged, run
from tests.reports.test_viewer import expect_shown, open_first


def test_a_difference_is_the_prompts_map_minus_the_baselines(rich: Site, visit: Visit) -> None:
    open_first(rich, visit)
    page = visit.page
    assert page.locator("input[name=show]").count() == 0, "the baseline differs from nothing"
    page.locator("select[name=condition]").select_option("prompt:cat")
    page.locator("input[name=show][value=difference]").check(force=True)
    page.locator("input[name=camera][value=base]").check(force=True)
    page.locator("input[name=layer][value='1']").check(force=True)
    expect_shown(visit, "0", "prefix", "1", "base", "prompt:cat")
    assert "minus the baseline's" in page.locator(".panel-row .reading").inner_text()
    first, last = page.locator(".panel-row .scale span").all_inner_texts()
    assert (first[0], last[0]) == ("\N{MINUS SIGN}", "+")
    assert first[1:] == last[1:]
    drawn = page.locator(".panel-row canvas").first.evaluate(
        "(c) => [...c.getContext('2d').getImageData(0, 0, 224, 224).data]"
    )
    found = np.array(drawn, np.uint8).reshape(224, 224, 4)[:, :, :3].astype(int)
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        maps = {
            (c, layer): np.array(m, np.float32).reshape(16, 16)
            for c, layer, m in con.execute(
                """select condition_id, layer, map from marts.frame_gallery join marts.episodes using (run_id, episode_id)
                   where camera = 'base' and pass = 'prefix' and head = -1 and frame_index = 0 and instruction = $text
                   and episode_id like $id""",
                {
                    "text": page.locator("h1").inner_text(),
                    "id": page.locator("code.id").inner_text()[:23] + "%",
                },
            ).fetchall()
        }
    reach = max(np.abs(maps["prompt:cat", k] - maps["baseline:baseline", k]).max() for k in range(3))
    difference = drawing.enlarged(maps["prompt:cat", 1] - maps["baseline:baseline", 1], 224)
    expected = drawing.coloured(difference, drawing.diverging_table(), -reach, reach).astype(int)
    # The page's maps have 8 bits of their own maximum: two levels of 255 of either.
    assert np.abs(found[60:160] - expected[60:160]).max() <= 14
    assert np.abs(found[60:160] - expected[60:160]).mean() < 2
    page.locator("select[name=condition]").select_option("baseline:baseline")
    expect_shown(visit, "0", "prefix", "1", "base", "baseline:baseline")
    assert page.locator("input[name=show]").count() == 0
    assert not visit.troubles


@pytest.fixture(scope="module")
def filmed(little: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("av")
    root = tmp_path_factory.mktemp("filmed") / "site"
    report = site.build(site.Options(little.warehouse, little.lake, root, videos=True), say=lambda _: None)
    assert report.failures == []
    return root


def test_the_page_plays_the_video_that_lies_beside_it(filmed: Path, visit: Visit) -> None:
    page = visit.open(next((filmed / "episodes").glob("*.html")))
    film = page.locator("video")
    page.wait_for_function("document.querySelector('video').readyState >= 1", timeout=20_000)
    assert film.evaluate("(v) => [v.videoWidth, v.videoHeight]") == [3 * 320 + 8, 2 * 22 + 320 + 28]
    assert film.evaluate("(v) => Math.round(v.duration * 5)") == 3
    assert not visit.troubles


def test_without_the_option_there_is_no_video(little: Site) -> None:
    for path in (little.root / "episodes").glob("*.html"):
        assert "<video" not in path.read_text(encoding="utf-8")
    assert not list(little.root.rglob("*.webm"))


def test_videos_need_their_marts(little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    copy = damaged(little, tmp_path, "drop table marts.frame_inferences")
    code, _, err = run(
        capsys, "build", "--videos", "--warehouse", copy, "--lake", little.lake, "--out", tmp_path / "site"
    )
    assert (code, err) == (
        2,
        f"error: {copy} has no marts frame_inferences: run `python -m ingest publish --warehouse {copy}`, with the lake it is of\n",
    )
    assert not (tmp_path / "site").exists()
