"""Object attention (H1.1): does attention rest on the object that the instruction names?"""

from __future__ import annotations

import math
from dataclasses import replace

from measures.verdicts import LIFT_NEEDED
from reports import words
from reports.html.blocks import Block, Figure, Missing, Section
from reports.marts import answers
from reports.marts.context import Context, View
from reports.marts.warehouse import Result, Row
from reports.pages import camera_agreement, caveats, named_object, object_tests
from reports.pages.intervals import half_width
from reports.pages.tables import interval_table, with_interval
from reports.vega import charts, distributions, palette

LIFT = "lift (1 = no preference)"
LIFT_READS = (
    "Lift is the share of a camera's attention that falls on the object, divided by the share of the picture that "
    "the object covers: 1 means no preference, 2 twice as much as its area. Logarithmic axis."
)
NOT_COUNTED = " The layer on grey is the last of the prefix: nothing reads its output, so it does not count."
NAMING, OTHERS = palette.WORDS
COMMAND = (
    "add masks to the episodes (`objects` in the study) and run `python -m ingest measure`, then `dbt build`"
)


def sections(ctx: Context) -> list[Section]:
    """The page's sections, from the answer down to the tests."""
    lift, nulls = ctx.query("lift_by_layer"), ctx.query("lift_against_nulls")
    if not any(row["mean_lift"] is not None for row in nulls):
        why = "No object masks were found for this run, so attention cannot be compared with objects."
        tests = "Success and failure are compared by their attention on the target, which needs its masks."
        return [
            Section("attention", "Attention on objects", [], [Missing("Attention on objects", why, COMMAND)]),
            *camera_agreement.sections(ctx),
            Section("outcomes", "Success against failure", [], [Missing("Tests", tests, COMMAND)]),
        ]
    paired = ctx.query("paired_tests", hypothesis="H1.1")
    each, named = ctx.query("lift_by_episode"), ctx.query("word_lift_by_layer")
    found: list[Section] = []
    for view in ctx.study.views:
        title = ctx.study.name(view)
        blocks: list[Block] = []
        for camera in ctx.study.cameras:
            blocks += outcome_figure(ctx, view, camera, lift)
            blocks += word_figure(ctx, view, camera, named)
            blocks += null_figure(ctx, view, camera, nulls)
            blocks += excess_figure(ctx, view, camera, paired)
            blocks += violin_figure(ctx, view, camera, each)
        spoken = [
            *named_object.sentences(ctx, view),
            *sentences(ctx, view, nulls, paired),
            *words_note(ctx, view),
            *naming_words(ctx, view, named),
        ]
        found.append(Section(view.key, title, spoken, by_kind(blocks, len(ctx.study.cameras))))
    found[0] = replace(found[0], words=[*found[0].words, caveats.NOT_A_CAUSE, *caveats.taught(ctx)])
    return [*found, *camera_agreement.sections(ctx), *object_tests.sections(ctx)]


def words_note(ctx: Context, view: View) -> list[str]:
    """That 'words' is a mean over all words, whatever they name."""
    if view != answers.words_view(ctx):
        return []
    counts = [(r["fewest"], r["most"]) for r in ctx.query("words_per_instruction") if r["n_episodes"]]
    long = f" ({words.extent(counts[0])} words here)" if counts else ""
    return [
        f"'Words' is the mean over all words of the instruction{long}, most of which name no object: where the word that "
        "names the target looks at it and the others do not, the lift falls as the sentence grows longer."
    ]


def by_kind(blocks: list[Block], n_cameras: int) -> list[Block]:
    """Charts of one kind side by side, one a camera: blocks come camera by camera."""
    per_camera = len(blocks) // max(n_cameras, 1)
    if per_camera * n_cameras != len(blocks):
        return blocks
    return [blocks[camera * per_camera + kind] for kind in range(per_camera) for camera in range(n_cameras)]


