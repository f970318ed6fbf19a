"""Bad input of every kind ends in one clear line and the right exit code, and is never passed silently."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ingest.lake import RunFolder, run_ids
from ingest.schema import SCHEMA_VERSION
from tests.ingest.world import Ended, World, cli

OCCLUSION = {"layers": [0], "controls": 1}
NOWHERE = {"name": "r", "box": [0, 0, 1, 1], "camera": "nowhere"}


def refused(ended: Ended, says: str, code: int = 2) -> None:
    assert ended.code == code
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert says in ended.err


def study(world: World, folder: Path, **sections: Any) -> Path:
    """The world's study with other sections."""
    raw = yaml.safe_load(world.study_file.read_text()) | sections
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        # As many conditions as that would fill the memory before anything runs.
        (
            {"conditions": {"repeats": 10**9}},
            "conditions.repeats: input should be less than or equal to 1000",
        ),
        (
            {"conditions": {"occlusion": {**OCCLUSION, "controls": 10**9}}},
            "conditions.occlusion.controls: input should be less than or equal to 1000",
        ),
        (
            {"conditions": {"knockout": [{"name": "k", "keys": "instruction", "controls": 10**9}]}},
            "conditions.knockout.0.controls: input should be less than or equal to 1000",
        ),
        # Sections that ask for nothing.
        (
            {"conditions": {"occlusion": {"layers": []}}},
            "neither layers nor regions: nothing would be covered",
        ),
        ({"conditions": {"augmentation": {"layers": []}}}, "list should have at least 1 item"),
        ({"conditions": {"ablation": {"heads": []}}}, "list should have at least 1 item"),
        # Words that nobody would read.
        (
            {"conditions": {"occlusion": {**OCCLUSION, "regions": [NOWHERE]}}},
            "conditions.occlusion.regions.r.camera: the model sees no camera 'nowhere', but 'base', 'wrist'",
        ),
        (
            {"policy": {"checkpoint": "demo", "options": {"speed": 1}}},
            "policy.options: the family 'tiny' has none",
        ),
        ({"policy": {"checkpoint": "demo", "config": "pi05"}}, "policy.config: the family 'tiny' has none"),
        (
            {"policy": {"checkpoint": "/nowhere"}},
            "/nowhere: there is no such folder; expected the files config.json",
        ),
    ],
)
def test_a_study_that_asks_too_much_or_nothing(
    one_unit: World, tmp_path: Path, sections: dict[str, Any], says: str
) -> None:
    path = study(one_unit, tmp_path, **sections)
    for command in (["check"], ["run", "--no-load"]):
        refused(cli(*command, "--study", path, "--lake", tmp_path / "lake"), says)
    assert not (tmp_path / "lake").exists()


