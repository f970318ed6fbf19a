"""Rows of charts as columns, so that a page stays small: names once, repeated texts once, digits that a chart can show.

`assets/charts.js` unpacks them. A dataset becomes `{"columns": {name: values}}`; a column of texts may be
`{"of": distinct texts, "at": their places}`, and one of a single value `{"all": value, "n": number of rows}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

DIGITS = 7  # significant: more than a chart can show, so that what it says is what the mart holds


def packed_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A specification with its datasets packed."""
    return {**spec, "datasets": {name: packed(rows) for name, rows in spec.get("datasets", {}).items()}}


def packed_variants(specs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Packed specifications of charts that share a place; one that differs from an earlier one in its data alone is
    `{"as": its number, "datasets": ...}`."""
    found: list[dict[str, Any]] = []
    known: list[tuple[int, dict[str, Any]]] = []
    for i, spec in enumerate(specs):
        drawn = {name: part for name, part in spec.items() if name != "datasets"}
        same = next((number for number, other in known if other == drawn), None)
        if same is None:
            known.append((i, drawn))
            found.append(packed_spec(spec))
        else:
            found.append({"as": same, "datasets": packed_spec(spec)["datasets"]})
    return found


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Columns of some rows; what a row lacks is null."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": {name: column([row.get(name) for row in rows]) for name in names}}


def column(values: list[Any]) -> Any:
    """Values of a column: floats rounded, texts by their place among the distinct ones, a single value once."""
    if len(values) > 1 and all(
        v is not None and type(v) is type(values[0]) and v == values[0] for v in values
    ):
        return {"all": rounded(values[0]), "n": len(values)}
    texts = list(dict.fromkeys(v for v in values if isinstance(v, str)))
    if texts and 2 * len(texts) <= len(values):
        places = {text: i for i, text in enumerate(texts)}
        return {"of": texts, "at": [None if v is None else places[v] for v in values]}
    return [rounded(v) for v in values]


def rounded(value: Any) -> Any:
    """A float to its first digits; whole ones without a point."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short
