"""What a process has started, and whether it is still there."""

from __future__ import annotations

from pathlib import Path


def descendants(pid: int) -> list[tuple[int, str]]:
    """(pid, start time) of the processes that ``pid`` and those it started did start: a pid alone could be taken again."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    here = [(child, born) for child in found if (born := _born(child)) is not None]
    return here + [one for child, _ in here for one in descendants(child)]


def is_alive(process: tuple[int, str]) -> bool:
    pid, born = process
    return _born(pid) == born


def _born(pid: int) -> str | None:
    """The start time of a process that is neither gone nor a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
