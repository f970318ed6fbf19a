"""What a run will do, before it does anything: one unit an episode and condition group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.conditions.base import ConditionGroup
from ingest.conditions.groups import ModelShape, condition_groups
from ingest.episodes.base import EpisodeRef, EpisodeSource, KeyframeRule
from ingest.episodes.droid import DroidSource
from ingest.errors import UserError
from ingest.identity import unit_of
from ingest.policies.base import Geometry
from ingest.study import EpisodeSection, Study, resolve_path


@dataclass(frozen=True)
class PlannedUnit:
    """One episode under one condition group."""

    unit: str
    ref: EpisodeRef
    group: ConditionGroup


@dataclass(frozen=True)
class Plan:
    """All units of a run: episode by episode, the baseline first."""

    run_id: str
    refs: tuple[EpisodeRef, ...]
    groups: tuple[ConditionGroup, ...]
    units: tuple[PlannedUnit, ...]

    def by_episode(self, units: Sequence[PlannedUnit]) -> list[tuple[PlannedUnit, ...]]:
        """``units`` joined by episode, in the plan's order."""
        joined: dict[str, list[PlannedUnit]] = {}
        for planned in units:
            joined.setdefault(planned.ref.episode_id, []).append(planned)
        return [tuple(members) for members in joined.values()]


def episode_source(section: EpisodeSection) -> EpisodeSource:
    """The study's reader. Raises UserError for a root without episodes or a bad camera folder."""
    rule = KeyframeRule(**section.keyframes.model_dump())
    return DroidSource(resolve_path(section.root), section.cameras, rule, section.dataset)


def make_plan(study: Study, run_id: str, source: EpisodeSource, geometry: Geometry) -> Plan:
    """Every unit of the study; with ``episodes.limit`` of a sample that has successes and failures.

    Raises UserError for conditions that the model cannot meet.
    """
    refs = tuple(limited_refs(source.discover(), study.episodes.limit))
    groups = condition_groups(study.conditions, shape_of(geometry), study.seed)
    units = tuple(
        PlannedUnit(unit_of(run_id, ref.episode_id, group.name), ref, group)
        for ref in refs
        for group in groups
    )
    return Plan(run_id, refs, groups, units)


def shape_of(geometry: Geometry) -> ModelShape:
    """What conditions need to know of the model."""
    return ModelShape(tuple(geometry.cameras), tuple(geometry.passes), geometry.n_layers, geometry.n_heads)


def check_cameras(study: Study, geometry: Geometry) -> None:
    """Raises UserError when the study's camera roles are not the policy's."""
    missing = sorted(set(geometry.cameras) - set(study.episodes.cameras))
    unknown = sorted(set(study.episodes.cameras) - set(geometry.cameras))
    if missing or unknown:
        raise UserError(
            f"episodes.cameras: the policy sees {sorted(geometry.cameras)}, the study names "
            f"{sorted(study.episodes.cameras)}"
        )


def limited_refs(refs: list[EpisodeRef], limit: int | None) -> list[EpisodeRef]:
    """At most ``limit`` episodes, the outcomes taking turns, sorted."""
    if limit is None or limit >= len(refs):
        return refs
    outcomes = sorted({str(ref.outcome) for ref in refs}, reverse=True)
    queues = [[ref for ref in refs if str(ref.outcome) == outcome] for outcome in outcomes]
    taken: list[EpisodeRef] = []
    while len(taken) < limit:
        for queue in queues:
            if queue and len(taken) < limit:
                taken.append(queue.pop(0))
    return sorted(taken)
