"""Broken inputs cost what is broken and nothing else: a row in `raw.issues`, a line that names the file, exit code 1.

Mistakes of the user start nothing: one line, exit code 2, no lake.
"""

from __future__ import annotations

import json
import pickle
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
import torch

from ingest.demo.model import TinyPolicy
from ingest.schema import raw_ddl
from tests.episodes import builders
from tests.ingest.world import (
    CONFIG,
    CUBE,
    Ended,
    World,
    cli,
    make_world,
    only_run,
    table_of,
    unit_bytes,
    write_checkpoint,
)
from tests.ingest.world import write_episodes as write

CONDITIONS = {"prompts": {"cube": CUBE}}


class Breakage(NamedTuple):
    """What is done to an episode, and how it must end."""

    do: Callable[[Path], Path]
    reason: str
    file: str  # how the line on the terminal ends up naming it, below the episode
    status: str
    baselines: int  # inferences of the baseline that remain, of two


BREAKAGES = {
    "truncated_jpeg": Breakage(
        lambda episode: builders.truncate_jpeg(episode, frame_index=4),
        "truncated_jpeg",
        "recordings/frames/hand_camera/00004.jpg",
        "partial",
        1,
    ),
    "truncated_h5": Breakage(builders.truncate_h5, "truncated_h5", "trajectory.h5", "failed", 0),
    "missing_camera": Breakage(
        builders.remove_camera, "missing_camera", "recordings/frames/hand_camera", "failed", 0
    ),
    "wrong_mask_size": Breakage(
        lambda episode: builders.wrong_mask_size(episode, 4),
        "wrong_mask_size",
        "masks/00004_hand_camera_1.npy",
        "partial",
        2,  # only the object is lost
    ),
    "empty_instruction": Breakage(
        builders.empty_instruction, "empty_instruction", "instruction.txt", "failed", 0
    ),
}


class BrokenRun(NamedTuple):
    world: World
    ended: Ended
    warehouse: Path
    episode: dict[str, str]  # breakage -> episode_id


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> BrokenRun:
    """Seven episodes, five of them broken in one way each, run and loaded by the command."""
    folder = tmp_path_factory.mktemp("broken")
    world = make_world(folder, {"conditions": CONDITIONS}, count=7)
    episodes = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)
    names = {}
    for (name, breakage), episode in zip(BREAKAGES.items(), episodes[1:], strict=False):
        breakage.do(episode)
        names[name] = episode.relative_to(world.root).as_posix()
    warehouse = folder / "warehouse.duckdb"
    ended = cli("run", "--study", world.study_file, "--lake", world.lake, "--warehouse", warehouse)
    return BrokenRun(world, ended, warehouse, names)


