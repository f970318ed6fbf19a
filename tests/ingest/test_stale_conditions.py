"""After new masks `measure` says which conditions were placed by the old ones, in a line and in rows of `issues`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.episodes.builders import write_droid_episode
from tests.ingest.world import (
    DUCK,
    World,
    cli,
    files_below,
    restored,
    table_of,
    write_checkpoint,
    write_study,
)

EPISODE = "success/2025-12-10/one"
CONDITIONS = {
    "prompts": {"cube": "pick up the cube"},
    "repeats": 1,
    "occlusion": {
        "layers": [1],
        "controls": 1,
        "seed_arms": False,
        "regions": [
            {"name": "the duck", "object": "duck"},
            {"name": "corner", "box": [0, 0, 0.25, 0.5], "camera": "base"},
        ],
    },
    "knockout": [
        {"name": "words-to-target", "queries": "instruction", "keys": "object:target", "controls": 0},
        {"name": "target-to-words", "queries": "object:target", "keys": "instruction", "controls": 0},
        {"name": "actions-to-words", "queries": "action", "keys": "instruction", "controls": 0},
    ],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = write_study(tmp_path_factory.mktemp("stale"), {"conditions": CONDITIONS})
    write_checkpoint(world.checkpoint)
    boxes = {"duck": (31, 10, 93, 60), "cube": (200, 90, 251, 140)}
    write_droid_episode(world.root, "success", "one", 4, DUCK, objects=boxes, pose="cartesian_position")
    assert world.run().is_complete
    return world


@pytest.fixture
def moved(world: World) -> Iterator[World]:
    masks = sorted((world.root / EPISODE / "masks").glob("00000_*_1.npy"))
    with restored(*masks):
        for path in masks:
            np.save(path, np.roll(np.load(path), 40, axis=1))
        yield world


def issues(lake: Path) -> list[tuple[str, str]]:
    rows = [row for row in table_of(lake, "issues") if row["reason"] == "stale_conditions"]
    assert {row["episode_id"] for row in rows} <= {EPISODE}
    assert {row["stage"] for row in rows} <= {"measure"}
    return sorted((row["unit"], row["detail"]) for row in rows)


def test_effects_at_old_places_are_told_once_and_kept(moved: World) -> None:
    effects = {group: table_of(moved.lake, "action_effects", group) for group in ("occlusion", "knockout")}
    assert issues(moved.lake) == []
    ended = cli("measure", "--study", moved.study_file, "--lake", moved.lake)
    assert ended.code == 0
    (line,) = [line for line in ended.err.splitlines() if "old masks" in line]
    assert line.startswith(
        "occlusion of 'the duck', knockout of 'words-to-target', 'target-to-words': run with the old masks in 1 episodes"
    )
    assert (
        f"`python -m ingest run --fresh --study {moved.study_file} --lake {moved.lake}` runs them again"
        in line
    )
    found = issues(moved.lake)
    details = sorted(detail for _, detail in found)
    assert [detail.split(" ran:")[0] for detail in details] == [
        "masks changed after 'the duck'",
        "masks changed after 'words-to-target', 'target-to-words'",
    ]
    assert all("python -m ingest run --fresh" in detail for detail in details)
    # Only the rows of issues are new: the effects are those of the places that were asked about.
    assert effects == {group: table_of(moved.lake, "action_effects", group) for group in effects}
    assert cli("status", "--verify", "--lake", moved.lake).code == 0

    before = files_below(moved.lake)
    again = cli("measure", "--study", moved.study_file, "--lake", moved.lake)
    assert (again.code, again.err) == (0, "")
    assert files_below(moved.lake) == before

    # The command that the line names runs them again, and nothing is told any more.
    assert cli("run", "--study", moved.study_file, "--fresh", "--lake", moved.lake, "--no-load").code == 0
    assert issues(moved.lake) == []
    assert table_of(moved.lake, "action_effects", "occlusion") != effects["occlusion"]


def test_masks_that_stay_are_no_reason_to_say_anything(world: World, tmp_path: Path) -> None:
    world.run(tmp_path / "lake")
    ended = cli("measure", "--study", world.study_file, "--lake", tmp_path / "lake")
    assert (ended.code, ended.err) == (0, "")
    assert issues(tmp_path / "lake") == []
