"""Videos: what a decoder finds in them is what the marts and the lake hold."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from reports.commands.study_opened import opened
from reports.html.render import episode_stem
from reports.images import drawing
from reports.marts.context import BASELINE, Context, View
from reports.recordings import video_files, video_frames
from reports.recordings.shots import Reel, episode_named, read_reel
from tests.reports import synthetic
from tests.reports.conftest import Site
from tests.reports.test_build import run

av = pytest.importorskip("av")
FIRST = "success/2026-11-20/0000"


def decoded(path: Path) -> tuple[list[NDArray[np.uint8]], Fraction, str]:
    """Frames, frames a second and codec, as a decoder finds them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return (
            [f.to_ndarray(format="rgb24") for f in container.decode(stream)],
            stream.average_rate,
            stream.codec.name,
        )


def command(site: Site, *arguments: str | Path) -> tuple[str | Path, ...]:
    return ("video", *arguments, "--warehouse", site.warehouse, "--lake", site.lake)


def reel_of(ctx: Context, camera: str = "base") -> Reel:
    return read_reel(ctx, episode_named(ctx, FIRST), View("prefix", -1, "instruction"), camera)


@pytest.mark.parametrize(("suffix", "codec"), [("webm", "vp9"), ("mp4", "h264"), ("avi", "mjpeg")])
def test_every_container_opens_with_the_right_frames(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, codec: str
) -> None:
    out = tmp_path / f"video.{suffix}"
    code, said, _ = run(
        capsys, *command(rich, FIRST, "--out", out, "--size", "96", "--fps", "2.5", "--layers", "1", "--burn")
    )
    assert code == 0
    assert f"{rich.shape.n_keyframes} frames" in said
    frames, rate, found = decoded(out)
    assert (len(frames), float(rate), found) == (rich.shape.n_keyframes, 2.5, codec)
    # three panels with gaps of 4; two captions of 22, a panel, a colour bar of 28
    assert frames[0].shape == (2 * 22 + 96 + 28, 3 * 96 + 2 * 4, 3)
    assert [path.name for path in tmp_path.iterdir()] == [out.name], "nothing half written is left"


def test_panels_are_the_picture_the_map_and_both(rich: Site) -> None:
    with opened(rich.warehouse, rich.lake, None) as ctx:
        reel = reel_of(ctx)
        frames = list(video_frames.layer_frames(reel, video_frames.Look(size=224, contours=False), 1))
    shot = reel.shots[0]
    np.testing.assert_array_equal(frames[0][:224, :224], shot.picture)
    top = max(float(s.maps[BASELINE, 1, -1].max()) for s in reel.shots)
    table = drawing.colour_table("viridis").astype(float)
    for patch in ((8, 8), (5, 11)):  # at a patch's centre the map is the patch itself
        y, x = (14 * p + 7 for p in patch)
        values = shot.maps[BASELINE, 1, -1]
        # 224 / 16 is even: between the pixels y-1 and y lies the centre; both are within a 14th of it
        level = 255 * float(values[patch]) / top
        panel = frames[0][y, 228 + x].astype(float)
        near = table[max(0, int(level) - 12) : int(level) + 14]
        assert np.abs(near - panel).max(axis=1).min() <= 8
        mixed = 0.6 * shot.picture[y, x] + 0.4 * panel
        np.testing.assert_allclose(frames[0][y, 456 + x], mixed, atol=1)


def test_the_scale_is_one_for_all_frames(rich: Site) -> None:
    with opened(rich.warehouse, rich.lake, None) as ctx:
        reel = reel_of(ctx)
    painter = video_frames.Painter(
        reel, video_frames.Look(size=64), [(BASELINE, layer, -1) for layer in range(3)]
    )
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        highest = con.execute(
            """select max(list_max(map)) from marts.frame_gallery where episode_id = $e and camera = 'base'
               and pass = 'prefix' and head = -1 and condition_id = 'baseline:baseline'""",
            {"e": reel.episode["episode_id"]},
        ).fetchone()
    assert highest is not None
    assert painter.top == pytest.approx(highest[0])
    flat = {"viridis": painter.colours(reel.shots[0], np.full((16, 16), painter.top, np.float32))}
    assert tuple(flat["viridis"][32, 32]) == tuple(drawing.colour_table()[255])


