"""What a page is made of: sections that hold figures, tables and notes. Templates turn them into HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.marts.warehouse import Result, Row
from reports.words import number


@dataclass(frozen=True)
class Column:
    """A table column: which field, its heading, how it reads."""

    key: str
    label: str
    show: Callable[[Any], str] = number
    is_number: bool = True
    hint: str = ""


def text_column(key: str, label: str, hint: str = "") -> Column:
    """A column of text."""
    return Column(
        key, label, show=lambda value: "" if value is None else str(value), is_number=False, hint=hint
    )


@dataclass(frozen=True)
class Table:
    """Rows to show; `filters` are columns that get a choice box, with the value chosen at first ('' = all)."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    filters: dict[str, str] = field(default_factory=dict)
    caption: str = ""
    link: str = ""  # column whose text links to the row's 'href'

    def choices(self, key: str) -> list[str]:
        """Values of a filter column as shown."""
        column = next(c for c in self.columns if c.key == key)
        return list(dict.fromkeys(column.show(row[key]) for row in self.rows))


@dataclass(frozen=True)
class Figure:
    """A chart with its words: a title that says what it shows, how to read it, a text alternative, its numbers and query."""

    title: str
    spec: dict[str, Any]
    reading: str
    alt: str
    table: Table
    sources: Sequence[Result]
    wide: bool = False


@dataclass(frozen=True)
class Variant:
    """One of the charts that share a place: its name in the choice, its chart, its words."""

    label: str
    spec: dict[str, Any]
    reading: str
    alt: str


@dataclass(frozen=True)
class Switch:
    """Charts that share a place, one shown at a time, with one table behind them; `rows` are data that all of them draw."""

    title: str
    choice: str  # what is chosen: 'measure', 'layer'
    variants: Sequence[Variant]
    table: Table
    sources: Sequence[Result]
    rows: Sequence[Row] = ()
    first: int = 0
    note: str = ""  # what holds for all of them
    wide: bool = False


@dataclass(frozen=True)
class Missing:
    """Something the study did not measure: why, and the command that would fill it."""

    title: str
    why: str
    command: str = ""


@dataclass(frozen=True)
class TableBlock:
    """A table that stands on its own."""

    title: str
    table: Table
    sources: Sequence[Result]
    note: str = ""


@dataclass(frozen=True)
class Criterion:
    """One of the seed's criteria: met (True), missed (False) or not decidable (None)."""

    text: str
    found: str
    met: bool | None


@dataclass(frozen=True)
class Checklist:
    """The seed's criteria, ticked or not."""

    title: str
    criteria: Sequence[Criterion]
    sources: Sequence[Result]
    note: str = ""


Block = Figure | Switch | Missing | TableBlock | Checklist


@dataclass(frozen=True)
class Section:
    """A heading, sentences and blocks."""

    id: str
    title: str
    words: Sequence[str]
    blocks: Sequence[Block]
