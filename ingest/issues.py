"""What goes wrong in a unit: a row in ``issues`` and a line for the user, always both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Issues:
    """The issues of one unit. ``has_losses`` is set by those that cost rows; others are only worth knowing."""

    unit: str
    episode_id: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    has_losses: bool = False

    def add(self, stage: str, subject: str, reason: str, detail: str, *, is_loss: bool) -> None:
        self.rows.append(
            {
                "unit": self.unit,
                "episode_id": self.episode_id,
                "stage": stage,
                "subject": subject,
                "reason": reason,
                "detail": detail,
            }
        )
        self.has_losses = self.has_losses or is_loss

    def repeat(self, other: Issues) -> None:
        """The issues of ``other``, as issues of this unit."""
        self.rows += [{**row, "unit": self.unit} for row in other.rows]
        self.has_losses = self.has_losses or other.has_losses

    def lines(self) -> tuple[str, ...]:
        """One line an issue, without control characters: details quote data."""
        return tuple(printable(f"{row['reason']}: {row['detail']}") for row in self.rows)


def printable(text: str) -> str:
    """``text`` on one line, control and direction marks shown as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
