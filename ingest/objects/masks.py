"""Reading mask files strictly: plain numbers, two dimensions, the size of the raw picture, never a pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.files import subject
from ingest.episodes.pictures import DECODING_ERRORS, opened
from ingest.errors import DataError

_NPY_MAGIC = b"\x93NUMPY"
_PICKLE_MAGIC = b"\x80"  # protocol 2 and later


def read_npy_mask(root: Path, path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    """bool [H, W] of an npy file with a 2-D array of numbers; nonzero is object. `path` was checked by the caller.

    Raises:
        DataError: 'missing_mask', 'pickled_mask', 'invalid_mask' or 'wrong_mask_size'.
    """
    name = subject(root, path)
    try:
        with path.open("rb") as file:
            magic = file.read(len(_NPY_MAGIC))
        if magic.startswith(_PICKLE_MAGIC):
            raise _pickled(name)
        if magic != _NPY_MAGIC:
            raise _refused(name, "invalid_mask", "is not an .npy file")
        # Mapped, so that a header which claims a huge array costs nothing.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise _refused(name, "missing_mask", "does not exist") from error
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise _pickled(name) from error
        raise _refused(name, "invalid_mask", f"is no readable array ({error})") from error
    if array.ndim != 2 or array.dtype.kind not in "buif":
        raise _refused(
            name, "invalid_mask", f"is {array.dtype} {list(array.shape)}, not a 2-D array of numbers"
        )
    _check_size(name, (array.shape[0], array.shape[1]), size)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise _refused(name, "invalid_mask", "holds NaN or infinity")
    return np.asarray(array != 0)


def read_label_map(root: Path, path: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """int64 [H, W] labels of a one-channel PNG (grey of 8 or 16 bits, or palette indices).

    Raises:
        DataError: 'missing_mask', 'invalid_mask' or 'wrong_mask_size'.
    """
    name = subject(root, path)
    try:
        with opened(path, "PNG") as image:
            _check_size(name, (image.height, image.width), size)
            if len(image.getbands()) != 1:
                raise _refused(
                    name, "invalid_mask", f"has the channels {image.mode}, not one channel of labels"
                )
            return np.asarray(image).astype(np.int64)
    except FileNotFoundError as error:
        raise _refused(name, "missing_mask", "does not exist") from error
    except DECODING_ERRORS as error:
        raise _refused(name, "invalid_mask", f"is no readable PNG ({error})") from error


def _check_size(name: str, found: tuple[int, int], expected: tuple[int, int]) -> None:
    if found != expected:
        raise DataError(
            f"{name} is {found[0]}x{found[1]} but the picture is {expected[0]}x{expected[1]} (height x width); "
            "masks are drawn on the raw picture: write it again at that size",
            subject=name,
            reason="wrong_mask_size",
        )


def _pickled(name: str) -> DataError:
    return _refused(
        name, "pickled_mask", "is a pickle, which could run code when it is loaded, and is not opened"
    )


def _refused(name: str, reason: str, found: str) -> DataError:
    return DataError(
        f"{name} {found}; save the mask with numpy.save as a 2-D array of the picture's size, or as a label-map PNG",
        subject=name,
        reason=reason,
    )
