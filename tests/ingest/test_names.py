"""Typos in experiments are refused before anything runs, with the names that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.episodes import builders
from tests.ingest.world import CUBE, DUCK, World, cli, make_world, write_study


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An episode about a duck and one about a cube; the first has no mask of the cube."""
    return make_world(
        tmp_path_factory.mktemp("two"),
        count=2,
        instructions=(DUCK, CUBE),
        boxes=({"duck": (31, 0, 93, 47)}, {"duck": (150, 60, 190, 122), "cube": (12, 101, 60, 180)}),
    )


def ends(world: World, command: str, conditions: dict[str, Any], **sections: Any) -> Any:
    write_study(world.folder, {"conditions": conditions, **sections})
    extra = ["--no-load"] if command == "run" else []
    return cli(command, *extra, "--study", world.study_file, "--lake", world.folder / "no-lake")


def cut(**names: str) -> dict[str, Any]:
    return {"knockout": [{"name": "k", "keys": "image:base", "controls": 0, "every": 40, **names}]}


def covered(name: str) -> dict[str, Any]:
    return {"occlusion": {"layers": [0], "regions": [{"name": "it", "object": name}]}}


UNKNOWN = {
    "query": (cut(queries="foo"), "conditions.knockout.k.queries: no layout of the model has "),
    "word": (
        cut(queries="word:dcuk"),
        "a query 'word:dcuk'; there are 'instruction', ",
    ),
    "percentile": (cut(queries="top:90"), "a query 'top:90'; there are "),
    "keys": (
        cut(keys="image:bse"),
        "conditions.knockout.k.keys: no layout of the model has keys 'image:bse'",
    ),
    "object": (
        cut(keys="object:tarjet"),
        "k.keys: no role, and no category of the masks, is 'tarjet'; there are 'target', ",
    ),
    "object-query": (cut(queries="object:tarjet", keys="instruction"), "k.queries: no role, "),
    "region": (
        covered("dukc"),
        "conditions.occlusion.regions.it.object: no role, and no category of the masks, is 'dukc'",
    ),
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_that_nothing_has_is_refused(two: World, command: str, name: str) -> None:
    conditions, says = UNKNOWN[name]
    ended = ends(two, command, conditions)
    assert ended.code == 2
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (two.folder / "no-lake").exists()


def test_what_there_is_is_named(two: World) -> None:
    assert "'word:pick', 'word:up', 'word:the', 'word:cube'" in ends(two, "check", cut(queries="foo")).err
    assert "; there are 'letterbox:base', 'image:base', " in ends(two, "check", cut(keys="foo")).err
    assert ends(two, "check", covered("foo")).err.rstrip().endswith("'occluder', 'cube', 'duck'")


@pytest.mark.parametrize(
    "conditions",
    [
        cut(queries="word:cube"),
        cut(queries="action:3", keys="top:90"),
        cut(queries="image:wrist", keys="instruction"),
        cut(queries="object:cube", keys="bos"),
        cut(keys="object:gripper"),
        covered("cube"),
        covered("occluder"),
    ],
    ids=str,
)
def test_a_name_that_one_episode_has_is_known(two: World, conditions: dict[str, Any]) -> None:
    """Also where the study is limited to the others; roles without an object only cost their frames."""
    write_study(two.folder, {"conditions": conditions})
    for limit in ("1", "2"):
        ended = cli("check", "--limit", limit, "--study", two.study_file, "--lake", two.lake)
        assert (ended.code, ended.err) == (0, "")


def test_queries_that_are_not_captured_are_not_there(two: World) -> None:
    ended = ends(two, "check", cut(queries="action"), capture={"queries": ["instruction"]})
    assert ended.code == 2
    assert "capture.queries" in ended.err


def test_objects_are_not_looked_for_where_there_are_no_masks(two: World) -> None:
    assert ends(two, "check", cut(keys="object:tarjet"), objects={"source": "none"}).code == 0


def test_an_episode_that_cannot_be_read_refuses_nothing(tmp_path: Path) -> None:
    """It is the episode's own problem, and the names of the others still count."""
    world = make_world(tmp_path, count=2, instructions=(CUBE, DUCK))
    broken = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)[0]
    builders.truncate_h5(broken)
    assert ends(world, "check", cut(queries="word:duck", keys="object:duck")).code == 1
    assert ends(world, "check", cut(queries="word:dcuk")).code == 2
