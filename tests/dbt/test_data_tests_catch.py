"""The data tests fail on data that is wrong: their compiled SQL finds the row that was broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.dbt.conftest import Build

BROKEN = {
    "masses_sum_to_one": (
        "update raw.attention_masses set masses = list_transform(masses, lambda share: share * 1.001) where inference_id = 1"
    ),
    "masses_match_their_regions": (
        "update raw.attention_masses set masses = list_append(masses, 0) where inference_id = 1"
    ),
    "maps_have_unit_mass": "update raw.attention_maps set map = list_concat(['nan'::float], map[2:]) where inference_id = 1",
    "planned_units_are_accounted_for": "update marts.coverage set n_units = n_units + 1 where run_id = 'planted'",
    "inferences_are_accounted_for": "delete from raw.inferences where run_id = 'planted' and inference_id = 1",
    "measurements_have_an_inference": "update raw.map_shifts set baseline_id = -5 where inference_id = 3",
    "inferences_have_their_context": "delete from raw.frames where frame_index = 8",
    "nulls_have_a_reason": "update marts.outcome_tests set p_welch = null",
    "families_are_honest": "update marts.paired_tests set family_size = family_size + 1",
    "intervals_hold_their_estimate": "update marts.bootstrap_intervals set estimate = estimate + 1e6",
    "modality_masses_sum_to_one": "update marts.modality_balance_by_step set total_mass = 'nan' where layer = 0",
}
GENERIC = {
    "stg_raw__episodes_key": "insert into raw.episodes select * from raw.episodes limit 1",
    "stg_raw__object_metrics_ranges": "update raw.object_metrics set mass_share = 'nan' where inference_id = 1",
    "stg_raw__inferences_words": "update raw.inferences set status = 'fine' where inference_id = 1",
    "stg_raw__runs_present": "update raw.runs set seed = null",
    "object_attention_by_episode_key": (
        "insert into marts.object_attention_by_episode from marts.object_attention_by_episode limit 1"
    ),
    "object_attention_by_episode_finite": "update marts.object_attention_by_episode set log_lift = 'inf'",
}


@pytest.fixture(scope="module")
def copy(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt compiled the tests for the catalog `warehouse`, so the copy keeps the file's name."""
    return Path(shutil.copy(build.warehouse, tmp_path_factory.mktemp("broken") / build.warehouse.name))


@pytest.mark.parametrize(("name", "damage"), [*BROKEN.items(), *GENERIC.items()])
def test_damage_is_found(name: str, damage: str, build: Build, copy: Path) -> None:
    compiled = [path for path in (build.target / "compiled").rglob("*.sql") if path.stem == name]
    assert compiled
    with duckdb.connect(str(copy)) as connection:
        queries = [path.read_text() for path in compiled]
        assert not [row for query in queries for row in connection.execute(query).fetchall()]
        connection.execute("begin")
        connection.execute(damage)
        assert [row for query in queries for row in connection.execute(query).fetchall()]
        connection.execute("rollback")


def test_keys_of_incremental_models_are_looked_at_in_episodes_that_changed(build: Build, copy: Path) -> None:
    name = "object_attention_by_episode_key"
    (check,) = [path for path in (build.target / "compiled").rglob("*.sql") if path.stem == name]
    with duckdb.connect(str(copy)) as connection:
        connection.execute("begin")
        connection.execute(GENERIC[name])
        (twice,) = connection.execute(check.read_text()).fetchall()
        connection.execute("insert into raw.episodes_kept select run_id, episode_id from raw.episodes")
        assert not connection.execute(check.read_text()).fetchall()
        connection.execute("delete from raw.episodes_kept where episode_id = $id", {"id": twice[1]})
        assert connection.execute(check.read_text()).fetchall() == [twice]
        connection.execute("rollback")


def test_every_singular_check_is_tried(build: Build) -> None:
    checks = {path.stem for path in Path(__file__).parents[2].joinpath("sql", "checks").glob("*.sql")}
    assert checks == set(BROKEN)
