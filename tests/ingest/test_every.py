"""Members of `conditions.knockout` and `conditions.vqa` run at an `every` of their own; `check --dry-run` counts the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ingest.conditions.groups import ModelShape, condition_groups
from ingest.study_conditions import ConditionSection
from tests.ingest.world import (
    World,
    cli,
    make_world,
    only_run,
    table_of,
    write_episodes,
    write_study,
)

EVERY_FRAME = {"root": "", "keyframes": {"every": 1}}
SHAPE = ModelShape(cameras=("base", "wrist"), passes=("prefix", "suffix"), n_layers=2, n_heads=2)
SOMETIMES = [
    {"name": "rarely", "keys": "image:base", "every": 6},
    {"name": "often", "keys": "object:target", "controls": 1, "every": 2},
    {"name": "plain", "keys": "image:wrist"},
]


def frames_of(lake: Path, group: str) -> dict[str, list[int]]:
    """Condition -> the frames it ran on."""
    found: dict[str, list[int]] = {}
    for row in table_of(lake, "inferences", group):
        found.setdefault(row["condition_id"], []).append(row["frame_index"])
    return found


def planned(world: World) -> dict[str, tuple[int, int]]:
    """(units, inferences) of every group, as the dry run counts them."""
    ended = cli("check", "--dry-run", "--study", world.study_file, "--lake", world.lake)
    assert ended.code == 0, ended.err
    lines = re.findall(r"^  (\w+): (\d+) units, (\d+) inferences$", ended.out, re.MULTILINE)
    return {group: (int(units), int(inferences)) for group, units, inferences in lines}


def ran(lake: Path) -> dict[str, tuple[int, int]]:
    """The same of what ran."""
    folder = only_run(lake)
    manifests = [folder.manifest(unit) or {} for unit in folder.units()]
    units = Counter(manifest["condition_group"] for manifest in manifests)
    inferences: Counter[str] = Counter()
    for manifest in manifests:
        assert manifest["status"] == "done"
        inferences[manifest["condition_group"]] += manifest["n_inferences"]
    return {group: (units[group], inferences[group]) for group in units}


def with_every_frame(folder: Path) -> dict[str, Any]:
    return {**EVERY_FRAME, "root": str(folder / "episodes")}


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One episode of 8 keyframes, an `every` of the study and three knock-outs, two of them with their own."""
    folder = tmp_path_factory.mktemp("cut")
    world = make_world(
        folder,
        {
            "episodes": with_every_frame(folder),
            "conditions": {"every": 3, "repeats": 1, "knockout": SOMETIMES},
        },
        count=1,
    )
    assert world.run().is_complete
    return world


def test_every_knockout_runs_on_its_own_keyframes(cut: World) -> None:
    assert frames_of(cut.lake, "knockout") == {
        "knockout:rarely": [0, 6],
        "knockout:often": [0, 2, 4, 6],
        "knockout:often.control.0": [0, 2, 4, 6],
        "knockout:plain": [0, 3, 6],
    }
    assert frames_of(cut.lake, "repeats") == {"noise:1": [0, 3, 6]}


def test_the_dry_run_counts_what_ran(cut: World) -> None:
    assert planned(cut) == ran(cut.lake)
    assert ran(cut.lake) == {"baseline": (1, 8), "repeats": (1, 3), "knockout": (1, 13)}


def test_a_sparse_knockout_beside_one_with_the_studys_every(tmp_path: Path) -> None:
    """40 is more keyframes than there are: the first alone."""
    knockouts = [
        {"name": "rarely", "keys": "image:base", "every": 40},
        {"name": "plain", "keys": "image:base"},
    ]
    sections = {"episodes": with_every_frame(tmp_path), "conditions": {"knockout": knockouts}}
    world = make_world(tmp_path, sections, count=1, n_frames=4)
    assert world.run().is_complete
    assert frames_of(world.lake, "knockout") == {"knockout:rarely": [0], "knockout:plain": [0, 1, 2, 3]}
    assert planned(world) == ran(world.lake) == {"baseline": (1, 4), "knockout": (1, 5)}


def test_a_member_alone_gives_what_it_gives_beside_others(cut: World, tmp_path: Path) -> None:
    alone = cut.run(tmp_path, {"conditions": {"every": 3, "knockout": [SOMETIMES[0]]}})
    assert alone.is_complete
    actions = {
        (row["condition_id"], row["frame_index"]): row["actions"]
        for row in table_of(cut.lake, "inferences", "knockout")
    }
    rows = table_of(tmp_path, "inferences", "knockout")
    assert len(rows) == 2
    for row in rows:
        assert row["actions"] == actions[row["condition_id"], row["frame_index"]]


def test_an_every_that_all_members_share_is_that_of_the_group(cut: World, tmp_path: Path) -> None:
    """The same tables, the run's ids apart, whether it is said once or in every member."""
    tables = []
    for name, every, own in (("once", 2, {}), ("each", 1, {"every": 2})):
        knockouts = [{key: value for key, value in one.items() if key != "every"} | own for one in SOMETIMES]
        lake = tmp_path / name
        assert cut.run(lake, {"conditions": {"every": every, "knockout": knockouts}}).is_complete
        tables.append([without_ids(row) for row in table_of(lake, "inferences", "knockout")])
    assert tables[0] == tables[1]
    assert {row["frame_index"] for row in tables[0]} == {0, 2, 4, 6}


def without_ids(row: dict[str, Any]) -> dict[str, Any]:
    names = ("run_id", "unit", "inference_id", "wall_seconds", "seconds", "host", "finished_at")
    return {key: value for key, value in row.items() if key not in names}


def test_every_question_is_asked_on_its_own_keyframes(tmp_path: Path) -> None:
    questions = [
        {"name": "rarely", "prompt": "do something with the {object}", "answer": "the {object}", "every": 4},
        {"name": "often", "prompt": "what is there", "every": 3},
        {"name": "plain", "prompt": "what can be seen"},
    ]
    world = write_study(
        tmp_path,
        {
            "policy": {"family": "huggingface", "config": "tests.ingest.answering:make"},
            "episodes": with_every_frame(tmp_path),
            "capture": {"passes": ["prefix"]},
            "conditions": {"every": 2, "vqa": questions},
        },
    )
    write_episodes(world.root, 1, n_frames=5)
    assert world.run().is_complete
    assert frames_of(world.lake, "vqa") == {"vqa:rarely": [0, 4], "vqa:often": [0, 3], "vqa:plain": [0, 2, 4]}
    assert planned(world) == ran(world.lake) == {"baseline": (1, 5), "vqa": (1, 7)}


def test_the_dry_run_counts_no_questions_that_the_policy_cannot_answer(tmp_path: Path) -> None:
    world = make_world(tmp_path, {"conditions": {"vqa": [{"name": "what", "prompt": "what?"}]}}, count=1)
    assert world.run().is_complete
    assert planned(world) == ran(world.lake) == {"baseline": (1, 2), "vqa": (1, 0)}


def test_which_keyframes_a_group_reads() -> None:
    """Those of any member, and no others: of 13, every third and every fourth."""
    section = ConditionSection.model_validate(
        {
            "every": 2,
            "knockout": [
                {"name": "a", "keys": "image:base", "every": 3},
                {"name": "b", "keys": "image:base", "every": 4},
            ],
        }
    )
    _, group = condition_groups(section, SHAPE)
    assert group.keyframes(range(100, 113)) == [100, 103, 104, 106, 108, 109, 112]