def ask(warehouse: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(query, list(values)).fetchall()


# --- each broken in its own way -------------------------------------------------------------------------------------


def test_a_partial_run_exits_with_one(broken: BrokenRun) -> None:
    assert broken.ended.code == 1
    says = f"what went wrong is in raw.issues of {broken.warehouse}, and counted by `python -m ingest status --lake "
    assert says in broken.ended.err
    assert broken.ended.err.endswith("; the same command tries it again\n")
    assert "Traceback" not in broken.ended.err


@pytest.mark.parametrize("name", BREAKAGES)
def test_every_breakage_is_a_row_and_a_line(broken: BrokenRun, name: str) -> None:
    breakage, episode_id = BREAKAGES[name], broken.episode[name]
    subject = f"{episode_id}/{breakage.file}"
    rows = ask(
        broken.warehouse,
        "select distinct reason, subject, detail from raw.issues where episode_id = ?",
        episode_id,
    )
    ((reason, found, detail),) = rows
    assert (reason, found) == (breakage.reason, subject)
    assert detail.startswith(subject)
    lines = [line for line in broken.ended.err.splitlines() if episode_id in line and "[baseline]" in line]
    assert lines == [f"{breakage.status}: {episode_id} [baseline]: {reason}: {detail}"]


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_not_broken_of_an_episode_is_kept(broken: BrokenRun, name: str) -> None:
    breakage, episode_id = BREAKAGES[name], broken.episode[name]
    units = dict(
        ask(
            broken.warehouse, "select condition_group, status from raw.units where episode_id = ?", episode_id
        )
    )
    later = "partial" if breakage.status == "partial" else "skipped"
    assert units == {"baseline": breakage.status, "prompts": later}
    rows = ask(
        broken.warehouse,
        "select status, count(*) from raw.inferences where episode_id = ? and condition_id = 'baseline:baseline' "
        "group by status",
        episode_id,
    )
    assert dict(rows) == ({"ok": breakage.baselines} if breakage.baselines else {})


def test_a_frame_that_failed_says_why(broken: BrokenRun) -> None:
    query = "select frame_index, status, reason from raw.frames where episode_id = ? order by 1"
    frames = ask(broken.warehouse, query, broken.episode["truncated_jpeg"])
    assert frames == [(0, "ok", None), (4, "failed", "truncated_jpeg")]
    masks = ask(broken.warehouse, query, broken.episode["wrong_mask_size"])
    assert masks == [(0, "ok", None), (4, "ok", None)]
    objects = "select frame_index, count(*) from raw.objects where episode_id = ? group by 1"
    assert ask(broken.warehouse, objects, broken.episode["wrong_mask_size"]) == [(0, 4)]


def test_a_frame_that_could_not_be_read_counts_as_planned(broken: BrokenRun) -> None:
    """Two keyframes were planned in both groups; of an episode that could not be opened nobody knows how many."""
    query = "select condition_group, n_inferences, n_planned from raw.units where episode_id = ? order by 1"
    assert ask(broken.warehouse, query, broken.episode["truncated_jpeg"]) == [
        ("baseline", 1, 2),
        ("prompts", 1, 2),
    ]
    assert ask(broken.warehouse, query, broken.episode["truncated_h5"])[0] == ("baseline", 0, None)


def test_the_other_episodes_are_complete(broken: BrokenRun) -> None:
    rows = ask(broken.warehouse, "select episode_id, status, n_inferences from raw.units")
    whole = [row for row in rows if row[0] not in broken.episode.values()]
    assert {row[0][-1] for row in whole} == {"0", "6"}
    assert all(status == "done" and count == 2 for _, status, count in whole)
    assert ask(broken.warehouse, "select status from raw.runs") == [("partial",)]


def test_every_planned_unit_is_accounted_for(broken: BrokenRun) -> None:
    ended = cli("status", "--lake", broken.world.lake)
    assert ended.code == 1
    assert "14 planned = 4 done + 4 partial + 3 failed + 3 skipped" in ended.out
    for reason in ("truncated_h5", "missing_camera", "empty_instruction"):
        assert f"failed: 1 units, {reason}" in ended.out
    assert "skipped: 3 units, the baseline of the episode failed" in ended.out


def test_check_finds_whatever_the_run_stumbles_over(broken: BrokenRun) -> None:
    ended = cli("check", "--study", broken.world.study_file, "--lake", broken.world.lake)
    assert ended.code == 1
    for name, breakage in BREAKAGES.items():
        assert f"problem: {broken.episode[name]}/{breakage.file}" in ended.err
    assert f"{len(BREAKAGES)} problems; the run would end with exit code 1" in ended.err


def test_measure_leaves_a_partial_run_as_it_is(broken: BrokenRun, tmp_path: Path) -> None:
    """The policy did not see the broken frame, so its masks, which are fine, must not turn up afterwards."""
    lake = tmp_path / "lake"
    shutil.copytree(broken.world.lake, lake)
    ended = cli("measure", "--study", broken.world.study_file, "--lake", lake)
    assert "0 changed" in ended.out
    assert "masks changed" not in ended.err
    assert unit_bytes(lake) == unit_bytes(broken.world.lake)


def test_mended_episodes_are_tried_again_and_only_they(broken: BrokenRun, tmp_path: Path) -> None:
    """At the end the lake is that of a run which was never broken."""
    lake, root = tmp_path / "lake", broken.world.root
    shutil.copytree(broken.world.lake, lake)
    kept = tmp_path / "kept"
    shutil.copytree(root, kept)
    write(tmp_path / "whole", 7)
    try:
        for episode_id in broken.episode.values():
            shutil.rmtree(root / episode_id)
            shutil.copytree(tmp_path / "whole" / episode_id, root / episode_id)
        summary = broken.world.run(lake)
        assert summary.is_complete
        tried = {result.episode_id for result in summary.results}
        assert tried == set(broken.episode.values())
        assert summary.n_already_done == 4
        clean = tmp_path / "clean"
        broken.world.run(clean)
        here, there = unit_bytes(lake), unit_bytes(clean)
        # The null of the whole episodes was drawn from fewer others while these were broken.
        same = {
            path for path in here if path.rpartition("/")[2] not in ("object_metrics.parquet", "unit.json")
        }
        assert set(here) == set(there)
        assert {path: here[path] for path in same} == {path: there[path] for path in same}
        measured = cli("measure", "--study", broken.world.study_file, "--lake", lake)
        assert measured.code == 0
        assert unit_bytes(lake) == there
    finally:
        shutil.rmtree(root)
        shutil.copytree(kept, root)


def test_all_episodes_broken(tmp_path: Path) -> None:
    world = make_world(tmp_path, {"conditions": CONDITIONS}, count=2)
    for episode in world.root.glob("*/*/*"):
        builders.truncate_h5(episode)
    warehouse = tmp_path / "w.duckdb"
    ended = cli("run", "--study", world.study_file, "--lake", world.lake, "--warehouse", warehouse)
    assert ended.code == 1
    assert "2 failed, 2 skipped of 4 units; 0 inferences" in ended.out
    assert ask(warehouse, "select count(*) from raw.issues where reason = 'truncated_h5'") == [(2,)]
    assert ask(warehouse, "select count(*) from raw.inferences") == [(0,)]
    assert "4 planned = 2 failed + 2 skipped" in cli("status", "--lake", world.lake).out


def test_a_fault_of_the_model_costs_the_unit_it_happens_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(tmp_path, {"conditions": CONDITIONS}, count=2)
    from ingest.policies.tiny import TinyAdapter

    original, calls = TinyAdapter.infer, [0]

    def sometimes(self: TinyAdapter, *args: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise RuntimeError("CUDA error: \x1b[31mout of memory")
        return original(self, *args)

    monkeypatch.setattr(TinyAdapter, "infer", sometimes)
    ended = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    assert "internal_error: RuntimeError: CUDA error: \\x1b[31mout of memory" in ended.err
    assert "2 done, 1 failed, 1 skipped of 4 units" in ended.out
    assert cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake).code == 0


# --- the user's mistakes --------------------------------------------------------------------------------------------


def nan_weights(folder: Path) -> str:
    policy = TinyPolicy.from_folder(folder)
    with torch.no_grad():
        policy.action_out.weight[0, 0] = float("nan")
    policy.save(folder, torch.float32)
    return "the weights of action_out.weight are not all finite"


def infinite_weights(folder: Path) -> str:
    policy = TinyPolicy.from_folder(folder)
    with torch.no_grad():
        policy.token_embedding.weight[3, 0] = float("inf")
    policy.save(folder, torch.float32)
    return "the weights of token_embedding.weight are not all finite"


def missing_folder(folder: Path) -> str:
    shutil.rmtree(folder)
    return "expected the files config.json, model.safetensors"


def missing_weights(folder: Path) -> str:
    (folder / "model.safetensors").unlink()
    return "missing model.safetensors"


class _Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("pickled code was run",)


def pickled(folder: Path) -> str:
    (folder / "model.safetensors").write_bytes(pickle.dumps(_Evil()))
    return "not a checkpoint of the tiny policy"


def torch_saved(folder: Path) -> str:
    torch.save({"a": _Evil()}, folder / "model.safetensors")
    return "not a checkpoint of the tiny policy"


def truncated(folder: Path) -> str:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-500])
    return "not a checkpoint of the tiny policy"


