"""Invented diagnoses: one answered, one undecided, one not asked; and what is known of a planted policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from tests.reports.synthetic_results import insert

if TYPE_CHECKING:
    from tests.reports.synthetic import Shape

TOLD = "Attention singles out <b>wrist</b>, but the actions depend on base."
QUESTIONS = {
    "prompt": "Does the prompt control the actions?",
    "camera": "Which camera do the actions depend on?",
    "object": "Which object do the actions depend on?",
}


def row(shape: Shape, question: str, answer: str, attention: str, **more: Any) -> dict[str, Any]:
    silent = dict.fromkeys(["estimate", "low", "high", "disagree"])
    return {
        "run_id": shape.run_id, "question": question, "question_in_words": QUESTIONS[question], "answer": answer,
        "n_episodes": shape.n_success, "family_size": 2, "rule": "a rule", "because": f"numbers of {question}",
        "attention_answer": attention, "attention_because": f"attention of {question}", "told": "Not compared.", **silent, **more,
    }  # fmt: skip


def add_diagnoses(con: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """A study without prompts asks for nothing."""
    if not shape.prompts:
        insert(
            con,
            "diagnoses",
            [row(shape, question, "not applicable", "insufficient data") for question in QUESTIONS],
        )
        return
    camera = {"estimate": 1.25, "low": 0.75, "high": 2.0, "disagree": True, "told": TOLD}
    insert(con, "diagnoses", [
        row(shape, "prompt", "undecided", "yes"),
        row(shape, "camera", "base", "wrist", **camera),
        row(shape, "object", "not applicable", "insufficient data"),
    ])  # fmt: skip
    insert(con, "diagnosis_tests", [
        {"run_id": shape.run_id, "question": "camera", "candidate": "base", "n_episodes": shape.n_success, "mean_error": 1.5,
         "mean_error_noise": 0.5, "share_of_variance": 0.75, "stricter_null": "noise", "estimate": 1.25, "low": 0.75, "high": 2.0,
         "p": 0.001, "p_holm": 0.002, "family_size": 2, "reading": "cause", "attention_log_lift": 0.0},
        {"run_id": shape.run_id, "question": "prompt", "candidate": "prompt", "n_episodes": shape.n_success, "mean_error": 0.5,
         "family_size": 1, "reading": "insufficient data", "reason": "no repeats"},
    ])  # fmt: skip


def add_truths(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """One truth that the run got right, one that it got wrong, one without an answer."""
    known = {"run_id": run_id, "study": "planted-wrist-only", "policy": "wrist-only", "is_planted": True}
    rows = [
        {"question": "camera", "expected": "wrist", "answer": "wrist", "is_right": True, "disagree": True, "known_by": "training",
         "estimate": 1.25, "low": 0.75, "high": 2.0, "n_episodes": 10, "told": TOLD},
        {"question": "prompt", "expected": "yes", "answer": "no", "is_right": False, "disagree": False, "known_by": "behaviour",
         "told": "Neither moves."},
        {"question": "object", "expected": "target", "answer": "insufficient data", "known_by": "behaviour", "told": "Not compared."},
    ]  # fmt: skip
    insert(
        con,
        "planted_truths",
        [{**known, **one, "question_in_words": QUESTIONS[one["question"]]} for one in rows],
    )
