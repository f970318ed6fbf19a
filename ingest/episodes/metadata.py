"""`episode.json`, our optional addition to a DROID episode: what it is about and how it ended."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest.episodes.base import Outcome, Problem
from ingest.episodes.files import read_json, subject
from ingest.errors import DataError

METADATA = "episode.json"
_LARGEST_INDEX = 2**31 - 1
TEXTS = ("target", "scenario", "outcome", "failure_kind", "failure_family", "task", "suite", "instruction")


def read_metadata(root: Path, episode: Path, outcome: Outcome) -> tuple[Mapping[str, Any], list[Problem]]:
    """The file's JSON object, empty without a file, and where it contradicts the tree (which is believed).

    Keys of `TEXTS` hold text or null and `task_index` a whole number or null; others are kept as they are.

    Raises:
        DataError: 'invalid_json' or 'invalid_metadata'.
    """
    path = episode / METADATA
    if not os.path.lexists(path):  # a link that leads nowhere is a mistake, not the lack of a file
        return {}, []
    name = subject(root, path)
    metadata = read_json(root, path)
    if not isinstance(metadata, dict):
        raise _invalid(
            name, f'is a {type(metadata).__name__}; expected an object such as {{"target": "duck"}}'
        )
    for key in TEXTS:
        if not isinstance(metadata.get(key), str | None):
            raise _invalid(name, f"has {key} = {reprlib.repr(metadata[key])}; expected text or null")
    index = metadata.get("task_index")
    if index is not None and (type(index) is not int or abs(index) > _LARGEST_INDEX):
        raise _invalid(
            name,
            f"has task_index = {reprlib.repr(index)}; expected a whole number up to {_LARGEST_INDEX} or null",
        )
    return metadata, _contradictions(name, metadata, outcome)


def _contradictions(name: str, metadata: Mapping[str, Any], outcome: Outcome) -> list[Problem]:
    problems = []
    said = metadata.get("outcome")
    if said is not None and said != outcome:
        detail = f"outcome is {said!r} but the episode lies under {outcome}/, which is believed"
        problems.append(Problem(name, "contradicting_outcome", detail))
    kind = metadata.get("failure_kind")
    if kind is not None and outcome == "success":
        detail = f"failure_kind is {kind!r} but the episode lies under success/; it is not used"
        problems.append(Problem(name, "contradicting_outcome", detail))
    return problems


def _invalid(name: str, found: str) -> DataError:
    return DataError(f"{name} {found}; mend or delete the file", subject=name, reason="invalid_metadata")
