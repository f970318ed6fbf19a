"""What came of a build, and how one page's failure is kept from the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reports.marts.warehouse import Result


@dataclass
class Report:
    """What came of a build."""

    summary: str = ""
    failures: list[str] = field(default_factory=list)
    sources: list[Result] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    """Pages of sections and stems of episodes' pages that were drawn in this build; the others were taken over."""


@contextmanager
def guarded(report: Report, what: str) -> Iterator[None]:
    """One page's failure is a line of the report, not the end of the build."""
    try:
        yield
    except Exception as error:  # whatever it is, the other pages are worth having
        first = (str(error).strip().splitlines() or [""])[0]
        report.failures.append(f"{what}: {type(error).__name__}: {first}")
