"""What every page is given: the warehouse, the run and what kind of study it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from measures.verdict import middle_layers
from reports.errors import ReportError
from reports.marts.warehouse import Result, Row, Warehouse
from reports.words import short_names, view_name, view_short

DEFAULT_STATISTICS = {"alpha": 0.05, "bootstrap": 10000, "min_episodes": 20}
BASELINE = "baseline:baseline"
LONGEST_NAME = 26  # letters of a condition's name that fit beside a chart


@dataclass(frozen=True)
class View:
    """What looks: the query group of a pass, at a denoising step."""

    pass_: str
    step: int
    query: str

    @property
    def key(self) -> str:
        """Short name for data blocks and element ids."""
        return self.pass_ if self.step < 0 else f"{self.pass_}-{self.step}"

    def of(self, row: Row) -> bool:
        """Whether a row belongs to it."""
        return row["pass"] == self.pass_ and row["denoise_step"] == self.step


@dataclass(frozen=True)
class Study:
    """The run on show."""

    run: Row
    others: Sequence[Row]
    views: Sequence[View]
    cameras: Sequence[str]
    outcomes: Sequence[Row]
    conditions: Sequence[Row]

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved study file."""
        value = self.run["config"]
        return dict(json.loads(value)) if value else {}

    @cached_property
    def statistics(self) -> dict[str, Any]:
        """Settings of the tests: alpha, bootstrap resamples, fewest episodes for a verdict."""
        return DEFAULT_STATISTICS | dict(self.config.get("statistics") or {})

    @property
    def run_id(self) -> str:
        """Sixteen hex digits."""
        return str(self.run["run_id"])

    @property
    def n_layers(self) -> int:
        """Layers of a pass."""
        return int(self.run["n_layers"])

    @property
    def last_prefix_layer(self) -> int:
        """Its attention reaches no output, so that it does not count."""
        return self.n_layers - 1

    def counted(self, view: View, layer: int) -> bool:
        """False for the last layer of the prefix pass."""
        return view.pass_ != "prefix" or layer != self.last_prefix_layer

    def shaded(self, view: View) -> list[int]:
        """Layers drawn on grey because they do not count."""
        return [self.last_prefix_layer] if view.pass_ == "prefix" else []

    @property
    def middle_layers(self) -> list[int]:
        """Relative depth .28 to .56: layers 5 to 10 of 18."""
        return middle_layers(self.n_layers)

    @property
    def steps(self) -> list[int]:
        """Denoising steps that were kept."""
        return sorted({view.step for view in self.views if view.step >= 0})

    def name(self, view: View) -> str:
        """A view in words."""
        return view_name(view.pass_, view.step, self.steps)

    def short_name(self, view: View) -> str:
        """The same for legends and buttons."""
        return view_short(view.pass_, view.step)

    def n_episodes(self, outcome: str | None = None) -> int:
        """Episodes of the run, or of one outcome."""
        return sum(row["n_episodes"] for row in self.outcomes if outcome in (None, row["outcome"]))

    @cached_property
    def condition_names(self) -> dict[str, str]:
        """Condition -> its short name on a page, never the same for two."""
        ids = [c["condition_id"] for c in self.conditions]
        return dict(
            zip(ids, short_names([condition_name(c) for c in self.conditions], LONGEST_NAME), strict=True)
        )


def condition_name(condition: Row) -> str:
    """'prompt: duck', 'paraphrase 0' or 'baseline': what it asks stands in its template, which is too long for a label."""
    if condition["kind"] == "baseline":
        return "baseline"
    between = " " if str(condition["name"]).isdecimal() else ": "
    return f"{condition['kind']}{between}{condition['name']}"


@dataclass(frozen=True)
class Context:
    """Given to every page."""

    warehouse: Warehouse
    study: Study
    lake: Path
    out: Path
    templates: jinja2.Environment
    shared: dict[str, Any] = field(default_factory=dict)

    def query(self, name: str, **parameters: Any) -> Result:
        """A named query of this run."""
        return self.warehouse.query(name, run_id=self.study.run_id, **parameters)

    @property
    def run_folder(self) -> Path:
        """Where the run's pictures lie in the lake."""
        return self.lake / f"run_id={self.study.run_id}"

    @cached_property
    def has_pictures(self) -> bool:
        """Whether the lake is at hand; without it, episodes are shown without pictures."""
        return self.run_folder.is_dir()


def read_study(warehouse: Warehouse, wanted: str | None) -> Study:
    """The run that was asked for, or the one worked on last.

    Raises ReportError where there is none, or several match.
    """
    runs = warehouse.query("runs").rows
    if not runs:
        raise ReportError(f"{warehouse.path} holds no run: run `python -m ingest`, then `dbt build`")
    matching = [r for r in runs if wanted is None or wanted == r["study"] or r["run_id"].startswith(wanted)]
    known = ", ".join(f"{r['run_id']} ({r['study']})" for r in runs[:8])
    if not matching:
        raise ReportError(f"no run {wanted!r} in {warehouse.path}; there are: {known}")
    if wanted and len(matching) > 1:
        raise ReportError(f"{wanted!r} names {len(matching)} runs: choose one id with --run: {known}")
    run = matching[0]

    def query(name: str) -> Result:
        return warehouse.query(name, run_id=run["run_id"])

    views = [View(r["pass"], r["denoise_step"], r["query"]) for r in query("views")]
    return Study(
        run=run,
        others=[r for r in runs if r["run_id"] != run["run_id"]],
        views=views,
        cameras=[r["camera"] for r in query("cameras")],
        outcomes=query("episode_counts").rows,
        conditions=query("conditions").rows,
    )
