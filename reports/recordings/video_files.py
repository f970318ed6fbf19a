"""Frames into a file: WebM (VP9), MP4 (H.264) or AVI (Motion JPEG), by PyAV, which the extra `video` brings."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

from reports.errors import OutputRefusedError, ReportError
from reports.images.drawing import RGB

Container = Literal["webm", "mp4", "avi"]
# codec, pixel format, options: constant quality, good enough to read the words that are burnt in
CODECS: dict[Container, tuple[str, str, dict[str, str]]] = {
    "webm": (
        "libvpx-vp9",
        "yuv420p",
        {"crf": "28", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"},
    ),
    "mp4": ("libx264", "yuv420p", {"crf": "20", "preset": "veryfast"}),
    "avi": ("mjpeg", "yuvj420p", {"qmin": "2", "qmax": "4"}),
}


def pyav() -> Any:
    """The module `av`.

    Raises ReportError where it is not installed.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise ReportError(
            "videos need PyAV, which is not installed: pip install 'gazehouse[video]'"
        ) from error
    return av


def container_of(path: Path) -> Container:
    """The container that a file name's suffix asks for.

    Raises ReportError for any other.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in CODECS:
        raise ReportError(f"{path.name!r}: a video's name ends in .webm, .mp4 or .avi")
    return cast(Container, suffix)


def write(path: Path, frames: Iterable[RGB], fps: float) -> int:
    """Write a video whole or not at all; the number of its frames.

    `frames` are RGB of one, even size. Raises ReportError where there is none, OutputRefusedError where the place cannot be
    written.
    """
    av = pyav()
    container = container_of(path)
    codec, pixels, options = CODECS[container]
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ReportError(f"{path.name}: there is no frame to show")
    beside = path.with_name(f".{path.name}.partial")
    n = 0
    try:
        with av.open(
            str(beside),
            "w",
            format=container,
            options={"movflags": "faststart"} if container == "mp4" else {},
        ) as out:
            stream = out.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=options)
            stream.height, stream.width = first.shape[:2]
            stream.pix_fmt = pixels
            for image in chain([first], frames):
                for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                    out.mux(packet)
                n += 1
            for packet in stream.encode():
                out.mux(packet)
        beside.replace(path)
    except OSError as error:
        raise OutputRefusedError(
            f"{path} cannot be written ({error.strerror or error}): choose another with --out"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return n
