"""`episode.json`, our optional addition to a DROID episode: what it is about and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest.episodes.base import Outcome, Problem
from ingest.episodes.files import read_json, subject
from ingest.errors import DataError

METADATA = "episode.json"
TEXTS = ("target", "scenario", "outcome", "failure_kind", "failure_family", "task", "suite", "instruction")


def read_metadata(root: Path, episode: Path, outcome: Outcome) -> tuple[Mapping[str, Any], list[Problem]]:
    """The file's JSON object, empty without a file, and where it contradicts the tree (which is believed).

    Keys of `TEXTS` hold text or null and `task_index` a whole number or null; others are kept as they are.

    Raises:
        DataError: 'invalid_json' or 'invalid_metadata'.
    """
    path = episode / METADATA
    if not path.exists():
        return {}, []
    name = subject(root, path)
    metadata = read_json(root, path)
    if not isinstance(metadata, dict):
        raise _invalid(
            name, f'is a {type(metadata).__name__}; expected an object such as {{"target": "duck"}}'
        )
    for key in TEXTS:
        if not isinstance(metadata.get(key), str | None):
            raise _invalid(name, f"has {key} = {metadata[key]!r}; expected text or null")
    if type(metadata.get("task_index")) not in (int, type(None)):
        raise _invalid(name, f"has task_index = {metadata['task_index']!r}; expected a whole number or null")
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
