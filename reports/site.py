"""The build loop: open the warehouse, write one page after the other, go on when one fails."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports import words
from reports.building import assets, episode_pages, kept
from reports.building.report import Report, guarded
from reports.errors import OutputRefusedError
from reports.html import render
from reports.html.blocks import Checklist, Figure, Section, Switch, TableBlock
from reports.marts import answers
from reports.marts.context import Context, read_study
from reports.marts.warehouse import Result, open_warehouse, query_text
from reports.pages import (
    causes,
    compare,
    dictionary,
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
from reports.recordings import video_files, videos
from reports.vega import charts

MARKER = ".gazehouse-site"


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
    Page("planted", "Planted", "Are the answers right where the truth is known?", (), planted.sections, planted.is_shown),
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
    fresh: bool = False
    """Draw every page, whatever the site already holds."""
    episode_pages: int | None = None
    """So many episodes get a page of their own, evenly spread over the table; None means all."""


def build(options: Options, say: Callable[[str], None] = print) -> Report:
    """Write the site beside its place and move it there; failures of single pages are collected.

    Pages of the old site for which nothing has changed are taken over (`reports/building/kept.py`).

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
        memory = kept.Memory.of(out, context, say, fresh=options.fresh)
        assets.write(building / "assets", memory.site / "assets" if memory.old.pages else None)
        if not context.has_pictures and study.n_episodes():
            report.failures.append(f"pictures: {context.run_folder} is not there; name the lake with --lake")
        write_pages(context, report, memory)
        n = write_episodes(context, report, memory, options.episode_pages, say)
        write_page(
            context, report, page_named("methods"), lambda: ("methods.html", methods_content(context, report))
        )
        write_page(
            context,
            report,
            page_named("dictionary"),
            lambda: ("dictionary.html", dictionary.content(context)),
        )
        kept.write(building, memory.new)
    try:
        if out.exists():
            shutil.rmtree(out)
        building.rename(out)
    except OSError as error:
        raise OutputRefusedError(
            f"{out} cannot be replaced ({error.strerror}): the new site is in {building}"
        ) from error
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 1e6
    drawn = len(report.built)
    report.summary = f"{len(pages)} pages and {words.plural(n, 'episode page')} of run {study.run_id}, {size:.1f} MB, {time.perf_counter() - start:.1f} s"
    if memory.old.pages or memory.old.episodes:
        report.summary += f"; {words.plural(drawn, 'page')} drawn anew, the others as they were"
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


def write_pages(context: Context, report: Report, memory: kept.Memory) -> None:
    """The index and the pages of sections."""

    def make_index() -> tuple[str, dict[str, Any]]:
        content = index.content(context)
        report.sources += content["sources"]
        return "index.html", content

    write_page(context, report, page_named("index"), make_index)
    for page in context.shared["nav"]:
        if page.sections is not None and not page_is_taken_over(context, report, memory, page):
            write_sections(context, report, memory, page)


def page_is_taken_over(context: Context, report: Report, memory: kept.Memory, page: Page) -> bool:
    """Take a page of sections from the old site where its questions have the same answers; whether it was."""
    known = memory.old.pages.get(page.slug)
    if known is None or kept.file_digest(memory.site / page.file) != known.file:
        return False
    if any(context.warehouse.query(a.name, **a.parameters).digest() != a.rows for a in known.asked):
        return False
    kept.taken_over(memory.site / page.file, context.out / page.file)
    memory.new.pages[page.slug] = known
    shown = [known.asked[i] for i in known.shown]
    report.sources += [Result(a.name, query_text(a.name), a.parameters, []) for a in shown]
    return True


def write_sections(context: Context, report: Report, memory: kept.Memory, page: Page) -> None:
    """Draw a page of sections, and keep what it asked."""
    before = len(report.failures), len(report.sources)
    with context.warehouse.recorded() as asked:
        write_page(context, report, page, lambda: sections_content(context, report, page))
    report.built.append(page.slug)
    if len(report.failures) == before[0]:
        places = {(a.name, repr(a.parameters)): i for i, a in enumerate(asked)}
        shown = [places[r.name, repr(r.parameters)] for r in report.sources[before[1] :]]
        memory.new.pages[page.slug] = kept.KeptPage(asked, shown, kept.file_digest(context.out / page.file))


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


def write_episodes(
    context: Context, report: Report, memory: kept.Memory, most: int | None, say: Callable[[str], None]
) -> int:
    """The table of episodes and their pages; the number of those that are in the site."""
    found: list[episode_pages.Listed] = []

    def make_table() -> tuple[str, dict[str, Any]]:
        found.append(episode_pages.listed(context, most))
        report.sources.append(found[0].result)
        return "episodes.html", episodes.content(context, found[0].head, found[0].result, found[0].with_page)

    write_page(context, report, page_named("episodes"), make_table)
    return episode_pages.write(context, report, memory, found[0], say) if found else 0


def methods_content(context: Context, report: Report) -> dict[str, Any]:
    """The methods page, with the queries of all others."""
    return methods.content(context, report.sources) | {"warehouse_name": context.warehouse.path.name}
