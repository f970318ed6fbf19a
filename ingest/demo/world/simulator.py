"""The running scene: put toys down, move the gripper, look through both cameras, ask what is where."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

os.environ.setdefault("MUJOCO_GL", "egl")
import mujoco

from ingest.demo.world.scene import (
    CAMERAS,
    FRAME_HEIGHT,
    FRAME_WIDTH,
    OPEN,
    SUBSTEPS,
    WORKSPACE_HIGH,
    WORKSPACE_LOW,
    decoy_name,
    mjcf,
)
from ingest.demo.world.toys import TOY_NAMES, Colour

ACTION_SCALE = 0.020  # metres that an action component of 1 moves the gripper in one control step
CLOSING_SPEED = 0.045  # metres the commanded opening changes in one control step

# Values of the label maps, the same in every frame and camera; 0 is table and everything else.
LABELS: dict[str, int] = {name: index + 1 for index, name in enumerate(TOY_NAMES)}
LABELS["decoy"] = len(LABELS) + 1
LABELS["gripper"] = len(LABELS) + 1
LABELS["screen"] = len(LABELS) + 1
LABELS["pad"] = len(LABELS) + 1


@dataclass(frozen=True)
class Decoy:
    """A look-alike: the shape of one toy in a colour that is not that toy's."""

    shape: str
    colour: Colour


@dataclass(frozen=True)
class Placement:
    """Where everything stands: body name -> (x, y, yaw); what is not named is out of sight."""

    poses: dict[str, tuple[float, float, float]]
    hand: tuple[float, float, float]
    decoy: Decoy | None = None
    screen: tuple[float, float, float] | None = None
    pad: tuple[float, float] | None = None
    opening: float = OPEN
    held: str | None = None  # a toy that hangs between the fingers (for training pictures)
    held_offset: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))