def sentences(ctx: Context, view: View, nulls: Result, paired: Result) -> list[str]:
    """How strong, where, and whether more than by chance; from the numbers alone."""
    alpha, fewest = ctx.study.statistics["alpha"], int(ctx.study.statistics["min_episodes"])
    found = []
    for camera in ctx.study.cameras:
        own = [
            r
            for r in nulls.where(camera=camera, role="target", against="own")
            if view.of(r) and r["mean_lift"] is not None and ctx.study.counted(view, r["layer"])
        ]
        if not own:
            found.append(f"{camera}: no counted layer has a lift.")
            continue
        best = max(own, key=lambda r: r["mean_lift"])
        tests = [
            r
            for r in paired.where(estimand="target_log_lift_minus_other_episode", camera=camera)
            if view.of(r) and r["p_holm"] is not None
        ]
        passed = [r["layer"] for r in tests if r["p_holm"] < alpha and r["estimate"] > 0]
        text = (
            f"{camera}: the target's mean lift is highest in layer {best['layer']}, "
            f"{words.number(best['mean_lift'])} over {words.plural(best['n_episodes'], 'episode')}"
        )
        if not tests:
            found.append(f"{text}; too few episodes to test it against the masks of other episodes.")
        elif passed:
            found.append(
                f"{text}. It exceeds the lift of other episodes' masks in {len(passed)} of "
                f"{words.plural(len(tests), 'tested layer')} ({words.layers_named(passed)}; Holm-corrected p < {alpha:g}).{words.too_few(tests, fewest)}"
            )
        else:
            none = f"; in no layer more than on masks of other episodes (Holm-corrected p < {alpha:g})."
            found.append(text + none + words.too_few(tests, fewest))
    return found


def outcome_figure(ctx: Context, view: View, camera: str, lift: Result) -> list[Block]:
    """Lift by layer, success and failure apart, with bootstrap intervals."""
    outcomes = [o for o in ("success", "failure") if ctx.study.n_episodes(o)] or ["all"]
    rows: list[Row] = []
    for outcome in outcomes:
        picked = [r for r in lift.where(camera=camera, outcome=outcome) if view.of(r)]
        rows += with_interval(picked, series=outcome, y="estimate", low="bca_low", high="bca_high", n="n")
    if not rows:
        return [
            Missing(
                f"Lift by layer, {camera}", "No bootstrap intervals are stored for this view.", "dbt build"
            )
        ]
    spec = charts.intervals_by_layer(
        rows,
        colours=palette.OUTCOMES,
        y_title=LIFT,
        log=True,
        references={"no preference": 1.0},
        shaded=ctx.study.shaded(view),
    )
    reading = (
        f"{LIFT_READS} Points are means over episodes; bars are 95 % BCa bootstrap intervals over episodes "
        f"({words.outcome_counts(rows)} with a lift{by_layer(rows)}). No bar: too few episodes."
    )
    missing = [o for o in ("success", "failure") if not ctx.study.n_episodes(o)]
    if missing and outcomes != ["all"]:
        reading += f" The study holds no {words.listed(missing, 'or')}."
    title = f"{camera}: lift on the target by layer, {' and '.join(outcomes) if outcomes != ['all'] else 'all episodes'}"
    return [
        Figure(
            title,
            spec,
            reading + grey(view),
            alt_of(title, rows),
            interval_table(rows, "lift", "outcome"),
            [lift],
        )
    ]


def by_layer(rows: list[Row]) -> str:
    """Says that the number of episodes differs between layers, where it does."""
    series = {r["series"] for r in rows}
    counts = {(name, r["n"]) for name in series for r in rows if r["series"] == name}
    return ", by layer" if len(counts) > len(series) else ""


def word_rows(camera: str, named: Result) -> list[Row]:
    """Geometric mean lift of the naming word and of the others, with t-intervals."""
    rows: list[Row] = []
    for r in named.where(camera=camera):
        half = half_width(r["std_log_lift"], r["n_episodes"])
        rows.append({
            "layer": r["layer"], "series": NAMING if r["names_target"] else OTHERS, "n": r["n_episodes"],
            "y": math.exp(r["mean_log_lift"]), "counted": not r["is_last_prefix_layer"],
            "low": None if half is None else math.exp(r["mean_log_lift"] - half),
            "high": None if half is None else math.exp(r["mean_log_lift"] + half),
        })  # fmt: skip
    return rows


