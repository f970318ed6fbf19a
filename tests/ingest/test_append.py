"""A new episode is added to a published warehouse, and everything there is as if all had been built anew."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.append import append, hash_of_models, new_units, sign
from ingest.dbt_build import dbt_build
from ingest.loadable import loadable
from ingest.publish import publish
from ingest.schema import raw_ddl
from ingest.study import PACKAGE_ROOT
from ingest.warehouse import load
from tests.ingest.test_warehouse import ask, rows_of
from tests.ingest.world import World, make_world, only_run, write_episodes

MODELS = hash_of_models(PACKAGE_ROOT)
Rows = list[tuple[Any, ...]]


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
    units = new_units(path, content, MODELS)
    assert units is not None
    assert len(units) == 3
    append(content, path, units)
    load(after, anew)
    for table in set(raw_ddl()) - {"episodes_kept"}:
        assert rows_of(path, table) == rows_of(anew, table), table
    ((kept,),) = ask(path, "select count(*) from raw.episodes_kept")
    assert kept == 3
    assert rows_of(anew, "episodes_kept") == []


def build_anew(lake: Path, path: Path, *selected: str) -> None:
    """What `publish --fresh` makes, but for the data tests: those run once, in the build that adds."""
    # Where publish builds: at another path dbt would read its whole project again.
    building = path.with_name("w.building.duckdb")
    load(lake, building)
    assert dbt_build(PACKAGE_ROOT, building, "--exclude-resource-type", "test", *selected) is None
    sign(building, MODELS)
    building.replace(path)


@pytest.mark.slow  # builds by dbt, the only proof that adding to a warehouse gives what building it anew gives
def test_marts_are_those_of_a_build_of_everything(
    grown: tuple[World, Path, Path],
    tmp_path: Path,
    dbt_folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, before, after = grown
    path, added, anew = dbt_folder / "w.duckdb", tmp_path / "added.duckdb", tmp_path / "anew.duckdb"
    monkeypatch.setenv("DBT_TARGET_PATH", str(dbt_folder / "target"))
    # What an append finds: rows to keep, views and the seed. It makes everything else anew, whatever was there.
    kept = ("+config.materialized:incremental", "+config.materialized:view", "resource_type:seed")
    build_anew(before, path, "--select", *kept)
    publish(after, path)
    path.replace(added)
    assert "adding 3 new units" in capfd.readouterr().err
    assert_checks_look_at_new_rows(added, dbt_folder / "target")
    build_anew(after, path)
    path.replace(anew)
    tables = ask(
        anew,
        "select table_schema, table_name from information_schema.tables "
        "where table_type = 'BASE TABLE' and table_schema in ('intermediate', 'marts')",
    )
    assert len(tables) > 30
    for schema, table in tables:
        assert alike(sorted_rows(added, schema, table), sorted_rows(anew, schema, table)), f"{schema}.{table}"


def assert_checks_look_at_new_rows(warehouse: Path, target: Path) -> None:
    """What dbt compiled after an append finds damage in the episode that came, and spares the rest of a large table."""
    (check,) = target.glob("compiled/**/masses_sum_to_one.sql")
    of_kept = "inference_id in (select inference_id from raw.inferences semi join raw.episodes_kept using (episode_id))"
    with duckdb.connect(str(warehouse)) as connection:
        for found, damaged in ((False, of_kept), (True, f"not {of_kept}")):
            connection.execute("begin")
            connection.execute(
                f"update raw.attention_masses set masses = list_append(masses, 0.5) where {damaged}"
            )
            assert bool(connection.execute(check.read_text()).fetchall()) is found
            connection.execute("rollback")


def sorted_rows(path: Path, schema: str, table: str) -> Rows:
    return ask(path, f"select * from {schema}.{table} order by all")


def alike(a: Rows, b: Rows) -> bool:
    """Equal but for the last digits, which hang on the order of a sum."""
    return len(a) == len(b) and all(
        len(x) == len(y) and all(map(same, x, y)) for x, y in zip(a, b, strict=True)
    )


def same(x: Any, y: Any) -> bool:
    if isinstance(x, list) and isinstance(y, list):
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, float) and isinstance(y, float):
        return math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(x) and math.isnan(y))
    return bool(x == y)


def test_nothing_is_added_to_what_others_built(grown: tuple[World, Path, Path], tmp_path: Path) -> None:
    """No warehouse, one without marts, and one of other models."""
    _, before, after = grown
    path = tmp_path / "w.duckdb"
    content = loadable(after)
    assert new_units(path, content, MODELS) is None
    load(before, path)
    assert new_units(path, content, MODELS) is None
    sign(path, "0" * 64)
    assert new_units(path, content, MODELS) is None
    sign(path, MODELS)
    assert new_units(path, content, MODELS) is not None


def test_a_unit_that_changed_or_went_asks_for_everything(
    grown: tuple[World, Path, Path], tmp_path: Path
) -> None:
    _, before, _ = grown
    lake, path = tmp_path / "lake", tmp_path / "w.duckdb"
    shutil.copytree(before, lake)
    load(lake, path)
    sign(path, MODELS)
    assert new_units(path, loadable(lake), MODELS) == frozenset()
    folder = only_run(lake)
    manifest = folder.unit_path(folder.units()[0]) / "unit.json"
    manifest.write_text(manifest.read_text().replace('"status": "done"', '"status": "partial"'))
    assert new_units(path, loadable(lake), MODELS) is None
    shutil.rmtree(manifest.parent)
    assert new_units(path, loadable(lake), MODELS) is None


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
