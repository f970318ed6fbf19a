"""``python -m ingest run``: the policy over the study's frames, into the lake."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.cli import options
from ingest.preload import preload
from ingest.warehouse import load
from ingest.warehouse_file import check_replaceable, holds_marts

if TYPE_CHECKING:
    from ingest.run import RunSummary


def command(
    study: options.StudyFile = options.DEFAULT_STUDY,
    lake: options.Lake = options.DEFAULT_LAKE,
    warehouse: options.Warehouse = options.DEFAULT_WAREHOUSE,
    limit: options.Limit = None,
    layers: options.Layers = None,
    device: options.Device = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    workers: options.Workers = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh/--resume", help="Drop what the lake has of this run first, or go on from it."),
    ] = False,
    load_after: Annotated[
        bool,
        typer.Option(
            "--load/--no-load", help="Rebuild the raw tables afterwards, of a warehouse without marts."
        ),
    ] = True,
) -> int:
    """Run the study (what is missing of it), then rebuild the raw tables; a warehouse with marts waits for publish."""
    chosen = options.study_from(
        study, limit=limit, layers=layers, device=device, seed=seed, batch_size=batch_size, workers=workers
    )
    if load_after:
        check_replaceable(warehouse)
    preload(chosen)
    from ingest.progress import Progress
    from ingest.run import run

    summary = run(chosen, lake, fresh=fresh, progress=Progress())
    _report(summary, chosen.study)
    is_loaded = load_after and _load(lake, warehouse, has_new=bool(summary.results))
    if not summary.is_complete:
        flags = options.flags(lake, warehouse)
        where = (
            f"raw.issues of {warehouse}"
            if is_loaded
            else f"raw.issues after `python -m ingest publish{flags}`"
        )
        print(
            f"what went wrong is in {where}, and counted by `python -m ingest status{options.flags(lake)}`; "
            "the same command tries it again",
            file=sys.stderr,
        )
    return 0 if summary.is_complete else 1


def _load(lake: Path, warehouse: Path, *, has_new: bool) -> bool:
    """Not over marts, which a load would take away: whoever asks them meanwhile would find none."""
    publish = f"`python -m ingest publish{options.flags(lake, warehouse)}`"
    if holds_marts(warehouse):
        if has_new:
            print(f"{warehouse} holds marts and was left as it is; {publish} adds what is new")
        return False
    counts = load(lake, warehouse)
    print(
        f"load: {warehouse}: {counts['inferences']} inferences, {sum(counts.values())} rows in schema raw; marts and "
        f"pages need {publish}"
    )
    return True


def _report(summary: RunSummary, study: str) -> None:
    if not summary.results:
        print(f"run {summary.run_id} ({study}): nothing to do, all {summary.n_planned} units are in the lake")
        return
    counts = Counter(result.status for result in summary.results)
    parts = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    inferences = sum(result.n_inferences for result in summary.results)
    before = f", {summary.n_already_done} were in the lake before" if summary.n_already_done else ""
    print(
        f"run {summary.run_id} ({study}): {parts} of {summary.n_planned} units{before}; {inferences} inferences"
    )
