"""The table of episodes, and which layer it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports import answers, row_files
from reports.blocks import Column, Table, text_column
from reports.context import Context, View
from reports.render import page_id
from reports.warehouse import Result, Row
from reports.words import percent

MOST_CHOICES = 200  # of a filter; more of them are searched for
ROWS = "episode-rows"


@dataclass(frozen=True)
class Headline:
    """The view, camera and layer that a single number of an episode is taken from."""

    view: View
    camera: str
    layer: int
    lift: float | None
    why: str = "where the mean over all episodes is highest"


def headline(ctx: Context) -> Headline:
    """The camera and layer of the verdict on H1.1; where it names no layer, its camera's highest lift; else the highest of all."""
    decided, view = answers.place(answers.verdict_of(ctx, "H1.1")), answers.words_view(ctx)
    found = [head for head in headlines(ctx) if ctx.study.counted(head.view, head.layer)]
    of_camera = [head for head in found if head.view == view and head.camera == decided.camera]
    exact = [head for head in of_camera if head.layer == decided.layer]
    if exact:
        return replace(exact[0], why="the camera and layer that the verdict on H1.1 rests on")
    if of_camera:
        return replace(
            max(of_camera, key=lambda head: head.lift or 0),
            why="the verdict's camera, at its highest mean lift",
        )
    if found:
        return max(found, key=lambda head: head.lift or 0)
    first = ctx.study.views[0] if ctx.study.views else View("prefix", -1, "instruction")
    return Headline(first, ctx.study.cameras[0] if ctx.study.cameras else "", 0, None)


def headlines(ctx: Context) -> list[Headline]:
    """Every view, camera and layer with a mean lift on the target."""
    return [
        Headline(view, row["camera"], row["layer"], row["mean_lift"])
        for row in ctx.query("lift_against_nulls").where(role="target", against="own")
        for view in ctx.study.views
        if view.of(row) and row["mean_lift"] is not None
    ]


def read(ctx: Context, head: Headline) -> Result:
    """One row an episode."""
    steps = ctx.study.steps
    return ctx.query(
        "episodes",
        **{"pass": head.view.pass_},
        denoise_step=head.view.step,
        layer=head.layer,
        query=head.view.query,
        camera=head.camera,
        ratio_step=steps[-1] if steps else -1,
    )


def file_name(ctx: Context, episode_id: str) -> str:
    """Page of an episode: a hash, whatever its name."""
    return f"{page_id(ctx.study.run_id, episode_id)}.html"


def content(ctx: Context, head: Headline, episodes: Result, with_page: Sequence[Row]) -> dict[str, Any]:
    """What the template shows; writes the rows of a long table beside the page."""
    linked = {r["episode_id"]: f"episodes/{file_name(ctx, r['episode_id'])}" for r in with_page}
    rows: list[Row] = [{**r, "href": linked.get(r["episode_id"])} for r in episodes]
    where = f"{ctx.study.name(head.view).lower()}, {head.camera}, layer {head.layer}"
    columns = [
        text_column("instruction", "instruction"),
        text_column("outcome", "outcome"),
        text_column("failure_kind", "failure kind"),
        Column("lift", "lift", hint=where),
        Column("mass_share", "attention on target", percent, hint=where),
        Column("ratio_of_means", "visual / linguistic", hint="actions, all layers, last denoising step kept"),
        Column("n_keyframes", "keyframes"),
        text_column("target", "target"),
        text_column("scenario", "scenario"),
        text_column("task", "task"),
        text_column("episode_id", "episode"),
    ]
    shown = [c for c in columns if any(r[c.key] is not None for r in rows) or c.key in ("outcome", "lift")]
    filters = {
        key: ""
        for key in ("outcome", "failure_kind", "task", "scenario")
        if 1 < len({r[key] for r in rows}) <= MOST_CHOICES
    }
    table = Table(shown, rows, filters, link="instruction")
    paged = None
    if row_files.is_paged(table):
        n_files = row_files.write(ctx.out / ROWS, table)
        paged = {"folder": ROWS, "n_files": n_files, "per_page": row_files.PER_PAGE}
    return {
        "table": table,
        "paged": paged,
        "n_with_page": len(linked),
        "head": head,
        "where": where,
        "has_lift": any(r["lift"] is not None for r in rows),
        "sources": [episodes],
    }
