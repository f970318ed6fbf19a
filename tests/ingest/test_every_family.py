"""A study of recorded episodes runs with every family: what an adapter asks of a frame is what the reader gives it.

With small models of the conformance suite, as far as their libraries are installed here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ingest.policies.base import Policy
from tests.conformance.case import Case
from tests.conformance.conftest import found_cases
from tests.episodes.builders import write_droid_episode
from tests.ingest.world import World, table_of, write_study

# Case -> what its robot records.
RECORDED: Mapping[str, Mapping[str, int]] = {
    "cosmos-words": {"cartesian_position": 3, "gripper_position": 2},
    "cosmos-diffusers-words": {"cartesian_position": 3, "gripper_position": 2},
    "openpi-pi0_droid-float32": {"joint_positions": 7, "gripper_position": 1},
    "openpi-pi05_libero-float32": {"cartesian_position": 6, "gripper_position": 2},
    "paligemma-sdpa": {"cartesian_position": 6, "gripper_position": 1},
    "pi0-one-camera": {"joint_positions": 7, "gripper_position": 1},
    "pi05-three-cameras": {"joint_positions": 7, "gripper_position": 1},
    "smolvla-two-cameras": {"joint_positions": 7, "gripper_position": 1},
    "tiny-default": {"cartesian_position": 6, "gripper_position": 1},
}
FOLDERS = ("varied_camera_1", "hand_camera", "varied_camera_2")
CASES = [pytest.param(case, id=case.name) for case in found_cases(None)[0] if case.name in RECORDED]


def recorded_world(folder: Path, case: Case, policy: Policy) -> World:
    """Two episodes as the case's robot would record them, and a study of most of what changes a run."""
    cameras = dict(zip(policy.geometry.cameras, FOLDERS, strict=False))
    is_cosmos = case.name.startswith("cosmos")  # square pictures, and no words among the keys
    occlusion = {
        "layers": [0],
        "query": "action" if is_cosmos else "instruction",
        "seed_arms": not is_cosmos,
        "controls": 1,
        "regions": [{"name": "duck", "object": "duck"}],
    }
    sections: dict[str, Any] = {
        "episodes": {"root": str(folder / "episodes"), "cameras": cameras, "keyframes": {"first": 1}},
        "objects": {"source": "dinox", "camera": next(iter(cameras)), "null_masks": 1},
        "conditions": {
            "prompts": {"cube": "pick up the cube"},
            "paraphrases": ["take the {object}"],
            "repeats": 1,
            "knockout": [{"name": "cut", "queries": "action", "keys": "object:duck", "controls": 1}],
            "occlusion": occlusion,
            "ablation": {"heads": [[0, 0]]},
            "randomised": {"top": [1]},
        },
    }
    for outcome in ("success", "failure"):
        episode = write_droid_episode(
            folder / "episodes",
            outcome,
            "one",
            n_frames=1,
            size=(96, 96) if is_cosmos else (180, 320),
            cameras=list(cameras.values()),
            objects={"duck": (20, 10, 80, 70), "cube": (4, 60, 40, 90)},
        )
        with h5py.File(episode / "trajectory.h5", "a") as file:
            del file["observation/robot_state"]
            for name, size in RECORDED[case.name].items():
                values = np.random.default_rng(3).random((1, size))
                file[f"observation/robot_state/{name}"] = values[:, 0] if size == 1 else values
    return write_study(folder, sections)


@pytest.mark.parametrize("case", CASES)
def test_a_study_of_recorded_episodes_runs(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = case.build()
    monkeypatch.setattr("ingest.bench.load_policy", lambda *_: policy)
    world = recorded_world(tmp_path, case, policy)

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*not writable")
        summary = world.run(overrides={"capture": {"passes": list(policy.geometry.passes)}})

    assert summary.is_complete, [result.messages for result in summary.results]
    assert not [(row["reason"], row["detail"]) for row in table_of(world.lake, "issues")]
    sums = [sum(row["masses"]) for row in table_of(world.lake, "attention_masses")]
    np.testing.assert_allclose(sums, 1.0, atol=case.sum_tolerance)
    groups = {unit["condition_group"] for unit in table_of(world.lake, "units")}
    assert groups == {
        "baseline",
        "prompts",
        "paraphrases",
        "repeats",
        "knockout",
        "ablation",
        "occlusion",
        "randomised",
    }
