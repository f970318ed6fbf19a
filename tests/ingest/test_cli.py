"""The command line keeps its word: counts add up, plans come true, every option is documented, Ctrl-C can be resumed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typer
import yaml
from typer.core import TyperGroup, TyperOption

from ingest.cli.app import app
from ingest.plan import episode_source, limited_refs
from ingest.study import PACKAGE_ROOT, Study
from tests.episodes import builders
from tests.ingest.warm import start_warm
from tests.ingest.world import CUBE, World, cli, make_world, only_run, start, table_of, unit_bytes

GROUP = typer.main.get_command(app)
DOCUMENT = PACKAGE_ROOT / "docs" / "cli.md"


def documentation() -> str:
    """What the page says of this program; the rest of it is about `python -m reports`."""
    return DOCUMENT.read_text(encoding="utf-8").partition("\n## `python -m reports`")[0]


def commands() -> dict[str, Any]:
    assert isinstance(GROUP, TyperGroup)
    return dict(GROUP.commands)


def options() -> Iterator[tuple[str, str]]:
    """(command, option) of the whole program; '' is the program itself."""
    for name, command in {"": GROUP, **commands()}.items():
        for parameter in command.params:
            if isinstance(parameter, TyperOption):
                for option in [*parameter.opts, *parameter.secondary_opts]:
                    yield name, option


# --- documentation --------------------------------------------------------------------------------------------------


def test_the_commands_are_the_contracts() -> None:
    """Those of the contract that are not built yet are refused by name, not half there."""
    assert set(commands()) == {"run", "check", "measure", "load", "publish", "status", "sql"}


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_documented(name: str) -> None:
    assert f"`{name}`" in documentation()
    command = commands()[name]
    assert command.help
    assert not command.help.startswith(" ")


@pytest.mark.parametrize(("command", "option"), sorted(options()))
def test_every_option_is_documented(command: str, option: str) -> None:
    """In the row that starts with it, which names the command or says which are meant."""
    rows = [
        line
        for line in documentation().splitlines()
        if line.startswith("|") and re.search(rf"`{re.escape(option)}[ `=]", line.split("|")[1])
    ]
    assert len(rows) == 1, f"docs/cli.md has {len(rows)} rows for {option}"
    of = rows[0].split("|")[2]
    if command:
        excepted = of.partition(" but ")[2]
        assert re.search(rf"\b{command}\b", of.partition(" but ")[0]) or (
            "all" in of and not re.search(rf"\b{command}\b", excepted)
        ), f"docs/cli.md does not say that {command} takes {option}"


def test_nothing_is_documented_that_is_not_there() -> None:
    known = {option for _, option in options()} | {"--help"}
    text = documentation()
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= known


def test_every_option_has_help() -> None:
    for command in commands().values():
        for parameter in command.params:
            assert getattr(parameter, "help", None), (command.name, parameter.name)


def test_help_and_version() -> None:
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["sql", "-h"]):
        ended = cli(*arguments)
        assert ended.code == 0
        assert "Usage: python -m ingest" in ended.out
    assert re.fullmatch(r"gazehouse \d+\.\d+.*\n", cli("--version").out)


def test_no_argument_means_run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the demo's study; here another, and the folders from the environment."""
    lake, warehouse = tmp_path / "lake", tmp_path / "w.duckdb"
    monkeypatch.setenv("GAZEHOUSE_LAKE", str(lake))
    monkeypatch.setenv("GAZEHOUSE_WAREHOUSE", str(warehouse))
    ended = cli("--study", world.study_file, "--limit", "1")
    assert ended.code == 0
    assert "3 done of 3 units; 16 inferences" in ended.out
    assert f"load: {warehouse}: 16 inferences" in ended.out
    assert lake.is_dir()
    assert warehouse.is_file()


def test_importing_the_program_needs_no_torch() -> None:
    """Nor, before a command is known that needs it, what takes half a second to import."""
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None; import ingest.cli; "
        "assert not {'scipy', 'polars', 'cv2'} & set(sys.modules); import ingest.run"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PACKAGE_ROOT, check=True)


# --- check: the plan comes true -------------------------------------------------------------------------------------


def planned(ended: Any) -> dict[str, tuple[int, int]]:
    """Group -> (units, inferences), and '' the totals, as check prints them."""
    total = re.search(r"^run [0-9a-f]{16}: (\d+) units, (\d+) inferences planned$", ended.out, re.MULTILINE)
    assert total
    groups = re.findall(r"^  (\w+): (\d+) units, (\d+) inferences$", ended.out, re.MULTILINE)
    return {"": (int(total[1]), int(total[2])), **{name: (int(a), int(b)) for name, a, b in groups}}