def other_shape(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "width": 32}))
    return "not a checkpoint of the tiny policy"


def other_key(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "n_experts": 2}))
    return "unknown fields ['n_experts']"


def no_json(folder: Path) -> str:
    (folder / "config.json").write_text("{")
    return "not a checkpoint of the tiny policy"


def no_object(folder: Path) -> str:
    (folder / "config.json").write_text("[]")
    return "not a checkpoint of the tiny policy"


@pytest.mark.parametrize(
    "spoil",
    [
        nan_weights,
        infinite_weights,
        missing_folder,
        missing_weights,
        pickled,
        torch_saved,
        truncated,
        other_shape,
        other_key,
        no_json,
        no_object,
    ],
)
def test_a_checkpoint_that_cannot_be_used(
    world: World, tmp_path: Path, spoil: Callable[[Path], str], capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.ingest.world import write_study

    made = write_study(tmp_path, {"episodes": {"root": str(world.root)}})
    write_checkpoint(made.checkpoint, CONFIG)
    says = spoil(made.checkpoint)
    ended = cli("run", "--study", made.study_file, "--lake", made.lake, "--warehouse", tmp_path / "w.duckdb")
    assert ended.code == 2
    assert ended.err.startswith(f"error: {made.checkpoint}: ")
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert "pickled code was run" not in capfd.readouterr().out + ended.out
    assert not made.lake.exists()
    assert not (tmp_path / "w.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--study", "{tmp}/none.yaml"], "none.yaml: the study file cannot be read"),
        (["--study", "{tmp}/none.yaml"], "none.yaml: the study file cannot be read"),
        (["run", "--layers", "7"], "unknown layer 7: the model's layers are 0 to 2"),
        (["run", "--layers", "0;1"], "--layers: expected numbers such as 0,4,7 or 0-5"),
        (["check", "--layers", "7"], "unknown layer 7: the model's layers are 0 to 2"),
        (["run", "--limit", "0"], "--limit"),
        (["run", "--batch-size", "0"], "--batch-size"),
        (["run", "--workers", "0"], "--workers"),
        (["run", "--seed", "many"], "--seed"),
        (["run", "--speed", "9"], "No such option: --speed"),
        (["--speed", "9"], "No such option: --speed"),
        (["dance"], "No such command 'dance'"),
        (["measure"], "no run of the study 'test' as given; run `python -m ingest run` first"),
        (["status"], "no run in the lake; run `python -m ingest` first, or name another with --lake"),
        (["load"], "no run in the lake; run `python -m ingest` first, or name another with --lake"),
        (["publish"], "no run in the lake; run `python -m ingest` first, or name another with --lake"),
        (["sql", "select 1"], "no warehouse; run `python -m ingest` first, or name one with --warehouse"),
    ],
)
def test_a_mistake_starts_nothing(world: World, tmp_path: Path, arguments: list[str], says: str) -> None:
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    lake, warehouse = tmp_path / "lake", tmp_path / "w.duckdb"
    command = given[0] if not given[0].startswith("-") else "run"
    if command in ("run", "check", "measure") and "--study" not in given:
        given += ["--study", str(world.study_file)]
    if command in ("run", "load", "publish", "sql"):
        given += ["--warehouse", str(warehouse)]
    if command not in ("sql", "dance"):
        given += ["--lake", str(lake)]
    ended = cli(*given)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.iterdir())


