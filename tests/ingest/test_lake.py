"""The lake's files: what a unit holds, how it is read again, and how damage is found."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import DataError, UserError
from ingest.identity import unit_of
from ingest.lake import RunFolder, run_ids, write_atomically
from ingest.rows import Tables
from tests.ingest.world import World, cli, files_below, only_run

FACTS = {"status": "done", "reason": None}


def rows(count: int, **columns: object) -> pa.Table:
    return pa.table({"n": list(range(count)), **{name: [value] * count for name, value in columns.items()}})


def timings(count: int, **columns: object) -> pa.Table:
    return rows(count, run_id="0123456789abcdef", unit="aa", inference_id=None, **columns)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "lake", "0123456789abcdef")
    with made.writer():
        made.write("aa", {"b": rows(3), "timings": timings(2), "empty": rows(0)}, FACTS)
    return made


def test_a_manifest_tells_rows_and_checksums(folder: RunFolder) -> None:
    manifest = folder.manifest("aa")
    content = (folder.unit_path("aa") / "b.parquet").read_bytes()
    assert manifest == {
        "run_id": "0123456789abcdef",
        "unit": "aa",
        "status": "done",
        "reason": None,
        "tables": {
            "b": {"rows": 3, "blake2b": hashlib.blake2b(content, digest_size=32).hexdigest()},
            "timings": {"rows": 2, "blake2b": None},  # different each time, so not part of what is promised
        },
    }
    names = sorted(path.name for path in folder.unit_path("aa").iterdir())
    assert names == ["b.parquet", "timings.parquet", "unit.json"]


def test_a_table_is_read_as_it_was_written(folder: RunFolder) -> None:
    found = folder.read("aa", "b")
    assert found is not None
    assert found.equals(rows(3))  # no run_id or unit column from the folder's name
    assert folder.read("aa", "empty") is None
    assert folder.read("zz", "b") is None


def test_numbers_of_attention_have_no_dictionary_and_come_back_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = pa.array([*rng.random(98), float("nan"), None], pa.float64())
    lists = pa.array([None, [], [float("inf"), None], *rng.random((97, 5)).tolist()], pa.list_(pa.float32()))
    names = pa.array(["a", None] * 50)
    table = pa.table({"number": numbers, "values": lists, "name": names})
    folder = RunFolder(tmp_path / "lake", "0123456789abcdef")
    with folder.writer():
        folder.write("aa", {"b": table}, FACTS)

    path = folder.unit_path("aa") / "b.parquet"
    group = pq.ParquetFile(path).metadata.row_group(0)
    encodings = {group.column(i).path_in_schema: set(group.column(i).encodings) for i in range(3)}
    split = {name for name, used in encodings.items() if "BYTE_STREAM_SPLIT" in used}
    assert split == {"number", "values.list.element"}
    assert "RLE_DICTIONARY" in encodings["name"]
    wanted = list(zip(*(repr_of(column) for column in table.columns), strict=True))
    found = duckdb.sql(
        "select number, values, name from read_parquet($file)", params={"file": str(path)}
    ).fetchall()
    assert [tuple(map(repr, row)) for row in found] == wanted


def repr_of(column: pa.ChunkedArray) -> list[str]:
    """Text of every value, for NaN equals nothing, not even itself."""
    return [repr(value) for value in column.to_pylist()]


def test_a_file_cut_short_is_an_error_that_names_it(folder: RunFolder) -> None:
    path = folder.unit_path("aa") / "b.parquet"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=r"b\.parquet is damaged.*delete the unit's folder") as caught:
        folder.read("aa", "b")
    assert caught.value.subject == "unit=aa/b.parquet"


def test_units_are_sorted_and_leave_out_the_run_itself(folder: RunFolder) -> None:
    for unit in ("cc", "bb", folder.run_unit):
        folder.write(unit, {"b": rows(1)}, FACTS)
    assert folder.units() == ["aa", "bb", "cc"]
    assert folder.run_unit == unit_of(folder.run_id, "", "run")
    (folder.lake / "run_id=none").mkdir()
    (folder.lake / "run_id=file").write_text("")
    (folder.lake / "other").mkdir()
    assert run_ids(folder.lake) == ["0123456789abcdef", "none"]
    assert run_ids(folder.lake / "missing") == []


@pytest.mark.parametrize("content", ["", "{", "\x00", "[]x"])
def test_a_manifest_that_is_no_json_is_no_unit(folder: RunFolder, content: str) -> None:
    path = folder.unit_path("aa") / "unit.json"
    path.write_text(content)
    assert folder.manifest("aa") is None
    assert folder.damaged_files("aa", verify=False) == [path]


def test_damage_is_found_by_the_checksum(folder: RunFolder) -> None:
    path = folder.unit_path("aa") / "b.parquet"
    assert folder.damaged_files("aa", verify=True) == []
    flipped = bytearray(path.read_bytes())
    flipped[10] ^= 1
    path.write_bytes(flipped)
    assert folder.damaged_files("aa", verify=False) == []
    assert folder.damaged_files("aa", verify=True) == [path]
    path.unlink()
    assert folder.damaged_files("aa", verify=False) == [path]


def test_timings_have_no_checksum_but_must_be_there(folder: RunFolder) -> None:
    path = folder.unit_path("aa") / "timings.parquet"
    pq.write_table(timings(2, seconds=9.0), path)
    assert folder.damaged_files("aa", verify=True) == []
    path.unlink()
    assert folder.damaged_files("aa", verify=True) == [path]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    """However they came: in one block or in many, over one lake or another."""
    written = []
    for name, sizes in (("here", [6]), ("there", [1, 2, 3])):
        folder = RunFolder(tmp_path / name, "0123456789abcdef")
        tables = Tables(folder.run_id)
        values = iter(range(6))
        for size in sizes:
            numbers = [next(values) for _ in range(size)]
            block = {
                "inference_id": numbers,
                "map": np.array([[n / 7, float("nan") if n == 2 else 1.0] for n in numbers]),
                "camera": "base",
            }
            tables["attention_maps"].add_block(size, block)
        with folder.writer():
            folder.write("aa", tables.finish(), FACTS)
        written.append(files_below(folder.unit_path("aa")))
    assert written[0] == written[1]


def test_a_file_is_written_beside_and_renamed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert files_below(tmp_path) == {"deep/file.bin": b"new"}


def test_a_lake_that_cannot_be_made_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"cannot be written.*--lake"),
        RunFolder(tmp_path / "file", "aa").writer(),
    ):
        pass


# --- a real run's lake ------------------------------------------------------------------------------------------


def test_paths_in_the_lake_are_never_made_from_data(world: World) -> None:
    folder = only_run(world.lake)
    for path in files_below(folder.path):
        first, *rest = path.split("/")
        hexadecimal = set("0123456789abcdef")
        if first == "pictures":
            digest, name = rest
            assert len(digest) == 16
            assert set(digest) <= hexadecimal
            frame, _, camera = name.partition("-")
            assert frame.isdecimal()
            assert set(camera.partition(".")[0]) <= hexadecimal
        elif first != ".lock":
            assert len(first.removeprefix("unit=")) == 16
            assert set(first.removeprefix("unit=")) <= hexadecimal
            assert rest[0] == "unit.json" or rest[0].endswith(".parquet")


def test_every_units_manifest_adds_up(world: World) -> None:
    folder = only_run(world.lake)
    assert len(folder.units()) == 12
    for unit in folder.units():
        manifest = folder.manifest(unit)
        assert manifest is not None
        assert (manifest["status"], manifest["reason"]) == ("done", None)
        assert unit == unit_of(folder.run_id, manifest["episode_id"], manifest["condition_group"])
        assert manifest["n_inferences"] == manifest["n_planned"] == manifest["tables"]["inferences"]["rows"]
        found = {path.name for path in folder.unit_path(unit).iterdir()}
        assert found == {f"{table}.parquet" for table in manifest["tables"]} | {"unit.json"}
        for table, facts in manifest["tables"].items():
            content = folder.read(unit, table)
            assert content is not None
            assert content.num_rows == facts["rows"] > 0
            assert content["run_id"].unique().to_pylist() == [folder.run_id]


def test_nothing_in_a_unit_but_timings_tells_the_time_or_the_host(world: World) -> None:
    """So that a unit's bytes depend on nothing but the study: the schema has the word for it."""
    folder = only_run(world.lake)
    for unit in folder.units():
        manifest = json.loads((folder.unit_path(unit) / "unit.json").read_text())
        assert set(manifest) == {
            "run_id",
            "unit",
            "episode_id",
            "condition_group",
            "status",
            "reason",
            "n_inferences",
            "n_planned",
            "tables",
        }
        for table in manifest["tables"]:
            content = folder.read(unit, table)
            assert content is not None
            assert (not {"seconds", "host"} & set(content.column_names)) or table == "timings"


