"""One episode as a video or a viewer needs it: pictures, outlines of objects and maps by keyframe, from marts and lake."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reports.errors import ReportError
from reports.html.render import episode_stem
from reports.images import drawing, pictures
from reports.marts.context import BASELINE, Context, View
from reports.marts.warehouse import Row

Key = tuple[str, int, int]  # condition, layer, head (-1 = mean over heads)


@dataclass(frozen=True)
class Outline:
    """An object in a picture: its name, its role, its outlines as flat x, y lists in picture pixels."""

    category: str
    role: str
    lines: list[list[int]]


@dataclass(frozen=True)
class Shot:
    """A keyframe of one camera: picture [height, width, 3] RGB, outlines, and maps [rows, columns] of unit mass."""

    frame_index: int
    timestamp: float | None
    picture: drawing.RGB
    outlines: list[Outline]
    maps: Mapping[Key, NDArray[np.float32]]
    prompts: Mapping[str, str]  # by condition, as the policy was asked
    actions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reel:
    """An episode seen by one view and one camera, keyframe by keyframe."""

    episode: Row
    view: View
    camera: str
    shots: list[Shot]
    bars: drawing.Bars
    conditions: list[str]  # those that have a map, the baseline first

    def layers(self, head: int = -1) -> list[int]:
        """Layers with a map of that head at every keyframe's baseline, or at some."""
        return sorted(
            {layer for shot in self.shots for c, layer, h in shot.maps if c == BASELINE and h == head}
        )

    def heads(self) -> list[int]:
        """Heads whose own maps were kept; none in the capture profile 'default'."""
        return sorted({head for shot in self.shots for _, _, head in shot.maps if head >= 0})


def episode_named(ctx: Context, wanted: str) -> Row:
    """The episode of that name, of the page of that name, or the one whose name holds the text.

    Raises ReportError that names the nearest one, or some of those that match.
    """
    rows = {row["episode_id"]: row for row in ctx.query("episode_names")}
    if wanted in rows:
        return rows[wanted]
    stem = wanted.removesuffix(".html")
    matching = [e for e in rows if episode_stem(ctx.study.run_id, e) == stem] or [
        e for e in rows if wanted in e
    ]
    if len(matching) == 1:
        return rows[matching[0]]
    if matching:
        raise ReportError(
            f"{wanted!r} names {len(matching)} episodes: choose one, as {matching[0]!r} or {matching[1]!r}"
        )
    nearest = difflib.get_close_matches(wanted, rows, n=1, cutoff=0)
    hint = f"; nearest: {nearest[0]!r}" if nearest else ": the run has none"
    raise ReportError(f"no episode {wanted!r} in run {ctx.study.run_id}{hint}")


def read_reel(ctx: Context, episode: Row, view: View, camera: str) -> Reel:
    """Everything of an episode that one view and camera show.

    Raises ReportError where no keyframe has both a picture and a map.
    """
    episode_id = episode["episode_id"]
    if not ctx.has_pictures:
        raise ReportError(f"{ctx.run_folder} is not there: name the lake with the pictures with --lake")
    found = ctx.query(
        "video_maps", episode_id=episode_id, **{"pass": view.pass_}, denoise_step=view.step, query=view.query, camera=camera
    )  # fmt: skip
    maps: dict[int, dict[Key, NDArray[np.float32]]] = {}
    for row in found:
        if row["map"] is not None:
            key = (row["condition_id"], row["layer"], row["head"])
            maps.setdefault(row["frame_index"], {})[key] = as_grid(row["map"], camera)
    asked: dict[int, list[Row]] = {}
    for row in ctx.query("video_prompts", episode_id=episode_id):
        asked.setdefault(row["frame_index"], []).append(row)
    objects = ctx.query("episode_objects", episode_id=episode_id)
    shots: list[Shot] = []
    paths: list[Path] = []
    for frame in ctx.query("episode_frames", episode_id=episode_id):
        index = frame["frame_index"]
        path = json.loads(frame["pictures"] or "{}").get(camera)
        if frame["status"] != "ok" or path is None or index not in maps:
            continue
        mask = json.loads(frame["masks"] or "{}").get(camera)
        members = objects.where(frame_index=index, camera=camera)
        paths.append(pictures.below(ctx.run_folder, path))
        said = {row["condition_id"]: row["prompt"] or "" for row in asked.get(index, [])}
        acted = {row["condition_id"]: row["actions"] for row in asked.get(index, []) if row["actions"]}
        outlines = outlines_of(ctx.run_folder, mask, members)
        shots.append(
            Shot(index, frame["timestamp"], read_picture(paths[-1]), outlines, maps[index], said, acted)
        )
    if not shots:
        raise ReportError(
            f"episode {episode_id!r} has no keyframe with a picture and a map of {ctx.study.name(view).lower()}, camera {camera}: "
            "choose another --view or --camera"
        )
    few = paths[:: max(1, len(paths) // 3)]
    held = {key[0] for shot in shots for key in shot.maps}
    conditions = [c for c in ctx.study.condition_names if c in held]
    conditions.sort(key=lambda c: c != BASELINE)
    return Reel(episode, view, camera, shots, pictures.bars(few), conditions)


def as_grid(values: list[float], camera: str) -> NDArray[np.float32]:
    """A map [patches] as a square [side, side].

    Raises pictures.PictureError where it is none.
    """
    side = math.isqrt(len(values))
    if side * side != len(values):
        raise pictures.PictureError(
            f"maps of camera {camera} have {len(values)} patches, which is no square grid"
        )
    return np.asarray(values, np.float32).reshape(side, side)


def read_picture(path: Path) -> drawing.RGB:
    """A picture of the lake as RGB.

    Raises pictures.PictureError where it cannot be read.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise pictures.PictureError(f"{path} cannot be read as a picture")
    return np.ascontiguousarray(image[:, :, ::-1]).astype(np.uint8)


def outlines_of(root: Path, mask: str | None, objects: list[Row]) -> list[Outline]:
    """Outlines of a keyframe's objects; none where there is no mask."""
    if mask is None or not objects:
        return []
    labels = pictures.read_labels(root, mask)
    return [
        Outline(o["category"] or "unnamed", o["role"] or "", pictures.contours(labels, o["object_index"] + 1)) for o in objects
    ]  # fmt: skip