def done(lake: Path) -> dict[str, tuple[int, int]]:
    folder = only_run(lake)
    found: dict[str, list[int]] = {}
    for unit in folder.units():
        manifest = folder.manifest(unit) or {}
        found.setdefault(manifest["condition_group"], []).append(manifest["n_planned"])
    groups = {name: (len(counts), sum(counts)) for name, counts in found.items()}
    totals = (sum(a for a, _ in groups.values()), sum(b for _, b in groups.values()))
    return {"": totals, **groups}


def test_check_counts_what_the_run_does(world: World, tmp_path: Path) -> None:
    ended = cli("check", "--dry-run", "--study", world.study_file, "--lake", tmp_path / "lake")
    assert ended.code == 0
    assert ended.err == ""
    assert planned(ended) == done(world.lake)
    assert planned(ended)["prompts"] == (4, 32)
    assert not (tmp_path / "lake").exists()
    assert f"run {only_run(world.lake).run_id}: " in ended.out


def test_check_prints_the_resolved_study(world: World) -> None:
    ended = cli("check", "--study", world.study_file, "--lake", world.lake, "--layers", "0-1", "--seed", "9")
    text = ended.out.partition("\n\nrun ")[0]
    study = Study.model_validate(yaml.safe_load(text))
    assert study == world.study({"capture.layers": [0, 1], "seed": 9})


