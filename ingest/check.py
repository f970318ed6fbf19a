"""Looks at everything a run will need: study, episodes, frames, masks, disk space, the model's geometry."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ingest.bench import Setup, set_up
from ingest.errors import DataError, UserError
from ingest.jobs import named_object_of
from ingest.policies.base import can_answer
from ingest.study import Study

# Bytes of a stored row on disk, as measured on the demo (parquet, zstd): maps dominate.
_BYTES = {"attention_maps": 900, "attention_masses": 45, "object_metrics": 25, "map_shifts": 40}


@dataclass(frozen=True)
class Check:
    """What a run would do, and what is wrong with its inputs. ``groups`` maps a group to (units, inferences).

    ``problems`` cost episodes or frames; ``warnings`` are only worth knowing.
    """

    run_id: str
    n_units: int
    n_inferences: int
    groups: dict[str, tuple[int, int]]
    rows: dict[str, int]
    n_bytes: int
    free_bytes: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def check(study: Study, lake: Path) -> Check:
    """Opens every episode, reads every picture's size and every mask of a keyframe, and loads the policy.

    Raises UserError for what makes a run impossible, too little disk space among it; what only costs episodes or
    frames is listed in ``problems``.
    """
    setup = set_up(study, lake)
    problems: list[str] = []
    warnings: list[str] = []
    units: Counter[str] = Counter()
    inferences: Counter[str] = Counter()
    n_objects = 0
    for ref in setup.plan.refs:
        try:
            episode = setup.source.open(ref)
            objects = setup.objects.open(episode)
        except DataError as error:
            problems.append(str(error))
            continue
        warnings += [
            f"{problem.subject}: {problem.detail}" for problem in [*episode.problems, *objects.problems]
        ]
        keyframes = episode.keyframes()
        for index in keyframes:
            try:
                for role in episode.cameras:
                    episode.frame_size(role, index)
                n_objects += len(objects.frame(index).objects)
            except DataError as error:
                problems.append(str(error))
        own_object = named_object_of(episode, objects)
        for group in setup.plan.groups:
            units[group.name] += 1
            asked = [
                one for one in group.conditions if one.prompt(episode.instruction, own_object) is not None
            ]
            if group.asks and not can_answer(setup.policy):
                asked = []
            n_asked = sum(group.runs(one, number) for one in asked for number in range(len(keyframes)))
            inferences[group.name] += n_asked * len(study.noise.seeds)
    rows = _estimated_rows(setup, inferences, n_objects)
    n_bytes = sum(rows[table] * size for table, size in _BYTES.items())
    free = shutil.disk_usage(_existing_parent(lake)).free
    if free < n_bytes:
        raise UserError(
            f"{lake}: about {n_bytes / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB free; choose another with --lake"
        )
    groups = {name: (units[name], inferences[name]) for name in units}
    total = sum(inferences.values())
    return Check(
        setup.plan.run_id,
        len(setup.plan.units),
        total,
        groups,
        rows,
        n_bytes,
        free,
        tuple(problems),
        tuple(warnings),
    )


def _estimated_rows(setup: Setup, inferences: Counter[str], n_objects: int) -> dict[str, int]:
    """From the layout of one prompt: the number of words differs between prompts, so these are estimates."""
    selection, geometry = setup.selection, setup.policy.geometry
    passes = sum(len(steps) for steps in selection.steps.values())
    layers, heads, cameras = len(selection.layers), len(selection.heads), len(geometry.cameras)
    total = sum(inferences.values())
    baseline = inferences["baseline"]
    queries = 1 + geometry.noise_shape[0]
    objects = n_objects * len(setup.study.noise.seeds) / max(baseline, 1)
    maps_of_group = 3 if not selection.is_full else 4 + heads
    return {
        "inferences": total,
        "attention_masses": total * passes * layers * heads * queries,
        "attention_maps": total
        * passes
        * layers
        * cameras
        * maps_of_group
        * (queries if selection.is_full else 1),
        "object_metrics": round(objects * passes * layers * (4 * baseline + (total - baseline))),
        "map_shifts": (total - baseline) * passes * layers * cameras * 2,
    }


def _existing_parent(path: Path) -> Path:
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path
