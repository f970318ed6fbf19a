"""Whatever is asked of a frame has its row: unusual prompts and small captures run, vacuous ones do not count."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from ingest.demo.model import TinyPolicy
from ingest.policies.tiny import TinyAdapter
from tests.ingest.world import CUBE, DUCK, DUCK_AGAIN, World, cli, make_world, table_of


def run(world: World, lake: Path, **overrides: Any) -> dict[str, list[dict[str, Any]]]:
    """Of the first episode (whose instruction is DUCK) under a changed study; its tables."""
    summary = world.run(lake, {"episodes.limit": 1, "noise": {"seeds": [0]}, **overrides})
    assert summary.is_complete, [(result.group, result.messages) for result in summary.results]
    names = (
        "inferences",
        "attention_masses",
        "attention_maps",
        "map_shifts",
        "action_effects",
        "issues",
        "queries",
    )
    return {name: table_of(lake, name) for name in names}


def test_vacuous_prompts_are_stored_and_do_not_count(world: World, tmp_path: Path) -> None:
    """Hashed are the tokens, so other spelling and other unknown words are no change."""
    prompts = {"again": DUCK_AGAIN, "cube": CUBE}
    tables = run(world, tmp_path, conditions={"prompts": prompts})
    status = {row["condition_id"]: row["status"] for row in tables["inferences"]}
    assert status == {"baseline:baseline": "ok", "prompt:again": "vacuous", "prompt:cube": "ok"}
    vacuous = [row for row in tables["inferences"] if row["status"] == "vacuous"]
    hashes = {row["token_hash"] for row in tables["inferences"] if row["frame_index"] == 0}
    assert len(vacuous) == 2
    assert len(hashes) == 2
    ids = {row["inference_id"] for row in vacuous}
    for row in vacuous:
        assert row["prompt"] == DUCK_AGAIN
        assert row["actions"] is None
        assert "same tokens" in row["reason"]
    for name in ("attention_masses", "attention_maps", "map_shifts", "action_effects"):
        assert not ids & {row["inference_id"] for row in tables[name]}


def test_words_that_the_policy_does_not_know_are_alike(world: World, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    prompts = {"a": "find the xylophone toy", "b": "find the zebra toy"}
    tables = run(world, tmp_path / "lake", conditions={"prompts": prompts})
    hashes = {
        row["condition_id"]: row["token_hash"] for row in tables["inferences"] if row["frame_index"] == 0
    }
    assert hashes["prompt:a"] == hashes["prompt:b"] != hashes["baseline:baseline"]


@pytest.mark.parametrize("prompt", ["", "   ", "?!..."])
def test_a_prompt_without_words_runs(world: World, tmp_path: Path, prompt: str) -> None:
    """METHODS 3 asks for an empty prompt: no words look at anything, the actions still do."""
    tables = run(world, tmp_path, conditions={"prompts": {"empty": prompt, "cube": CUBE}})
    rows = {row["inference_id"]: row["condition_id"] for row in tables["inferences"] if row["status"] == "ok"}
    assert Counter(rows.values()) == {"baseline:baseline": 2, "prompt:empty": 2, "prompt:cube": 2}
    passes = {(rows[row["inference_id"]], row["pass"]) for row in tables["attention_masses"]}
    assert passes == {
        ("baseline:baseline", "prefix"),
        ("baseline:baseline", "suffix"),
        ("prompt:cube", "prefix"),
        ("prompt:cube", "suffix"),
        ("prompt:empty", "suffix"),
    }
    shifted = Counter(rows[row["inference_id"]] for row in tables["action_effects"])
    assert shifted == {"prompt:empty": 2, "prompt:cube": 2}


def test_an_empty_prompt_alone_runs(world: World, tmp_path: Path) -> None:
    tables = run(world, tmp_path, conditions={"prompts": {"empty": ""}})
    assert [row["status"] for row in tables["inferences"]] == ["ok"] * 4


@pytest.mark.parametrize(
    ("queries", "groups"),
    [
        (["instruction"], {("prefix", "instruction")}),
        (["action"], {("suffix", "action")}),
        (["words"], set()),
        (["action", "words"], {("suffix", "action")}),
    ],
)
def test_any_choice_of_queries_runs(
    world: World, tmp_path: Path, queries: list[str], groups: set[tuple[str, str]]
) -> None:
    tables = run(world, tmp_path, conditions={"prompts": {"cube": CUBE}}, **{"capture.queries": queries})
    assert {(row["pass"], row["name"]) for row in tables["queries"] if row["kind"] == "group"} == groups
    has_words = any(row["name"].startswith("word:") for row in tables["queries"])
    assert has_words == ("words" in queries)
    assert {row["pass"] for row in tables["attention_maps"]} == {name for name, _ in groups}
    assert {row["pass"] for row in tables["map_shifts"]} == {name for name, _ in groups}
    assert len(tables["action_effects"]) == 2


@pytest.mark.parametrize("passes", [["prefix"], ["suffix"]])
def test_any_choice_of_passes_runs(world: World, tmp_path: Path, passes: list[str]) -> None:
    tables = run(world, tmp_path, conditions={"prompts": {"cube": CUBE}}, **{"capture.passes": passes})
    for name in ("attention_masses", "attention_maps", "map_shifts"):
        assert {row["pass"] for row in tables[name]} == set(passes)


def test_changed_conditions_run_on_every_nth_keyframe(world: World, tmp_path: Path) -> None:
    conditions = {"prompts": {"cube": CUBE}, "paraphrases": ["take the {object}"], "every": 2}
    tables = run(world, tmp_path, conditions=conditions)
    frames: dict[str, list[int]] = {}
    for row in tables["inferences"]:
        frames.setdefault(row["condition_id"], []).append(row["frame_index"])
    assert frames == {"baseline:baseline": [0, 4], "prompt:cube": [0], "paraphrase:0": [0]}


def test_a_paraphrase_names_the_episodes_object(world: World) -> None:
    rows = [row for row in table_of(world.lake, "inferences") if row["condition_id"] == "paraphrase:0"]
    instructions = {row["episode_id"]: row["instruction"] for row in table_of(world.lake, "episodes")}
    for row in rows:
        assert row["prompt"] == (
            "take the duck" if instructions[row["episode_id"]] == DUCK else "take the cube"
        )
        assert row["named_object"] == row["prompt"].removeprefix("take the ")


def test_what_cannot_be_filled_is_told_and_left_out(world: World, tmp_path: Path) -> None:
    """Without masks nobody knows what the object is; that is an issue, and no loss."""
    conditions = {"prompts": {"cube": CUBE}, "paraphrases": ["take the {object}"]}
    tables = run(world, tmp_path, conditions=conditions, objects={"source": "none"})
    assert {row["condition_id"] for row in tables["inferences"]} == {"baseline:baseline", "prompt:cube"}
    (issue,) = tables["issues"]
    assert (issue["subject"], issue["reason"]) == ("paraphrase:0", "no_object_named")


def test_a_prompt_longer_than_the_policy_takes_is_told(world: World, tmp_path: Path) -> None:
    tables = run(world, tmp_path, conditions={"prompts": {"long": "duck " * 40}})
    (issue,) = tables["issues"]
    assert issue["reason"] == "prompt_warning"
    assert "its end was cut" in issue["detail"]
    words = [row for row in tables["queries"] if row["name"] == "word:duck"]
    assert max(row["query_index"] for row in words) == 24 - 13  # 13 tokens are not the instruction's


def test_one_inference_that_is_not_finite_spoils_no_other(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of the baseline's batch: the prompts of that frame then have nothing to be compared with."""
    original, calls = TinyAdapter.infer, [0]

    def spoilt(self: TinyAdapter, batch: Any, noise: Any) -> Any:
        actions = original(self, batch, noise)
        calls[0] += 1
        if calls[0] == 1:
            actions[1, 2, 3] = float("inf")
        return actions

    monkeypatch.setattr(TinyAdapter, "infer", spoilt)
    overrides = {"episodes.limit": 1, "noise": {"seeds": [0]}, "conditions": {"prompts": {"cube": CUBE}}}
    summary = world.run(tmp_path, overrides)
    assert [(result.group, result.status) for result in summary.results] == [
        ("baseline", "partial"),
        ("prompts", "done"),
    ]
    rows = {(row["condition_id"], row["frame_index"]): row for row in table_of(tmp_path, "inferences")}
    assert {key: row["status"] for key, row in rows.items()} == {
        ("baseline:baseline", 0): "ok",
        ("baseline:baseline", 4): "nan",
        ("prompt:cube", 0): "ok",
        ("prompt:cube", 4): "ok",
    }
    nan = rows["baseline:baseline", 4]["inference_id"]
    for table in ("attention_masses", "attention_maps", "object_metrics", "head_focus"):
        ids = {row["inference_id"] for row in table_of(tmp_path, table)}
        assert ids
        assert nan not in ids
    for table in ("map_shifts", "action_effects"):
        ids = {row["inference_id"] for row in table_of(tmp_path, table)}
        assert ids == {rows["prompt:cube", 0]["inference_id"]}


def test_values_that_are_not_finite_end_as_nan(tmp_path: Path) -> None:
    """Finite weights can still overflow: no attention is kept, later groups are skipped, nothing is called done."""
    world = make_world(tmp_path, {"conditions": {"prompts": {"cube": CUBE}}}, count=1)
    policy = TinyPolicy.from_folder(world.checkpoint)
    with torch.no_grad():
        policy.action_out.weight.fill_(3e38)
    policy.save(world.checkpoint, torch.float32)
    ended = cli("run", "--no-load", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 1
    assert "nan: success/2025-12-10/episode_0#0 baseline:baseline" in ended.err
    assert "1 partial, 1 skipped of 2 units" in ended.out
    rows = table_of(world.lake, "inferences")
    assert [(row["status"], row["actions"]) for row in rows] == [("nan", None)] * 2
    assert [row["reason"] for row in table_of(world.lake, "issues")] == ["nan", "nan"]
    assert table_of(world.lake, "attention_masses") == []
