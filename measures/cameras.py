"""Pinhole cameras over a plane: from the pixels of one picture to those of another. METHODS 5, cross-camera.

Frames and angles as DROID stores them: a camera's pose is given in the robot's base frame, z forward, x right, y down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from measures.arrays import AnyArray, Floats


class Camera(NamedTuple):
    """One calibrated camera."""

    position: Floats  # [3] metres
    rotation: Floats  # [3, 3] camera axes -> base frame
    matrix: Floats  # [3, 3] pinhole intrinsics, pixels; 0 is the outer edge of the first pixel


def camera_of(extrinsic: AnyArray, intrinsic: AnyArray) -> Camera:
    """``extrinsic`` [6]: xyz in metres, extrinsic Euler angles xyz in radians; ``intrinsic`` [3, 3] in pixels."""
    pose = np.asarray(extrinsic, dtype=np.float64)
    rotation = Rotation.from_euler("xyz", pose[3:]).as_matrix()
    return Camera(pose[:3], rotation, np.asarray(intrinsic, dtype=np.float64))


def on_plane(camera: Camera, pixels: AnyArray, height: float) -> Floats:
    """Where the rays of pixels [N, 2] (x, y) meet the plane z = ``height`` metres: [N, 3], NaN where they never do."""
    pixels = np.asarray(pixels, dtype=np.float64)
    ends = np.column_stack([pixels, np.ones(len(pixels))])
    rays = ends @ np.linalg.inv(camera.matrix).T @ camera.rotation.T
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (height - camera.position[2]) / rays[:, 2]
        is_ahead = np.isfinite(distance) & (distance > 0)
        points = camera.position + np.where(is_ahead, distance, np.nan)[:, None] * rays
    return points


def project(camera: Camera, points: AnyArray) -> Floats:
    """Points [N, 3] of the base frame -> pixels [N, 2] (x, y); NaN for what lies behind the camera."""
    seen = (np.asarray(points, dtype=np.float64) - camera.position) @ camera.rotation
    depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
    pixels: Floats = (seen @ camera.matrix.T)[:, :2] / depth[:, None]
    return pixels
