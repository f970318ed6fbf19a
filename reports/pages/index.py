"""The index: what was studied, how complete it is, and an answer to each research question."""

from __future__ import annotations

import math
from typing import Any

from reports import words
from reports.context import Context
from reports.warehouse import Result, Row

PAGES = {
    "H1.1": "object-attention.html",
    "H1.1b": "object-attention.html#outcomes",
    "H2.1": "prompt-control.html",
    "M": "modality-balance.html",
}
STATES = ("done", "partial", "failed", "skipped", "pending")
PADDING_WORTH_A_WORD = 0.10
PLACES = {
    "letterbox": "the black bars of the letterbox, where there is nothing to see; lift and mass share leave them out",
    "padding": "padding tokens, which stand for nothing",
    "first token": "the first token, a sink that takes what no other key wants",
}


def content(ctx: Context) -> dict[str, Any]:
    """Everything the template shows."""
    verdicts, coverage, reasons = ctx.query("verdicts"), ctx.query("coverage"), ctx.query("coverage_reasons")
    issues, padding = ctx.query("issues"), ctx.query("padding_and_sinks")
    return {
        "cards": cards(verdicts),
        "unmeasured": unmeasured(verdicts),
        "coverage": [coverage_row(row) for row in coverage],
        "states": STATES,
        "reasons": reasons.rows,
        "issues": issues.rows,
        "warnings": warnings(ctx, coverage, padding),
        "facts": facts(ctx, coverage),
        "failure_kinds": [r for r in ctx.study.outcomes if r["failure_kind"]],
        "sources": [verdicts, coverage, reasons, issues, padding],
    }


def cards(verdicts: Result) -> list[dict[str, Any]]:
    """One card a question that the study measured: our verdict, the seed's below it."""
    found = []
    for hypothesis in dict.fromkeys(r["hypothesis"] for r in verdicts):
        ours = next(iter(verdicts.where(hypothesis=hypothesis, criteria="ours")), None)
        seed = next(iter(verdicts.where(hypothesis=hypothesis, criteria="seed")), None)
        lead = ours or seed
        if lead is None or lead["verdict"] == "not applicable":
            continue
        page = PAGES.get(hypothesis, "methods.html")
        found.append({"lead": lead, "seed": seed if ours else None, "page": page, "bar": interval_bar(lead)})
    return found


def unmeasured(verdicts: Result) -> list[Row]:
    """Questions without any verdict of ours, with the reason."""
    return [r for r in verdicts.where(criteria="ours") if r["verdict"] == "not applicable"]


def interval_bar(row: Row) -> dict[str, float] | None:
    """Positions, in per cent of a small drawing, of an interval, its estimate and the value of no effect.

    Ratios and lifts are drawn on a log scale around 1, differences on a linear one around 0.
    """
    low, high, estimate = row["low"], row["high"], row["estimate"]
    if low is None or high is None or estimate is None or not all(map(math.isfinite, (low, high, estimate))):
        return None
    null = 0.0
    unit = (row["estimate_unit"] or "").lower()
    if ("lift" in unit or "ratio" in unit) and "log" not in unit and min(low, estimate) > 0:
        low, high, estimate = math.log(low), math.log(high), math.log(estimate)
    first, last = min(low, null), max(high, null)
    pad = 0.12 * ((last - first) or 1.0)
    first, last = first - pad, last + pad

    def at(value: float) -> float:
        return round(100 * (value - first) / (last - first), 2)

    return {"low": at(low), "high": at(high), "estimate": at(estimate), "null": at(null)}


def coverage_row(row: Row) -> dict[str, Any]:
    """Units of a condition group with the share of each state, for the bar."""
    total = max(1, row["n_units"])
    shares, start = [], 0.0
    for state in STATES:
        width = 100 * row[f"n_{state}"] / total
        if width:
            shares.append(
                {"state": state, "x": round(start, 3), "width": round(width, 3), "n": row[f"n_{state}"]}
            )
        start += width
    return {**row, "shares": shares}


def facts(ctx: Context, coverage: Result) -> list[tuple[str, str, str]]:
    """The large numbers: value, what it counts, detail."""
    study, run = ctx.study, ctx.study.run
    n_ok = sum(r["n_ok"] or 0 for r in coverage)
    planned = sum(r["n_planned_inferences"] or 0 for r in coverage)
    split = ", ".join(
        f"{study.n_episodes(o)} {o}" for o in ("success", "failure", "unknown") if study.n_episodes(o)
    )
    keyframes = sum(r["n_keyframes"] or 0 for r in study.outcomes)
    return [
        (words.number(study.n_episodes()), "episodes", split),
        (
            words.number(int(keyframes)),
            "keyframes",
            f"{words.plural(len(study.cameras), 'camera')}: {words.listed(study.cameras)}",
        ),
        (words.number(int(n_ok)), "inferences that count", f"of {words.number(int(planned))} planned"),
        (f"{run['n_layers']} × {run['n_heads']}", "layers × heads", f"{run['model_family']}, {run['dtype']}"),
    ]


def warnings(ctx: Context, coverage: Result, padding: Result) -> list[str]:
    """What a reader must know before believing a number."""
    study, found = ctx.study, []
    fewest = int(study.statistics["min_episodes"])
    for outcome in ("success", "failure"):
        n = study.n_episodes(outcome)
        if n < fewest:
            found.append(
                f"Small n: {words.plural(n, 'episode')} of {outcome}; the study asks for {fewest} before it says 'supported'."
            )
    for r in coverage:
        if r["n_vacuous"]:
            found.append(
                f"Vacuous prompts: {words.plural(int(r['n_vacuous']), 'inference')} of '{r['condition_group']}' put the same tokens into "
                "the model as the baseline and do not count."
            )
        if r["n_nan"] or r["n_failed_inferences"]:
            bad = int((r["n_nan"] or 0) + (r["n_failed_inferences"] or 0))
            found.append(
                f"{words.plural(bad, 'inference')} of '{r['condition_group']}' failed or gave numbers that are not finite."
            )
    lost = {r["condition_group"]: sum(r[f"n_{state}"] or 0 for state in STATES[1:]) for r in coverage}
    parts = [f"{words.plural(int(n), 'unit')} of '{group}'" for group, n in lost.items() if n]
    if parts:
        found.append(f"Incomplete: {words.listed(parts)} not done in full; the reasons stand under Coverage.")
    for r in padding:
        if r["mean_mass"] is not None and r["mean_mass"] >= PADDING_WORTH_A_WORD:
            found.append(
                f"On average {words.percent(r['mean_mass'])} of the words' attention falls on {PLACES[r['place']]}."
            )
    if study.run["model_family"] == "tiny":
        found.append(
            "The demo's policy was trained with auxiliary losses that tie the toy's word to its place in the picture: the very link "
            "that the words' attention shows. See its model card."
        )
    return found
