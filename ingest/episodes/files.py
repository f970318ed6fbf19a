"""Reading small files of a data set that is not trusted: nothing outside the root, nothing oversized."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ingest.errors import DataError

TEXT_LIMIT = 64 * 1024
JSON_LIMIT = 64 * 1024 * 1024
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def subject(root: Path, path: Path) -> str:
    """How a file is named in messages and `issues`: relative to the root, with slashes."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def inside(root: Path, path: Path) -> Path:
    """`path`, unless links lead it out of `root`.

    Raises:
        DataError: reason 'outside_root', or 'unreadable_file' for links that lead in a circle.
    """
    try:
        is_inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle, before Python 3.13
        raise DataError(
            f"{subject(root, path)} cannot be followed ({error}); put the file itself in the place of the link",
            subject=subject(root, path),
            reason="unreadable_file",
        ) from error
    if not is_inside:
        raise DataError(
            f"{subject(root, path)} leads outside of {root}; copy the file into the data set",
            subject=subject(root, path),
            reason="outside_root",
        )
    return path


def named_in_data(root: Path, folder: Path, name: str, *, named_by: Path) -> Path:
    """The file that a data file calls `name`, relative to `folder`.

    Raises:
        DataError: reason 'unsafe_path' (absolute, '..', NUL, backslash) or 'outside_root' (by a link).
    """
    parts = PurePosixPath(name).parts
    absolute = name.startswith("/") or bool(PureWindowsPath(name).drive)
    if absolute or ".." in parts or "\x00" in name or "\\" in name or not parts:
        raise DataError(
            f"{subject(root, named_by)} names the file {name!r}; "
            f"expected a path relative to {subject(root, folder)} without '..'",
            subject=subject(root, named_by),
            reason="unsafe_path",
        )
    return inside(root, folder / name)


def read_bytes(root: Path, path: Path, limit: int) -> bytes:
    """Raises DataError: 'missing_file', 'unreadable_file', 'oversized_file' or 'outside_root'."""
    name = subject(root, path)
    try:
        with inside(root, path).open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise DataError(
            f"{name} does not exist; restore it or take the episode out of the tree",
            subject=name,
            reason="missing_file",
        ) from error
    except OSError as error:
        raise DataError(
            f"{name} cannot be read ({error.strerror or error}); check the file and its permissions",
            subject=name,
            reason="unreadable_file",
        ) from error
    if len(data) > limit:
        raise DataError(
            f"{name} is larger than {limit} bytes; this does not look like what it should hold",
            subject=name,
            reason="oversized_file",
        )
    return data


def read_text(root: Path, path: Path) -> str:
    """UTF-8 text, stripped of outer white space and otherwise as it stands: it is data, escaped where shown.

    Raises:
        DataError: also 'invalid_text' for bytes that are not UTF-8 or hold a NUL.
    """
    data = read_bytes(root, path, TEXT_LIMIT)
    name = subject(root, path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8", subject=name, reason="invalid_text"
        ) from error
    if "\x00" in text:
        raise DataError(
            f"{name} holds a NUL character; save it as plain UTF-8 text", subject=name, reason="invalid_text"
        )
    return text.strip()


def read_json(root: Path, path: Path) -> Any:
    """Strict JSON: no NaN, no Infinity, no half of a surrogate pair. Raises DataError: also 'invalid_json'."""
    data = read_bytes(root, path, JSON_LIMIT)
    name = subject(root, path)
    try:
        content = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
        if _SURROGATE.search(data):  # whole pairs have become one character by now
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name} is not valid JSON ({error}); write it again", subject=name, reason="invalid_json"
        ) from error


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
