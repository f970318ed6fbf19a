"""The table of episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.html import row_files
from reports.html.blocks import Column, Table, text_column
from reports.html.render import episode_stem
from reports.marts.context import Context
from reports.marts.headline import Headline
from reports.marts.warehouse import Result, Row
from reports.words import percent

MOST_CHOICES = 200  # of a filter; more of them are searched for
ROWS = "episode-rows"


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


def content(ctx: Context, head: Headline, episodes: Result, with_page: Sequence[Row]) -> dict[str, Any]:
    """What the template shows; writes the rows of a long table beside the page."""
    linked = {
        r["episode_id"]: f"episodes/{episode_stem(ctx.study.run_id, r['episode_id'])}.html" for r in with_page
    }
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
