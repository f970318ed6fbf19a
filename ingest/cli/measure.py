"""``python -m ingest measure``: the metrics again, from stored maps, without the model."""

from __future__ import annotations

import sys
from typing import Any

from ingest.cli import options


def command(
    study: options.StudyFile = options.DEFAULT_STUDY,
    lake: options.Lake = options.DEFAULT_LAKE,
    limit: options.Limit = None,
    layers: options.Layers = None,
    device: options.Device = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    workers: options.Workers = None,
) -> int:
    """Compute object metrics and shifts again after new masks or a new metric; the policy is not run."""
    from ingest.remeasure import remeasure
    from ingest.stale import placed_by_objects, told

    given: dict[str, Any] = {
        "limit": limit,
        "layers": layers,
        "device": device,
        "seed": seed,
        "batch_size": batch_size,
        "workers": workers,
    }
    chosen = options.study_from(study, **given)
    summary = remeasure(chosen, lake)
    for message in summary.messages:
        print(message, file=sys.stderr)
    if summary.n_stale:
        flags = options.study_flags(study, **given) + options.flags(lake)
        print(
            f"{told(placed_by_objects(chosen.conditions))}: run with the old masks in {summary.n_stale} episodes, and told "
            f"in their issues; `python -m ingest run --fresh{flags}` runs them again",
            file=sys.stderr,
        )
    print(
        f"measured {summary.n_units} units, {summary.n_changed} changed; now run `python -m ingest publish{options.flags(lake)}`"
    )
    return 1 if summary.n_failed else 0