def naming_words(ctx: Context, view: View, named: Result) -> list[str]:
    """How much more the naming word looks at the target than the other words do, where it does so most."""
    if view != answers.words_view(ctx):
        return []
    parts = []
    for camera in ctx.study.cameras:
        rows = [r for r in word_rows(camera, named) if r["counted"]]
        best = max((r for r in rows if r["series"] == NAMING), key=lambda r: r["y"], default=None)
        if best is not None:
            others = [r["y"] for r in rows if r["series"] == OTHERS and r["layer"] == best["layer"]]
            beside = f", of the other words {words.number(others[0])}" if others else ""
            parts.append(f"{camera} {words.number(best['y'])} in layer {best['layer']}{beside}")
    return [f"Highest lift of the word that names the target: {'; '.join(parts)}."] if parts else []


def word_figure(ctx: Context, view: View, camera: str, named: Result) -> list[Block]:
    """The word that names the target against all others."""
    if view != answers.words_view(ctx):
        return []
    title = f"{camera}: the word that names the target against the other words"
    rows = word_rows(camera, named)
    if not any(r["series"] == NAMING for r in rows):
        return [Missing(title, "No word of the instructions is known to name the target.")]
    spec = charts.intervals_by_layer(
        rows,
        colours=palette.WORDS,
        y_title="geometric mean lift on the target",
        log=True,
        references={"no preference": 1.0},
        shaded=ctx.study.shaded(view),
    )
    present = [s for s in palette.WORDS if any(r["series"] == s for r in rows)]
    counts = [words.extent([r["n"] for r in rows if r["series"] == s]) for s in present]
    reading = (
        "Lift on the target of the word that is its name, and of all other words (averaged within an episode). Points are geometric "
        f"means over episodes (n = {' and '.join(counts)}), bars 95 % t-intervals of the mean log lift. Logarithmic axis."
    )
    table = interval_table(rows, "lift", "word")
    return [Figure(title, spec, reading + grey(view), alt_of(title, rows), table, [named])]


def null_figure(ctx: Context, view: View, camera: str, nulls: Result) -> list[Block]:
    """The target's own mask, masks of other episodes, and distractors."""
    series = {
        "own mask": {"role": "target", "against": "own"},
        "other episodes": {"role": "target", "against": "other_episode"},
        "distractors": {"role": "distractor", "against": "own"},
    }
    rows: list[Row] = []
    for name, wanted in series.items():
        for r in nulls.where(camera=camera, **wanted):
            if view.of(r) and r["mean_log_lift"] is not None:
                half = half_width(r["std_log_lift"], r["n_episodes"])
                rows.append({
                    "layer": r["layer"], "series": name, "y": math.exp(r["mean_log_lift"]), "n": r["n_episodes"],
                    "low": None if half is None else math.exp(r["mean_log_lift"] - half),
                    "high": None if half is None else math.exp(r["mean_log_lift"] + half),
                })  # fmt: skip
    if not rows:
        return [Missing(f"Against the nulls, {camera}", "No log lift is defined for this view.", COMMAND)]
    colours = palette.MASKS
    spec = charts.intervals_by_layer(
        rows,
        colours=colours,
        y_title="geometric mean lift",
        log=True,
        references={"uniform map": 1.0},
        shaded=ctx.study.shaded(view),
    )
    title = f"{camera}: the target against two nulls and the distractors"
    reading = (
        "Own mask: the target where it is. Other episodes: the same maps against the target masks of other episodes, "
        "which shows what a preference for the centre would give. A uniform map has a lift of 1. Distractors: the mean "
        "over the other objects. Points are geometric means over episodes, bars 95 % t-intervals of the mean log lift. "
        f"Own mask: n = {words.extent([r['n'] for r in rows if r['series'] == rows[0]['series']])} episodes. Logarithmic axis."
    )
    return [
        Figure(
            title,
            spec,
            reading + grey(view),
            alt_of(title, rows),
            interval_table(rows, "lift", "mask"),
            [nulls],
        )
    ]


