"""The data tests fail on data that is wrong: their compiled SQL finds the row that was broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from ingest.dbt_build import dbt_build
from ingest.publish import place_to_build
from tests.dbt.conftest import Build, Places
from tests.dbt.synthetic import ROOT

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
# Test -> pairs of a damage and what the row that it finds says of it.
SOUND = {
    "stg_raw__episodes_sound": [
        ("insert into raw.episodes select * from raw.episodes limit 1", "the key is there 2 times"),
        ("update raw.episodes set episode_id = null where rowid = 0", "episode_id of the key is null"),
    ],
    "stg_raw__object_metrics_sound": [
        (
            "update raw.object_metrics set mass_share = 'nan' where inference_id = 1",
            "mass_share = nan is not from 0 to 1.0001",
        ),
        ("update raw.object_metrics set pointing_hit = -1 where inference_id = 1", "pointing_hit = -1"),
        ("update raw.object_metrics set pass = null where inference_id = 1", "pass of the key is null"),
    ],
    "stg_raw__inferences_sound": [
        (
            "update raw.inferences set status = 'fine' where inference_id = 1",
            "status = 'fine' is none of its words",
        ),
        ("update raw.inferences set status = null where inference_id = 1", "status is null"),
        # The second key: what is one inference, whatever its id.
        (
            "update raw.inferences set condition_id = 'baseline:baseline', noise_index = 0, frame_index = 0, "
            "episode_id = (select min(episode_id) from raw.episodes)",
            "the key is there",
        ),
    ],
    "stg_raw__runs_sound": [("update raw.runs set seed = null", "seed is null")],
    "stg_raw__timings_sound": [
        ("insert into raw.timings (run_id, stage) values ('planted', 'model')", "seconds is null")
    ],
    "object_attention_by_episode_sound": [
        (
            "insert into marts.object_attention_by_episode from marts.object_attention_by_episode limit 1",
            "the key is there 2 times",
        ),
        ("update marts.object_attention_by_episode set log_lift = 'inf'", "log_lift = inf is not finite"),
    ],
    "object_attention_by_layer_sound": [
        (
            "update marts.object_attention_by_layer set mean_iou_p90 = 1.5",
            "mean_iou_p90 = 1.5 is not from 0 to 1.0001",
        ),
    ],
    "prompt_shift_by_layer_sound": [
        (
            "update marts.prompt_shift_by_layer set mean_abs_mean_diff = -0.5",
            "mean_abs_mean_diff = -0.5 is not from 0 to 1.01",
        ),
    ],
    "head_ranking_sound": [
        (
            "update marts.head_ranking set mean_sink_share = 'nan'",
            "mean_sink_share = nan is not from 0 to 1.01",
        )
    ],
    # Views: what their joins make of a broken raw table.
    "frame_gallery_sound": [
        ("insert into raw.queries from raw.queries where name = 'instruction'", "the key is there 2 times"),
        ("update raw.attention_maps set camera = null where inference_id = 1", "camera of the key is null"),
        (
            "update raw.attention_maps set mass = 1.5 where inference_id = 1",
            "mass = 1.5 is not from 0 to 1.01",
        ),
        ("update raw.attention_maps set mass = null where inference_id = 1", "mass is null"),
        (
            "update raw.attention_maps set pass = 'cross'; update raw.queries set pass = 'cross'",
            "pass = 'cross'",
        ),
    ],
    "frame_inferences_sound": [
        ("insert into raw.inferences from raw.inferences where inference_id = 1", "the key is there 2 times"),
        (
            "update intermediate.int_inferences_selected set frame_index = -1 where inference_id = 1",
            "frame_index = -1 is not from 0",
        ),
        ("update raw.inferences set prompt = null where inference_id = 1", "prompt is null"),
        ("update raw.inferences set actions = null where inference_id = 1", "actions is null"),
    ],
    "layer_ranking_sound": [
        ("insert into marts.layer_ranking from marts.layer_ranking limit 1", "the key is there 2 times"),
        ("update marts.layer_ranking set mean_value = 'nan'", "mean_value = nan is not finite"),
        ("update marts.layer_ranking set layer_rank = 0", "layer_rank = 0 is not from 1"),
    ],
    "issues_sound": [
        ("update marts.issues set stage = 'fine'", "stage = 'fine' is none of its words"),
        ("update marts.issues set reason = null", "reason is null"),
        ("update marts.issues set subject = null", "subject is null"),
    ],
}


@pytest.fixture(scope="module")
def copy(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt compiled the tests for the catalog `warehouse`, so the copy keeps the file's name."""
    return Path(shutil.copy(build.warehouse, tmp_path_factory.mktemp("broken") / build.warehouse.name))


