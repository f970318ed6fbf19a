"""New units are added to the raw rows of a warehouse, which are then those of a load of everything.

That its marts are then those of a build of everything is shown in tests/demo/test_planted_truths.py.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from ingest.append import append, hash_of_models, new_units, sign, was_built_by
from ingest.loadable import loadable
from ingest.schema import raw_ddl
from ingest.study import PACKAGE_ROOT
from ingest.warehouse import load
from tests.ingest.test_warehouse import ask, rows_of
from tests.ingest.world import World, make_world, only_run, table_of, write_episodes

MODELS = hash_of_models(PACKAGE_ROOT)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path, Path]:
    """A study, its lake with three episodes, and its lake with a fourth that came later."""
    world = make_world(tmp_path_factory.mktemp("grown"), count=3)
    world.run()
    before = world.folder / "before"
    shutil.copytree(world.lake, before)
    shutil.rmtree(world.root)
    write_episodes(world.root, 4)  # the first three are what they were
    assert world.run().n_already_done == 9
    return world, before, world.lake


def test_raw_rows_are_those_of_a_load_of_everything(grown: tuple[World, Path, Path], tmp_path: Path) -> None:
    _, before, after = grown
    path, anew = tmp_path / "w.duckdb", tmp_path / "anew.duckdb"
    load(before, path)
    sign(path, MODELS)
    content = loadable(after)
    units = new_units(path, content)
    assert units is not None
    assert len(units) == 3
    append(content, path, units)
    load(after, anew)
    for table in set(raw_ddl()) - {"episodes_kept"}:
        assert rows_of(path, table) == rows_of(anew, table), table
    ((kept,),) = ask(path, "select count(*) from raw.episodes_kept")
    assert kept == 3
    assert rows_of(anew, "episodes_kept") == []
    assert rows_kept(path, "attention_masses") == len(table_of(before, "attention_masses")) > 0
    assert rows_kept(path, "regions") == 0  # old episodes and new ones share them
    assert rows_kept(anew, "attention_masses") == 0


def rows_kept(warehouse: Path, table: str) -> int:
    ((found,),) = ask(warehouse, f"select raw.rows_kept('{table}')")
    return int(found)


def test_an_episode_with_old_rows_and_new_is_read_as_a_whole(
    grown: tuple[World, Path, Path], tmp_path: Path
) -> None:
    """Only its paraphrases came later: its marts need the rows that were there, so no row counts as kept."""
    _, _, after = grown
    before, path = tmp_path / "lake", tmp_path / "w.duckdb"
    shutil.copytree(after, before)
    folder = only_run(before)
    manifests = {unit: folder.manifest(unit) or {} for unit in folder.units()}
    late = next(unit for unit, found in manifests.items() if found["condition_group"] == "paraphrases")
    shutil.rmtree(folder.unit_path(late))
    load(before, path)
    sign(path, MODELS)
    append(loadable(after), path, frozenset({late}))
    episodes = {found["episode_id"] for found in manifests.values()}
    assert {row[1] for row in rows_of(path, "episodes_kept")} == episodes - {manifests[late]["episode_id"]}
    assert rows_kept(path, "attention_masses") == 0


def test_nothing_is_added_to_what_others_built(grown: tuple[World, Path, Path], tmp_path: Path) -> None:
    """No warehouse, one without marts, and one of other models."""
    _, before, _ = grown
    path = tmp_path / "w.duckdb"
    assert not was_built_by(path, MODELS)
    load(before, path)
    assert not was_built_by(path, MODELS)
    sign(path, "0" * 64)
    assert not was_built_by(path, MODELS)
    sign(path, MODELS)
    assert was_built_by(path, MODELS)


def test_a_unit_that_changed_or_went_asks_for_everything(
    grown: tuple[World, Path, Path], tmp_path: Path
) -> None:
    _, before, _ = grown
    lake, path = tmp_path / "lake", tmp_path / "w.duckdb"
    shutil.copytree(before, lake)
    load(lake, path)
    sign(path, MODELS)
    assert new_units(path, loadable(lake)) == frozenset()
    folder = only_run(lake)
    manifest = folder.unit_path(folder.units()[0]) / "unit.json"
    manifest.write_text(manifest.read_text().replace('"status": "done"', '"status": "partial"'))
    assert new_units(path, loadable(lake)) is None
    shutil.rmtree(manifest.parent)
    assert new_units(path, loadable(lake)) is None


def test_a_unit_that_was_planned_and_is_not_there_is_not_new(
    grown: tuple[World, Path, Path], tmp_path: Path
) -> None:
    lake, path = tmp_path / "lake", tmp_path / "w.duckdb"
    shutil.copytree(grown[1], lake)
    folder = only_run(lake)
    shutil.rmtree(folder.unit_path(folder.units()[-1]))
    load(lake, path)
    sign(path, MODELS)
    assert new_units(path, loadable(lake)) == frozenset()


def test_a_changed_model_changes_the_hash(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("models", "sql", "measures"):
        shutil.copytree(PACKAGE_ROOT / name, project / name)
    shutil.copy(PACKAGE_ROOT / "dbt_project.yml", project)
    assert hash_of_models(project) == MODELS
    with (project / "models" / "marts" / "runs.sql").open("a") as file:
        file.write("-- changed\n")
    assert hash_of_models(project) != MODELS


def test_the_signature_is_a_hash_and_nothing_else(grown: tuple[World, Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    load(grown[1], path)
    with pytest.raises(ValueError, match="invalid literal"):
        sign(path, "'; drop table raw.runs; --")
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.runs").fetchone() == (1,)
