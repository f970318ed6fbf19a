"""What a run's actions depend on, and whether attention says the same: the tests of its candidates put into answers."""

import math
from typing import Any

import polars as pl

from measures import diagnosis
from measures.diagnosis import INSUFFICIENT, Reading
from sql import diagnosis_words as words
from sql.diagnosis_tables import CUTS, Row, candidates_of, readings_of
from sql.verdict_tables import number

TEXT, NUMBER = pl.String, pl.Float64
SCHEMA = {
    **dict.fromkeys(["run_id", "question", "question_in_words", "answer"], TEXT),
    **dict.fromkeys(["estimate", "low", "high"], NUMBER),
    **dict.fromkeys(["n_episodes", "family_size"], pl.Int64),
    **dict.fromkeys(["rule", "because", "attention_answer"], TEXT),
    **dict.fromkeys(["attention_estimate", "attention_low", "attention_high"], NUMBER),
    "attention_because": TEXT,
    "disagree": pl.Boolean,
    "told": TEXT,
}
OF_H2_1 = {"supported": "yes", "not supported": "no"}
OF_PROMPT = {Reading.CAUSE: "yes", Reading.NO_CAUSE: "no"}


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    tests = dbt.ref("diagnosis_tests").pl()
    verdicts = {
        row["run_id"]: row
        for row in dbt.ref("hypothesis_verdicts").pl().iter_rows(named=True)
        if (row["hypothesis"], row["criteria"]) == ("H2.1", "ours")
    }
    asked = questions_asked(
        dbt.ref("conditions").pl(),
        dbt.ref("int_regions_named").pl(),
        dbt.ref("int_attention_cuts_named").pl(),
    )
    rows = []
    for run in dbt.ref("runs").pl().sort("run_id").iter_rows(named=True):
        run_id = run["run_id"]
        of_run = tests.filter(pl.col("run_id") == run_id).sort("candidate")
        by_question = {
            question: list(of_run.filter(pl.col("question") == question).iter_rows(named=True))
            for question in words.QUESTIONS
        }
        for question, found in by_question.items():
            seen = (
                of_prompt(verdicts[run_id])
                if question == "prompt"
                else of_attention(question, found, run["min_episodes"], run["alpha"])
            )
            answer = answered(question, found, (run_id, question) in asked, run["alpha"]) | seen
            other = diagnosis.disagree(answer["answer"], answer["attention_answer"])
            names = [row["candidate"] for row in found]
            sentence = words.told(question, answer["answer"], answer["attention_answer"], other, names)
            if question == "object":
                carried = words.paths(found, {cut: by_question[cut] for cut in CUTS})
                sentence = f"{sentence} {carried}".strip()
            key = {"run_id": run_id, "question": question, "question_in_words": words.QUESTIONS[question]}
            rows.append({**key, "rule": words.RULES[question], **answer, "disagree": other, "told": sentence})
    return pl.DataFrame(rows, schema=SCHEMA).with_columns(pl.col(NUMBER).fill_nan(None))


def questions_asked(
    conditions: pl.DataFrame, regions: pl.DataFrame, cuts: pl.DataFrame
) -> set[tuple[str, str]]:
    """(run, question) whose changes the study asks for."""
    asked = {(run_id, "prompt") for run_id in conditions.filter(pl.col("kind") == "prompt")["run_id"]}
    asked |= {(run_id, "camera") for run_id in regions.filter("is_whole_picture")["run_id"]}
    asked |= set(cuts.select("run_id", "question").iter_rows())
    return asked | {(run_id, "object") for run_id in regions.drop_nulls("object")["run_id"]}


def answered(question: str, tests: list[Row], is_asked: bool, alpha: float) -> Row:
    """The answer with the numbers of its strongest candidate."""
    nothing = dict.fromkeys(["estimate", "low", "high"]) | {"n_episodes": 0, "family_size": 0}
    if not tests:
        answer = INSUFFICIENT if is_asked else "not applicable"
        because = words.NO_CANDIDATE if is_asked else words.NOT_ASKED[question]
        return nothing | {"answer": answer, "because": because}
    readings = readings_of(tests)
    behind = [number(row["p_behind"]) for row in tests]
    found = diagnosis.leading(candidates_of(tests), readings, behind, alpha)
    answer = OF_PROMPT.get(readings[0], str(readings[0])) if question == "prompt" else found
    lead = max(
        tests,
        key=lambda row: (
            row["reading"] == Reading.CAUSE,
            -math.inf if row["estimate"] is None else row["estimate"],
        ),
    )
    numbers = {name: lead[name] for name in ("estimate", "low", "high", "n_episodes", "family_size")}
    return numbers | {"answer": answer, "because": words.because(question, tests)}


def of_attention(question: str, tests: list[Row], min_episodes: int, alpha: float) -> Row:
    """Which candidate the action tokens (words_to_object: the words) attend to above its share of the picture, and by how much (a lift)."""
    columns = [
        [float("nan") if row[name] is None else row[name] for row in tests]
        for name in ("attention_log_lift", "attention_p_holm")
    ]
    names, counts = [row["candidate"] for row in tests], [row["n_episodes_attention"] for row in tests]
    answer = diagnosis.attended(names, *columns, counts, min_episodes, alpha)
    known = [row for row in tests if row["attention_log_lift"] is not None]
    lead = max(known, key=lambda row: row["attention_log_lift"], default={})
    return {
        "attention_answer": answer,
        "attention_because": words.lifts(question, tests),
        "attention_estimate": lifted(lead.get("attention_log_lift")),
        "attention_low": lifted(lead.get("attention_low")),
        "attention_high": lifted(lead.get("attention_high")),
    }


def lifted(log_lift: float | None) -> float | None:
    return None if log_lift is None else math.exp(log_lift)


def of_prompt(verdict: Row) -> Row:
    """What attention says of the prompt is verdict H2.1."""
    return {
        "attention_answer": OF_H2_1.get(verdict["verdict"], verdict["verdict"]),
        "attention_because": f"H2.1: {verdict['because']}",
        "attention_estimate": verdict["estimate"],
        "attention_low": verdict["low"],
        "attention_high": verdict["high"],
    }