def test_a_function_of_a_study_that_fails_is_named_with_its_place(
    one_unit: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gazehouse_test_maker.py").write_text(
        "def make(section, device):\n    raise KeyError('weights')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    policy = {"family": "huggingface", "config": "gazehouse_test_maker:make"}
    ended = cli("check", "--study", study(one_unit, tmp_path, policy=policy))
    refused(ended, "gazehouse_test_maker:make failed with KeyError ('weights'), at ")
    assert "gazehouse_test_maker.py:2; expected a function of (section, device)" in ended.err
    sys.modules.pop("gazehouse_test_maker")


# --- the lake -------------------------------------------------------------------------------------------------------


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    "spoil", [lambda path: path.write_text("a file"), loop, lambda path: path.symlink_to("/dev/null")]
)
def test_a_lake_that_cannot_be_made(one_unit: World, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """`check` says so as `run` does."""
    lake = tmp_path / "lake"
    spoil(lake)
    for command in (["check"], ["run", "--no-load"]):
        ended = cli(*command, "--study", one_unit.study_file, "--lake", lake)
        refused(ended, "; choose another with --lake")
        assert str(lake) in ended.err


def test_a_lake_without_a_name_is_not_the_working_directory(one_unit: World) -> None:
    """As `--lake "$LAKE"` is where the variable is not set."""
    ended = cli("run", "--no-load", "--study", one_unit.study_file, "--lake", "")
    assert ended.code == 2
    assert "Invalid value for '--lake'" in ended.err
    assert "expected a folder" in ended.err
    assert not list(Path().glob("run_id=*"))


@pytest.fixture
def copied(one_unit: World, tmp_path: Path) -> tuple[World, RunFolder]:
    """A lake of one's own with one run."""
    lake = tmp_path / "lake"
    shutil.copytree(one_unit.lake, lake)
    (run_id,) = run_ids(lake)
    return one_unit, RunFolder(lake, run_id)


def test_a_lake_of_a_newer_gazehouse(copied: tuple[World, RunFolder], tmp_path: Path) -> None:
    _, folder = copied
    path = folder.unit_path(folder.run_unit) / "runs.parquet"
    runs = pq.ParquetFile(path).read()
    newer = pa.array([SCHEMA_VERSION + 1], runs.schema.field("schema_version").type)
    runs = runs.set_column(runs.schema.get_field_index("schema_version"), "schema_version", newer)
    pq.write_table(runs, path)
    for command in ("load", "publish"):
        ended = cli(command, "--lake", folder.lake, "--warehouse", tmp_path / "w.duckdb")
        refused(ended, f"made by a newer Gazehouse (schema version {SCHEMA_VERSION + 1}, this one knows")
    assert not (tmp_path / "w.duckdb").exists()


def test_a_column_that_this_version_does_not_know_is_left_out(
    copied: tuple[World, RunFolder], tmp_path: Path
) -> None:
    _, folder = copied
    for path in folder.path.glob("unit=*/*.parquet"):
        table = pq.ParquetFile(path).read()
        pq.write_table(table.append_column("younger", pa.array([1] * table.num_rows)), path)
    ended = cli("load", "--lake", folder.lake, "--warehouse", tmp_path / "w.duckdb")
    assert (ended.code, ended.err) == (0, "")


def test_a_file_of_another_table_with_as_many_rows(copied: tuple[World, RunFolder], tmp_path: Path) -> None:
    """Loaded, its rows would be null from end to end."""
    world, folder = copied
    (path,) = folder.path.glob("unit=*/attention_maps.parquet")
    n_rows = pq.read_metadata(path).num_rows
    pq.write_table(pa.table({"something": [1] * n_rows}), path)
    for flags in ([], ["--views"]):
        ended = cli("load", *flags, "--lake", folder.lake, "--warehouse", tmp_path / "w.duckdb")
        refused(ended, f"{path} is missing or damaged; run the study again", code=1)
    status = cli("status", "--lake", folder.lake)
    assert status.code == 1
    assert f"damaged: {path}" in status.out
    measured = cli("measure", "--study", world.study_file, "--lake", folder.lake)
    assert measured.code == 1
    assert "damaged_unit" in measured.err
    again = cli("run", "--no-load", "--study", world.study_file, "--lake", folder.lake)
    assert again.code == 0
    assert cli("status", "--lake", folder.lake).code == 0


def test_a_file_with_columns_of_other_kinds(copied: tuple[World, RunFolder]) -> None:
    world, folder = copied
    (path,) = folder.path.glob("unit=*/attention_maps.parquet")
    table = pq.ParquetFile(path).read()
    texts = pa.array(["x"] * table.num_rows)
    pq.write_table(table.set_column(table.schema.get_field_index("layer"), "layer", texts), path)
    ended = cli("measure", "--study", world.study_file, "--lake", folder.lake)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert f"{path} is no table of attention_maps (" in ended.err


@pytest.mark.parametrize(
    "manifest", ["", "[]", "null", '{"run_id": 1}', '{"tables": 5}', "{" * 100_000, "\x00", "\ud800"]
)
def test_a_manifest_that_is_none(copied: tuple[World, RunFolder], tmp_path: Path, manifest: str) -> None:
    """Its unit is still to be done, and left out of a load with a warning."""
    _, folder = copied
    (unit,) = folder.units()
    (folder.unit_path(unit) / "unit.json").write_bytes(manifest.encode("utf-8", "surrogatepass"))
    assert "1 planned = 1 pending" in cli("status", "--lake", folder.lake).out
    loaded = cli("load", "--lake", folder.lake, "--warehouse", tmp_path / "w.duckdb")
    assert loaded.code == 0
    assert "have no manifest of their own, and are not loaded" in loaded.err


def test_names_of_runs_and_units_are_no_paths(copied: tuple[World, RunFolder], tmp_path: Path) -> None:
    """What a manifest calls a table is never opened where it is no name."""
    _, folder = copied
    (unit,) = folder.units()
    path = folder.unit_path(unit) / "unit.json"
    manifest = json.loads(path.read_text())
    manifest["tables"] = {"../../../secret": {"rows": 1, "blake2b": None}}
    path.write_text(json.dumps(manifest))
    (folder.path / "unit=<b>x' or 1=1; --").mkdir()
    (folder.lake / "run_id=\x1b[31m'; drop table x").mkdir()
    loaded = cli("load", "--lake", folder.lake, "--warehouse", tmp_path / "w.duckdb")
    assert loaded.code == 0
    assert loaded.err.count("warning: ") == 2
    assert "\x1b" not in loaded.err + cli("status", "--lake", folder.lake).err


def test_a_file_without_end_is_no_query(one_unit: World, tmp_path: Path) -> None:
    assert cli("load", "--lake", one_unit.lake, "--warehouse", tmp_path / "w.duckdb").code == 0
    refused(
        cli("sql", "--warehouse", tmp_path / "w.duckdb", "--file", "/dev/zero"), "--file /dev/zero: more than"
    )


def test_covering_named_places_alone_is_a_study(one_unit: World, tmp_path: Path) -> None:
    occlusion = {"layers": [], "controls": 1, "regions": [{"name": "it", "object": "target"}]}
    path = study(one_unit, tmp_path, conditions={"occlusion": occlusion})
    assert cli("check", "--study", path, "--lake", tmp_path / "lake").code == 0
