"""The build loop: open the warehouse, write one page after the other, go on when one fails."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports import answers, assets, charts, render, video_files, videos, words
from reports.blocks import Checklist, Figure, Section, Switch, TableBlock
from reports.context import Context, read_study
from reports.errors import OutputRefusedError
from reports.pages import (
    causes,
    compare,
    dictionary,
    episode,
    episodes,
    heads,
    index,
    methods,
    modality_balance,
    object_attention,
    planted,
    prompt_control,
    time_course,
    word_by_word,
)
from reports.warehouse import Result, Row, open_warehouse

MARKER = ".gazehouse-site"
BATCH = 12  # episodes whose maps are read at once: about 15 MB of the demo's


@dataclass(frozen=True)
class Page:
    """A page of the site's navigation."""

    slug: str
    label: str
    question: str
    hypotheses: tuple[str, ...] = ()
    sections: Callable[[Context], list[Section]] | None = None
    is_shown: Callable[[Context], bool] | None = None  # where it is not for every warehouse

    @property
    def file(self) -> str:
        """File name in the site."""
        return f"{self.slug}.html"


PAGES = (
    Page("index", "Overview", "What was studied, and what came out"),
    Page("object-attention", "Objects", "Does attention rest on the object that the instruction names?", ("H1.1", "H1.1b"), object_attention.sections),
    Page("prompt-control", "Prompts", "Does a changed prompt move attention, and the actions?", ("H2.1",), prompt_control.sections),
    Page("causes", "Causes", "Do the actions change when attended places are covered, or attention is cut?", ("H1", "H1k"), causes.sections),
    Page("modality-balance", "Vision and language", "Do the actions attend to vision or to language?", ("M",), modality_balance.sections),
    Page("time", "Time", "Does attention move in the course of an episode?", ("H3",), time_course.sections),
    Page("heads", "Heads", "Which heads look where, and are they the same ones in other episodes?", ("H4",), heads.sections),
    Page("words", "Words", "What does each word of the instruction look at?", (), word_by_word.sections),
    Page("compare", "Compare", "How does this run differ from others?", (), compare.sections),
    Page("planted", "Planted truths", "Are the answers right where the truth is known?", (), planted.sections, planted.is_shown),
    Page("episodes", "Episodes", "What did it look at, frame by frame?"),
    Page("methods", "Methods", "What do the numbers mean, and where do they come from?"),
    Page("dictionary", "Tables", "What is in the warehouse?"),
)  # fmt: skip


def page_named(slug: str) -> Page:
    """The page of that name."""
    return next(page for page in PAGES if page.slug == slug)


def shown_pages(context: Context) -> tuple[Page, ...]:
    """The pages of this warehouse."""
    return tuple(page for page in PAGES if page.is_shown is None or page.is_shown(context))


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    warehouse: Path
    lake: Path
    out: Path
    run: str | None = None
    videos: bool = False  # one beside each episode's page


@dataclass
class Report:
    """What came of a build."""

    summary: str = ""
    failures: list[str] = field(default_factory=list)
    sources: list[Result] = field(default_factory=list)


def build(options: Options, say: Callable[[str], None] = print) -> Report:
    """Write the site beside its place and move it there; failures of single pages are collected.

    Raises ReportError when nothing could start.
    """
    start = time.perf_counter()
    report = Report()
    out = real_place(options.out)
    building = out.with_name(out.name + ".building")
    for folder in (out, building):
        refuse_strangers(folder)
    with open_warehouse(options.warehouse) as warehouse:
        if options.videos:
            video_files.pyav()
            warehouse.require(*videos.MARTS)
        study = read_study(warehouse, options.run)
        if study.others and options.run is None:
            say(
                f"{len(study.others) + 1} runs in {options.warehouse}; showing {study.run_id} (choose with --run)"
            )
        start_folder(building, study.run_id)
        context = Context(warehouse, study, options.lake, building, render.environment(), {"csp": assets.CSP})
        context.shared["nav"] = pages = shown_pages(context)
        context.shared["videos"] = options.videos
        assets.write(building / "assets")
        if not context.has_pictures and study.n_episodes():
            report.failures.append(f"pictures: {context.run_folder} is not there; name the lake with --lake")
        write_pages(context, report)
        n = write_episodes(context, report, say)
        write_page(
            context, report, page_named("methods"), lambda: ("methods.html", methods_content(context, report))
        )
        write_page(
            context,
            report,
            page_named("dictionary"),
            lambda: ("dictionary.html", dictionary.content(context)),
        )
    try:
        if out.exists():
            shutil.rmtree(out)
        building.rename(out)
    except OSError as error:
        raise OutputRefusedError(
            f"{out} cannot be replaced ({error.strerror}): the new site is in {building}"
        ) from error
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 1e6
    report.summary = f"{len(pages)} pages and {words.plural(n, 'episode page')} of run {study.run_id}, {size:.1f} MB, {time.perf_counter() - start:.1f} s"
    return report


def real_place(out: Path) -> Path:
    """Where the site will lie: a link to a folder stays, and what it leads to is replaced."""
    try:
        place = out.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise OutputRefusedError(
            f"--out {str(out)!r} cannot be followed ({error}): choose another"
        ) from error
    if not place.name:
        raise OutputRefusedError(f"--out {str(out)!r} is no place for a site: choose another")
    return place


