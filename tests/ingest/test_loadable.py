"""What is loaded is what plans and manifests vouch for: no row more, and none less without a word."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest.lake import RunFolder
from ingest.warehouse import load
from tests.ingest.test_warehouse import ask
from tests.ingest.world import World, cli, make_world, only_run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One episode under baseline, prompts and a paraphrase: a unit to be spoilt, and two that stay."""
    made = make_world(tmp_path_factory.mktemp("three-units"), count=1)
    assert made.run().is_complete
    return made


@pytest.fixture
def lake(world: World, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(world.lake, tmp_path / "lake")
    return tmp_path / "lake"


def first_unit(lake: Path) -> Path:
    folder = only_run(lake)
    return folder.unit_path(folder.units()[0])


def run_again(world: World, lake: Path) -> str:
    """How many units the same command finds done, and that it mends the lake."""
    summary = world.run(lake)
    assert summary.is_complete
    assert cli("status", "--lake", lake).code == 0
    return f"{summary.n_already_done} of {summary.n_planned}"


def cut_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def take_rows_of_another(path: Path) -> None:
    """A whole file, but not the unit's: it has another number of rows."""
    others = path.parent.parent.glob(f"unit=*/{path.name}")
    shutil.copy(next(other for other in others if n_rows(other) != n_rows(path)), path)


def n_rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


@pytest.mark.parametrize("views", [[], ["--views"]])
@pytest.mark.parametrize("spoil", [Path.unlink, cut_the_end])
def test_a_file_that_is_lost_from_a_done_unit_stops_the_load(
    world: World, lake: Path, tmp_path: Path, spoil: Callable[[Path], None], views: list[str]
) -> None:
    path = first_unit(lake) / "attention_maps.parquet"
    spoil(path)
    warehouse = tmp_path / "w.duckdb"
    ended = cli("load", *views, "--lake", lake, "--warehouse", warehouse)
    assert ended.code == 1
    assert ended.err == (
        f"error: {path} is missing or damaged; run the study again, which makes its unit anew, or delete the unit's "
        "folder to load without it\n"
    )
    assert not warehouse.exists()
    assert cli("publish", "--lake", lake, "--warehouse", warehouse).err == ended.err


@pytest.mark.parametrize("spoil", [Path.unlink, cut_the_end, take_rows_of_another])
def test_status_and_run_see_it_without_reading_the_files(
    world: World, lake: Path, spoil: Callable[[Path], None]
) -> None:
    path = first_unit(lake) / "tokens.parquet"
    before = path.read_bytes()
    spoil(path)
    ended = cli("status", "--lake", lake)
    assert ended.code == 1
    assert "3 planned = 2 done + 1 pending" in ended.out
    assert f"damaged: {path}" in ended.out
    assert run_again(world, lake) == "2 of 3"
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["{}", "[]", "3", "null", '{"status": "done"}', "{", "[" * 9999])
def test_a_unit_without_a_manifest_of_its_own_is_pending_and_not_loaded(
    world: World, lake: Path, tmp_path: Path, content: str
) -> None:
    unit = first_unit(lake)
    (unit / "unit.json").write_text(content)
    status = cli("status", "--lake", lake)
    assert (status.code, status.err) == (1, "")
    assert "3 planned = 2 done + 1 pending" in status.out
    warehouse = tmp_path / "w.duckdb"
    ended = cli("load", "--lake", lake, "--warehouse", warehouse)
    assert ended.code == 0
    assert "1 folders of run" in ended.err
    assert str(unit) in ended.err
    pending = "select episode_id, condition_group from raw.units where status = 'pending'"
    ((episode, group),) = ask(warehouse, pending)
    kinds = {"baseline": "baseline", "prompts": "prompt", "paraphrases": "paraphrase"}
    rows = ask(
        warehouse,
        "select count(*) from raw.inferences join raw.conditions using (run_id, condition_id) "
        f"where episode_id = '{episode}' and kind = '{kinds[group]}'",
    )
    assert rows == [(0,)]
    assert run_again(world, lake) == "2 of 3"


@pytest.mark.parametrize("views", [False, True])
def test_copied_and_foreign_folders_are_not_loaded(
    world: World, lake: Path, tmp_path: Path, views: bool
) -> None:
    before = load(world.lake, tmp_path / "before.duckdb")
    folder = only_run(lake)
    unit = first_unit(lake)
    shutil.copytree(unit, folder.path / "unit=0123456789abcdef")
    shutil.copytree(unit, folder.path / "unit=backup of my unit")
    shutil.copytree(folder.path, lake / "run_id=copy")
    (lake / "run_id=empty").mkdir()
    other = RunFolder(lake, "fedcba9876543210")
    shutil.copytree(unit, other.unit_path(unit.name.removeprefix("unit=")))
    assert load(lake, tmp_path / "w.duckdb", views=views) == before
    ended = cli("load", "--lake", lake, "--warehouse", tmp_path / "w.duckdb")
    assert ended.code == 0
    assert ended.err.count("warning: ") == ended.err.count("\n") == 4
    assert "2 folders of run" in ended.err
    for name in ("copy", "empty", "fedcba9876543210"):
        assert f"run_id={name} has no plan of its own" in ended.err


def test_a_unit_in_the_place_of_another_is_not_it(world: World, lake: Path) -> None:
    """Renamed by hand: its manifest names another unit, so it counts as not there."""
    folder = only_run(lake)
    first, second, *_ = folder.units()
    shutil.rmtree(folder.unit_path(second))
    folder.unit_path(first).rename(folder.unit_path(second))
    assert "3 planned = 1 done + 2 pending" in cli("status", "--lake", lake).out
    assert run_again(world, lake) == "1 of 3"


def test_a_lake_of_nothing_but_strangers_has_no_run(world: World, lake: Path, tmp_path: Path) -> None:
    only_run(lake).path.rename(lake / "run_id=renamed")
    ended = cli("load", "--lake", lake, "--warehouse", tmp_path / "w.duckdb")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no run in the lake" in ended.err
    assert cli("status", "--lake", lake).code == 1


def test_a_run_without_its_plan_is_made_good_by_the_same_command(world: World, lake: Path) -> None:
    folder = only_run(lake)
    manifest = folder.unit_path(folder.run_unit) / "unit.json"
    before = json.loads(manifest.read_text())
    manifest.write_text("{}")
    ended = cli("status", "--lake", lake)
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "its plan is missing" in ended.err
    assert run_again(world, lake) == "3 of 3"
    assert json.loads(manifest.read_text())["tables"].keys() == before["tables"].keys()
