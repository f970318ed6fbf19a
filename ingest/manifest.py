"""A unit's ``unit.json``: what the unit is, how it ended, and which files with how many rows belong to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingest.identity import canonical_json, hex_digest

MANIFEST = "unit.json"


def read_manifest(folder: Path, run_id: str, unit: str) -> dict[str, Any] | None:
    """The manifest in a unit's folder, or None where there is none that can be read and is this unit's own.

    A folder that was copied or renamed has the manifest of another unit, which vouches for nothing here.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    is_own = isinstance(content, dict) and (content.get("run_id"), content.get("unit")) == (run_id, unit)
    return content if is_own and _is_whole(content) else None


def hash_of(manifest: dict[str, Any]) -> str:
    """64 hex digits; the same for units that ended the same way with the same files, timings apart."""
    return hex_digest(canonical_json(manifest), length=64)


def _is_whole(content: dict[str, Any]) -> bool:
    tables = content.get("tables")
    counts = [content.get(name) for name in ("n_inferences", "n_planned")]
    return (
        isinstance(content.get("status"), str)
        and isinstance(content.get("reason"), str | None)
        and all(isinstance(count, int | None) for count in counts)
        and isinstance(tables, dict)
        and all(name.isidentifier() and _are_facts(facts) for name, facts in tables.items())
    )


def _are_facts(facts: Any) -> bool:
    return (
        isinstance(facts, dict)
        and isinstance(facts.get("rows"), int)
        and isinstance(facts.get("blake2b"), str | None)
    )
