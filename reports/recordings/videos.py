"""Which video of an episode: its view, camera, layers and heads, and its file's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from reports.errors import ReportError
from reports.html.render import episode_stem
from reports.images.drawing import RGB
from reports.marts.context import BASELINE, Context, View
from reports.marts.headline import Headline, headline
from reports.recordings import video_files, video_frames
from reports.recordings.shots import Reel, episode_named, read_reel
from reports.recordings.video_frames import Look, Style
from reports.words import listed

Kind = Literal["layer", "layers", "prompts"]
MARTS = ("frame_gallery", "frame_inferences")


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for; None where the episode table's choice holds."""

    kind: Kind = "layer"
    view: str | None = None
    camera: str | None = None
    layers: str | None = None  # '3', '0-5', '0,4,7' or 'all'
    heads: str | None = None  # the same; None = the mean over heads
    prompts: tuple[str, ...] = ()
    style: Style = "panels"
    look: Look = field(default_factory=Look)
    fps: float = 5.0


@dataclass(frozen=True)
class Video:
    """A video that can be made: what is shown, a part of a file name without names from the data, its frames."""

    title: str
    part: str
    frames: Callable[[], Iterator[RGB]]


def numbers(text: str, there: Sequence[int], what: str) -> list[int]:
    """Numbers and ranges ('0-5', '0,4,7') or 'all', among those that are there.

    Raises ReportError that says which are.
    """
    if text == "all":
        return list(there)
    if not re.fullmatch(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", text):
        raise ReportError(f"--{what} {text!r}: numbers, ranges (0-5) or `all` are wanted")
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    missing = [n for n in found if n not in there]
    if missing:
        kept = (
            f"there are {listed(there)}"
            if there
            else "none was kept (capture profile `full` keeps maps of each head)"
        )
        raise ReportError(f"no map of {what} {missing[0]}: {kept}")
    return list(dict.fromkeys(found))


def view_named(ctx: Context, wanted: str | None, default: View) -> View:
    """The view of that key ('prefix', 'suffix-4') or of the name that pages give it ('words', 'actions, step 4').

    Raises ReportError that lists them.
    """
    if wanted is None:
        return default
    names = {v.key: v for v in ctx.study.views} | {ctx.study.short_name(v): v for v in ctx.study.views}
    if wanted not in names:
        raise ReportError(f"no view {wanted!r}; there are {listed([v.key for v in ctx.study.views])}")
    return names[wanted]


def reel_wanted(ctx: Context, episode: str, wanted: Wanted) -> tuple[Reel, int]:
    """The episode as the wanted view and camera show it, and the layer that the table of episodes speaks of."""
    ctx.warehouse.require(*MARTS)
    if not ctx.study.views:
        raise ReportError(f"run {ctx.study.run_id} has no maps: run `python -m ingest`, then `dbt build`")
    head = headline(ctx)
    view = view_named(ctx, wanted.view, head.view)
    camera = wanted.camera or head.camera
    if camera not in ctx.study.cameras:
        raise ReportError(f"no camera {camera!r}; there are {listed(ctx.study.cameras)}")
    reel = read_reel(ctx, episode_named(ctx, episode), view, camera)
    layers = reel.layers() or [0]
    return reel, head.layer if head.layer in layers else layers[0]


def videos_wanted(ctx: Context, episode: str, wanted: Wanted) -> list[Video]:
    """The videos that the options ask for, one a layer and head.

    Raises ReportError where something is asked for that the run does not have.
    """
    reel, layer = reel_wanted(ctx, episode, wanted)
    heads = [-1] if wanted.heads is None else numbers(wanted.heads, reel.heads(), "heads")
    if not heads:
        numbers("0", [], "heads")
    stem = f"{episode_stem(ctx.study.run_id, reel.episode['episode_id'])}-{safe(reel.view.key)}-camera{ctx.study.cameras.index(reel.camera)}"
    names = prompts_of(ctx, reel, wanted.prompts) if wanted.kind == "prompts" else {}
    found: list[Video] = []
    for head in heads:
        there = reel.layers(head)
        ending = "" if head < 0 else f"-H{head:02d}"
        if wanted.kind == "layers":
            layers = numbers(wanted.layers or "all", there, "layers")
            title = f"{len(layers)} layers" if head < 0 else f"{len(layers)} layers, head {head}"
            frames = partial(video_frames.summary_frames, reel, wanted.look, layers, head)
            found.append(Video(title, f"{stem}-layers{ending}", frames))
            continue
        for one in numbers(wanted.layers or str(layer), there, "layers"):
            if wanted.kind == "prompts":
                frames = partial(video_frames.prompt_frames, reel, wanted.look, names, one, head)
            else:
                frames = partial(video_frames.layer_frames, reel, wanted.look, one, head, wanted.style)
            part = f"{stem}-{wanted.kind}-L{one:02d}{ending}"
            found.append(Video(video_frames.layer_name(one, head), part, frames))
    return found


def prompts_of(ctx: Context, reel: Reel, wanted: Sequence[str]) -> dict[str, str]:
    """The baseline and the prompts to show beside it with their names: those asked for, or all that have maps.

    Raises ReportError where the episode has none, or not one of that name.
    """
    there = {c: ctx.study.condition_names.get(c, c) for c in reel.conditions}
    others = [c for c in there if c != BASELINE]
    if not others:
        raise ReportError(
            "no changed prompt has maps of this view in this episode: choose --view, or name prompts in the study's `conditions`"
        )
    by_name = {c.partition(":")[2]: c for c in others} | {c: c for c in others}
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise ReportError(
            f"no prompt {missing[0]!r} with maps in this episode; there are {listed([c.partition(':')[2] for c in others])}"
        )
    chosen = [by_name[name] for name in wanted] or others
    return {c: there[c] for c in (BASELINE, *dict.fromkeys(chosen)) if c in there}


def safe(text: str) -> str:
    """Letters, digits and hyphens alone: a part of a file name."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())


def targets(videos: Sequence[Video], out: Path | None, form: video_files.Container | None) -> list[Path]:
    """A file for each video: `--out` itself for one; for several the video's own part behind its name."""
    suffix = f".{form or (video_files.container_of(out) if out and out.suffix else 'webm')}"
    if out is None:
        return [Path(f"{video.part}{suffix}") for video in videos]
    if form is not None and out.suffix.lower() != suffix:
        raise ReportError(f"--out {out.name!r} and --format {form} do not agree: leave one out")
    if len(videos) == 1:
        return [out]
    return [
        out.with_name(f"{out.stem}-{'-'.join(video.part.split('-')[-1 - video.part.count('-H') :])}{suffix}")
        for video in videos
    ]


def of_page(ctx: Context, episode_id: str, head: Headline, target: Path) -> int:
    """The video beside an episode's page: three panels of the headline's view, camera and layer, words burnt in; its frames.

    Raises ReportError where the episode has no picture with a map there.
    """
    reel = read_reel(ctx, episode_named(ctx, episode_id), head.view, head.camera)
    return video_files.write(target, video_frames.layer_frames(reel, Look(burn=True), head.layer), Wanted.fps)
