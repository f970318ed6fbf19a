"""The pages of episodes: which episodes get one, which are taken over from the old site, and the drawing of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.building import kept
from reports.building.report import Report, guarded
from reports.html import render
from reports.html.render import episode_stem
from reports.marts.context import Context
from reports.marts.headline import Headline, headline
from reports.marts.warehouse import Result, Row
from reports.pages import episode, episodes

BATCH = 12  # episodes whose maps are read at once: about 15 MB of the demo's
PLACE = ("<!-- place -->", "<!-- /place -->")
"""What stands between them hangs on the other episodes: the number, and the links to those before and after."""


@dataclass(frozen=True)
class Listed:
    """The table of episodes, and those of its rows that get a page, in its order."""

    head: Headline
    result: Result
    with_page: Sequence[Row]


def listed(context: Context, most: int | None) -> Listed:
    """Read the table; `most` pages at most, evenly spread over it, so that no outcome is left out."""
    head = headline(context)
    result = episodes.read(context, head)
    n = len(result)
    chosen = n if most is None else min(most, n)
    return Listed(head, result, [result.rows[i * n // chosen] for i in range(chosen)])


def write(
    context: Context, report: Report, memory: kept.Memory, table: Listed, say: Callable[[str], None]
) -> int:
    """Write the pages of episodes; the number of those in the site that did not fail."""
    rows = table.with_page
    head = (table.head.view, table.head.camera, table.head.layer)
    digests = kept.episode_digests(context, rows, head)
    places = {row["episode_id"]: neighbours(context, rows, i) for i, row in enumerate(rows)}
    new = [
        row
        for row in rows
        if not is_taken_over(
            context, memory, row["episode_id"], digests[row["episode_id"]], places[row["episode_id"]]
        )
    ]
    failed = 0
    for first in range(0, len(new), BATCH):
        batch = new[first : first + BATCH]
        maps: dict[str, episode.Maps] = {}
        before_maps = len(report.failures)
        with guarded(report, f"maps of episodes {first + 1} to {first + len(batch)}"):
            maps = episode.maps_of(context, [row["episode_id"] for row in batch])
        have_maps = len(report.failures) == before_maps
        for row in batch:
            name, before = row["episode_id"], len(report.failures)
            with guarded(report, f"episode {render.cut(name, 80)!r}"):
                episode.write(context, row, maps.get(name, {}), table.head, places[name])
            report.built.append(episode_stem(context.study.run_id, name))
            if len(report.failures) > before:
                write_failed(context, row, report.failures[-1])
                failed += 1
            elif have_maps:
                keep(context, memory, name, digests[name])
        if len(new) > BATCH:
            say(f"episodes: {min(first + BATCH, len(new))} of {len(new)}")
    return len(rows) - failed


def files_of(site: Path, stem: str) -> list[Path]:
    """What an episode's page consists of, as far as it is there; the page first."""
    return [site / "episodes" / f"{stem}.html", *sorted((site / "episodes" / stem).glob("*"))]


def around_place(page: Path) -> tuple[str, str]:
    """The text of an episode's page before and after what hangs on the other episodes; empty where it is no such page."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, _, rest = text.partition(PLACE[0])
    return before, rest.partition(PLACE[1])[2]


def keep(context: Context, memory: kept.Memory, episode_id: str, drawn_from: str) -> None:
    """Remember a page that was drawn."""
    stem = episode_stem(context.study.run_id, episode_id)
    page, *files = files_of(context.out, stem)
    memory.new.episodes[stem] = kept.KeptEpisode(
        drawn_from, kept.digest(around_place(page)), *kept.weighed(files)
    )


def is_taken_over(
    context: Context, memory: kept.Memory, episode_id: str, drawn_from: str, place: dict[str, Any]
) -> bool:
    """Take an episode's page from the old site where it is drawn from the same; whether it was."""
    stem = episode_stem(context.study.run_id, episode_id)
    known = memory.old.episodes.get(stem)
    page, *files = files_of(memory.site, stem)
    if (
        known is None
        or known.drawn_from != drawn_from
        or kept.weighed(files) != (known.n_files, known.n_bytes)
    ):
        return False
    before, after = around_place(page)
    if kept.digest((before, after)) != known.page:
        return False
    target = context.out / "episodes" / stem
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        kept.taken_over(file, target / file.name)
    here = context.templates.get_template("place.html").render(place)
    target.with_suffix(".html").write_text(f"{before}{PLACE[0]}{here}{PLACE[1]}{after}", encoding="utf-8")
    memory.new.episodes[stem] = known
    return True


def write_failed(context: Context, row: Row, reason: str) -> None:
    """A page in the place of one that could not be built, so that links to it hold."""
    common = context.shared | {
        "root": "../",
        "slug": "episodes",
        "title": "Episode",
        "study": context.study,
        "reason": reason,
    }
    text = context.templates.get_template("failed.html").render(common)
    target = context.out / "episodes" / f"{episode_stem(context.study.run_id, row['episode_id'])}.html"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")


def neighbours(context: Context, rows: Sequence[Row], i: int) -> dict[str, Any]:
    """Links to the episodes before and after."""
    names = [
        f"{episode_stem(context.study.run_id, row['episode_id'])}.html" for row in rows[max(0, i - 1) : i + 2]
    ]
    before = names[0] if i > 0 else None
    after = names[-1] if i + 1 < len(rows) else None
    return {"before": before, "after": after, "position": i + 1, "total": len(rows)}
