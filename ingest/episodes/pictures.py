"""Decoding frames strictly: a truncated JPEG is refused, not shown half grey."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.episodes.files import inside, read_bytes, subject
from ingest.errors import DataError

PICTURE_LIMIT = 64 * 1024 * 1024
_START, _END = b"\xff\xd8", b"\xff\xd9"
# What opening and decoding raise on broken or absurdly large pictures.
DECODING_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_jpeg(root: Path, path: Path) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] RGB as stored; an EXIF orientation is not applied.

    Pillow rather than OpenCV: OpenCV 4 fills what a truncated file lacks with grey and says nothing. The marker is
    looked for as well, since Pillow does the same once any library sets LOAD_TRUNCATED_IMAGES.

    Raises:
        DataError: 'missing_file', 'truncated_jpeg', 'invalid_jpeg' or 'outside_root'.
    """
    data = read_bytes(root, path, PICTURE_LIMIT)
    if not data.startswith(_START):
        raise _broken(root, path, "invalid_jpeg", "does not start like a JPEG")
    if _END not in data:
        raise _broken(
            root, path, "truncated_jpeg", f"ends after {len(data)} bytes without the end-of-image marker"
        )
    try:
        with opened(io.BytesIO(data), "JPEG") as image:
            return np.asarray(image.convert("RGB"))
    except DECODING_ERRORS as error:
        reason = "truncated_jpeg" if "truncated" in str(error) else "invalid_jpeg"
        raise _broken(root, path, reason, f"does not decode ({error})") from error


def jpeg_size(root: Path, path: Path) -> tuple[int, int]:
    """(height, width) in pixels from the header alone. Raises DataError as `read_jpeg`."""
    try:
        with opened(inside(root, path), "JPEG") as image:
            return image.height, image.width
    except FileNotFoundError as error:
        raise DataError(
            f"{subject(root, path)} does not exist", subject=subject(root, path), reason="missing_file"
        ) from error
    except DECODING_ERRORS as error:
        raise _broken(root, path, "invalid_jpeg", f"has no readable header ({error})") from error


@contextmanager
def opened(file: Path | io.BytesIO, form: str) -> Iterator[Image.Image]:
    """A picture of that format; one of more pixels than Pillow thinks safe is an error and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=[form]) as image:
            yield image


def _broken(root: Path, path: Path, reason: str, found: str) -> DataError:
    name = subject(root, path)
    return DataError(f"{name} {found}; copy the frame again from its source", subject=name, reason=reason)
