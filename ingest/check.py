"""Looks at everything a run will need: study, episodes, frames, masks, disk space, the model's geometry."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ingest.bench import set_up
from ingest.episodes.base import Episode
from ingest.errors import DataError, UserError
from ingest.estimate import Estimate
from ingest.jobs import named_object_of
from ingest.names import check_names
from ingest.objects.base import EpisodeObjects
from ingest.policies.base import Policy, can_answer, without_answers
from ingest.study import Study


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
    """Opens every episode, reads every keyframe and its masks as a run does, and loads the policy.

    Pictures are decoded, for a header tells nothing of a file that was cut short (3 ms for one of 720 x 1280). Raises
    UserError for what makes a run impossible, too little disk space among it; what only costs episodes or frames is
    listed in ``problems``.
    """
    setup = set_up(study, lake)
    check_names(setup)
    problems: list[str] = []
    warnings: list[str] = []
    units: Counter[str] = Counter()
    inferences: Counter[str] = Counter()
    if study.conditions.vqa and not can_answer(setup.policy):
        warnings.append(f"conditions.vqa: {without_answers(setup.policy)}, and is asked none")
    estimate = Estimate(study, setup.policy, setup.selection)
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
        in_view, lost = _look(episode, objects, setup.policy)
        problems += lost
        warnings += _calibration_problems(episode)
        own_object = named_object_of(episode, objects)
        for group in setup.plan.groups:
            units[group.name] += 1
            for condition in group.conditions if can_answer(setup.policy) or not group.asks else ():
                prompt = condition.prompt(episode.instruction, own_object)
                if prompt is None:
                    continue
                frames = [seen for number, seen in enumerate(in_view) if group.runs(condition, number)]
                inferences[group.name] += len(frames) * len(study.noise.seeds)
                estimate.add(episode, condition, prompt, frames, has_attention=group.captures)
    n_bytes = estimate.n_bytes
    free = shutil.disk_usage(_place_of(lake)).free
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
        dict(estimate.rows),
        n_bytes,
        free,
        (*problems, *estimate.problems),
        tuple(warnings),
    )


def _look(episode: Episode, objects: EpisodeObjects, policy: Policy) -> tuple[list[Counter[str]], list[str]]:
    """The objects of each keyframe by camera, and what costs keyframes or their objects, as it will in the run."""
    in_view: list[Counter[str]] = []
    problems = []
    for index in episode.keyframes():
        in_view.append(Counter())
        try:
            policy.see(episode.observation(index))
            in_view[-1].update(one.camera for one in objects.frame(index).objects)
        except DataError as error:
            # A policy knows the frame alone, not whose it is.
            is_named = episode.episode_id in str(error)
            problems.append(str(error) if is_named else f"{episode.episode_id}: {error}")
    return in_view, problems


def _calibration_problems(episode: Episode) -> list[str]:
    """Why the calibration of the cameras cannot be read, which costs the comparison of cameras alone."""
    found: dict[str, None] = {}
    for role in episode.cameras:
        try:
            episode.calibration(role)
        except DataError as error:
            found[str(error)] = None
    return list(found)


def _place_of(lake: Path) -> Path:
    """The folder that is there of a lake to be. Raises UserError where no lake can be made."""
    try:
        path = lake.resolve()
        while not path.exists():
            path = path.parent
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        raise UserError(f"{lake}: cannot be followed ({error}); choose another with --lake") from error
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise UserError(
            f"{lake}: cannot be written ({path} is no folder that can be written to); choose another with --lake"
        )
    return path
