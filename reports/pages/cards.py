"""One card a research question: the verdict, its number with the place it was taken, and where the cameras peak."""

from __future__ import annotations

import math
from typing import Any

from reports import words
from reports.marts import answers
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages import named_object, newly_named, per_token

PAGES = {
    "H1.1": "object-attention.html",
    "H1.1b": "object-attention.html#outcomes",
    "H2.1": "prompt-control.html",
    "H1": "causes.html",
    "H1k": "causes.html#cuts",
    "M": "modality-balance.html",
    "H3": "time.html",
    "H4": "heads.html#variance",
}


def cards(ctx: Context, verdicts: Result) -> list[dict[str, Any]]:
    """One card a question that the study measured: our verdict, the original protocol's below it."""
    found = []
    order = list(PAGES)  # that of the pages
    asked = sorted(
        {r["hypothesis"] for r in verdicts}, key=lambda h: (order.index(h) if h in order else len(order), h)
    )
    for hypothesis in asked:
        ours = next(iter(verdicts.where(hypothesis=hypothesis, criteria="ours")), None)
        seed = next(iter(verdicts.where(hypothesis=hypothesis, criteria="seed")), None)
        lead = ours or seed
        if lead is None or lead["verdict"] == "not applicable":
            continue
        found.append({
            "lead": lead, "seed": seed if ours else None, "page": PAGES.get(hypothesis, "methods.html"),
            "bar": interval_bar(lead), "unit": answers.unit(lead), "where": answers.place_words(ctx, lead),
            "claimed": answers.claimed(lead), "seed_claimed": answers.claimed(seed) if ours and seed else None,
            "plain": PLAIN[hypothesis](ctx) if hypothesis in PLAIN else None,
            "peaks": PEAKS[hypothesis](ctx) if hypothesis in PEAKS else "",
        })  # fmt: skip
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


def lift_peaks(ctx: Context) -> str:
    """Where the words' mean lift on the target is largest, by camera."""
    view = answers.words_view(ctx)
    rows = [
        {**r, "y": r["mean_lift"]}
        for r in ctx.query("lift_against_nulls").where(role="target", against="own")
        if view is not None
        and view.of(r)
        and ctx.study.counted(view, r["layer"])
        and r["mean_lift"] is not None
    ]
    return peak_words("Largest mean lift of the words", rows)


def effect_peaks(ctx: Context) -> str:
    """Where success and failure are furthest apart, by camera."""
    view = answers.words_view(ctx)
    rows = [
        {**r, "y": r["hedges_g"]}
        for r in ctx.query("outcome_tests").where(metric="log_lift")
        if view is not None and view.of(r) and r["hedges_g"] is not None
    ]
    return peak_words("Largest |g|", rows)


def shift_peaks(ctx: Context) -> str:
    """Where some prompt exceeds the paraphrases most, by camera."""
    view = answers.words_view(ctx)
    rows = [
        {**r, "y": r["estimate"], "more": ctx.study.condition_names.get(r["condition_id"], r["condition_id"])}
        for r in ctx.query("paired_tests", hypothesis="H2.1").where(estimand="jsd_minus_paraphrase")
        if view is not None and view.of(r) and r["estimate"] is not None
    ]
    return peak_words("Largest difference of JSD, of any layer", rows)


def ratio_peaks(ctx: Context) -> str:
    """Layers with the highest and the lowest ratio, at the last step kept, and the ratio of evenly spread attention."""
    balance = ctx.query("balance_by_layer").where(outcome="all")
    last = max((r["denoise_step"] for r in balance), default=None)
    rows = [
        r for r in balance if r["layer"] >= 0 and r["denoise_step"] == last and r["log_ratio"] is not None
    ]
    if not rows:
        return ""
    high, low = max(rows, key=lambda r: r["log_ratio"]), min(rows, key=lambda r: r["log_ratio"])
    told = [f"layer {r['layer']} ({words.number(math.exp(r['log_ratio']))})" for r in (high, low)]
    even = [words.number(r["ratio"]) for r in ctx.query("balance_if_uniform").where(denoise_step=last)]
    beside = f" Attention spread evenly over all keys would give {even[0]}." if even else ""
    return f"By layer: highest in {told[0]}, lowest in {told[1]}.{beside}"


def peak_words(what: str, rows: list[Row]) -> str:
    """'Largest lift: base layer 0 (7.67), wrist layer 1 (3.88).' The largest by absolute value."""
    best = []
    for camera in dict.fromkeys(r["camera"] for r in rows):
        top = max((r for r in rows if r["camera"] == camera), key=lambda r: abs(r["y"]))
        more = f", {top['more']}" if "more" in top else ""
        best.append(f"{camera}, layer {top['layer']}{more}: {words.number(top['y'])}")
    return f"{what}: {'; '.join(best)}." if best else ""


PLAIN = {"H1.1": named_object.on_card, "H2.1": newly_named.on_card, "M": per_token.on_card}
PEAKS = {"H1.1": lift_peaks, "H1.1b": effect_peaks, "H2.1": shift_peaks, "M": ratio_peaks}
