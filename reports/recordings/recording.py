"""An episode as a Rerun recording (`.rrd`): pictures, maps over them, object masks, metrics and actions on the timeline.

Entities have names of ours (`camera0/prefix/layer03`), never of the data; what `camera0` is called stands in `about`. Package:
rerun-sdk, which the extra `rerun` brings.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from reports.errors import OutputRefusedError, ReportError
from reports.html.render import episode_stem
from reports.images import drawing, pictures
from reports.marts.context import BASELINE, Context
from reports.marts.headline import headline
from reports.marts.warehouse import Result, Row
from reports.recordings.shots import Reel, episode_named, read_reel
from reports.recordings.video_frames import Look, Painter
from reports.recordings.videos import MARTS, safe

SIZE = 224  # pixels of a map, as of the pictures


def sdk() -> Any:
    """The module `rerun`.

    Raises ReportError where it is not installed.
    """
    try:
        return importlib.import_module("rerun")
    except ModuleNotFoundError as error:
        raise ReportError(
            f"recordings need rerun-sdk, and {error.name} is not installed: pip install 'gazehouse[rerun]'"
        ) from error


def write(ctx: Context, wanted: str, out: Path) -> int:
    """Write the recording of an episode whole or not at all; the number of its keyframes.

    Raises ReportError where the episode or its maps are not there, OutputRefusedError where the place cannot be written.
    """
    rr = sdk()
    ctx.warehouse.require(*MARTS)
    episode = episode_named(ctx, wanted)
    reels = reels_of(ctx, episode)
    stem = episode_stem(ctx.study.run_id, episode["episode_id"])
    beside = out.with_name(f".{out.name}.partial")
    try:
        beside.touch()
        recording = rr.RecordingStream("gazehouse", recording_id=stem)
        recording.set_log_tick_enabled(False)
        recording.set_log_time_enabled(False)
        recording.save(beside, default_blueprint=layout(rr, ctx, reels))
        recording.log("about", rr.TextDocument(about(ctx, episode)), static=True)
        for reel in reels:
            log_maps(rr, recording, ctx, reel)
        for reel in {reel.camera: reel for reel in reels}.values():
            log_scene(rr, recording, ctx, reel)
        n = log_numbers(rr, recording, ctx, episode["episode_id"], reels)
        recording.flush()
        recording.disconnect()
        beside.replace(out)
    except OSError as error:
        raise OutputRefusedError(
            f"{out} cannot be written ({error.strerror}): choose another with --out"
        ) from error
    finally:
        if beside.parent.is_dir():
            beside.unlink(missing_ok=True)
    return n


def reels_of(ctx: Context, episode: Row) -> list[Reel]:
    """The episode by every view and camera that has maps.

    Raises ReportError where none has.
    """
    found, why = (
        [],
        ReportError(f"run {ctx.study.run_id} has no maps: run `python -m ingest`, then `dbt build`"),
    )
    for camera in ctx.study.cameras:
        for view in ctx.study.views:
            try:
                found.append(read_reel(ctx, episode, view, camera))
            except ReportError as error:
                why = error
    if not found:
        raise why
    return found


def about(ctx: Context, episode: Row) -> str:
    """What the recording shows, as plain text."""
    cameras = ", ".join(f"camera{i} = {camera}" for i, camera in enumerate(ctx.study.cameras))
    lines = (
        f"episode {episode['episode_id']}", f"instruction: {episode['instruction'] or 'none'}", f"outcome: {episode['outcome'] or 'unknown'}",
        f"run {ctx.study.run_id}, study {ctx.study.run['study']}", cameras,
        "maps: share of the camera's attention on each patch, one colour scale for all layers and keyframes of a view and camera",
    )  # fmt: skip
    return "\n".join(lines)


def at(rr: Any, recording: Any, frame_index: int, timestamp: float | None) -> None:
    """Set the time: the frame, and seconds where they are known."""
    recording.reset_time()
    recording.set_time("frame", sequence=frame_index)
    if timestamp is not None:
        recording.set_time("time", duration=timestamp)


def camera_path(ctx: Context, reel: Reel) -> str:
    """'camera0'."""
    return f"camera{ctx.study.cameras.index(reel.camera)}"


def map_path(ctx: Context, reel: Reel, layer: int) -> str:
    """'camera0/prefix/layer03'."""
    return f"{camera_path(ctx, reel)}/{safe(reel.view.key)}/layer{layer:02d}"


def log_maps(rr: Any, recording: Any, ctx: Context, reel: Reel) -> None:
    """The baseline's map of every layer, laid over the picture at 40 %."""
    layers = reel.layers()
    painter = Painter(reel, Look(size=SIZE), [(BASELINE, layer, -1) for layer in layers])
    for shot in reel.shots:
        at(rr, recording, shot.frame_index, shot.timestamp)
        for layer in layers:
            patches = shot.maps.get((BASELINE, layer, -1))
            if patches is not None:
                recording.log(
                    map_path(ctx, reel, layer), encoded(rr, painter.colours(shot, patches), drawing.MAP_SHARE)
                )


