"""Which layers to look at, or to ablate, first: ranks of layers on the page of heads."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.html.blocks import Column, Missing, Section, Table, TableBlock, text_column
from reports.marts.context import Context, View
from reports.marts.warehouse import Row
from reports.pages import head_structure
from reports.pages.intervals import around
from reports.pages.tables import LAYER

TITLE = "Which layers to look at, or to ablate, first?"
COMMAND = "run `python -m ingest` with masks or with `capture: {heads: all}`, then `dbt build`"
MEANING = (
    "Gain is the mean lift on the target minus that on masks of other episodes, so that a layer which looks at the middle of the "
    "picture anyway does not rank first. A ranking holds where a layer's mean rank within single episodes is near its rank. It names "
    "candidates: whether the actions depend on a layer is for covering, cutting and ablation to say."
)
RANKS = (
    Column("rank_by_gain", "rank", hint="by gain, 1 = highest; the last prefix layer is not ranked"),
    LAYER,
    Column("mean_gain", "gain", hint="mean lift on the target minus that on masks of other episodes"),
    Column("range", "95 % interval", str, hint="t-interval of the mean over episodes"),
    Column("within", "rank in one episode", str, hint="mean ± standard deviation over episodes"),
    Column("rank_by_lift", "rank by lift"),
    Column("rank_by_entropy", "by focus", hint="1 = lowest normalised entropy, mean over heads"),
    Column("rank_by_variance", "by variance", hint="1 = highest variance of the map, mean over heads"),
    Column("n_episodes", "episodes"),
)


def sections(ctx: Context) -> list[Section]:
    """What ranks first in words, and all ranks."""
    found = ctx.query("layers_in_order")
    if not len(found):
        why = "No layer has a measure of focus or of attention on a target."
        return [Section("layers", TITLE, [], [Missing(TITLE, why, COMMAND)])]
    rows = [with_words(ctx, r) for r in found]
    told = [text for view in ctx.study.views if (text := sentence(ctx, view, rows))]
    columns = [text_column("view", "what looks"), text_column("camera", "camera"), *RANKS]
    first = {"view": rows[0]["view"], "camera": head_structure.verdict_camera(ctx) or rows[0]["camera"]}
    if not any(all(r[k] == v for k, v in first.items()) for r in rows):
        first = dict.fromkeys(first, "")
    table = TableBlock("Layers in order, by view and camera", Table(columns, rows, first), [found])
    return [Section("layers", TITLE, [*told, MEANING], [table])]


def with_words(ctx: Context, row: Row) -> Row:
    """The row with its view, its interval and its rank within episodes as text."""
    names = {(v.pass_, v.step): ctx.study.name(v) for v in ctx.study.views}
    low, high = around_gain(row)
    mean, std = row["mean_episode_rank"], row["std_episode_rank"]
    within = "" if mean is None else f"{mean:.1f}" if std is None else f"{mean:.1f} ± {std:.1f}"
    return {
        **row, "view": names.get((row["pass"], row["denoise_step"]), row["pass"]), "within": within,
        "range": "" if low is None or high is None else words.interval(low, high),
    }  # fmt: skip


def around_gain(row: Row) -> tuple[float | None, float | None]:
    """95 % t-interval of the gain."""
    if row["mean_gain"] is None:
        return None, None
    return around(row["mean_gain"], row["std_gain"], row["n_with_gain"])


def sentence(ctx: Context, view: View, rows: Sequence[Row]) -> str:
    """'Words to image: on base layer 0 ranks first (gain 6.53 ...; within single episodes 1.0 on average), then ...'"""
    parts = []
    for camera in ctx.study.cameras:
        mine = [r for r in rows if view.of(r) and r["camera"] == camera]
        gained = [r for r in mine if r["rank_by_gain"] is not None]
        ranked = sorted(gained or mine, key=lambda r: r["rank_by_gain" if gained else "rank_by_entropy"] or 0)
        if not ranked:
            continue
        first, after = ranked[0], [r["layer"] for r in ranked[1:3]]
        if gained:
            evidence = words.evidence(*around_gain(first), first["n_with_gain"])
            why = (
                f"gain {words.number(first['mean_gain'])}; {evidence}; rank in one episode {first['within']}"
            )
        else:
            why = f"by focus alone, without masks; n = {words.number(first['n_episodes'])}"
        then = f", then {words.listed([f'layer {layer}' for layer in after])}" if after else ""
        parts.append(f"on {camera} layer {first['layer']} ({why}){then}")
    return f"{ctx.study.name(view)}: {'; '.join(parts)}." if parts else ""
