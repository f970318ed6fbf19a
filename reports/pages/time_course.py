"""Time (H3): does attention move in the course of an episode, of an action chunk, of the denoising?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reports import words
from reports.html.blocks import Block, Column, Figure, Missing, Section, Switch, Table, Variant, text_column
from reports.marts import answers
from reports.marts.context import Context, View
from reports.marts.warehouse import Result, Row
from reports.pages import caveats, time_links
from reports.pages.intervals import around
from reports.pages.object_tests import paired_table
from reports.pages.tables import LAYER, interval_table, with_interval
from reports.vega import charts, palette
from reports.vega.curves import intervals_of_each

MASKS = "add masks to the episodes and run `python -m ingest measure`, then `dbt build`"
SHARE = "share of the camera's attention"
MOST_TOKENS = 17  # of a chunk that are drawn
THIRDS = ("first", "middle", "last")
TENTHS = tuple(f"{10 * i + 5} %" for i in range(10))
BARS = "Points are means over episodes, bars 95 % t-intervals of each mean by itself."
AREA = "A share grows when the object comes nearer and covers more of the picture; the log lift below allows for that."
ESTIMANDS = {
    "target_share_last_minus_first_third": "share of the target, last third minus first",
    "target_share_slope_over_action_tokens": "share of the target, slope an action token",
    "target_log_lift_last_minus_first_third": "log lift of the target, last third minus first",
}


@dataclass(frozen=True)
class Curve:
    """A kind of curve: its title, the axis, the names of its ticks, and what it is read as."""

    title: str
    x_title: str
    reading: str
    ticks: tuple[str, ...] | None = None


EPISODE = Curve("share on each kind of object over the episode", "part of the episode", f"The episode in tenths, by the number of its frames. {AREA}", TENTHS)  # fmt: skip
BY_THIRD = Curve("share on each kind of object by thirds of the episode", "third of the episode", f"Thirds go by the number of frames. {AREA}", THIRDS)  # fmt: skip
OUTCOMES = Curve("share on the target by thirds, success and failure", "third of the episode", f"Thirds go by the number of frames. {AREA}", THIRDS)  # fmt: skip
TOKENS = Curve("share on each kind of object by action token", "action token of the chunk", "Each action token looks by itself; token 0 is the first to be carried out. Single tokens count patches at the letterbox's edge whole.")  # fmt: skip
STEPS = Curve("share on each kind of object by denoising step", "denoising step", "Step 0 is the first and noisiest; only steps that the study kept are drawn.")  # fmt: skip


def sections(ctx: Context) -> list[Section]:
    """Episode, action tokens, denoising steps, stability and lags, all tests."""
    shares = ctx.query("share_over_time")
    if not len(shares):
        why = "No object masks were found for this run, so the share of attention on objects has no course in time."
        return [
            Section("episode", "Over the episode", [], [Missing("Over the episode", why, MASKS)]),
            *time_links.sections(ctx),
        ]
    tenths, paired = ctx.query("share_over_episode"), ctx.query("paired_tests", hypothesis="H3")
    found: list[Section] = []
    for view in ctx.study.views:
        blocks: list[Block] = []
        for camera in ctx.study.cameras:
            blocks += episode_curves(ctx, view, camera, shares, tenths)
            blocks += changes(ctx, view, camera, paired, "target_share_last_minus_first_third")
            blocks += changes(ctx, view, camera, paired, "target_log_lift_last_minus_first_third")
        if blocks:
            found.append(Section(view.key, ctx.study.name(view), sentences(ctx, view, paired, "target_share_last_minus_first_third"), blocks))  # fmt: skip
    if found:
        found[0] = replace(found[0], words=[*found[0].words, caveats.NOT_A_CAUSE])
    found += [tokens(ctx, shares, paired), steps(ctx, shares), *time_links.sections(ctx)]
    table = paired_table(ctx, paired, ESTIMANDS, "Change of the attention on the target, by layer", "H3")
    note = "Paired by episode, two-sided; the last prefix layer is left out. The verdict corrects over layers and the first two estimands together, so that its p may be larger than these."
    return [*found, Section("tests", "All tests", [note], [table])]


def sentences(ctx: Context, view: View, paired: Result, estimand: str) -> list[str]:
    """The largest change by camera, and in which layers it is more than chance."""
    alpha, fewest = ctx.study.statistics["alpha"], int(ctx.study.statistics["min_episodes"])
    found = []
    for camera in ctx.study.cameras:
        rows = [r for r in paired.where(estimand=estimand, camera=camera) if view.of(r) and r["estimate"] is not None]  # fmt: skip
        if not rows:
            continue
        top = max(rows, key=lambda r: abs(r["estimate"]))
        passed = [r["layer"] for r in rows if r["p_holm"] is not None and r["p_holm"] < alpha]
        tested = [r for r in rows if r["p_holm"] is not None]
        what = "slope an action token" if "slope" in estimand else "change from the first third to the last"
        text = (
            f"{camera}: the largest {what} of the target's share is {words.number(top['estimate'])} in layer {top['layer']} "
            f"({words.evidence(top['low'], top['high'], top['n_episodes'])})"
        )
        if not tested:
            text += "; too few episodes to test it."
        elif passed:
            text += (
                f"; it differs from 0 in {words.layers_named(passed)} (Holm over the layers, p < {alpha:g})."
            )
        else:
            text += f"; in no layer does it differ from 0 (Holm over the layers, p < {alpha:g})."
        found.append(text + words.too_few(tested, fewest))
    return found


def first_layer(ctx: Context, layers: Sequence[int]) -> int:
    """Which of the layers is shown first: that of the verdict on H3, else the middle one."""
    layer = answers.place(answers.verdict_of(ctx, "H3")).layer
    return layers.index(layer) if layer in layers else len(layers) // 2


def switch(
    ctx: Context,
    view_name: str,
    camera: str,
    curve: Curve,
    rows: Sequence[Row],
    source: Result,
    colours: dict[str, str],
) -> list[Block]:
    """One curve a layer; the layer is chosen. Rows carry layer, at, series, mean, std, n."""  # fmt: skip
    if not rows:
        return []
    drawn: list[Row] = []
    for r in rows:
        low, high = around(r["mean"], r["std"], r["n"])
        drawn.append({"layer": r["layer"], "at": r["at"], "series": r["series"], "y": r["mean"], "low": low, "high": high, "n": r["n"]})  # fmt: skip
    layers = sorted({r["layer"] for r in drawn})
    groups = [
        [{k: v for k, v in r.items() if k != "layer"} for r in drawn if r["layer"] == layer]
        for layer in layers
    ]
    specs = intervals_of_each(
        groups, colours=colours, x_title=curve.x_title, y_title=SHARE, ticks=curve.ticks, from_zero=True, percent=True
    )  # fmt: skip
    variants = []
    for layer, spec, mine in zip(layers, specs, groups, strict=True):
        told = course(mine, curve)
        variants.append(Variant(f"layer {layer}", spec, told, f"{camera}, {view_name}, layer {layer}: {told}"))  # fmt: skip
    note = f"{curve.reading} {BARS} n = {words.extent([r['n'] for r in drawn])} episodes. No bar: fewer than 3 episodes."
    at = Column("at", curve.x_title) if curve.ticks is None else text_column("tick", curve.x_title)
    first = first_layer(ctx, layers)
    drawn.sort(key=lambda r: r["layer"] != layers[first])  # the table begins with the chart that is shown
    named = [{**r, "tick": curve.ticks[r["at"]] if curve.ticks else None} for r in drawn]
    columns = [LAYER, text_column("series", "series"), at, Column("y", SHARE), Column("low", "from"), Column("high", "to"), Column("n", "episodes")]  # fmt: skip
    title = f"{camera}: {curve.title}"
    return [Switch(title, "layer", variants, Table(columns, named), [source], first=first, note=note)]  # fmt: skip


def course(rows: Sequence[Row], curve: Curve) -> str:
    """From where to where each series goes."""
    parts = []
    for series in dict.fromkeys(r["series"] for r in rows):
        mine = sorted((r for r in rows if r["series"] == series), key=lambda r: r["at"])
        if len(mine) > 1:
            parts.append(f"{series} {words.percent(mine[0]['y'])} to {words.percent(mine[-1]['y'])}")
        else:
            parts.append(f"{series} {words.percent(mine[0]['y'])}")
    ends = "From the first to the last" if curve.ticks is not THIRDS else "First third to last"
    return f"{ends}: {'; '.join(parts)}."


def rows_of(
    picked: Sequence[Row], at: Callable[[Row], int], series: Callable[[Row], str] = lambda r: str(r["role"])
) -> list[Row]:
    """Rows of a mart as rows of a curve."""
    return [
        {
            "layer": r["layer"],
            "at": at(r),
            "series": series(r),
            "mean": r["mean_mass_share"],
            "std": r["std_mass_share"],
            "n": r["n_episodes"],
        }
        for r in picked
        if r["mean_mass_share"] is not None
    ]


def episode_curves(ctx: Context, view: View, camera: str, shares: Result, tenths: Result) -> list[Block]:
    """The episode in tenths and in thirds, and the thirds of both outcomes."""
    name = ctx.study.name(view)
    fine = [r for r in tenths.where(camera=camera) if view.of(r)]
    mine = [r for r in shares.where(camera=camera, action_token=None) if view.of(r) and r["third"] in THIRDS]
    roles = palette.role_colours(list(dict.fromkeys(r["role"] for r in [*fine, *mine])))
    blocks = switch(ctx, name, camera, EPISODE, rows_of(fine, lambda r: int(r["tenth"])), tenths, roles)
    thirds = [r for r in mine if r["outcome"] == "all"]
    blocks += switch(ctx, name, camera, BY_THIRD, rows_of(thirds, third_of), shares, roles)
    both = [r for r in mine if r["outcome"] != "all" and r["role"] == "target"]
    if len({r["outcome"] for r in both}) == 2:
        rows = rows_of(both, third_of, lambda r: str(r["outcome"]))
        blocks += switch(ctx, name, camera, OUTCOMES, rows, shares, palette.OUTCOMES)
    elif mine:
        why = "The study holds one outcome only, so there is nothing to compare."
        blocks.append(Missing(f"{camera}: {OUTCOMES.title}", why))
    return blocks


def third_of(row: Row) -> int:
    """0, 1 or 2."""
    return THIRDS.index(row["third"])


def changes(ctx: Context, view: View, camera: str, paired: Result, estimand: str) -> list[Block]:
    """What the tests rest on: the paired change by layer."""
    picked = [r for r in paired.where(estimand=estimand, camera=camera) if view.of(r)]
    rows = with_interval(picked, series="target", y="estimate", low="low", high="high", n="n_episodes")
    title = f"{camera}: {ESTIMANDS[estimand]}, by layer"
    if not rows:
        return []
    axis = {"target_share_last_minus_first_third": "change of the share", "target_share_slope_over_action_tokens": "share an action token"}.get(estimand, "change of log lift")  # fmt: skip
    spec = charts.intervals_by_layer(
        rows, colours={"target": palette.ROLES["target"]}, y_title=axis, references={"no change": 0.0}
    )
    top = max(rows, key=lambda r: abs(r["y"]))
    reading = (
        f"Largest {words.number(top['y'])} in layer {top['layer']}. Episode by episode, then averaged; bars are 95 % BCa bootstrap intervals "
        f"over episodes (n = {words.extent([r['n'] for r in rows])})."
    )
    if "log_lift" in estimand:
        reading += " What is left of the change when the object's area is allowed for; it is told beside the verdict and does not decide it."
    elif answers.is_of_verdict(ctx, "H3", view, camera):
        reading += " The verdict on H3 rests on this chart and on the slope over action tokens."
    if view.pass_ == "prefix":
        reading += " The last prefix layer is left out."
    return [Figure(title, spec, reading, f"{title}. {reading}", interval_table(rows, axis), [paired])]


def tokens(ctx: Context, shares: Result, paired: Result) -> Section:
    """Over the action tokens of a chunk."""
    title = "Over the action tokens"
    blocks: list[Block] = []
    spoken: list[str] = []
    for view in ctx.study.views:
        for camera in ctx.study.cameras:
            mine = [r for r in shares.where(camera=camera, outcome="all", third="all") if view.of(r) and r["action_token"] is not None]  # fmt: skip
            roles = palette.role_colours(list(dict.fromkeys(r["role"] for r in mine)))
            every = sorted({r["action_token"] for r in mine})
            stride = -(-len(every) // MOST_TOKENS) if every else 1
            thinned = (
                ""
                if stride == 1
                else f" Of {len(every)} tokens one in {stride} is drawn; the query below gives all."
            )
            mine = [r for r in mine if every.index(r["action_token"]) % stride == 0]
            curve = replace(
                TOKENS,
                title=f"{TOKENS.title}, {ctx.study.short_name(view)}",
                reading=TOKENS.reading + thinned,
            )
            blocks += switch(ctx, ctx.study.name(view), camera, curve, rows_of(mine, lambda r: int(r["action_token"])), shares, roles)  # fmt: skip
            drawn = changes(ctx, view, camera, paired, "target_share_slope_over_action_tokens")
            blocks += [replace(b, title=f"{b.title}, {ctx.study.short_name(view)}") for b in drawn if isinstance(b, Figure)]  # fmt: skip
        spoken += [f"{ctx.study.name(view)}. {s}" for s in sentences(ctx, view, paired, "target_share_slope_over_action_tokens")]  # fmt: skip
    if not blocks:
        why = "No attention of single action tokens on objects is stored: it comes from the masses of a run with action tokens, and is null after new masks until the model runs again."
        blocks = [Missing(title, why, "`python -m ingest run --study FILE --fresh`, then `dbt build`")]
    return Section("tokens", title, spoken, blocks)


def steps(ctx: Context, shares: Result) -> Section:
    """Over the denoising steps that were kept."""
    title = "Over the denoising steps"
    rows = [r for r in shares.where(outcome="all", third="all", action_token=None) if r["denoise_step"] >= 0]
    kept = sorted({r["denoise_step"] for r in rows})
    if len(kept) < 2:
        why = f"The study kept {words.plural(len(kept), 'denoising step')}: a course needs two."
        command = "set `capture: {denoise_steps: all}` in the study, then `python -m ingest` and `dbt build`"
        return Section("steps", title, [], [Missing(title, why, command)])
    blocks: list[Block] = []
    for camera in ctx.study.cameras:
        mine = [r for r in rows if r["camera"] == camera]
        roles = palette.role_colours(list(dict.fromkeys(r["role"] for r in mine)))
        blocks += switch(ctx, "actions to image", camera, STEPS, rows_of(mine, lambda r: int(r["denoise_step"])), shares, roles)  # fmt: skip
    return Section("steps", title, [f"Steps kept: {words.listed(kept)}."], blocks)
