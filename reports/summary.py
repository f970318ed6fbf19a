"""What came of a run as plain text or JSON: every hypothesis, and the balance of vision and language by layer and task.

The second part follows the summary of the original protocol's parser (ratios, per task, fractions): `mean`, `std`,
`median`, `min` and `max` are over episodes, of each episode's mean ratio. Beside them stands the ratio that the verdict
rests on, with its 95 % interval.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from reports.html.render import plain
from reports.marts import answers
from reports.marts.context import Context
from reports.marts.warehouse import Row
from reports.words import NONE, number, plural, printable

HYPOTHESIS = ("hypothesis", "criteria", "verdict", "question", "estimate", "low", "high", "estimate_unit", "n", "camera", "because")  # fmt: skip
CRITERIA = {"ours": "verdict", "seed": "original protocol"}


def content(ctx: Context) -> dict[str, Any]:
    """The summary as plain values: `run`, `hypotheses`, `balance_by_layer`, `balance_by_task`."""
    run = ctx.study.run
    return {
        "run": {
            "run_id": ctx.study.run_id, "study": run["study"], "policy": run["policy"], "model_family": run["model_family"],
            "n_episodes": ctx.study.n_episodes(), "n_success": ctx.study.n_episodes("success"), "n_failure": ctx.study.n_episodes("failure"),
        },
        "hypotheses": [
            {name: row[name] for name in HYPOTHESIS} | {"estimate_unit": answers.unit(row), "claimed": answers.claimed(row)}
            for row in ctx.query("verdicts")
        ],
        "balance_by_layer": balance(ctx, "layer"),
        "balance_by_task": balance(ctx, "task"),
    }  # fmt: skip


def balance(ctx: Context, by: Literal["layer", "task"]) -> list[Row]:
    """The balance of vision and language by layer, or by task; the other of the two is no column of it."""
    other = {"layer": "task", "task": "layer"}[by]
    rows = ctx.query("balance_summary", grouped_by=by)
    return [{name: value for name, value in row.items() if name != other} for row in rows]


def as_json(ctx: Context) -> str:
    """The summary as JSON; what is missing or not finite is null."""
    return json.dumps(plain(content(ctx)), ensure_ascii=False, allow_nan=False, indent=2)


def as_text(ctx: Context) -> str:
    """The summary to read."""
    found = content(ctx)
    run = found["run"]
    lines = [
        f"Run {run['run_id']}, study {run['study']}, policy {run['policy']}: {plural(run['n_episodes'], 'episode')}, "
        f"{plural(run['n_success'], 'success', 'successes')}, {plural(run['n_failure'], 'failure')}"
    ]
    for hypothesis in dict.fromkeys(row["hypothesis"] for row in found["hypotheses"]):
        lines += ["", *verdict_lines([r for r in found["hypotheses"] if r["hypothesis"] == hypothesis])]
    lines += ["", *balance_lines(found["balance_by_layer"], found["balance_by_task"])]
    return "\n".join(printable(line) for line in lines)


def verdict_lines(rows: Sequence[Row]) -> list[str]:
    """A hypothesis: its question, and a verdict by each of the criteria."""
    lines = [f"{rows[0]['hypothesis']}: {rows[0]['question']}"]
    for row in rows:
        claim = f" ({row['claimed']})" if row["claimed"] else ""
        lines.append(f"  {CRITERIA.get(row['criteria'], row['criteria'])}: {row['verdict']}{claim}")
        if row["estimate"] is not None:
            ends = (
                ""
                if row["low"] is None or row["high"] is None
                else f" [{number(row['low'])}, {number(row['high'])}]"
            )
            lines.append(
                f"    {row['estimate_unit']}: {number(row['estimate'])}{ends}, n = {number(row['n'])}"
            )
        if row["because"]:
            lines.append(f"    {row['because']}")
    return lines


def balance_lines(layers: Sequence[Row], tasks: Sequence[Row]) -> list[str]:
    """Tables of the balance at each denoising step: by layer, the mean over layers first, and by task."""
    if not layers:
        return ["Vision and language: not measured (no attention of action tokens is in the marts)"]
    lines = [
        "Vision and language. ratio: geometric mean over episodes of each one's ratio of mean masses, which the verdict rests on.",
        "mean to max: over episodes, of each one's mean ratio as in the original protocol. visual, linguistic: fractions ± std.",
    ]
    for step in sorted({row["denoise_step"] for row in layers}):
        at = f", denoising step {step}" if step >= 0 else ""
        lines += ["", f"Visual / linguistic attention of the actions{at}, by layer"]
        lines += table("layer", [(layer_name(r), r) for r in layers if r["denoise_step"] == step])
        lines += ["", f"Visual / linguistic attention of the actions{at}, mean over layers, by task"]
        lines += table("task", [(r["task"] or "no task", r) for r in tasks if r["denoise_step"] == step])
    return lines


def layer_name(row: Row) -> str:
    """'all' for the mean over layers."""
    return "all" if row["layer"] < 0 else str(row["layer"])


COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("episodes", lambda r: number(r["n_episodes"])),
    ("ratio", lambda r: number(r["ratio"])),
    ("95 % interval", lambda r: bounds(r["ratio_low"], r["ratio_high"])),
    ("band", lambda r: r["band"] or "none"),
    ("mean", lambda r: number(r["mean_ratio_seed"])),
    ("std", lambda r: number(r["std_ratio_seed"])),
    ("median", lambda r: number(r["median_ratio_seed"])),
    ("min", lambda r: number(r["min_ratio_seed"])),
    ("max", lambda r: number(r["max_ratio_seed"])),
    ("visual", lambda r: spread(r["mean_visual_fraction"], r["std_visual_fraction"])),
    ("linguistic", lambda r: spread(r["mean_linguistic_fraction"], r["std_linguistic_fraction"])),
    ("undefined", lambda r: number(r["n_undefined"])),
)


def table(first: str, rows: Sequence[tuple[str, Row]]) -> list[str]:
    """Lines of an aligned table: names to the left, numbers to the right."""
    cells = [[first, *(title for title, _ in COLUMNS)]]
    cells += [[printable(name), *(show(row) for _, show in COLUMNS)] for name, row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return [
        "  " + "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
        for line in cells
    ]  # fmt: skip


def bounds(low: float | None, high: float | None) -> str:
    """'[1.2, 3.4]', or that there is no interval."""
    return NONE if low is None or high is None else f"[{number(low)}, {number(high)}]"


def spread(mean: float | None, std: float | None) -> str:
    """'0.65 ± 0.08'."""
    return NONE if mean is None else f"{number(mean)} ± {number(std)}"
