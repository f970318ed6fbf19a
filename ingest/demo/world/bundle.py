"""Which of the played episodes are shipped: as many failures as successes, of both families, over all toys and scenarios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.demo.evaluate import Played


@dataclass(frozen=True)
class Quota:
    """How many episodes of each sort are shipped."""

    successes: int = 26
    grip: int = 13
    grounding: int = 13
    min_frames: int = 15  # every second frame is a keyframe, and eight are wanted


def sort_of(played: Played) -> str | None:
    """``successes``, ``grip`` or ``grounding``; None for a failure that belongs to neither family."""
    return "successes" if played.verdict.outcome == "success" else played.verdict.failure_family


def missing(played: Iterable[Played], quota: Quota) -> dict[str, int]:
    """How many episodes of each sort are still to be found."""
    counts = Counter(sort_of(one) for one in played if one.n_frames >= quota.min_frames)
    wanted = {"successes": quota.successes, "grip": quota.grip, "grounding": quota.grounding}
    return {sort: count - counts[sort] for sort, count in wanted.items() if counts[sort] < count}


def choose(played: Sequence[Played], quota: Quota) -> list[Played]:
    """The shipped episodes. Failures are spread over toys, scenarios and kinds; then successes mirror them.

    Only labels and order decide, never what an attention map would look like. What cannot be filled stays short.
    """
    usable = [one for one in played if one.n_frames >= quota.min_frames]
    chosen: list[Played] = []
    for sort, count in (("grounding", quota.grounding), ("grip", quota.grip)):
        chosen += _spread([one for one in usable if sort_of(one) == sort], count)
    failed = list(chosen)
    return chosen + _mirror([one for one in usable if sort_of(one) == "successes"], failed, quota.successes)


def _spread(candidates: list[Played], count: int) -> list[Played]:
    chosen: list[Played] = []
    toys: Counter[str] = Counter()
    scenarios: Counter[str] = Counter()
    kinds: Counter[str | None] = Counter()
    while candidates and len(chosen) < count:
        best = min(
            candidates,
            key=lambda one: (
                2 * toys[one.task.target] + scenarios[one.task.scenario] + kinds[one.verdict.failure_kind],
                one.task.seed,
            ),
        )
        candidates.remove(best)
        chosen.append(best)
        toys[best.task.target] += 1
        scenarios[best.task.scenario] += 1
        kinds[best.verdict.failure_kind] += 1
    return chosen


def _mirror(candidates: list[Played], failed: list[Played], count: int) -> list[Played]:
    """Successes with the failures' numbers of toys and scenarios, as near as there are candidates."""
    toys = Counter(one.task.target for one in failed)
    scenarios = Counter(one.task.scenario for one in failed)
    chosen: list[Played] = []
    while candidates and len(chosen) < count:
        best = max(
            candidates,
            key=lambda one: (2 * toys[one.task.target] + scenarios[one.task.scenario], -one.task.seed),
        )
        candidates.remove(best)
        chosen.append(best)
        toys[best.task.target] -= 1
        scenarios[best.task.scenario] -= 1
    return chosen
