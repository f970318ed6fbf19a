"""What `check --dry-run` says that a run will store is what it stores, table by table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ingest.check import check
from ingest.policies.tiny import TinyAdapter
from tests.episodes import builders
from tests.ingest.world import CUBE, DUCK, DUCK_AGAIN, World, cli, make_world, only_run, table_of

# More words than the instructions have, none, and the tokens of one of them.
PROMPTS = {"again": DUCK_AGAIN, "cube": CUBE, "long": "look at the duck and then at the cube", "empty": ""}
EXPERIMENTS: dict[str, Any] = {
    "prompts": PROMPTS,
    "paraphrases": ["take the {object}"],
    "repeats": 1,
    "occlusion": {"layers": [1], "controls": 1, "regions": [{"name": "target", "object": "target"}]},
    "knockout": [
        {"name": "words-to-target", "keys": "object:target", "controls": 1},
        {"name": "actions-to-base", "queries": "action", "keys": "image:base"},
    ],
    "randomised": {"top": [1]},
    "ablation": {"heads": [[0, 1]]},
    "augmentation": {"layers": [0]},
}
FEWER = {"prompts": {"cube": CUBE}, "knockout": EXPERIMENTS["knockout"]}
CASES: dict[str, dict[str, Any]] = {
    "default": {"conditions": EXPERIMENTS, "noise": {"seeds": [0, 1]}},
    "every-second": {"conditions": {**EXPERIMENTS, "every": 2}},
    "full": {"conditions": FEWER, "capture": {"profile": "full"}},
    "full-of-some": {
        "conditions": FEWER,
        "capture": {"profile": "full", "heads": [1], "layers": [0, 2], "denoise_steps": [0, 2]},
    },
    "rollout": {"conditions": FEWER, "capture": {"rollout": True, "queries": ["instruction", "action"]}},
    "words-alone": {"conditions": FEWER | {"knockout": []}, "capture": {"queries": ["words"]}},
    "without-objects": {"conditions": {"prompts": {"cube": CUBE}}, "objects": {"source": "none"}},
}
TABLES = ("inferences", "attention_masses", "attention_maps", "object_metrics", "map_shifts")


def estimated(world: World, code: int = 0) -> dict[str, int]:
    ended = cli("check", "--dry-run", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == code, ended.err
    found = re.findall(r"^  raw\.(\w+): about (\d+) rows$", ended.out, re.MULTILINE)
    return {table: int(count) for table, count in found}


def stored(world: World) -> dict[str, int]:
    return {table: len(table_of(world.lake, table)) for table in TABLES}


@pytest.mark.parametrize("name", CASES)
def test_the_estimate_is_what_is_stored(tmp_path: Path, name: str) -> None:
    world = make_world(tmp_path, CASES[name], count=2)
    before = estimated(world)
    assert world.run().is_complete
    after = stored(world)
    assert before.keys() == after.keys()
    for table, count in after.items():
        assert 0.8 * count <= before[table] <= 1.2 * count, (table, before[table], count)
    # Inferences may be fewer, where a frame lacks what a condition is about; attention follows from the layouts.
    attention = set(TABLES) - {"inferences"}
    assert {table: before[table] for table in attention} == {table: after[table] for table in attention}


def test_broken_frames_cost_little_of_the_estimate(tmp_path: Path) -> None:
    """An episode whose first keyframe cannot be read, one without masks, and one that does not open."""
    world = make_world(tmp_path, {"conditions": {"prompts": {"cube": CUBE}}}, count=3, n_frames=32)
    first, second, third = sorted(world.root.glob("*/*/*"), key=lambda path: path.name)
    builders.truncate_jpeg(first, frame_index=0)
    (second / "dinox_info.json").unlink()
    builders.truncate_h5(third)
    before = estimated(world, code=1)
    assert not world.run().is_complete
    for table, count in stored(world).items():
        assert 0.8 * count <= before[table] <= 1.2 * count, table


@pytest.mark.parametrize("profile", ["default", "full"])
def test_the_estimate_of_bytes_is_of_the_right_size(tmp_path: Path, profile: str) -> None:
    sections = {"conditions": {"prompts": {"cube": CUBE}}, "capture": {"profile": profile}}
    world = make_world(tmp_path, sections, count=2)
    estimate = check(world.study(), world.lake).n_bytes
    assert world.run().is_complete
    files = [path for path in only_run(world.lake).path.rglob("*") if path.is_file()]
    assert 0.5 <= estimate / sum(path.stat().st_size for path in files) <= 2


def test_a_prompt_that_the_policy_cannot_take_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told once, however many episodes have it; the run loses their units and ends with the same code."""
    world = make_world(tmp_path, {"conditions": {"prompts": {"cube": CUBE}}}, count=2, instructions=[DUCK])
    prepare = TinyAdapter.prepare

    def fails(self: TinyAdapter, seen: Any, prompt: str, queries: Any) -> Any:
        if prompt == CUBE:
            raise TypeError("no cubes")
        return prepare(self, seen, prompt, queries)

    monkeypatch.setattr(TinyAdapter, "prepare", fails)
    ended = cli("check", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    assert ended.err.splitlines()[0] == f"problem: the prompt {CUBE!r}: TypeError: no cubes"
    assert ended.err.count("no cubes") == 1
    assert cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake).code == 1
