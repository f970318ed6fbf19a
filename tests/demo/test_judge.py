"""Labels follow from where the gripper closed and what it lifted; the bundle from labels alone. Needs the extra ``sim``."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mujoco")
pytest.importorskip("torch")

from ingest.demo.evaluate import Played, Share
from ingest.demo.world.bundle import Quota, choose, missing
from ingest.demo.world.judge import Trace, Verdict
from ingest.demo.world.rollout import Task

DUCK, CUBE = np.array([0.45, 0.0, 0.0]), np.array([0.45, 0.15, 0.0])
OPEN, CLOSED = 0.085, 0.04


def trace(*steps: tuple[np.ndarray, float, float, float]) -> Trace:
    """Each step: where the gripper is over the table, its height, its opening, the duck's height."""
    result = Trace([], [])
    for at, height, opening, duck_height in steps:
        result.states.append(np.array([*at[:2], height, opening]))
        duck = np.array([*(at[:2] if duck_height > 0 else DUCK[:2]), duck_height])
        result.bodies.append({"duck": duck, "cube": CUBE})
    return result


def test_success_is_held_for_two_steps() -> None:
    held = trace(
        (DUCK, 0.01, OPEN, 0), (DUCK, 0.01, CLOSED, 0), (DUCK, 0.14, CLOSED, 0.13), (DUCK, 0.15, CLOSED, 0.14)
    )
    assert held.is_over()
    assert held.judge("duck") == Verdict("success", approached="duck")


def test_lifted_and_lost_is_dropped() -> None:
    lost = trace(
        (DUCK, 0.01, CLOSED, 0), (DUCK, 0.08, CLOSED, 0.07), (DUCK, 0.14, 0.0, 0), (DUCK, 0.15, 0.0, 0)
    )
    assert lost.judge("duck") == Verdict("failure", "dropped", "grip", "duck")


def test_closed_at_the_toy_without_it_is_a_missed_grip() -> None:
    empty = trace((DUCK, 0.02, OPEN, 0), (DUCK, 0.02, 0.0, 0), (DUCK, 0.14, 0.0, 0), (DUCK, 0.15, 0.0, 0))
    assert empty.judge("duck") == Verdict("failure", "missed_grip", "grip", "duck")


def test_closed_at_another_toy_is_a_failure_of_grounding() -> None:
    wrong = trace(
        (CUBE, 0.02, OPEN, 0), (CUBE, 0.02, CLOSED, 0), (CUBE, 0.14, CLOSED, 0), (CUBE, 0.15, CLOSED, 0)
    )
    assert wrong.judge("duck") == Verdict("failure", "wrong_toy", "grounding", "cube")


def test_never_closed() -> None:
    over_the_duck = trace((DUCK, 0.1, OPEN, 0), (DUCK, 0.03, OPEN, 0))
    assert over_the_duck.judge("duck") == Verdict("failure", "timed_out", "grip", "duck")
    over_the_cube = trace((DUCK, 0.1, OPEN, 0), (CUBE, 0.03, OPEN, 0))
    assert over_the_cube.judge("duck") == Verdict("failure", "wrong_toy", "grounding", "cube")


def test_far_from_everything_belongs_to_no_family() -> None:
    nowhere = np.array([0.60, -0.20])
    lost = trace((nowhere, 0.1, OPEN, 0), (nowhere, 0.1, OPEN, 0))
    assert lost.judge("duck") == Verdict("failure", "timed_out", None, None)


def played(seed: int, target: str, kind: str | None, n_frames: int = 20) -> Played:
    family = None if kind is None else "grounding" if kind == "wrong_toy" else "grip"
    outcome = "success" if kind is None else "failure"
    return Played(Task("plain", target, seed), Verdict(outcome, kind, family), n_frames)  # type: ignore[arg-type]


def test_the_bundle_is_filled_and_spread_over_toys() -> None:
    pool = [
        played(100 * number + index, target, kind)
        for number, kind in enumerate((None, "wrong_toy", "missed_grip", "dropped"))
        for target in ("duck", "cube")
        for index in range(6)
    ]
    quota = Quota(successes=4, grip=4, grounding=2)
    chosen = choose(pool, quota)
    assert not missing(chosen, quota)
    assert len(chosen) == 10
    assert [one.task.target for one in chosen].count("duck") == 5
    assert {one.verdict.failure_kind for one in chosen} == {None, "wrong_toy", "missed_grip", "dropped"}
    assert choose(pool, quota) == chosen


def test_short_episodes_are_not_shipped() -> None:
    quota = Quota(1, 0, 0)
    assert choose([played(1, "duck", None, n_frames=quota.min_frames - 1)], quota) == []
    assert missing([], quota) == {"successes": 1}


def test_wilsons_interval() -> None:
    # Newcombe (1998), method 3: 81 of 263.
    low, high = Share(81, 263).interval()
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    with pytest.raises(ValueError, match="nothing"):
        Share(0, 0).interval()