def test_a_video_over_layers_has_a_panel_each(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "all.webm"
    assert run(capsys, *command(rich, FIRST, "--kind", "layers", "--out", out, "--size", "64"))[0] == 0
    frames, _, _ = decoded(out)
    # three layers in a row, a caption and a panel each, and the colour bar
    assert frames[0].shape == (22 + 64 + 28, 3 * 64 + 2 * 4, 3)


def test_prompts_show_what_they_change(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "prompts.mp4"
    arguments = (
        "--kind",
        "prompts",
        "--out",
        out,
        "--size",
        "64",
        "--layers",
        "0",
        "--prompt",
        "cat",
        "--prompt",
        "bottle",
    )
    assert run(capsys, *command(rich, FIRST, *arguments))[0] == 0
    frames, _, _ = decoded(out)
    assert frames[0].shape == (22 + 64 + 64 + 28 + 28, 3 * 64 + 2 * 4, 3)
    with opened(rich.warehouse, rich.lake, None) as ctx:
        reel = reel_of(ctx)
    change = video_frames.differences(reel.shots[0], reel.conditions, 0, -1)
    assert set(change) == {f"prompt:{toy}" for toy in synthetic.TOYS}
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        maps = dict(con.execute(
            """select condition_id, map from marts.frame_gallery where episode_id = $e and camera = 'base' and pass = 'prefix'
               and head = -1 and layer = 0 and frame_index = 0""",
            {"e": reel.episode["episode_id"]},
        ).fetchall())  # fmt: skip
    expected = np.array(maps["prompt:cat"]) - np.array(maps["baseline:baseline"])
    np.testing.assert_allclose(change["prompt:cat"].ravel(), expected, atol=1e-7)


def test_a_head_of_its_own(rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "heads.webm"
    code, said, _ = run(
        capsys,
        *command(
            rich,
            FIRST,
            "--layers",
            "0,2",
            "--heads",
            "all",
            "--style",
            "overlay",
            "--size",
            "64",
            "--out",
            out,
        ),
    )
    assert code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"heads-L0{layer}-H0{head}.webm" for layer in (0, 2) for head in (0, 1)
    ]
    assert said.count("\n") == 4
    assert decoded(tmp_path / "heads-L02-H01.webm")[0][0].shape == (64 + 28, 64, 3)
    with opened(rich.warehouse, rich.lake, None) as ctx:
        shot = reel_of(ctx).shots[0]
    np.testing.assert_array_equal(shot.maps[BASELINE, 0, 1].ravel()[::-1], shot.maps[BASELINE, 0, -1].ravel())


def test_names_from_the_data_are_no_path(
    rich: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, *command(rich, f"{FIRST}/{synthetic.HOSTILE[0]}", "--size", "64", "--burn"))[0] == 0
    (made,) = tmp_path.iterdir()
    assert re.fullmatch(r"[0-9a-f]{16}-prefix-camera[01]-layer-L\d\d\.webm", made.name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no/such/episode",), "nearest"),
        (("success",), "names 5 episodes"),
        ((FIRST, "--layers", "9"), "there are 0, 1 and 2"),
        ((FIRST, "--layers", "two"), "numbers, ranges"),
        ((FIRST, "--heads", "7"), "no map of heads 7"),
        ((FIRST, "--camera", "../x"), "no camera '../x'; there are base and wrist"),
        ((FIRST, "--view", "thoughts"), "no view 'thoughts'"),
        ((FIRST, "--kind", "prompts", "--prompt", "dog"), "no prompt 'dog'"),
        ((FIRST, "--out", "video.gif"), ".webm, .mp4 or .avi"),
        ((FIRST, "--out", "video.avi", "--format", "mp4"), "do not agree"),
        ((FIRST, "--out", "no/such/folder/video.webm"), "cannot be written"),
    ],
)
def test_mistakes_are_one_line(
    rich: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *command(rich, *arguments, "--size", "64"))
    assert (code, err.count("\n")) == (2, 1), err
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_without_pyav_it_says_what_to_install(
    rich: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    code, _, err = run(capsys, *command(rich, FIRST))
    assert (code, err) == (
        2,
        "error: videos need PyAV, which is not installed: pip install 'gazehouse[video]'\n",
    )


def test_a_little_study_has_a_video_too(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "little.webm"
    assert run(capsys, *command(little, FIRST, "--out", out, "--size", "64"))[0] == 0
    assert len(decoded(out)[0]) == little.shape.n_keyframes
    code, _, err = run(capsys, *command(little, FIRST, "--kind", "prompts", "--out", out))
    assert (code, err.count("\n")) == (2, 1)
    assert "no changed prompt" in err


def test_an_episode_is_found_by_its_page(rich: Site) -> None:
    with opened(rich.warehouse, rich.lake, None) as ctx:
        for path in (rich.root / "episodes").glob("*.html"):
            assert episode_stem(ctx.study.run_id, episode_named(ctx, path.name)["episode_id"]) == path.stem


def test_no_frame_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no frame to show"):
        video_files.write(tmp_path / "x.webm", [], 5)
    assert list(tmp_path.iterdir()) == []
