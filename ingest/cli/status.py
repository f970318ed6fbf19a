"""``python -m ingest status``: what is planned, done, failed and skipped, and why."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.cli import options
from ingest.errors import UserError
from ingest.issues import printable
from ingest.lake import RunFolder, run_ids

_STATUSES = ("done", "partial", "failed", "skipped", "pending")


def command(
    lake: options.Lake = options.DEFAULT_LAKE,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also compare every file with its checksum.")
    ] = False,
) -> int:
    """Show how every run in the lake stands."""
    found = run_ids(lake)
    if not found:
        raise UserError(
            f"{lake}: no run in the lake; run `python -m ingest` first, or name another with --lake"
        )
    codes = [_show(lake, run_id, verify) for run_id in found]
    return max(codes)


def _show(lake: Path, run_id: str, verify: bool) -> int:
    folder = RunFolder(lake, run_id)
    has_plan = folder.manifest(folder.run_unit) is not None
    plan, runs = folder.read(folder.run_unit, "units"), folder.read(folder.run_unit, "runs")
    if not has_plan or plan is None or runs is None:
        print(f"run {printable(run_id)}: its plan is missing; run the study again", file=sys.stderr)
        return 1
    units = [row["unit"] for row in plan.to_pylist()]
    manifests = [folder.manifest(unit) for unit in units]
    damaged = {
        unit: folder.damaged_files(unit, verify=verify)
        for unit, manifest in zip([folder.run_unit, *units], [{}, *manifests], strict=True)
        if manifest is not None
    }
    statuses = [_status(manifest, damaged.get(unit)) for unit, manifest in zip(units, manifests, strict=True)]
    counts = Counter(statuses)
    parts = " + ".join(f"{counts[status]} {status}" for status in sorted(counts, key=_order))
    print(
        f"run {printable(run_id)} ({printable(runs['study'][0].as_py())}): {len(statuses)} planned = {parts}"
    )
    reasons = Counter(
        (status, str(manifest["reason"]))
        for status, manifest in zip(statuses, manifests, strict=True)
        if manifest is not None and status not in ("done", "pending")
    )
    for (status, reason), count in sorted(reasons.items()):
        print(f"  {status}: {count} units, {printable(reason)}")
    paths = [path for of_unit in damaged.values() for path in of_unit]
    for path in paths:
        print(f"  damaged: {printable(str(path))}; delete the unit's folder and run the study again")
    return 0 if counts["done"] == len(statuses) and not paths else 1


def _status(manifest: dict[str, Any] | None, damaged: list[Path] | None) -> str:
    """How a unit stands; one that has lost a file is still to be done."""
    return "pending" if manifest is None or damaged else str(manifest["status"])


def _order(status: str) -> int:
    return _STATUSES.index(status) if status in _STATUSES else len(_STATUSES)