def compiled_check(build: Build, name: str) -> str:
    (check,) = [path for path in (build.target / "compiled").rglob("*.sql") if path.stem == name]
    return check.read_text()


@pytest.mark.parametrize(("name", "damage"), BROKEN.items())
def test_damage_is_found(name: str, damage: str, build: Build, copy: Path) -> None:
    query = compiled_check(build, name)
    with duckdb.connect(str(copy)) as connection:
        assert not connection.execute(query).fetchall()
        connection.execute("begin")
        connection.execute(damage)
        assert connection.execute(query).fetchall()
        connection.execute("rollback")


@pytest.mark.parametrize(
    ("name", "damage", "told"), [(name, *pair) for name, pairs in SOUND.items() for pair in pairs]
)
def test_a_row_that_is_not_sound_is_found_and_says_why(
    name: str, damage: str, told: str, build: Build, copy: Path
) -> None:
    query = compiled_check(build, name)
    with duckdb.connect(str(copy)) as connection:
        assert not connection.execute(query).fetchall()
        connection.execute("begin")
        connection.execute(damage)
        found = connection.execute(query).fetchall()
        connection.execute("rollback")
    assert found
    assert all(broken.startswith(told) for broken, _ in found), found


def test_rows_of_incremental_models_are_looked_at_in_episodes_that_changed(build: Build, copy: Path) -> None:
    query = compiled_check(build, "object_attention_by_episode_sound")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("begin")
        connection.execute(
            "insert into marts.object_attention_by_episode from marts.object_attention_by_episode limit 1"
        )
        (twice,) = connection.execute(query).fetchall()
        connection.execute("insert into raw.episodes_kept select run_id, episode_id from raw.episodes")
        assert not connection.execute(query).fetchall()
        connection.execute(
            "delete from raw.episodes_kept where episode_id = "
            "(select episode_id from marts.object_attention_by_episode limit 1)"
        )
        assert connection.execute(query).fetchall() == [twice]
        connection.execute("rollback")


def test_a_build_that_fails_says_what_is_wrong_and_where(
    build: Build, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At another path dbt would read its whole project again.
    building = place_to_build(places.own / "w.duckdb")
    shutil.copy(build.warehouse, building)
    monkeypatch.setenv("DBT_TARGET_PATH", str(places.own / "target"))
    with duckdb.connect(str(building)) as connection:
        connection.execute("update raw.units set status = 'fine' where run_id = 'planted'")
        connection.execute("drop table raw.issues")
    lines = dbt_build(ROOT, building, "--select", "stg_raw__units_sound", "stg_raw__issues")
    building.unlink()
    assert lines is not None
    assert any(line.startswith("data test stg_raw__units_sound: Got ") for line in lines)
    assert any(
        "broken: status = 'fine' is none of its words, in_row: {'run_id': planted" in line for line in lines
    )
    assert any("stg_raw__issues" in line for line in lines)
    assert any("issues does not exist" in line for line in lines)


def test_every_singular_check_is_tried(build: Build) -> None:
    checks = {path.stem for path in Path(__file__).parents[2].joinpath("sql", "checks").glob("*.sql")}
    assert checks == set(BROKEN)
