"""The example in the first lines of a query, cell by cell, and whether a value is what the example shows.

Its form: ``For example, of the demo: column value, column value; column value, ... (2 of 7 rows).`` A value with a comma
stands in quotation marks; three dots at its end stand for the rest of it; ``run_id`` is never shown.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

NOT_SHOWN = "run_id"
NO_ROW = "The demo has no row"
_OF_DEMO = "of the demo"
_COMMENT = re.compile(r"\A(?:--[^\n]*\n)+")
_EXAMPLE = re.compile(
    r"For example, (?P<of>.*?): (?P<cells>.*?)(?: \((?P<n>\d+) of (?P<total>\d+) rows?\))?\.$"
)
_CELL = re.compile(r"(?P<column>\w+) (?P<value>'[^']*'|\[[^\]]*\]|[^,;]+)(?P<end>, |; |$)")


class Cell(NamedTuple):
    """A column's value in the example, as written, and the line of the file where it begins."""

    column: str
    value: str
    line: int


class Example(NamedTuple):
    """``total`` rows of the result, where the example says so; ``rows`` are its first."""

    line: int
    is_of_demo: bool
    rows: list[list[Cell]]
    n: int | None
    total: int | None


def read_example(text: str) -> Example | None:
    """Of a query's text; None where it has none. Raises ValueError for one that is not of the form above."""
    comment = _Joined(text)
    if "For example, " not in comment.text:
        return None
    found = _EXAMPLE.search(comment.text)
    if found is None:
        raise ValueError(
            "the example is not of the form 'For example, of ...: column value, ... (1 of 7 rows).'"
        )
    rows: list[list[Cell]] = [[]]
    at, end = found.span("cells")
    while at < end:
        cell = _CELL.match(comment.text, at, end)
        if cell is None:
            raise ValueError(f"expected a column and its value, found {comment.text[at : at + 40]!r}")
        rows[-1].append(Cell(cell["column"], cell["value"], comment.line(at)))
        if cell["end"] == "; ":
            rows.append([])
        at = cell.end()
    n, total = (int(found[name]) if found[name] else None for name in ("n", "total"))
    return Example(comment.line(found.start()), found["of"] == _OF_DEMO, rows, n, total)


def line_of(text: str, words: str) -> int | None:
    """The line on which ``words`` begin in a query's first comment; None where it does not have them."""
    comment = _Joined(text)
    at = comment.text.find(words)
    return None if at < 0 else comment.line(at)


def written(columns: Sequence[str], rows: Sequence[Sequence[object]], n: int = 1) -> str:
    """The example that the first ``n`` rows make."""
    shown = [
        ", ".join(
            f"{name} {shown_value(value)}"
            for name, value in zip(columns, row, strict=True)
            if name != NOT_SHOWN
        )
        for row in rows[:n]
    ]
    return f"For example, {_OF_DEMO}: {'; '.join(shown)} ({len(shown)} of {len(rows)} rows)."


def shown_value(value: object) -> str:
    """As an example writes it: four digits of a number, or as many as it takes to be right about it."""
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(shown_value, value))}]"
    if isinstance(value, (float, Decimal)):
        short = f"{value:.4g}"
        return short if agrees(short, value) else f"{value:.3f}"
    text = str(value)
    return f"'{text}'" if isinstance(value, str) and re.search("[,;]", text) else text


def agrees(expected: str, found: object) -> bool:
    """Whether a result's value is the one shown: a number with decimals up to these, any other value exactly."""
    if found is None:
        return expected == "null"
    if isinstance(found, bool):
        return expected.lower() == str(found).lower()
    if isinstance(found, (list, tuple)):
        parts = expected[1:-1].split(", ")
        return (
            expected.startswith("[")
            and len(parts) == len(found)
            and all(agrees(part, one) for part, one in zip(parts, found, strict=True))
        )
    if isinstance(found, (int, float, Decimal)):
        return _is_number(expected, found)
    text = expected[1:-1] if expected.startswith("'") else expected
    return str(found) == text or (text.endswith("...") and str(found).startswith(text[:-3]))


def _is_number(expected: str, found: float | Decimal) -> bool:
    try:
        number = Decimal(expected)
    except InvalidOperation:
        return False
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not math.isfinite(found):
        return False
    if exponent >= 0:
        return found == number
    half = Decimal("5.00001").scaleb(exponent - 1)  # and what binary fractions add to a half
    return abs(Decimal(found) - number) <= half


class _Joined:
    """The first comment as one line, which remembers where its lines began."""

    def __init__(self, text: str) -> None:
        found = _COMMENT.match(text)
        lines = [line.removeprefix("--").strip() for line in found[0].splitlines()] if found else []
        self.text = " ".join(lines)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def line(self, at: int) -> int:
        return bisect_right(self._starts, at)
