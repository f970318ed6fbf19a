"""Names in a study's experiments that mean nothing to the model or the masks: refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import get_args

from ingest.bench import Setup
from ingest.conditions.circuits import OBJECT, TOP, query_names, region_names
from ingest.episodes.base import Episode, EpisodeRef
from ingest.errors import DataError, UnknownNameError
from ingest.estimate import first_seen
from ingest.objects.base import Role
from ingest.study_conditions import ConditionSection

_MOST_NAMES = 40


@dataclass
class _Wanted:
    """Where in the study -> the name that stands there."""

    queries: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)


@dataclass
class _Known:
    """The names of the episodes that were looked at; dictionaries for their order."""

    queries: dict[str, None] = field(default_factory=dict)
    regions: dict[str, None] = field(default_factory=dict)
    objects: dict[str, None] = field(default_factory=dict)


def check_names(setup: Setup) -> None:
    """Looks for every query, region and object of the experiments, in as few episodes as it takes.

    A name is known where one episode of the source has it, of the study's or beyond its limit: what is rare costs its
    frames alone. Raises UnknownNameError for one that none has. Objects are roles or categories, and not looked for where
    there are no masks at all.
    """
    wanted, known = _wanted(setup.study.conditions), _Known()
    instructions: set[str] = set()
    refs = _refs(setup)
    while _missing(wanted, known) and (ref := next(refs, None)) is not None:
        with suppress(DataError):  # the run says what is wrong with the episode
            episode = setup.source.open(ref)
            known.objects |= dict.fromkeys(setup.objects.open(episode).categories)
            if episode.instruction not in instructions and _learn_layout(setup, episode, known):
                instructions.add(episode.instruction)
    for what, where, name, there in _missing(wanted, known):
        if there:
            raise UnknownNameError(f"{where}: {what} {name!r}; there are {_listed(there)}")


def _wanted(conditions: ConditionSection) -> _Wanted:
    wanted = _Wanted()
    for cut in conditions.knockout:
        where = f"conditions.knockout.{cut.name}"
        for place, name, other in (
            (f"{where}.queries", cut.queries, wanted.queries),
            (f"{where}.keys", cut.keys, wanted.regions),
        ):
            if name.startswith(OBJECT):
                wanted.objects[place] = name.removeprefix(OBJECT)
            elif other is wanted.queries or not name.startswith(TOP):
                other[place] = name
    for region in conditions.occlusion.regions if conditions.occlusion is not None else ():
        if region.object is not None:
            wanted.objects[f"conditions.occlusion.regions.{region.name}.object"] = region.object
    roles = get_args(Role)
    wanted.objects = {place: name for place, name in wanted.objects.items() if name not in roles}
    return wanted


def _refs(setup: Setup) -> Iterator[EpisodeRef]:
    """The study's episodes, then those that its limit leaves out."""
    yield from setup.plan.refs
    yield from sorted(set(setup.source.discover()) - set(setup.plan.refs))


def _learn_layout(setup: Setup, episode: Episode, known: _Known) -> bool:
    """The names in the layout of an episode's own instruction; False where the policy cannot take it."""
    seen = first_seen(setup.policy, episode)
    if seen is None:
        return False
    try:
        layout = setup.policy.prepare(seen, episode.instruction, setup.study.capture.queries).layout
    except Exception:  # the run says what is wrong
        return False
    known.queries |= dict.fromkeys(query_names(layout))
    known.regions |= dict.fromkeys(region_names(layout))
    return True


def _missing(wanted: _Wanted, known: _Known) -> list[tuple[str, str, str, list[str]]]:
    """(what, where, name, what there is) of each name that is not known yet."""
    objects = list(dict.fromkeys([*get_args(Role), *known.objects])) if known.objects else []
    kinds = (
        (
            "no layout of the model has (with capture.queries as it is) a query",
            wanted.queries,
            list(known.queries),
        ),
        ("no layout of the model has keys", wanted.regions, list(known.regions)),
        ("no role, and no category of the masks, is", wanted.objects, objects),
    )
    return [
        (what, where, name, there)
        for what, names, there in kinds
        for where, name in names.items()
        if name not in there
    ]


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(map(repr, names[:_MOST_NAMES])) + (f" and {more} more" if more > 0 else "")