def test_a_root_without_episodes(tmp_path: Path) -> None:
    world = make_world(tmp_path, {"conditions": {}}, count=1)
    shutil.rmtree(world.root)
    for says in ("is not a directory", "holds no episode; expected {success,failure}/<date>/<episode>/"):
        ended = cli("run", "--study", world.study_file, "--lake", world.lake)
        assert ended.code == 2
        assert says in ended.err
        assert not world.lake.exists()
        world.root.mkdir(exist_ok=True)


def test_an_episode_whose_name_is_no_text(world: World, tmp_path: Path) -> None:
    import os

    made = make_world(tmp_path, {"conditions": {}}, count=1)
    episode = next(made.root.glob("*/*/*"))
    try:
        os.rename(episode, os.fsencode(episode.parent) + b"/bad\xff")
    except OSError:
        pytest.skip("the file system takes text only")
    ended = cli("run", "--study", made.study_file, "--lake", made.lake)
    assert ended.code == 2
    assert "has a name that is not UTF-8; rename it" in ended.err
    assert "\\udcff" in ended.err
    assert not made.lake.exists()


# --- hostile data ---------------------------------------------------------------------------------------------------

NAMES = [
    'quote\'s "double" `back`',
    "'; drop table raw.episodes; --",
    "\x1b[31mred\x07 bell",
    "new\nline\ttab\rreturn",
    "\u202egnp.tfel-ot-thgir\u202c",
    "[bold]markup[red] :cat: {braces} %s $(echo)",
    "*?[a-z]",
    "é" * 120,  # 240 bytes, near the longest that a file system takes
]
INSTRUCTIONS = [
    "find the duck'; drop table raw.episodes; --",
    'say "duck" \\ and <script>alert(1)</script>',
    "find the \x1b]0;title\x07duck\x08\x7f",
    "find\nthe\r\nduck\ttoy",
    "ابحث عن البطة \u202e duck",
    "duck " * 3000,
    "{object} {0} %(x)s [red]duck[/red] :duck:",
    "🦆 找到 鸭子 duck",
]


