"""Sets up what the units of a run share: the policy, the readers, the plan and the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ingest.attention.selection import Selection, select
from ingest.episodes.base import EpisodeSource
from ingest.episodes.preprocess import Fit
from ingest.identity import run_id_of
from ingest.lake import RunFolder
from ingest.objects.base import ObjectsSource
from ingest.objects.nulls import OtherEpisodes
from ingest.objects.source import objects_source
from ingest.plan import Plan, check_cameras, episode_source, make_plan
from ingest.policies.base import Policy
from ingest.policies.registry import load_policy
from ingest.scene import SceneReader
from ingest.schema import SCHEMA_VERSION
from ingest.study import Study
from ingest.unit import Bench


@dataclass(frozen=True)
class Setup:
    """A study that has passed every check that can be made before work starts."""

    study: Study
    policy: Policy
    selection: Selection
    source: EpisodeSource
    objects: ObjectsSource
    plan: Plan
    folder: RunFolder

    def bench(self) -> Bench:
        section = self.study.objects
        nulls = OtherEpisodes(self.source, self.objects, self.plan.refs, section.null_masks, self.study.seed)
        reader = SceneReader(self.source, self.objects)
        return Bench(self.study, self.policy, self.selection, self.folder, reader, nulls)


def set_up(study: Study, lake: Path) -> Setup:
    """Loads the policy and plans the units. Raises UserError for whatever the study gets wrong."""
    source = episode_source(study.episodes)
    study_objects(study)  # so that what is wrong with them is told before the weights are loaded
    policy = load_policy(study.policy, study.compute.device)
    geometry = policy.geometry
    check_cameras(study, geometry)
    selection = select(study.capture, geometry.n_layers, geometry.n_heads, dict(geometry.passes))
    run_id = run_id_of(study.resolved(), policy.checkpoint_hash, SCHEMA_VERSION)
    plan = make_plan(study, run_id, source, geometry)
    objects = study_objects(study, geometry.fits)
    return Setup(study, policy, selection, source, objects, plan, RunFolder(lake, run_id))


def study_objects(study: Study, fits: Mapping[str, Fit] = MappingProxyType({})) -> ObjectsSource:
    """Where the study's masks come from; ``fits`` are :attr:`Geometry.fits`, by which they are placed."""
    section = study.objects
    return objects_source(
        section.source,
        cameras=study.episodes.cameras,
        camera=section.camera,
        min_score=section.min_score,
        fits=fits,
        named_roles=section.named_roles,
    )
