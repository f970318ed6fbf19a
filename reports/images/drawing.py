"""Pictures with attention on them, in numpy and OpenCV: enlarging a map, colouring it, laying it over a picture, its scale.

Images are RGB, uint8, [height, width, 3]. `assets/maps.js` draws the same in the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from reports.words import cut, printable

RGB = NDArray[np.uint8]
Colours = Literal["viridis", "cividis", "magma", "inferno", "turbo", "jet"]
Kernel = Literal["linear", "cubic"]
Bars = tuple[int, int, int, int]  # top, bottom, left, right, in pixels of the picture

MAP_SHARE = 0.4  # of the map in an overlay; the picture has the rest
DIMMED = 0.35  # what is left of the light in the bars of the letterbox
TABLES = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "magma": cv2.COLORMAP_MAGMA,
    "inferno": cv2.COLORMAP_INFERNO,
    "turbo": cv2.COLORMAP_TURBO,
    "jet": cv2.COLORMAP_JET,
}
# Vega's `blueorange` (ColorBrewer's ends around a light middle), as the pages' two-sided charts have it.
BLUE_ORANGE = ("134b85", "2f78b3", "5da2cb", "9dcae1", "d2e5ef", "f2f0eb", "fce0ba", "fbbf74", "e8932f", "c5690d", "994a07")  # fmt: skip
INK, PAPER = (233, 237, 240), (17, 22, 27)


def colour_table(name: Colours = "viridis") -> RGB:
    """The 256 colours of a map from its lowest to its highest level, [256, 3]."""
    ramp = np.arange(256, dtype=np.uint8).reshape(1, -1)
    return np.ascontiguousarray(cv2.applyColorMap(ramp, TABLES[name])[0, :, ::-1]).astype(np.uint8)


def diverging_table() -> RGB:
    """256 colours from blue (less) over a light middle (no difference) to orange (more), [256, 3]."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in BLUE_ORANGE], np.float64)
    places = np.linspace(0, 255, len(stops))
    columns = [np.interp(np.arange(256), places, stops[:, i]) for i in range(3)]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)


def enlarged(patches: NDArray[Any], size: int, kernel: Kernel = "linear") -> NDArray[np.float32]:
    """A map [rows, columns] as [size, size], between the patches' centres, edges repeated.

    `cubic` is the original protocol's and overshoots, below 0 too: `levels` cuts it off, nothing wraps around.
    """
    how = cv2.INTER_LINEAR if kernel == "linear" else cv2.INTER_CUBIC
    return cv2.resize(np.asarray(patches, np.float32), (size, size), interpolation=how).astype(np.float32)


def resized(picture: RGB, size: int) -> RGB:
    """A picture as [size, size], averaged where it becomes smaller."""
    how = cv2.INTER_AREA if size < picture.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(picture, (size, size), interpolation=how).astype(np.uint8)


def levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Values as 0..255 between the ends of a scale; what lies outside, and what is missing, takes the nearer end or `low`."""
    span = high - low if high > low else 1.0
    share = (np.nan_to_num(np.asarray(values, np.float64), nan=low) - low) / span
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def coloured(values: NDArray[Any], table: RGB, low: float, high: float) -> RGB:
    """Values [height, width] in the colours of a scale."""
    return table[levels(values, low, high)]


def blended(picture: RGB, colours: RGB, share: float = MAP_SHARE) -> RGB:
    """`share` of the map's colours over the rest of the picture: 40 % over 60 %."""
    mixed = (1 - share) * picture.astype(np.float64) + share * colours.astype(np.float64)
    return np.rint(mixed).astype(np.uint8)


def dimmed(image: RGB, bars: Bars, factor: float = DIMMED) -> RGB:
    """The image with the bars of its letterbox darkened; `bars` in pixels of this image."""
    top, bottom, left, right = bars
    inside = np.zeros(image.shape[:2], bool)
    inside[top : image.shape[0] - bottom, left : image.shape[1] - right] = True
    dark = np.rint(image.astype(np.float64) * factor).astype(np.uint8)
    return np.where(inside[:, :, None], image, dark)


def scaled_bars(bars: Bars, size: int, of: int) -> Bars:
    """Bars of a picture of `of` pixels in one of `size`."""
    top, bottom, left, right = (round(width * size / of) for width in bars)
    return top, bottom, left, right


def outlined(
    image: RGB, lines: Sequence[Sequence[int]], scale: float, is_target: bool, on_light: bool = False
) -> RGB:
    """The image with outlines drawn in, the target's thicker; x, y, x, y in picture pixels.

    They are white on a dark rim, or dark on a white one where the image is light.
    """
    line, rim = ((20, 20, 20), (255, 255, 255)) if on_light else ((255, 255, 255), (0, 0, 0))
    drawn = np.ascontiguousarray(image.copy())
    points = [
        np.rint((np.asarray(flat, np.float64).reshape(-1, 1, 2) + 0.5) * scale - 0.5).astype(np.int32)
        for flat in lines
        if len(flat) >= 4
    ]
    inner = 2 if is_target else 1
    cv2.polylines(drawn, points, True, rim, inner + 2, cv2.LINE_AA)
    cv2.polylines(drawn, points, True, line, inner, cv2.LINE_AA)
    return drawn.astype(np.uint8)


def caption(width: int, text: str, height: int = 22, colour: tuple[int, int, int] = INK) -> RGB:
    """A line of text on a dark strip; what does not fit ends in an ellipsis, control characters are escapes."""
    canvas = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=max(9, round(0.62 * height)))
    shown = printable(text)
    while len(shown) > 1 and pen.textlength(shown, font=font) > width - 8:
        shown = cut(shown, len(shown) - 1)
    pen.text((4, height / 2), shown, fill=colour, font=font, anchor="lm")
    return np.asarray(canvas, np.uint8)


def colour_bar(width: int, table: RGB, labels: Sequence[str], height: int = 10) -> RGB:
    """The colours of a scale from left to right, with labels spread evenly below it."""
    ramp = table[np.rint(np.linspace(0, 255, width)).astype(int)]
    bar = np.repeat(ramp[None, :, :], height, axis=0)
    canvas = Image.new("RGB", (width, 18), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=11)
    for i, label in enumerate(labels):
        share = i / max(1, len(labels) - 1)
        anchor = "lm" if share == 0 else "rm" if share == 1 else "mm"
        pen.text((4 + share * (width - 8), 9), label, fill=INK, font=font, anchor=anchor)
    return np.concatenate([bar, np.asarray(canvas, np.uint8)])


def beside(images: Sequence[RGB], gap: int = 4) -> RGB:
    """Images of one height from left to right."""
    space = np.full((images[0].shape[0], gap, 3), PAPER, np.uint8)
    parts = [part for image in images for part in (image, space)][:-1]
    return np.concatenate(parts, axis=1)


def below(images: Sequence[RGB]) -> RGB:
    """Images from top to bottom, filled up to the widest."""
    width = max(image.shape[1] for image in images)
    return np.concatenate([
        np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0))) if image.shape[1] < width else image for image in images
    ])  # fmt: skip


def even(image: RGB) -> RGB:
    """With an even number of rows and columns, which video wants: the last ones repeated where they are odd."""
    height, width = image.shape[:2]
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
