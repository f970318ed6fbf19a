"""A second build draws what has changed and takes over the rest, and the site is the one that a whole build writes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from reports import site
from reports.building import kept
from reports.html.render import episode_stem
from reports.marts.context import Context
from reports.recordings import videos
from tests.reports import synthetic

SHAPE = synthetic.replace(
    synthetic.TINY, n_success=2, n_failure=1, n_keyframes=2, n_layers=2, cameras=("base",), prompts=False
)
FIRST = "success/2026-11-20/0000"
SECTIONS = {page.slug for page in site.PAGES if page.sections is not None}


class World:
    """A small study, its site, and a second place to build everything anew."""

    def __init__(self, folder: Path, original: Path) -> None:
        shutil.copytree(original, folder, dirs_exist_ok=True, copy_function=shutil.copy2)
        self.folder, self.warehouse, self.lake = folder, folder / "warehouse.duckdb", folder / "lake"

    def build(self, out: str = "site", **options: bool) -> site.Report:
        return site.build(
            site.Options(self.warehouse, self.lake, self.folder / out, **options), say=self.lines.append
        )

    @property
    def lines(self) -> list[str]:
        return self.__dict__.setdefault("said", [])

    def change(self, statement: str) -> None:
        with duckdb.connect(str(self.warehouse)) as con:
            con.execute(statement)

    def files(self, out: str = "site") -> dict[str, bytes]:
        root = self.folder / out
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def stem(self, episode_id: str) -> str:
        return episode_stem(SHAPE.run_id, episode_id)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    warehouse, lake = synthetic.build(folder, SHAPE)
    assert not site.build(site.Options(warehouse, lake, folder / "site"), say=lambda _: None).failures
    return folder


@pytest.fixture
def world(original: Path, tmp_path: Path) -> World:
    return World(tmp_path, original)


def test_nothing_is_drawn_where_nothing_changed(world: World) -> None:
    before = world.files()
    report = world.build()
    assert report.built == []
    assert "0 pages drawn anew" in report.summary
    assert world.files() == before
    assert set(world.build(fresh=True).built) >= SECTIONS - {"planted"}
    assert world.files() == before


def set_picture(world: World) -> None:
    path = world.lake / f"run_id={SHAPE.run_id}/pictures/e0000/00000_base.jpg"
    path.write_bytes(path.read_bytes() + b"\0")


CHANGES: dict[str, Callable[[World], None]] = {
    "a map": lambda w: w.change(
        f"update marts.frame_gallery set map = list_reverse(map) where episode_id = '{FIRST}' and layer = 1"
    ),
    "a number of a frame": lambda w: w.change(
        f"update marts.frame_metrics set lift = lift * 1.01 where episode_id = '{FIRST}' and frame_index = 8"
    ),
    "an outline": lambda w: w.change(f"update marts.objects set role = 'goal' where episode_id = '{FIRST}'"),
    "a picture": set_picture,
    "its row in the table": lambda w: w.change(
        f"update marts.episodes set scenario = 'new' where episode_id = '{FIRST}'"
    ),
    "a frame that failed": lambda w: w.change(
        f"update marts.frames set status = 'failed', reason = 'torn' where episode_id = '{FIRST}' and frame_index = 8"
    ),
}


def test_the_page_of_a_changed_episode_alone_is_drawn(world: World) -> None:
    for what, change in CHANGES.items():
        change(world)
        drawn = set(world.build().built)
        assert drawn - SECTIONS == {world.stem(FIRST)}, what
        assert "prompt-control" not in drawn, "a page whose questions have the same answers stays"
    world.build("whole")
    assert world.files() == world.files("whole")


def test_an_episode_more_draws_itself_and_moves_the_others(world: World) -> None:
    new = f"{FIRST}-new"
    for mart in (
        "episodes",
        "frames",
        "objects",
        "frame_metrics",
        "frame_gallery",
        "modality_balance_by_step",
    ):
        world.change(
            f"insert into marts.{mart} select * replace ('{new}' as episode_id) from marts.{mart} where episode_id = '{FIRST}'"
        )
    world.change("update marts.hypothesis_verdicts set because = because || ' (revised)'")
    drawn = set(world.build().built)
    assert drawn - SECTIONS == {world.stem(new)}
    assert "object-attention" in drawn, "it shows the verdict"
    moved = (world.folder / f"site/episodes/{world.stem(f'{FIRST[:-1]}1')}.html").read_text()
    assert "3 of 4" in moved
    assert world.stem(new) in moved
    world.build("whole")
    assert world.files() == world.files("whole")


def test_an_episode_less_leaves_nothing_behind(world: World) -> None:
    world.change(f"delete from marts.episodes where episode_id = '{FIRST}'")
    assert not set(world.build().built) - SECTIONS
    assert not list((world.folder / "site/episodes").glob(f"{world.stem(FIRST)}*"))


def test_a_site_that_was_changed_by_hand_is_mended(world: World) -> None:
    before, root = world.files(), world.folder / "site"
    first, second = world.stem(FIRST), world.stem(f"{FIRST[:-1]}1")
    page = root / f"episodes/{first}.html"
    page.write_text(page.read_text().replace("Numbers by keyframe", "Numbers"))
    next((root / "episodes" / second).glob("*.js")).unlink()
    (root / "prompt-control.html").write_text("")
    assert sorted(world.build().built) == sorted([first, second, "prompt-control"])
    assert world.files() == before


def test_a_memory_that_cannot_be_read_is_told_and_done_without(world: World) -> None:
    before = world.files()
    (world.folder / "site" / kept.FILE).write_text('{"format": 1')
    assert len(world.build().built) == len(SECTIONS - {"planted"}) + 3
    assert [line for line in world.lines if "cannot be read" in line]
    assert world.files() == before


def test_nothing_is_taken_from_a_site_of_other_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    context = type("Context", (), {})
    monkeypatch.setattr(kept, "study_digest", lambda _: "the study")
    said: list[str] = []
    memory = kept.Memory.of(world.folder / "none", context, said.append, fresh=False)  # type: ignore[arg-type]
    memory.new.pages["time"] = kept.KeptPage([], [], "hash")
    kept.write(world.folder, memory.new)

    def remembered() -> kept.Kept:
        return kept.Memory.of(world.folder, context, said.append, fresh=False).old  # type: ignore[arg-type]

    assert remembered() == memory.new
    monkeypatch.setattr(kept, "study_digest", lambda _: "another")
    assert not remembered().pages
    monkeypatch.setattr(kept, "study_digest", lambda _: "the study")
    monkeypatch.setattr(kept, "code_digest", lambda: "another")
    assert not remembered().pages
    assert not said


def test_videos_of_unchanged_episodes_are_not_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    made: list[str] = []
    make = videos.of_page

    def counted(ctx: Context, episode_id: str, *rest: Any) -> int:
        made.append(episode_id)
        return make(ctx, episode_id, *rest)

    monkeypatch.setattr(videos, "of_page", counted)
    every = {FIRST, f"{FIRST[:-1]}1", "failure/2026-11-20/0002"}
    world.build()
    world.build(videos=True)
    assert set(made) == every, "pages without a video are no pages with one"
    before = world.files()
    assert sum(name.endswith(".webm") for name in before) == len(every)

    made.clear()
    assert world.build(videos=True).built == []
    assert made == []
    assert world.files() == before

    set_picture(world)
    assert world.build(videos=True).built == [world.stem(FIRST)]
    assert made == [FIRST]

    made.clear()
    world.change(f"update marts.frame_inferences set prompt = 'another' where episode_id = '{FIRST}'")
    world.build(videos=True)
    assert made == [FIRST], "its words are burnt into the video alone"

    assert set(world.build().built) == {world.stem(name) for name in every}
    assert not [name for name in world.files() if name.endswith(".webm")], "a site without videos holds none"


def test_a_page_that_failed_is_tried_again(world: World) -> None:
    picture = world.lake / f"run_id={SHAPE.run_id}/pictures/e0000/00000_base.jpg"
    content, state = picture.read_bytes(), picture.stat()
    picture.unlink()
    assert len(world.build().failures) == 1
    picture.write_bytes(content)
    os.utime(picture, ns=(state.st_atime_ns, state.st_mtime_ns))
    report = world.build()
    assert (report.failures, report.built) == ([], [world.stem(FIRST)])