class World:
    """One scene at a time; ``reset`` starts another. Everything it does follows from its inputs."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(mjcf())
        self.data = mujoco.MjData(self.model)
        self._renderers: dict[tuple[int, int], mujoco.Renderer] = {}
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[0] = self._option.geomgroup[1] = 1
        self._label_of_geom = self._label_geoms()
        self._colours = self.model.geom_rgba.copy()
        self._command = np.zeros(3)
        self._opening_command = OPEN

    # --- state --------------------------------------------------------------------------------------------------

    def reset(self, placement: Placement, settle: bool = True) -> None:
        """Puts everything in its place. With ``settle`` the toys come to rest; without, poses are as given."""
        mujoco.mj_resetData(self.model, self.data)
        self.model.geom_rgba[:] = self._colours
        for name, (x, y, yaw) in placement.poses.items():
            self._set_pose(name, (x, y, 0.0005), yaw)
        if placement.decoy is not None:
            self._paint(decoy_name(placement.decoy.shape), placement.decoy.colour)
        if placement.screen is not None:
            x, y, yaw = placement.screen
            mocap = self.model.body("screen").mocapid[0]
            self.data.mocap_pos[mocap] = (x, y, 0.0)
            self.data.mocap_quat[mocap] = (np.cos(yaw / 2), 0, 0, np.sin(yaw / 2))
        if placement.pad is not None:
            self.data.mocap_pos[self.model.body("pad").mocapid[0]] = (*placement.pad, 0.0)
        for axis, value in zip("xyz", placement.hand, strict=True):
            self.data.joint(f"hand_{axis}").qpos[0] = value
        for finger in ("finger_left", "finger_right"):
            self.data.joint(finger).qpos[0] = placement.opening / 2
        if placement.held is not None:
            yaw = placement.poses[placement.held][2]
            self._set_pose(placement.held, tuple(np.add(placement.hand, placement.held_offset)), yaw)
        self._command = np.array(placement.hand, dtype=float)
        self._opening_command = placement.opening
        self._send(self._command, self._opening_command)
        if settle:
            mujoco.mj_step(self.model, self.data, 3 * SUBSTEPS)
        mujoco.mj_forward(self.model, self.data)

    def step(self, action: NDArray[np.floating]) -> None:
        """One control step: action [4] = (dx, dy, dz) / ACTION_SCALE and gripper (> 0 closes), clipped to -1..1."""
        move = np.clip(action, -1, 1)
        before, opening_before = self._command.copy(), self._opening_command
        self._command = np.clip(before + ACTION_SCALE * move[:3], WORKSPACE_LOW, WORKSPACE_HIGH)
        change = -CLOSING_SPEED if move[3] > 0 else CLOSING_SPEED
        self._opening_command = float(np.clip(opening_before + change, 0.0, OPEN))
        for substep in range(1, SUBSTEPS + 1):
            share = substep / SUBSTEPS
            self._send(
                before + share * (self._command - before),
                opening_before + share * (self._opening_command - opening_before),
            )
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)

    def state(self) -> NDArray[np.float64]:
        """Measured gripper position (fingertip height) and opening: [4] metres."""
        opening = sum(self.data.joint(finger).qpos[0] for finger in ("finger_left", "finger_right"))
        return np.array([*(self.data.joint(f"hand_{axis}").qpos[0] for axis in "xyz"), opening])

    def position(self, body: str) -> NDArray[np.float64]:
        """[3] metres: the point of a toy that stands on the table, or the middle of the pad."""
        return self.data.body(body).xpos.copy()

    # --- cameras ------------------------------------------------------------------------------------------------

    def picture(self, camera: str) -> NDArray[np.uint8]:
        """[180, 320, 3] through ``base`` or ``wrist``."""
        renderer = self._renderer(FRAME_HEIGHT, FRAME_WIDTH)
        renderer.disable_segmentation_rendering()
        renderer.update_scene(self.data, CAMERAS[camera], self._option)
        return renderer.render().copy()

    def labels(self, camera: str, shrink: int = 1) -> NDArray[np.uint8]:
        """[180 / shrink, 320 / shrink] label map; values in ``LABELS``."""
        renderer = self._renderer(FRAME_HEIGHT // shrink, FRAME_WIDTH // shrink)
        renderer.enable_segmentation_rendering()
        renderer.update_scene(self.data, CAMERAS[camera], self._option)
        ids = renderer.render()
        geoms = np.where(ids[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM), ids[..., 0], -1)
        return self._label_of_geom[geoms]

    def camera_pose(self, camera: str) -> NDArray[np.float64]:
        """[6] xyz (metres) and extrinsic xyz Euler angles of the camera in the base frame, z forward, y down."""
        view = self.data.camera(CAMERAS[camera])
        looks_along_minus_z = view.xmat.reshape(3, 3)
        rotation = Rotation.from_matrix(looks_along_minus_z @ np.diag([1.0, -1.0, -1.0]))
        return np.concatenate([view.xpos, rotation.as_euler("xyz")])

    def camera_matrix(self, camera: str) -> NDArray[np.float64]:
        """[3, 3] pinhole intrinsics in pixels of the 180 x 320 picture."""
        fovy = np.radians(self.model.camera(CAMERAS[camera]).fovy[0])
        focal = FRAME_HEIGHT / 2 / np.tan(fovy / 2)
        return np.array([[focal, 0, FRAME_WIDTH / 2], [0, focal, FRAME_HEIGHT / 2], [0, 0, 1]])

    # --- inside -------------------------------------------------------------------------------------------------

    def _renderer(self, height: int, width: int) -> mujoco.Renderer:
        if (height, width) not in self._renderers:
            self._renderers[height, width] = mujoco.Renderer(self.model, height, width)
        return self._renderers[height, width]

    def _send(self, position: NDArray[np.float64], opening: float) -> None:
        for axis, value in zip("xyz", position, strict=True):
            self.data.actuator(f"hand_{axis}").ctrl[0] = value
        # Closed further than shut, so that the fingers press on what is between them.
        finger = opening / 2 if opening > 0 else -0.01
        self.data.actuator("finger_left").ctrl[0] = self.data.actuator("finger_right").ctrl[0] = finger

    def _set_pose(self, body: str, position: tuple[float, ...], yaw: float) -> None:
        self.data.joint(body).qpos[:] = (*position, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2))

    def _paint(self, body: str, colour: Colour) -> None:
        first = self.model.body(body).geomadr[0]
        count = self.model.body(body).geomnum[0]
        natural = self._colours[first + 1][:3]
        for geom in range(first, first + count):
            if np.allclose(self._colours[geom][:3], natural):
                self.model.geom_rgba[geom, :3] = colour

    def _label_geoms(self) -> NDArray[np.uint8]:
        """Label of every geom id; the last entry, which id -1 reads, is the background."""
        labels = np.zeros(self.model.ngeom + 1, dtype=np.uint8)
        for geom in range(self.model.ngeom):
            body = self.model.body(self.model.geom_bodyid[geom]).name
            if body in LABELS:
                labels[geom] = LABELS[body]
            elif body.startswith("decoy_"):
                labels[geom] = LABELS["decoy"]
            elif body in ("hand", "finger_left", "finger_right"):
                labels[geom] = LABELS["gripper"]
        return labels
