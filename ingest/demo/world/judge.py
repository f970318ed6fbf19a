"""What came of an episode, read off the simulator: success, or which of four failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ingest.demo.world.expert import CLOSED_BELOW

Outcome = Literal["success", "failure"]
FailureKind = Literal["wrong_toy", "missed_grip", "dropped", "timed_out"]
Family = Literal["grip", "grounding"]

HELD_HEIGHT = 0.10  # metres a toy must be lifted
DONE_HEIGHT = 0.13  # metres at which a closed gripper has finished, with or without a toy
_LIFTED_HEIGHT = 0.03
_NEAR = 0.06  # metres between gripper and toy, on the table's plane


@dataclass(frozen=True)
class Verdict:
    """``family`` is None for a success, and for a failure far from any toy, which tells neither."""

    outcome: Outcome
    failure_kind: FailureKind | None = None
    failure_family: Family | None = None
    approached: str | None = None  # the body the gripper closed on, or ended nearest to


@dataclass
class Trace:
    """What happened at every control step: gripper states and the positions of every body on the table."""

    states: list[NDArray[np.float64]]
    bodies: list[dict[str, NDArray[np.float64]]]

    def is_over(self) -> bool:
        """Whether the closed gripper has been up for two steps."""
        return len(self.states) > 2 and all(
            state[3] < CLOSED_BELOW and state[2] > DONE_HEIGHT for state in self.states[-2:]
        )

    def judge(self, target: str) -> Verdict:
        """The verdict for an episode that was to pick up ``target``."""
        heights = np.array([bodies[target][2] for bodies in self.bodies])
        if len(heights) >= 2 and (heights[-2:] > HELD_HEIGHT).all():
            return Verdict("success", approached=target)
        if heights.max() > _LIFTED_HEIGHT:
            return Verdict("failure", "dropped", "grip", target)
        approached = self._approached()
        if approached is not None and approached != target:
            return Verdict("failure", "wrong_toy", "grounding", approached)
        kind: FailureKind = "missed_grip" if self._closing_step() is not None else "timed_out"
        return Verdict("failure", kind, "grip" if approached == target else None, approached)

    def _closing_step(self) -> int | None:
        """The last step at which the fingers went from open to closed."""
        closed = [state[3] < CLOSED_BELOW for state in self.states]
        steps = [step for step in range(1, len(closed)) if closed[step] and not closed[step - 1]]
        return steps[-1] if steps else None

    def _approached(self) -> str | None:
        """The body nearest to the gripper where it closed, else where it ended; None if none was near."""
        step = self._closing_step()
        step = len(self.states) - 1 if step is None else step
        # Where it stood one step before: closing fingers may push a toy away.
        bodies = self.bodies[max(0, step - 1)]
        distances = {name: float(np.hypot(*(at[:2] - self.states[step][:2]))) for name, at in bodies.items()}
        nearest = min(distances, key=distances.__getitem__)
        return nearest if distances[nearest] < _NEAR else None