def test_status_verify_finds_a_damaged_file(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    assert cli("status", "--verify", "--lake", lake).code == 0
    folder = only_run(lake)
    unit = folder.units()[3]
    path = folder.unit_path(unit) / "attention_maps.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert cli("status", "--lake", lake).code == 0  # without --verify nobody reads it
    ended = cli("status", "--verify", "--lake", lake)
    assert ended.code == 1
    assert f"damaged: {path}; delete the unit's folder and run the study again" in ended.out

    # Doing what it says mends it.
    shutil.rmtree(folder.unit_path(unit))
    assert world.run(lake).n_already_done == 11
    assert cli("status", "--verify", "--lake", lake).code == 0
    assert path.read_bytes() == (only_run(world.lake).unit_path(unit) / path.name).read_bytes()


@pytest.mark.parametrize("command", ["load", "status"])
def test_a_damaged_lake_is_one_line(world: World, tmp_path: Path, command: str) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    folder = only_run(lake)
    path = folder.unit_path(folder.run_unit) / "units.parquet"
    if command == "load":
        path = folder.unit_path(folder.units()[0]) / "tokens.parquet"
    path.write_bytes(path.read_bytes()[:50])
    warehouse = tmp_path / "w.duckdb"
    ended = cli(command, "--lake", lake, *(["--warehouse", warehouse] if command == "load" else []))
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert path.name in ended.err
    assert "delete" in ended.err
    assert not warehouse.exists()
