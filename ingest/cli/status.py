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
    plan, runs = folder.read(folder.run_unit, "units"), folder.read(folder.run_unit, "runs")
    if plan is None or runs is None:
        print(f"run {run_id}: its plan is missing; run the study again", file=sys.stderr)
        return 1
    manifests = [folder.manifest(row["unit"]) for row in plan.to_pylist()]
    statuses = [_status(manifest) for manifest in manifests]
    counts = Counter(statuses)
    parts = " + ".join(f"{counts[status]} {status}" for status in _STATUSES if counts[status])
    print(f"run {run_id} ({printable(runs['study'][0].as_py())}): {len(statuses)} planned = {parts}")
    reasons = Counter(
        (status, str(manifest["reason"]))
        for status, manifest in zip(statuses, manifests, strict=True)
        if manifest is not None and status != "done"
    )
    for (status, reason), count in sorted(reasons.items()):
        print(f"  {status}: {count} units, {printable(reason)}")
    damaged = (
        [str(path) for unit in folder.units() for path in folder.damaged_files(unit, verify=True)]
        if verify
        else []
    )
    for path in damaged:
        print(f"  damaged: {path}; delete the unit's folder and run the study again")
    return 0 if counts["done"] == len(statuses) and not damaged else 1


def _status(manifest: dict[str, Any] | None) -> str:
    return "pending" if manifest is None else str(manifest["status"])