class HostileRun(NamedTuple):
    world: World
    ended: Ended
    warehouse: Path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> HostileRun:
    folder = tmp_path_factory.mktemp("it's a [hostile] folder")
    folder = folder / "it's [a] *folder*"
    world = make_world(folder, {"conditions": {"paraphrases": ["get the {object}"]}}, count=0)
    for index, (name, instruction) in enumerate(zip(NAMES, INSTRUCTIONS, strict=True)):
        episode = builders.write_droid_episode(
            world.root,
            "success",
            "placeholder",
            1,
            instruction,
            objects={"duck": (10, 10, 60, 60), "a 'cat'; drop table raw.objects": (100, 20, 160, 90)},
            pose="cartesian_position",
            metadata={"scenario": instruction[:100], "note": name},
            seed=index,
        )
        episode.rename(episode.parent / name)
    warehouse = folder / "w'are.duckdb"
    ended = cli("run", "--study", world.study_file, "--lake", world.lake, "--warehouse", warehouse)
    return HostileRun(world, ended, warehouse)


def test_hostile_names_and_instructions_run_like_any(hostile: HostileRun) -> None:
    assert hostile.ended.code == 0, hostile.ended.err
    assert "16 done of 16 units" in hostile.ended.out
    rows = ask(hostile.warehouse, "select episode_id, instruction, metadata->>'note' from raw.episodes")
    assert sorted(rows) == sorted(
        (f"success/{builders.DATE}/{name}", instruction.strip(), name)
        for name, instruction in zip(NAMES, INSTRUCTIONS, strict=True)
    )
    tables = ask(
        hostile.warehouse, "select count(*) from information_schema.tables where table_schema = 'raw'"
    )
    assert tables == [(len(raw_ddl()),)]
    prompts = ask(
        hostile.warehouse, "select distinct prompt from raw.inferences where condition_id like 'base%'"
    )
    assert {prompt for (prompt,) in prompts} == {text.strip() for text in INSTRUCTIONS}
    categories = ask(hostile.warehouse, "select category, count(*) from raw.objects group by 1 order by 1")
    assert categories == [("a 'cat'; drop table raw.objects", 16), ("duck", 16)]


