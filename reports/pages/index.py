"""The index: what was studied, how complete it is, and an answer to each research question."""

from __future__ import annotations

from typing import Any

from reports import words
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages import diagnosis
from reports.pages.cards import cards, unmeasured
from reports.pages.warnings import STATES, warnings


def content(ctx: Context) -> dict[str, Any]:
    """Everything the template shows."""
    verdicts, coverage, reasons = ctx.query("verdicts"), ctx.query("coverage"), ctx.query("coverage_reasons")
    issues, padding, bars, scenarios = (
        ctx.query("issues"),
        ctx.query("padding_and_sinks"),
        ctx.query("letterbox_of_actions"),
        ctx.query("outcomes_by_scenario"),
    )
    return {
        "cards": cards(ctx, verdicts),
        "diagnoses": diagnosis.answered(ctx),
        "unmeasured": unmeasured(verdicts),
        "coverage": [coverage_row(row) for row in coverage],
        "states": STATES,
        "reasons": reasons.rows,
        "issues": issues.rows,
        "warnings": warnings(ctx, coverage, padding, bars, scenarios),
        "facts": facts(ctx, coverage),
        "failure_kinds": [r for r in ctx.study.outcomes if r["failure_kind"]],
        "sources": [verdicts, ctx.query("diagnoses"), coverage, reasons, issues, padding, bars, scenarios],
    }


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
    n_never_ran = sum(r[f"n_{state}"] or 0 for r in coverage for state in ("failed", "skipped", "pending"))
    n_episodes_planned = sum(r["n_units"] for r in coverage if r["condition_group"] == "baseline")
    names = {
        "success": ("success", "successes"),
        "failure": ("failure", "failures"),
        "unknown": ("unknown", "unknown"),
    }
    split = ", ".join(words.plural(study.n_episodes(o), *names[o]) for o in names if study.n_episodes(o))
    if n_episodes_planned > study.n_episodes():
        split = f"of {words.number(n_episodes_planned)} planned: {split}"
    of_planned = f"of {words.number(int(planned))} planned"
    if n_never_ran:
        of_planned += f"; {words.plural(n_never_ran, 'unit')} did not run"
    keyframes = sum(r["n_keyframes"] or 0 for r in study.outcomes)
    return [
        (words.number(study.n_episodes()), "episodes", split),
        (
            words.number(int(keyframes)),
            "keyframes",
            f"{words.plural(len(study.cameras), 'camera')}: {words.listed(study.cameras)}",
        ),
        (words.number(int(n_ok)), "inferences that count", of_planned),
        (f"{run['n_layers']} × {run['n_heads']}", "layers × heads", f"{run['model_family']}, {run['dtype']}"),
    ]
