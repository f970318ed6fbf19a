"""What a reader must know before believing a number, the most important first."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages import caveats

STATES = ("done", "partial", "failed", "skipped", "pending")
PADDING_WORTH_A_WORD = 0.10
ONE_SIDED = 0.75  # share of one outcome from which a scenario and the outcome can hardly be told apart
ENOUGH = 5  # episodes of a scenario below which its share says nothing
PLACES = {
    "letterbox": "the black bars of the letterbox, where there is nothing to see; lift and mass share leave them out",
    "padding": "padding tokens, which stand for nothing",
    "first token": "the first token, a sink that takes what no other key wants",
}


def warnings(ctx: Context, coverage: Result, padding: Result, bars: Result, scenarios: Result) -> list[str]:
    """Everything that applies."""
    return [
        *caveats.taught(ctx),
        *confounded(scenarios.rows),
        *small(ctx),
        *incomplete(coverage),
        *nothing_to_see(padding),
        *bars_of_actions(bars),
        *vacuous(coverage),
    ]


def confounded(rows: Sequence[Row]) -> list[str]:
    """Scenarios that hold nearly one outcome only, where the study holds both and scenarios differ."""
    counts: dict[str, tuple[int, int]] = {}
    for r in rows:
        success, failure = counts.get(r["scenario"], (0, 0))
        counts[r["scenario"]] = (success + r["n_success"], failure + r["n_failure"])
    totals = [sum(pair[i] for pair in counts.values()) for i in (0, 1)]
    if len(counts) < 2 or not all(totals):
        return []
    one_sided = [
        f"{name} ({words.plural(s, 'success', 'successes')}, {words.plural(f, 'failure')})"
        for name, (s, f) in sorted(counts.items())
        if s + f >= ENOUGH and max(s, f) >= ONE_SIDED * (s + f)
    ]
    if not one_sided:
        return []
    return [
        f"Outcome and scenario are confounded: {words.listed(one_sided)} hold nearly one outcome only, so that a difference "
        "between success and failure may be one between scenarios."
    ]


def small(ctx: Context) -> list[str]:
    """Outcomes with fewer episodes than the study asks for."""
    fewest = int(ctx.study.statistics["min_episodes"])
    return [
        f"Small n: {words.plural(n, 'episode')} of {outcome}; the study asks for {fewest} before it says 'supported'."
        for outcome in ("success", "failure")
        if (n := ctx.study.n_episodes(outcome)) < fewest
    ]


def incomplete(coverage: Result) -> list[str]:
    """Inferences that failed and units that are not done."""
    found = []
    for r in coverage:
        bad = int((r["n_nan"] or 0) + (r["n_failed_inferences"] or 0))
        if bad:
            found.append(
                f"{words.plural(bad, 'inference')} of '{r['condition_group']}' failed or gave numbers that are not finite."
            )
    lost = {r["condition_group"]: sum(r[f"n_{state}"] or 0 for state in STATES[1:]) for r in coverage}
    parts = [f"{words.plural(int(n), 'unit')} of '{group}'" for group, n in lost.items() if n]
    if parts:
        found.append(f"Incomplete: {words.listed(parts)} not done in full; the reasons stand under Coverage.")
    return found


def nothing_to_see(padding: Result) -> list[str]:
    """Attention that falls where nothing is to be seen."""
    return [
        f"On average {words.percent(r['mean_mass'])} of the words' attention falls on {PLACES[r['place']]}."
        for r in padding
        if r["mean_mass"] is not None and r["mean_mass"] >= PADDING_WORTH_A_WORD
    ]


def bars_of_actions(bars: Result) -> list[str]:
    """Attention of the action tokens on the letterbox, which counts as visual."""
    return [
        f"On average {words.percent(r['mean_mass'])} of the action tokens' attention falls on {PLACES['letterbox']}; masses and "
        f"ratios of vision and language count them as vision ({words.percent(r['mean_mass'] / r['visual_mass'])} of it)."
        for r in bars
        if r["mean_mass"] is not None and r["mean_mass"] >= PADDING_WORTH_A_WORD
    ]


def vacuous(coverage: Result) -> list[str]:
    """Prompts that changed nothing."""
    return [
        f"Vacuous prompts: {words.plural(int(r['n_vacuous']), 'inference')} of '{r['condition_group']}' put the same tokens into "
        f"the model as the baseline and {'count as a shift of 0' if r['condition_group'] == 'paraphrases' else 'do not count'}."
        for r in coverage
        if r["n_vacuous"]
    ]