def start_folder(building: Path, run_id: str) -> None:
    """An empty folder for the site, marked as ours from the start."""
    try:
        if building.exists():
            shutil.rmtree(building)
        building.mkdir(parents=True)
        (building / MARKER).write_text(f"{run_id}\n", encoding="utf-8")
    except OSError as error:
        raise OutputRefusedError(
            f"{building} cannot be written ({error.strerror}): choose another place with --out"
        ) from error


def refuse_strangers(out: Path) -> None:
    """Only an empty folder or a site of ours is ever replaced."""
    if out.exists() and not (out.is_dir() and ((out / MARKER).is_file() or not any(out.iterdir()))):
        raise OutputRefusedError(f"{out} holds something else than a site: choose another folder with --out")


@contextmanager
def guarded(report: Report, what: str) -> Iterator[None]:
    """One page's failure is a line of the report, not the end of the build."""
    try:
        yield
    except Exception as error:  # whatever it is, the other pages are worth having
        first = (str(error).strip().splitlines() or [""])[0]
        report.failures.append(f"{what}: {type(error).__name__}: {first}")


def write_page(
    context: Context, report: Report, page: Page, make: Callable[[], tuple[str, dict[str, Any]]]
) -> None:
    """Render one page, or a page that says why it could not be built."""
    common = context.shared | {"root": "", "slug": page.slug, "title": page.label, "study": context.study}
    before = len(report.failures)
    with guarded(report, f"page {page.slug}"):
        template, content = make()
        text = context.templates.get_template(template).render(common | content)
        (context.out / page.file).write_text(text, encoding="utf-8")
    if len(report.failures) > before:
        text = context.templates.get_template("failed.html").render(common | {"reason": report.failures[-1]})
        (context.out / page.file).write_text(text, encoding="utf-8")


def write_pages(context: Context, report: Report) -> None:
    """The index and the pages of sections."""

    def make_index() -> tuple[str, dict[str, Any]]:
        content = index.content(context)
        report.sources += content["sources"]
        return "index.html", content

    write_page(context, report, page_named("index"), make_index)
    for page in context.shared["nav"]:
        if page.sections is not None:
            write_page(context, report, page, lambda page=page: sections_content(context, report, page))  # type: ignore[misc]


def sections_content(context: Context, report: Report, page: Page) -> tuple[str, dict[str, Any]]:
    """Content of a page of sections, with the verdicts it is about on top."""
    assert page.sections is not None
    with charts.unchecked():
        sections = page.sections(context)
    for section in sections:
        for block in section.blocks:
            if isinstance(block, (Figure, Switch, TableBlock, Checklist)):
                report.sources += block.sources
    every = context.query("verdicts")
    verdicts = [
        {**v, "claimed": answers.claimed(v)}
        for h in page.hypotheses
        for c in ("ours", "seed")
        for v in every.where(hypothesis=h, criteria=c)
    ]
    kicker = " · ".join(part for part in (page.label, ", ".join(page.hypotheses)) if part)
    return "sections.html", {
        "sections": sections,
        "verdicts": verdicts,
        "kicker": kicker,
        "question": page.question,
    }


def methods_content(context: Context, report: Report) -> dict[str, Any]:
    """The methods page, with the queries of all others."""
    return methods.content(context, report.sources) | {"warehouse_name": context.warehouse.path.name}


def write_episodes(context: Context, report: Report, say: Callable[[str], None]) -> int:
    """The table of episodes and their pages; the number written."""
    rows: list[Row] = []
    found: list[Any] = []

    def make_table() -> tuple[str, dict[str, Any]]:
        head = episodes.headline(context)
        result = episodes.read(context, head)
        report.sources.append(result)
        rows.extend(result.rows)
        found.append(head)
        return "episodes.html", episodes.content(context, head, result)

    write_page(context, report, page_named("episodes"), make_table)
    written = 0
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        maps: dict[str, episode.Maps] = {}
        with guarded(report, f"maps of episodes {first + 1} to {first + len(batch)}"):
            maps = episode.maps_of(context, [row["episode_id"] for row in batch])
        for i, row in enumerate(batch, start=first):
            count = len(report.failures)
            with guarded(report, f"episode {render.cut(row['episode_id'], 80)!r}"):
                episode.write(
                    context, row, maps.get(row["episode_id"], {}), found[0], neighbours(context, rows, i)
                )
            if len(report.failures) > count:
                write_failed_episode(context, row, report.failures[-1])
            written += len(report.failures) == count
        if len(rows) > BATCH:
            say(f"episodes: {min(first + BATCH, len(rows))} of {len(rows)}")
    return written


def write_failed_episode(context: Context, row: Row, reason: str) -> None:
    """A page in the place of one that could not be built, so that links to it hold."""
    common = context.shared | {
        "root": "../",
        "slug": "episodes",
        "title": "Episode",
        "study": context.study,
        "reason": reason,
    }
    text = context.templates.get_template("failed.html").render(common)
    target = context.out / "episodes" / episodes.file_name(context, row["episode_id"])
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")


def neighbours(context: Context, rows: Sequence[Row], i: int) -> dict[str, Any]:
    """Links to the episodes before and after."""
    names = [episodes.file_name(context, row["episode_id"]) for row in rows[max(0, i - 1) : i + 2]]
    before = names[0] if i > 0 else None
    after = names[-1] if i + 1 < len(rows) else None
    return {"before": before, "after": after, "position": i + 1, "total": len(rows)}