def test_a_plan_with_prompts_that_cannot_be_filled_and_frames_left_out(tmp_path: Path) -> None:
    """An episode without masks, one with keyframes of its own, one that does not open, every second keyframe."""
    conditions = {"prompts": {"cube": CUBE}, "paraphrases": ["take the {object}", "get it"], "every": 2}
    world = make_world(tmp_path, {"conditions": conditions}, count=3, n_frames=12)
    first, second, third = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)
    (first / "dinox_info.json").unlink()
    (second / "white_list.json").write_text("[0, 1, 2, 5, 11]")
    builders.truncate_h5(third)
    ended = cli("check", "--dry-run", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    assert ended.err.splitlines()[0].startswith("warning: ")
    assert "no detections were recorded" in ended.err
    assert "1 problems; the run would end with exit code 1" in ended.err
    run = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    assert run.code == 1
    counts = {row["condition_id"]: 0 for row in table_of(world.lake, "inferences")}
    for row in table_of(world.lake, "inferences"):
        counts[row["condition_id"]] += 1
    assert counts == {"baseline:baseline": 8, "prompt:cube": 5, "paraphrase:0": 3, "paraphrase:1": 5}
    plan = planned(ended)
    assert plan[""] == (9, 21)
    assert (plan["baseline"][1], plan["prompts"][1], plan["paraphrases"][1]) == (8, 5, 8)


def test_a_warning_is_no_problem(tmp_path: Path) -> None:
    """What check says about the exit code is what run then does."""
    world = make_world(tmp_path, {"conditions": {}}, count=1)
    (next(world.root.glob("*/*/*")) / "dinox_info.json").unlink()
    for command in ("check", "run"):
        extra = ["--no-load"] if command == "run" else []
        ended = cli(command, *extra, "--study", world.study_file, "--lake", world.lake)
        assert ended.code == 0
        assert "no detections were recorded" in ended.err


def test_too_little_room_on_the_disk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.check.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    ended = cli("check", "--study", world.study_file, "--lake", tmp_path / "lake")
    assert ended.code == 2
    assert "MB are needed and 0 MB free; choose another with --lake" in ended.err


def test_limit_takes_the_outcomes_in_turn(world: World) -> None:
    for limit, outcomes in (
        (1, ["success"]),
        (2, ["failure", "success"]),
        (3, ["failure", "success", "success"]),
    ):
        study = world.study({"episodes.limit": limit})
        refs = limited_refs(episode_source(study.episodes).discover(), limit)
        assert [ref.outcome for ref in refs] == outcomes
    ended = cli("check", "--limit", "3", "--study", world.study_file, "--lake", world.lake)
    assert planned(ended)[""] == (9, 48)


# --- run ------------------------------------------------------------------------------------------------------------


def test_a_second_run_does_nothing_and_says_so(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    before = {path: path.stat().st_mtime_ns for path in lake.rglob("*") if path.is_file()}
    ended = cli("run", "--no-load", "--study", world.study_file, "--lake", lake)
    run_id = only_run(lake).run_id
    assert ended == (0, f"run {run_id} (test): nothing to do, all 12 units are in the lake\n", "")
    assert {p: p.stat().st_mtime_ns for p in before if p.name != ".lock"} == {
        p: t for p, t in before.items() if p.name != ".lock"
    }


def test_progress_is_plain_lines_where_nobody_looks(world: World, tmp_path: Path) -> None:
    ended = cli("run", "--no-load", "--limit", "1", "--study", world.study_file, "--lake", tmp_path)
    lines = ended.err.splitlines()
    assert re.fullmatch(r"ingest: 3/3 units, \d+\.\d inferences/s, 0:00 left", lines[-1])
    assert "\x1b" not in ended.err


def test_no_load_leaves_the_warehouse_alone(world: World, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    arguments = [
        "--limit",
        "1",
        "--study",
        world.study_file,
        "--lake",
        tmp_path / "lake",
        "--warehouse",
        path,
    ]
    assert cli("run", "--no-load", *arguments).code == 0
    assert not path.exists()
    ended = cli("run", *arguments)  # nothing to run, but the warehouse is to be there afterwards
    assert ended.code == 0
    assert "nothing to do" in ended.out
    assert path.is_file()


def test_a_run_takes_no_marts_away(world: World, tmp_path: Path) -> None:
    """Whoever publishes and then runs again still has what was published."""
    places = ["--lake", tmp_path / "lake", "--warehouse", tmp_path / "w.duckdb"]
    assert cli("run", "--limit", "1", "--study", world.study_file, *places).code == 0
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.runs as select 1 as published")
    before = (tmp_path / "w.duckdb").read_bytes()
    again = cli("run", "--limit", "1", "--study", world.study_file, *places)
    assert again.code == 0
    assert again.out.endswith("nothing to do, all 3 units are in the lake\n")
    more = cli("run", "--limit", "2", "--study", world.study_file, *places)
    assert more.code == 0
    assert f"{places[3]} holds marts and was left as it is; `python -m ingest publish --lake" in more.out
    assert (tmp_path / "w.duckdb").read_bytes() == before


# --- status ---------------------------------------------------------------------------------------------------------


def test_status_accounts_for_every_planned_unit(tmp_path: Path) -> None:
    """planned = done + partial + failed + skipped + pending, each with its reason."""
    world = make_world(tmp_path, {"conditions": {"prompts": {"cube": CUBE}}}, count=4)
    episodes = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)
    builders.truncate_jpeg(episodes[1], frame_index=4)
    builders.truncate_h5(episodes[2])
    assert cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake).code == 1
    folder = only_run(world.lake)
    for unit in folder.units():
        if (folder.manifest(unit) or {})["episode_id"].endswith("episode_3"):
            shutil.rmtree(folder.unit_path(unit))
    ended = cli("status", "--lake", world.lake)
    assert ended.code == 1
    assert ended.out == (
        f"run {folder.run_id} (test): 8 planned = 2 done + 2 partial + 1 failed + 1 skipped + 2 pending\n"
        "  failed: 1 units, truncated_h5\n"
        "  partial: 2 units, see issues\n"
        "  skipped: 1 units, the baseline of the episode failed\n"
    )


def test_status_of_a_whole_run(world: World) -> None:
    ended = cli("status", "--lake", world.lake)
    assert ended == (0, f"run {only_run(world.lake).run_id} (test): 12 planned = 12 done\n", "")


def test_status_of_several_runs(world: World, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(world.lake, lake)
    (lake / "run_id=ffffffffffffffff").mkdir()
    ended = cli("status", "--lake", lake)
    assert ended.code == 1
    assert "12 planned = 12 done" in ended.out
    assert "run ffffffffffffffff: its plan is missing; run the study again" in ended.err


# --- sql ------------------------------------------------------------------------------------------------------------


def test_sql_shows_rows(warehouse: Path) -> None:
    query = "select condition_id, count(*) as n from raw.inferences group by 1 order by 1"
    ended = cli("sql", query, "--warehouse", warehouse)
    assert (ended.code, ended.err) == (0, "")
    for text in ("condition_id", "paraphrase:0", "prompt:cube", "16"):
        assert text in ended.out
    assert "(1 shown)" in cli("sql", "from raw.inferences", "--rows", "1", "--warehouse", warehouse).out


@pytest.mark.parametrize(
    "query",
    [
        "create table t (n int)",
        "insert into raw.issues (run_id) values ('x')",
        "update raw.runs set study = 'x'",
        "delete from raw.runs",
        "drop table raw.runs",
        "select 1; drop table raw.runs",
        "alter table raw.runs add column n int",
        "select nonsense",
        "selec",
    ],
)
def test_sql_is_read_only(warehouse: Path, tmp_path: Path, query: str) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    before = path.read_bytes()
    ended = cli("sql", query, "--warehouse", path)
    assert ended.code == 2
    assert ended.err.startswith(("error: the query failed: ", "error: the query is refused: "))
    assert ended.err.count("\n") == 1
    assert path.read_bytes() == before
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select study from raw.runs").fetchall() == [("test",)]


def test_sql_cannot_touch_other_files(warehouse: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for query in (
        f"copy (select 1) to '{tmp_path}/out.csv'",
        f"from read_csv('{secret}')",
        f"attach '{tmp_path}/other.duckdb'",
        "set enable_external_access = true",
    ):
        ended = cli("sql", query, "--warehouse", warehouse)
        assert (ended.code, ended.out) == (2, ""), query
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_sql_takes_files_comments_and_gives_csv_and_json(warehouse: Path, tmp_path: Path) -> None:
    query = "-- how many\nselect status, count(*) as n from raw.inferences group by all order by all"
    file = tmp_path / "query.sql"
    file.write_text(query)
    by_text = cli("sql", query, "--format", "csv", "--warehouse", warehouse)
    by_file = cli("sql", "--file", file, "--format", "csv", "--warehouse", warehouse)
    assert (by_text.code, by_text.err) == (0, "")
    assert by_text.out == by_file.out
    assert by_text.out.splitlines()[0] == "status,n"
    rows = json.loads(cli("sql", "--file", file, "--format", "json", "--warehouse", warehouse).out)
    assert [f"{row['status']},{row['n']}" for row in rows] == by_text.out.splitlines()[1:]
    for wrong in ([], [query, "--file", file], ["--file", tmp_path / "none.sql"]):
        ended = cli("sql", *wrong, "--warehouse", warehouse)
        assert ended.code == 2
        assert ended.err.startswith("error: ")


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(world: World, tmp_path: Path) -> None:
    """The command as a user starts it, whose two workers are started as they are."""
    for attempt in range(3):  # on a busy machine the run may end before the signal reaches it
        lake = tmp_path / f"lake-{attempt}"
        process = start(*_run(world, lake, workers=2), start_new_session=True)
        _wait_for_a_unit(lake, process.poll)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=300)
        if process.returncode != 0:
            break
    assert process.returncode == 130, (out, err)
    assert err.endswith(HOW_TO_GO_ON)
    assert "Traceback" not in err
    _assert_units_are_whole(lake)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.3, 0.8, 1.5, 2.5])
