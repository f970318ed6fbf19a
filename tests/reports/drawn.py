"""What the charts of a page hold, read from the page."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def listed(values: Any) -> list[Any]:
    """A column's values, however they are packed."""
    if isinstance(values, list):
        return values
    if "all" in values:
        return [values["all"]] * values["n"]
    return [None if i is None else values["of"][i] for i in values["at"]]


def unpacked(packed: dict[str, Any]) -> Rows:
    """Rows of a dataset that a page holds as columns."""
    columns = {name: listed(values) for name, values in packed["columns"].items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def specs(path: Path) -> dict[str, dict[str, Any]]:
    """Chart specifications by the title of their figure; of charts that share a place, the first."""
    text = path.read_text(encoding="utf-8")
    pattern = r"<figure.*?<bdi>(.*?)</bdi>.*?<script type=\"application/json\"[^>]*>(.*?)</script>"
    found = {}
    for title, script in re.findall(pattern, text, re.DOTALL):
        spec = json.loads(script)
        found[unescape(title)] = {
            **spec,
            "datasets": {k: unpacked(v) for k, v in spec["datasets"].items()},
        }
    return found


def shared_rows(path: Path, title: str) -> Rows:
    """Rows that the charts of one place share."""
    text = path.read_text(encoding="utf-8")
    figure = next(f for f in text.split("<figure")[1:] if f"<bdi>{title}</bdi>" in unescape(f))
    script = re.search(r'id="[^"]*-rows">(.*?)</script>', figure, re.DOTALL)
    assert script is not None
    return unpacked(json.loads(script[1]))
