"""``python -m ingest check``: everything that can be known before a long run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
import yaml

from ingest.cli import options
from ingest.issues import printable


def command(
    study: options.StudyFile = options.DEFAULT_STUDY,
    lake: options.Lake = options.DEFAULT_LAKE,
    limit: options.Limit = None,
    layers: options.Layers = None,
    device: options.Device = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    workers: options.Workers = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Also print the plan with counts and rows.")
    ] = False,
) -> int:
    """Check study, episodes, masks, disk space and the model's geometry; print the resolved study."""
    from ingest.check import check

    chosen = options.study_from(
        study, limit=limit, layers=layers, device=device, seed=seed, batch_size=batch_size, workers=workers
    )
    print(yaml.safe_dump(chosen.resolved(), sort_keys=False, allow_unicode=True).rstrip())
    found = check(chosen, lake)
    print(f"\nrun {found.run_id}: {found.n_units} units, {found.n_inferences} inferences planned")
    if dry_run:
        for group, (units, inferences) in found.groups.items():
            print(f"  {group}: {units} units, {inferences} inferences")
        for table, rows in found.rows.items():
            print(f"  raw.{table}: about {rows} rows")
        print(
            f"  disk: about {found.n_bytes / 1e6:.0f} MB needed, {found.free_bytes / 1e6:.0f} MB free in {lake}"
        )
    for warning in found.warnings:
        print(f"warning: {printable(warning)}", file=sys.stderr)
    for problem in found.problems:
        print(f"problem: {printable(problem)}", file=sys.stderr)
    if found.problems:
        print(f"{len(found.problems)} problems; the run would end with exit code 1", file=sys.stderr)
    return 1 if found.problems else 0
