"""Methods and provenance: what the numbers mean, where they come from, and the queries behind every page."""

from __future__ import annotations

import json
from typing import Any

from reports.marts import answers
from reports.marts.context import Context
from reports.marts.warehouse import Result
from reports.pages import rules

RUN_FIELDS = {
    "study": "study",
    "run_id": "run",
    "policy": "policy",
    "model_family": "model family",
    "checkpoint": "checkpoint",
    "checkpoint_hash": "checkpoint hash",
    "dtype": "dtype",
    "attention_impl": "attention implementation",
    "device": "device",
    "seed": "random seed",
    "git_rev": "code",
    "config_hash": "study hash",
    "schema_version": "schema version",
    "status": "status",
}


def content(ctx: Context, sources: list[Result]) -> dict[str, Any]:
    """What the template shows; `sources` are the queries of the other pages."""
    run = ctx.study.run
    seen: dict[str, Result] = {}
    for source in sources:
        seen.setdefault(json.dumps([source.name, source.parameters], sort_keys=True, default=str), source)
    versions = json.loads(run["versions"]) if run["versions"] else {}
    statistics, verdicts = ctx.study.statistics, ctx.query("verdicts")
    here = {r["hypothesis"]: r["verdict"] for r in verdicts.where(criteria="ours")}
    table = rules.rules(float(statistics["alpha"]), int(statistics["min_episodes"]))
    return {
        "fields": [(label, run[key]) for key, label in RUN_FIELDS.items() if run[key] is not None],
        "versions": sorted(versions.items()),
        "config": json.dumps(ctx.study.config, indent=2, ensure_ascii=False),
        "statistics": statistics,
        "rules": [(rule, here.get(rule.hypothesis)) for rule in table],
        "glossary": rules.GLOSSARY,
        "conditions": ctx.study.conditions,
        "middle": ctx.study.middle_layers,
        "verdicts": [{**v, "claimed": answers.claimed(v)} for v in verdicts],
        "queries": list(seen.values()),
    }
