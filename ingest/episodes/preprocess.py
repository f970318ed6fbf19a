"""The resize-with-padding of openpi's client, and the same transform for masks, boxes and patches.

A picture is scaled by the factor that makes it fit, truncated to whole pixels, and centred on zeros. A 720x1280 or
180x320 frame fills 126 of 224 rows, between bars of 49.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Half covered is to mean half covered, however the share was rounded.
ROUNDING = 1e-9
PIXELS = 224  # a side of the pictures and masks that Gazehouse keeps, whatever the model's input

Place = Literal["centre", "end"]
"""Where a picture lies between its bars: in the middle, or against the lower and the right edge."""


@dataclass(frozen=True)
class Letterbox:
    """Where a raw picture of `source_height` x `source_width` lies in the `size` x `size` input.

    `top`, `left`, `height`, `width` are whole input pixels; `scale` is the nominal factor, input per raw pixels
    (truncation makes the real ones `height / source_height` and `width / source_width`).
    """

    scale: float
    top: int
    left: int
    height: int
    width: int
    source_height: int
    source_width: int
    size: int = 224

    @classmethod
    def from_size(cls, height: int, width: int, size: int = PIXELS, at: Place = "centre") -> Letterbox:
        """The letterbox of a raw picture of `height` x `width` pixels. Raises ValueError when one is not positive."""
        if min(height, width, size) < 1:
            raise ValueError(f"a picture of {height}x{width} cannot be fitted into {size}x{size}")
        if (height, width) == (size, size):
            return cls(1.0, 0, 0, size, size, height, width, size)
        # Dividing by the ratio (not multiplying by the scale) and truncating decide the last row: openpi's rule.
        ratio = max(height / size, width / size)
        fitted_height, fitted_width = max(1, int(height / ratio)), max(1, int(width / ratio))
        top, left = size - fitted_height, size - fitted_width
        if at == "centre":
            top, left = top // 2, left // 2
        return cls(1 / ratio, top, left, fitted_height, fitted_width, height, width, size)

    @property
    def sides(self) -> tuple[int, int, int, int]:
        """Top, left, height, width."""
        return self.top, self.left, self.height, self.width

    def scaled(self, size: int) -> Letterbox:
        """The same place in an input of another size, to whole pixels."""
        if size == self.size:
            return self
        by = size / self.size
        top, left = round(self.top * by), round(self.left * by)
        return replace(
            self,
            scale=self.scale * by,
            top=top,
            left=left,
            height=round((self.top + self.height) * by) - top,
            width=round((self.left + self.width) * by) - left,
            size=size,
        )

    def picture_share(self, grid: int = 16) -> NDArray[np.float64]:
        """float64 [grid * grid], row-major: the share of each patch that is picture and not padding."""
        edges = np.linspace(0.0, self.size, grid + 1)
        rows = _overlap(edges, self.top, self.top + self.height) * grid / self.size
        columns = _overlap(edges, self.left, self.left + self.width) * grid / self.size
        return np.outer(rows, columns).ravel()

    def mask(self, bitmap: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A raw bitmap [source_height, source_width] -> bool [size, size]; padding is False.

        An input pixel is True when at least half of its area is covered: areas are kept without bias, which
        'nearest' does less exactly and 'any' not at all. A non-empty bitmap too thin for that keeps the input pixel
        it covers most (the first of them), so that no object silently vanishes.

        Raises:
            ValueError: the bitmap has another size.
        """
        if bitmap.shape != (self.source_height, self.source_width):
            raise ValueError(
                f"a mask of {bitmap.shape} for a picture of {(self.source_height, self.source_width)} pixels"
            )
        fitted = np.zeros((self.size, self.size), dtype=np.bool_)
        if not bitmap.any():
            return fitted
        rows, down = _stretches_of(np.any(bitmap, axis=1), self.height)
        columns, across = _stretches_of(np.any(bitmap, axis=0), self.width)
        share = down @ bitmap[rows.raw, columns.raw].astype(np.float64) @ across.T
        inner = share >= 0.5 - ROUNDING
        if not inner.any():
            inner.flat[np.argmax(np.round(share, 9))] = True
        picture = fitted[self.top : self.top + self.height, self.left : self.left + self.width]
        picture[rows.fitted, columns.fitted] = inner
        return fitted

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """A box in raw pixels (x right, y down, edges not centres) -> the same box in input pixels."""
        across, down = self.width / self.source_width, self.height / self.source_height
        return (
            self.left + x0 * across,
            self.top + y0 * down,
            self.left + x1 * across,
            self.top + y1 * down,
        )


@dataclass(frozen=True)
class Fit:
    """How a model fits raw pictures of any size into its square input of `size` pixels a side."""

    size: int = PIXELS
    at: Place = "centre"

    def letterbox(self, height: int, width: int) -> Letterbox:
        """Where a raw picture lies in the input as Gazehouse keeps it, `PIXELS` a side."""
        return Letterbox.from_size(height, width, self.size, self.at).scaled(PIXELS)


def resize_with_pad(image: NDArray[np.uint8], size: int = PIXELS) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] -> uint8 [size, size, 3], bit-equal to openpi_client's `image_tools.resize_with_pad`.

    Raises:
        ValueError: not a uint8 [H, W, 3] array.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected a uint8 [H, W, 3] picture, found {image.dtype} {list(image.shape)}")
    box = Letterbox.from_size(image.shape[0], image.shape[1], size)
    if (box.source_height, box.source_width) == (size, size):
        return image.copy()
    fitted = Image.fromarray(image).resize((box.width, box.height), resample=Image.Resampling.BILINEAR)
    padded = np.zeros((size, size, 3), dtype=np.uint8)
    padded[box.top : box.top + box.height, box.left : box.left + box.width] = np.asarray(fitted)
    return padded


def _overlap(edges: NDArray[np.float64], start: float, stop: float) -> NDArray[np.float64]:
    """Length of each interval [edges[i], edges[i + 1]] inside [start, stop]."""
    length: NDArray[np.float64] = np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start)
    return length.clip(min=0.0)


class _Extent(NamedTuple):
    """Where an object lies along one side, in raw pixels and in those of the fitted picture."""

    raw: slice
    fitted: slice


def _stretches_of(is_covered: NDArray[np.bool_], n_fitted: int) -> tuple[_Extent, NDArray[np.float64]]:
    """The stretch of one side that an object covers, and the means over it, as a matrix [fitted, raw]."""
    covered = np.flatnonzero(is_covered)
    raw = slice(int(covered[0]), int(covered[-1]) + 1)
    means = means_over(len(is_covered), n_fitted)
    touched = np.flatnonzero(means[:, raw].any(axis=1))
    fitted = slice(int(touched[0]), int(touched[-1]) + 1)
    return _Extent(raw, fitted), means[fitted, raw]


@lru_cache(maxsize=16)
def means_over(n_raw: int, n_fitted: int) -> NDArray[np.float64]:
    """[n_fitted, n_raw]: means over equal stretches of raw pixels, each pixel counted by its part in the stretch."""
    pixels = np.arange(n_raw + 1, dtype=np.float64)
    edges = np.arange(n_fitted + 1) * (n_raw / n_fitted)
    inside = [_overlap(pixels, start, stop) for start, stop in pairwise(edges)]
    return np.stack(inside) * (n_fitted / n_raw)
