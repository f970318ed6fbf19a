"""The scripted expert: what to do next follows from where the gripper and the toy are now, and from nothing else.

Fly to the toy, funnel down over it, close on it, lift.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.demo.world.scene import OPEN, WORKSPACE_HIGH, WORKSPACE_LOW
from ingest.demo.world.simulator import ACTION_SCALE, CLOSING_SPEED

FLY_HEIGHT = 0.15
GRASP_HEIGHT = 0.012
LIFT_HEIGHT = 0.16
CLOSED_BELOW = 0.062  # metres of opening; every toy is narrower, so fingers this near have closed on it
_FUNNEL_RADIUS, _CLOSE_RADIUS = 0.035, 0.010
_HEIGHT_TOLERANCE = 0.007


def expert_action(state: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Action [4] for a gripper ``state`` [4] (x, y, z, opening) and a toy at ``target`` [2] (x, y), metres."""
    x, y, z, opening = state
    offset = np.asarray(target[:2]) - (x, y)
    distance = float(np.hypot(*offset))
    if opening < CLOSED_BELOW:
        return np.array([0.0, 0.0, np.clip((LIFT_HEIGHT - z) / ACTION_SCALE, 0, 1), 1.0])
    if distance < _CLOSE_RADIUS and z < GRASP_HEIGHT + _HEIGHT_TOLERANCE:
        return np.array(
            [*np.clip(offset / ACTION_SCALE, -1, 1), np.clip((GRASP_HEIGHT - z) / ACTION_SCALE, -1, 1), 1.0]
        )
    # The height wanted here: the bottom of a funnel that opens to the flying height.
    share = np.clip((distance - _CLOSE_RADIUS) / (_FUNNEL_RADIUS - _CLOSE_RADIUS), 0, 1)
    wanted = GRASP_HEIGHT + share * (FLY_HEIGHT - GRASP_HEIGHT)
    climb = np.clip((wanted - z) / ACTION_SCALE, -1, 1)
    glide = offset / ACTION_SCALE
    glide = glide / max(1.0, float(np.abs(glide).max()))
    if climb > 0.5:  # too low to cross other toys: first up, then over
        glide = glide * 0.3
    return np.array([*glide, climb, -1.0])


def expert_chunk(
    state: NDArray[np.floating], target: NDArray[np.floating], grip_width: float, horizon: int
) -> NDArray[np.float64]:
    """The expert's next ``horizon`` actions [horizon, 4], the gripper's motion integrated without physics.

    The fingers stop at ``grip_width`` when the toy is between them.
    """
    state = np.array(state, dtype=float)
    actions = np.empty((horizon, 4))
    for step in range(horizon):
        actions[step] = expert_action(state, target)
        state[:3] = np.clip(state[:3] + ACTION_SCALE * actions[step, :3], WORKSPACE_LOW, WORKSPACE_HIGH)
        if actions[step, 3] > 0:
            state[3] = max(grip_width, state[3] - CLOSING_SPEED)
        else:
            state[3] = min(OPEN, state[3] + CLOSING_SPEED)
    return actions
