"""Between tables and the rules of diagnoses: rows of paired tests as candidates, readings as rows, answers in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import polars as pl

from measures import diagnosis
from measures.diagnosis import Candidate, Excess, Reading, share_of_variance
from sql.verdict_tables import number

Row = dict[str, Any]
CUTS = ("actions_to_object", "words_to_object")
NULLS = {"prompt": ("control", "noise"), "camera": ("noise",)} | dict.fromkeys(
    ("object", *CUTS), ("control", "noise")
)
"""What each question's errors are held against; a whole picture has no elsewhere, so a camera has no control."""
NULL_WORDS = {
    ("prompt", "control"): "a paraphrase",
    ("object", "control"): "as many pixels elsewhere",
    **{(question, "control"): "as many patches elsewhere" for question in CUTS},
    **{(question, "noise"): "the noise's margin" for question in NULLS},
}
MISSING = {
    "control": "without a control in the same episodes there is nothing to compare with",
    "noise": "without repeats (conditions.repeats) what another noise does is unknown",
}
TESTS = {
    **dict.fromkeys(["run_id", "question", "candidate"], pl.String),
    "n_episodes": pl.Int64,
    **dict.fromkeys(["mean_error", "mean_error_noise", "share_of_variance"], pl.Float64),
    "stricter_null": pl.String,
    **dict.fromkeys(["estimate", "low", "high", "p", "p_holm"], pl.Float64),
    "family_size": pl.Int64,
    **dict.fromkeys(["reading", "reason"], pl.String),
    "p_behind": pl.Float64,
    **dict.fromkeys(
        ["attention_log_lift", "attention_low", "attention_high", "attention_p_holm"], pl.Float64
    ),
    "n_episodes_attention": pl.Int64,
}
"""Columns of marts.diagnosis_tests."""


def test_rows(run: Row, changes: pl.DataFrame, paired: pl.DataFrame) -> Iterator[Row]:
    """One row a question and candidate of a run. ``changes``: int_changes_averaged_to_episodes, ``paired``: the
    paired tests of hypothesis 'diagnosis', both of this run.
    """
    tests = {(one["estimand"], one["condition_id"]): one for one in paired.iter_rows(named=True)}
    for question, nulls in NULLS.items():
        of_question = changes.filter(pl.col("question") == question)
        names = of_question["candidate"].unique().sort().to_list()
        candidates = [candidate(question, name, nulls, tests) for name in names]
        family = diagnosis.corrected(candidates)
        readings = [
            diagnosis.reading(one, p, run["min_episodes"], run["alpha"])
            for one, p in zip(candidates, family, strict=True)
        ]
        behind = p_behind(of_question, names, readings, run["seed"])
        for one, p_holm, reading, p in zip(candidates, family, readings, behind, strict=True):
            means = of_question.filter(pl.col("candidate") == one.name)
            error, noise = mean_of(means, "error"), mean_of(means, "error_noise")
            yield {
                "run_id": run["run_id"],
                "question": question,
                "candidate": one.name,
                "n_episodes": means.height,
                "mean_error": error,
                "mean_error_noise": noise,
                "share_of_variance": share_of_variance(number(error), number(noise)),
                **strictest(one),
                "p": diagnosis.joint_p(one),
                "p_holm": p_holm,
                "family_size": sum(not math.isnan(p) for p in family),
                "reading": str(reading),
                "reason": one.missing or too_few(one, run["min_episodes"]),
                "p_behind": p,
                **attention(tests.get((f"{question}_attention_log_lift", f"{question}:{one.name}"))),
            }


def p_behind(
    of_question: pl.DataFrame, names: list[str], readings: list[Reading], seed: int | None
) -> list[float]:
    """As `measures.diagnosis.p_behind`, of the episodes that have every candidate's error."""
    if not names:
        return []
    errors = of_question.pivot("candidate", index="episode_id", values="error").sort("episode_id")
    known = errors.drop_nulls().select(names).to_numpy()
    return diagnosis.p_behind(known, [one is Reading.CAUSE for one in readings], seed or 0)


def mean_of(episodes: pl.DataFrame, column: str) -> float | None:
    """Mean over episodes; None where none has a value."""
    values = episodes[column].drop_nulls().to_list()
    return sum(values) / len(values) if values else None


def candidate(
    question: str, name: str, nulls: tuple[str, ...], tests: dict[tuple[str, str], Row]
) -> Candidate:
    """A candidate with the tests of its nulls, and the reason where one is missing."""
    excesses, missing = [], None
    for null in nulls:
        test = tests.get((f"{question}_error_above_{null}", f"{question}:{name}"))
        if test is None:
            missing = missing or MISSING[null]
            continue
        estimate, low, high, p = (number(test[key]) for key in ("estimate", "low", "high", "p"))
        excesses.append(Excess(null, estimate, low, high, p, test["n_episodes"]))
    return Candidate(name, tuple(excesses), missing)


def strictest(one: Candidate) -> Row:
    if not one.excesses:
        return dict.fromkeys(["stricter_null", "estimate", "low", "high"])
    found = one.stricter
    return {"stricter_null": found.null, "estimate": found.estimate, "low": found.low, "high": found.high}


def too_few(one: Candidate, min_episodes: int) -> str | None:
    return None if one.n >= min_episodes else f"{one.n} episodes, {min_episodes} are needed"


def attention(test: Row | None) -> Row:
    found = test or dict.fromkeys(["estimate", "low", "high", "p_holm"]) | {"n_episodes": 0}
    columns = {"log_lift": "estimate", "low": "low", "high": "high", "p_holm": "p_holm"}
    return {f"attention_{name}": found[key] for name, key in columns.items()} | {
        "n_episodes_attention": found["n_episodes"]
    }


def candidates_of(tests: list[Row]) -> list[Candidate]:
    """The rows of marts.diagnosis_tests as the rules read them, one comparison each: the stricter."""
    return [Candidate(row["candidate"], (stricter_of(row),), row["reason"]) for row in tests]


def stricter_of(row: Row) -> Excess:
    estimate, low, high, p = (number(row[key]) for key in ("estimate", "low", "high", "p"))
    return Excess(row["stricter_null"] or "", estimate, low, high, p, row["n_episodes"])


def readings_of(tests: list[Row]) -> list[Reading]:
    return [Reading(row["reading"]) for row in tests]