def excess_figure(ctx: Context, view: View, camera: str, paired: Result) -> list[Block]:
    """The paired differences that the verdict rests on."""
    names = {
        "target_log_lift_minus_other_episode": "own mask",
        "target_minus_distractors": "distractors",
    }
    labels = {"own mask": "minus other episodes", "distractors": "minus distractors"}
    rows: list[Row] = []
    for estimand, series in names.items():
        picked = [r for r in paired.where(estimand=estimand, camera=camera) if view.of(r)]
        rows += with_interval(
            picked, series=labels[series], y="estimate", low="low", high="high", n="n_episodes"
        )
    if not rows:
        why = "The paired tests hold no estimate here: too few episodes, or no masks in other episodes to compare with."
        return [Missing(f"{camera}: difference to the nulls", why)]
    colours = {labels[series]: palette.MASKS[series] for series in names.values()}
    spec = charts.intervals_by_layer(
        rows, colours=colours, y_title="difference of log lift", references={"no difference": 0.0}
    )
    title = f"{camera}: how much more the target draws than the null, episode by episode"
    reading = (
        "Differences of the natural log of lift within an episode, then averaged; bars are 95 % BCa bootstrap intervals "
        f"over episodes (n = {words.extent([r['n'] for r in rows])}). 0.69 is twice as much."
    )
    if answers.is_of_verdict(ctx, "H1.1", view, camera):
        reading += f" 'Minus other episodes' is what the verdict on H1.1 tests; it asks for a mean lift of {LIFT_NEEDED:g} as well."
    if view.pass_ == "prefix":
        reading += " The last prefix layer is left out."
    return [
        Figure(
            title,
            spec,
            reading,
            alt_of(title, rows),
            interval_table(rows, "difference of log lift"),
            [paired],
        )
    ]


def violin_figure(ctx: Context, view: View, camera: str, each: Result) -> list[Block]:
    """Every episode as a dot."""
    rows = [
        {
            "layer": r["layer"],
            "series": r["outcome"],
            "name": r["episode_id"],
            "log": r["log_lift"],
            "y": math.exp(r["log_lift"]),
        }
        for r in each.where(camera=camera)
        if view.of(r)
    ]
    if not rows:
        return [Missing(f"{camera}: episodes", "No episode has a defined log lift.", COMMAND)]
    colours = {k: v for k, v in palette.OUTCOMES.items() if k != "all"} | {"unknown": palette.OUTCOMES["all"]}
    used = {k: v for k, v in colours.items() if any(r["series"] == k for r in rows)}
    spec = distributions.split_violins(
        rows, colours=dict(list(used.items())[:2]), y_title="lift of the episode",
        reference="no preference", shaded=ctx.study.shaded(view),
    )  # fmt: skip
    title = f"{camera}: every episode's lift on the target"
    reading = (
        f"{distributions.dots_in_words(rows)} The shapes are kernel density estimates (Scott's rule) of the log lift, success to the left "
        f"and failure to the right; below {distributions.FEWEST} episodes no shape is drawn."
    )
    table = object_tests.episode_table(rows)
    return [
        Figure(
            title, spec, reading + grey(view), f"{title}. {distributions.dots_in_words(rows)}", table, [each]
        )
    ]


def grey(view: View) -> str:
    """The note on the last prefix layer, where it applies."""
    return NOT_COUNTED if view.pass_ == "prefix" else ""


def alt_of(title: str, rows: list[Row]) -> str:
    """Text alternative: the range of every series and where it peaks."""
    parts = []
    for series in dict.fromkeys(r["series"] for r in rows):
        mine = [r for r in rows if r["series"] == series]
        top, low = max(mine, key=lambda r: r["y"]), min(mine, key=lambda r: r["y"])
        parts.append(
            f"{series}: highest {words.number(top['y'])} in layer {top['layer']}, lowest {words.number(low['y'])} in layer {low['layer']}"
        )
    return f"{title}. {'; '.join(parts)}."