def encoded(rr: Any, image: drawing.RGB, opacity: float) -> Any:
    """An image as PNG, as wide as the pictures."""
    _, png = cv2.imencode(".png", np.ascontiguousarray(image[:, :, ::-1]))
    return rr.EncodedImage(contents=png.tobytes(), media_type="image/png", opacity=opacity, draw_order=1.0)


def log_scene(rr: Any, recording: Any, ctx: Context, reel: Reel) -> None:
    """The pictures of a camera and, where there are masks, its objects with their names."""
    camera = camera_path(ctx, reel)
    objects = ctx.query("episode_objects", episode_id=reel.episode["episode_id"])
    masks = {
        f["frame_index"]: json.loads(f["masks"] or "{}").get(reel.camera)
        for f in frames_of(ctx, reel.episode)
    }
    for shot in reel.shots:
        at(rr, recording, shot.frame_index, shot.timestamp)
        recording.log(
            f"{camera}/picture",
            rr.Image(drawing.resized(shot.picture, SIZE), draw_order=0.0).compress(jpeg_quality=90),
        )
        members = objects.where(frame_index=shot.frame_index, camera=reel.camera)
        if masks.get(shot.frame_index) and members:
            labels = pictures.read_labels(ctx.run_folder, masks[shot.frame_index])
            known = [(0, "", (0, 0, 0, 0))] + [
                (o["object_index"] + 1, f"{o['category'] or 'unnamed'} ({o['role'] or 'no role'})")
                for o in members
            ]
            recording.log(
                f"{camera}/objects",
                rr.AnnotationContext(known),
                rr.SegmentationImage(labels, opacity=0.25, draw_order=2.0),
            )


def frames_of(ctx: Context, episode: Row) -> Result:
    """The keyframes of an episode."""
    return ctx.query("episode_frames", episode_id=episode["episode_id"])


def log_numbers(rr: Any, recording: Any, ctx: Context, episode_id: str, reels: Sequence[Reel]) -> int:
    """Lift and share of the target, the ratio of vision to language, and the first actions of each chunk; the keyframes."""
    shots = {shot.frame_index: shot for reel in reels for shot in reel.shots}
    metrics, balance = (
        ctx.query("episode_metrics", episode_id=episode_id),
        ctx.query("episode_balance", episode_id=episode_id),
    )
    views = {(v.pass_, v.step, v.query): v for v in ctx.study.views}
    for index, shot in sorted(shots.items()):
        at(rr, recording, index, shot.timestamp)
        for row in metrics.where(frame_index=index, role="target"):
            view = views.get((row["pass"], row["denoise_step"], row["query"]))
            if view is None or row["camera"] not in ctx.study.cameras:
                continue
            place = f"camera{ctx.study.cameras.index(row['camera'])}/{safe(view.key)}/layer{row['layer']:02d}"
            for name in ("lift", "mass_share"):
                if row[name] is not None:
                    recording.log(f"metrics/{name}/{place}", rr.Scalars(row[name]))
        for row in balance.where(frame_index=index, layer=-1):
            if row["ratio"] is not None:
                recording.log(
                    f"metrics/visual_linguistic_ratio/step{max(0, row['denoise_step'])}",
                    rr.Scalars(row["ratio"]),
                )
        chunk = shot.actions.get(BASELINE)
        if chunk:
            recording.log(
                "actions/chunk", rr.Tensor(np.asarray(chunk, np.float32), dim_names=("action", "dimension"))
            )
            for i, value in enumerate(chunk[0]):
                recording.log(f"actions/first/dimension{i:02d}", rr.Scalars(value))
        if shot.prompts.get(BASELINE):
            recording.log("prompt", rr.TextDocument(shot.prompts[BASELINE]))
    return len(shots)


def layout(rr: Any, ctx: Context, reels: Sequence[Reel]) -> Any:
    """What the viewer shows at first: each camera under the first view's map of the layer that the table of episodes speaks of."""
    head = headline(ctx)
    views = []
    for reel in {reel.camera: reel for reel in reversed(reels)}.values():
        layer = head.layer if head.layer in reel.layers() else reel.layers()[0]
        camera = camera_path(ctx, reel)
        shown = [f"/{camera}/picture", f"/{camera}/objects", f"/{map_path(ctx, reel, layer)}"]
        views.append(rr.blueprint.Spatial2DView(origin=f"/{camera}", contents=shown, name=camera))
    numbers = [
        rr.blueprint.TimeSeriesView(origin="/metrics/lift"),
        rr.blueprint.TimeSeriesView(origin="/actions/first"),
    ]
    return rr.blueprint.Blueprint(
        rr.blueprint.Vertical(rr.blueprint.Horizontal(*views), rr.blueprint.Horizontal(*numbers))
    )
