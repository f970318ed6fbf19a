"""Conditions whose place was an object's mask: after new masks their effects are those of the old place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from ingest.issues import Issues
from ingest.schema import arrow_schema
from ingest.study_conditions import ConditionSection

OBJECT = "object:"


def placed_by_objects(section: ConditionSection) -> dict[str, tuple[str, ...]]:
    """Condition group -> the names in it that cover, or cut attention at, an object; groups without any are left out."""
    regions = section.occlusion.regions if section.occlusion is not None else []
    found = {
        "occlusion": tuple(one.name for one in regions if one.object is not None),
        "knockout": tuple(
            one.name
            for one in section.knockout
            if one.keys.startswith(OBJECT) or one.queries.startswith(OBJECT)
        ),
    }
    return {group: names for group, names in found.items() if names}


def told(placed: Mapping[str, Sequence[str]]) -> str:
    """Such as "occlusion of 'target', knockout of 'words-to-target'"."""
    parts = (f"{group} of {', '.join(map(repr, names))}" for group, names in placed.items())
    return ", ".join(parts)


def with_issue_of_old_masks(
    stored: pa.Table | None, run_id: str, unit: str, episode_id: str, names: Sequence[str]
) -> pa.Table:
    """The unit's stored issues and one that says which of its conditions ran with other masks; said once."""
    issues = Issues(unit, episode_id)
    detail = (
        f"masks changed after {', '.join(map(repr, names))} ran: what was covered or cut is where the object was then; "
        "run the study again with `python -m ingest run --fresh`"
    )
    issues.add("measure", episode_id, "stale_conditions", detail, is_loss=False)
    rows = [] if stored is None else stored.to_pylist()
    new = [{"run_id": run_id, **row} for row in issues.rows]
    return pa.Table.from_pylist(rows + [row for row in new if row not in rows], schema=arrow_schema("issues"))