def test_views_of_a_lake_with_a_hostile_path(hostile: HostileRun) -> None:
    views = hostile.warehouse.with_name("views.duckdb")
    ended = cli("load", "--views", "--lake", hostile.world.lake, "--warehouse", views)
    assert ended.code == 0, ended.err
    query = "select episode_id, instruction from raw.episodes order by all"
    assert ask(views, query) == ask(hostile.warehouse, query)


def test_hostile_text_is_escaped_on_the_terminal(hostile: HostileRun) -> None:
    """A prompt that was cut is quoted in a warning; control and direction marks must not reach the terminal."""
    shown = [
        hostile.ended,
        cli("status", "--lake", hostile.world.lake),
        cli("check", "--study", hostile.world.study_file, "--lake", hostile.world.lake),
        cli("sql", "select episode_id, instruction from raw.episodes", "--warehouse", hostile.warehouse),
    ]
    for ended in shown:
        for char in ended.out + ended.err:
            assert char == "\n" or char.isprintable(), repr(char)
    assert "its end was cut" in hostile.ended.err
    assert "\\u202egnp.tfel" in shown[3].out


def test_hostile_names_in_issues_are_escaped_line_by_line(tmp_path: Path) -> None:
    world = make_world(tmp_path, {"conditions": {}}, count=0)
    for name in NAMES:
        episode = builders.write_droid_episode(
            world.root, "success", "placeholder", 1, pose="cartesian_position"
        )
        builders.empty_instruction(episode)
        episode.rename(episode.parent / name)
    ended = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    lines = [line for line in ended.err.splitlines() if line.startswith("failed: ")]
    assert len(lines) == len(NAMES)
    escaped = {"".join(char if char.isprintable() else repr(char)[1:-1] for char in name) for name in NAMES}
    assert {
        line.removeprefix(f"failed: success/{builders.DATE}/").partition(" [baseline]: ")[0] for line in lines
    } == escaped
    assert all(char.isprintable() for char in "".join(lines))


def test_a_mask_file_with_an_absurd_name_costs_its_frame(tmp_path: Path) -> None:
    """Names in data can be longer than the file system takes, or lead out of the data set."""
    world = make_world(tmp_path, {"conditions": {}}, count=3)
    names = ["x" * 5000 + ".npy", "../" * 5 + "etc/passwd.npy"]
    episodes = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)
    for name, episode in zip(names, episodes, strict=False):
        info = json.loads((episode / "dinox_info.json").read_text())
        info["00000"][0]["mask_file"] = name
        (episode / "dinox_info.json").write_text(json.dumps(info))
    ended = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    folder = only_run(world.lake)
    status: dict[str, Any] = {}
    for unit in folder.units():
        manifest = folder.manifest(unit) or {}
        status[manifest["episode_id"][-1]] = (manifest["status"], manifest["reason"])
    assert status == {"0": ("partial", "see issues"), "1": ("failed", "unsafe_path"), "2": ("done", None)}


