"""How each camera of a keyframe looks at the table, where the recording says so: for maps of two cameras."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ingest.episodes.base import Calibration, Episode
from ingest.episodes.preprocess import Letterbox
from ingest.errors import DataError
from ingest.issues import Issues
from measures.cameras import camera_of
from measures.cross_camera import PatchView

Views = Mapping[str, PatchView | str]
"""Camera -> its view, or why there is none."""


def views_of(
    episode: Episode,
    index: int,
    boxes: Mapping[str, Letterbox],
    grids: Mapping[str, int],
    kept: Mapping[str, float],
    issues: Issues,
) -> dict[str, PatchView | str]:
    """``boxes`` are where the raw pictures lie in the model's input, ``grids`` patches a side, ``kept`` the share of each
    side that the model sees. A calibration that cannot be read is an issue, and costs this comparison alone."""
    found: dict[str, PatchView | str] = {}
    for camera in (name for name in episode.cameras if name in boxes):
        try:
            calibration = episode.calibration(camera, index)
        except DataError as error:
            issues.add("read", error.subject, error.reason, str(error), is_loss=False)
            calibration = None
        found[camera] = _view(camera, calibration, boxes[camera], grids[camera], kept.get(camera, 1.0))
    return found


def _view(
    camera: str, calibration: Calibration | None, box: Letterbox, grid: int, kept: float
) -> PatchView | str:
    if calibration is None:
        return f"the recording has no calibration of camera {camera}"
    matrix = calibration.intrinsic
    is_inside = 0 < matrix[0, 2] < box.source_width and 0 < matrix[1, 2] < box.source_height
    if not is_inside or np.linalg.det(matrix) == 0:  # the intrinsics of another size, or none at all
        return f"the intrinsics of camera {camera} do not belong to a picture of its size"
    first, last = box.size * (1 - kept) / 2, box.size * (1 + kept) / 2
    across, down = box.source_width / box.width, box.source_height / box.height
    return PatchView(
        camera_of(calibration.extrinsic, matrix),
        grid,
        left=(first - box.left) * across,
        top=(first - box.top) * down,
        right=(last - box.left) * across,
        bottom=(last - box.top) * down,
        width=box.source_width,
        height=box.source_height,
    )