def test_ctrl_c_is_no_traceback_while_the_program_starts(world: World, tmp_path: Path, delay: float) -> None:
    process = start(*_run(world, tmp_path / "lake", workers=2), start_new_session=True)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode in (130, -signal.SIGINT), (out, err)  # to a shell they are the same
    assert "Traceback" not in err


def test_what_ctrl_c_left_is_gone_on_with(world: World, tmp_path: Path) -> None:
    """Alone, in a process that had torch imported from the start."""
    lake, said = tmp_path / "lake", tmp_path / "said"
    process = start_warm(*_run(world, lake, workers=1), output=said)
    _wait_for_a_unit(lake, lambda: process.exitcode)
    assert process.pid is not None
    os.killpg(process.pid, signal.SIGINT)
    process.join(300)
    assert process.exitcode == 130, said.read_text()
    assert said.read_text().endswith(HOW_TO_GO_ON)
    assert "Traceback" not in said.read_text()
    _assert_units_are_whole(lake)
    finished = unit_bytes(lake)
    summary = world.run(lake)
    assert summary.is_complete
    assert summary.n_already_done + len(summary.results) == 12
    after = unit_bytes(lake)
    run_unit = f"unit={only_run(lake).run_unit}"  # names the revision, which may have moved on
    assert all(after[path] == content for path, content in finished.items() if run_unit not in path)


HOW_TO_GO_ON = "\ninterrupted: finished units are kept; the same command goes on from there\n"


def _run(world: World, lake: Path, workers: int) -> list[str | Path]:
    return ["run", "--no-load", "--study", world.study_file, "--lake", lake, "--workers", str(workers)]


def _wait_for_a_unit(lake: Path, code: Callable[[], int | None]) -> None:
    deadline = time.monotonic() + 300
    while len(list(lake.glob("run_id=*/unit=*"))) < 2:  # the plan, and a first unit
        assert code() is None
        assert time.monotonic() < deadline, "no unit was ever finished"
        time.sleep(0.01)


def _assert_units_are_whole(lake: Path) -> None:
    """And some are left to do."""
    folder = only_run(lake)
    assert folder.units()
    for unit in folder.units():
        assert folder.damaged_files(unit, verify=True) == []
    ended = cli("status", "--lake", lake)
    assert ended.code == 1
    assert re.search(r"12 planned = \d+ done \+ \d+ pending", ended.out)