def loop(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to(path.name)


def detection(**changed: Any) -> Callable[[Path], None]:
    def on_episode(episode: Path) -> None:
        info = json.loads((episode / "dinox_info.json").read_text())
        info["00000"][0].update(changed)
        (episode / "dinox_info.json").write_text(json.dumps(info))

    return on_episode


POISON: list[Callable[[Path], None]] = [
    lambda episode: loop(episode / "instruction.txt"),
    lambda episode: loop(episode / "recordings/frames/hand_camera"),
    lambda episode: loop(builders.frame_path(episode)),
    lambda episode: loop(episode / "masks"),
    detection(score=10**400),
    detection(mask_file="\ud800.npy"),
    detection(category="\ud800"),
    lambda episode: (episode / "episode.json").write_text('{"task_index": 1' + "0" * 99 + "}") and None,
]


def test_a_poisoned_episode_costs_no_other(tmp_path: Path) -> None:
    """Its masks are read as the null of the others too; there it is only no source of masks."""
    n_good = 2
    sections = {"conditions": {}, "objects": {"source": "dinox", "null_masks": len(POISON) + n_good}}
    world = make_world(tmp_path, sections, count=len(POISON) + n_good, n_frames=1)
    episodes = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)
    for poison, episode in zip(POISON, episodes, strict=False):
        poison(episode)
    good = {path.relative_to(world.root).as_posix() for path in episodes[len(POISON) :]}

    checked = cli("check", "--study", world.study_file, "--lake", world.lake)
    assert checked.code == 1
    problems = [line for line in checked.err.splitlines() if line.startswith("problem: ")]
    assert len(problems) == len(POISON)
    assert f"{len(POISON)} problems" in checked.err

    ended = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    assert "internal_error" not in ended.err
    folder = only_run(world.lake)
    manifests = [folder.manifest(unit) or {} for unit in folder.units()]
    assert {m["episode_id"] for m in manifests if m["status"] == "done"} == good
    assert len(manifests) == len(episodes)
    against = {row["against"] for row in table_of(world.lake, "object_metrics")}
    assert against == {"own", "other_episode", "uniform"}


def test_each_issue_is_stored_once(broken: BrokenRun) -> None:
    """Each issue is stored once a unit that met it, never more."""
    rows = ask(broken.warehouse, "select unit, subject, reason, count(*) from raw.issues group by all")
    assert Counter(count for *_, count in rows) == {1: len(rows)}
    by_reason: dict[str, int] = defaultdict(int)
    for _, _, reason, _ in rows:
        by_reason[reason] += 1
    # Frames are asked for by both units of the episode; an episode that does not open only by the first.
    assert by_reason == {
        "truncated_jpeg": 2,
        "wrong_mask_size": 2,
        "truncated_h5": 1,
        "missing_camera": 1,
        "empty_instruction": 1,
    }


# --- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fits", [1, 2])
def test_batches_that_do_not_fit_are_halved(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    """The same numbers, smaller batches, a line that says so; the next units start with what fitted."""
    from ingest.policies.tiny import TinyAdapter

    infer = TinyAdapter.infer
    tried: list[int] = []

    def tight(self: TinyAdapter, batch: Any, noise: Any) -> Any:
        tried.append(len(batch))
        if len(batch) > fits:
            raise torch.OutOfMemoryError("not enough memory")
        return infer(self, batch, noise)

    monkeypatch.setattr(TinyAdapter, "infer", tight)
    overrides = {"episodes.limit": 2, "compute": {"batch_size": 4}, "conditions": {}}
    assert world.run(tmp_path, overrides).is_complete
    assert tried[: 3 - fits] == [4, 2][: 3 - fits]
    assert max(tried[3 - fits :]) == fits
    told = [row["detail"] for row in table_of(tmp_path, "issues")]
    wanted = {1: ["4 inferences at a time do not fit into memory; going on with 2",
                  "2 inferences at a time do not fit into memory; going on with 1"],
              2: ["4 inferences at a time do not fit into memory; going on with 2"]}[fits]  # fmt: skip
    assert told == wanted
    whole = tmp_path / "whole"
    monkeypatch.setattr(TinyAdapter, "infer", infer)
    assert world.run(whole, overrides).is_complete
    pairs = zip(table_of(tmp_path, "attention_masses"), table_of(whole, "attention_masses"), strict=True)
    for found, expected in pairs:
        assert found["masses"] == pytest.approx(expected["masses"], abs=1e-5)


def test_one_inference_that_does_not_fit_fails_its_units(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.policies.tiny import TinyAdapter

    def never(self: TinyAdapter, batch: Any, noise: Any) -> Any:
        raise torch.OutOfMemoryError("not enough memory")

    monkeypatch.setattr(TinyAdapter, "infer", never)
    summary = world.run(tmp_path, {"episodes.limit": 1, "conditions": {}})
    assert [result.status for result in summary.results] == ["failed"]
    assert "OutOfMemoryError" in table_of(tmp_path, "issues")[-1]["detail"]
