"""The commands that take an episode out of the report: `video` and `rerun`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.commands.options import LAKE, WAREHOUSE, Lake, Run, Warehouse
from reports.commands.study_opened import opened
from reports.images.drawing import Colours, Kernel
from reports.recordings import recording, video_files, videos
from reports.recordings.video_frames import Look, Style


def video(
    episode: Annotated[
        str, typer.Argument(help="Episode: its id, a part of it that no other has, or its page's name.")
    ],
    kind: Annotated[
        videos.Kind,
        typer.Option(
            help="layer: one layer; layers: all of them side by side; prompts: prompts side by side with what each changes."
        ),
    ] = "layer",
    layers: Annotated[
        str | None,
        typer.Option(help="Layers: numbers, ranges (0-5) or `all`; default that of the table of episodes."),
    ] = None,
    heads: Annotated[
        str | None, typer.Option(help="Heads, in the same way; default the mean over heads.")
    ] = None,
    view: Annotated[str | None, typer.Option(help="What looks: words, or prefix, suffix-4.")] = None,
    camera: Annotated[str | None, typer.Option(help="Camera.")] = None,
    prompt: Annotated[
        list[str] | None, typer.Option(help="Prompt of a prompts video, again for more; default all.")
    ] = None,
    style: Annotated[
        Style, typer.Option(help="panels: picture, map, overlay; or the overlay alone.")
    ] = "panels",
    colours: Annotated[
        Colours,
        typer.Option(help="Colours of maps; viridis, cividis, magma and inferno are perceptually uniform."),
    ] = "viridis",
    enlarge: Annotated[Kernel, typer.Option(help="linear, or cubic as the original protocol.")] = "linear",
    size: Annotated[int, typer.Option(min=64, max=2048, help="Pixels of a panel.")] = 320,
    fps: Annotated[float, typer.Option(min=0.1, max=120, help="Keyframes a second.")] = 5.0,
    contours: Annotated[bool, typer.Option("--contours/--no-contours", help="Outlines of objects.")] = True,
    burn: Annotated[bool, typer.Option("--burn", help="Burn in frame, layer, outcome and prompt.")] = False,
    format_: Annotated[
        video_files.Container | None, typer.Option("--format", help="Default: by --out, else webm.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write (.webm, .mp4, .avi); of several videos the start of their names."),
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    lake: Lake = LAKE,
    run: Run = None,
) -> None:
    """Write videos of an episode from its pictures and stored maps: no model runs."""
    video_files.pyav()
    look = Look(colours, enlarge, size, contours, burn)
    wanted = videos.Wanted(kind, view, camera, layers, heads, tuple(prompt or ()), style, look, fps)
    with opened(warehouse, lake, run) as ctx:
        found = videos.videos_wanted(ctx, episode, wanted)
        for one, target in zip(found, videos.targets(found, out, format_), strict=True):
            n = video_files.write(target, one.frames(), fps)
            typer.echo(f"{target}: {one.title}, {n} frames")


def rerun(
    episode: Annotated[
        str, typer.Argument(help="Episode: its id, a part of it that no other has, or its page's name.")
    ],
    out: Annotated[Path, typer.Option(help="File to write (.rrd); open it with `rerun FILE`.")] = Path(
        "episode.rrd"
    ),
    warehouse: Warehouse = WAREHOUSE,
    lake: Lake = LAKE,
    run: Run = None,
) -> None:
    """Write an episode as a Rerun recording: pictures, maps of every layer, objects, metrics and actions over time."""
    recording.sdk()
    with opened(warehouse, lake, run) as ctx:
        n = recording.write(ctx, episode, out)
    typer.echo(f"{out}: {n} keyframes")
