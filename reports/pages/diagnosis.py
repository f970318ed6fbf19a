"""Diagnoses of the run: what the actions depend on, and whether attention says the same."""

from __future__ import annotations

from collections.abc import Sequence

from measures.diagnosis import RELEVANT_SHARE
from reports import words
from reports.html.blocks import Column, Missing, Section, Table, TableBlock, text_column
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages.tables import with_reasons

MEANING = (
    "Each candidate is changed, or attention on it cut in all layers, and the error of the actions held against what should not "
    "matter (a paraphrase, or as many pixels or patches elsewhere) and against a margin of the noise: "
    f"{words.percent(RELEVANT_SHARE)} of the variance that the change and another noise "
    "make together. It is a cause when it exceeds both (corrected p below the study's level), and none when its 95 % interval "
    "lies below one of them. Anything else is undecided. Of several causes the answer names the largest, and those not shown "
    "to be behind it."
)
ERROR = "error above its nulls"
TITLE = "What do the actions depend on?"
NOTHING = (
    "The study changes neither the prompt, nor what a camera shows, nor single objects, nor attention on them, so nothing can be "
    "said about what the actions depend on."
)
COMMAND = (
    "add `conditions: {prompts: ..., paraphrases: ..., occlusion: {regions: ...}, knockout: ..., repeats: 1}` to the study, then "
    "`python -m ingest` and `dbt build`"
)


def answered(ctx: Context) -> list[Row]:
    """The questions whose changes the study asks for."""
    return [row for row in ctx.query("diagnoses") if row["answer"] != "not applicable"]


def section(ctx: Context) -> list[Section]:
    """The answers with their numbers, or which changes they would take."""
    rows = answered(ctx)
    if not rows:
        return [Section("diagnosis", TITLE, [], [Missing(TITLE, NOTHING, COMMAND)])]
    found = ctx.query("diagnoses")
    return [
        Section(
            "diagnosis",
            TITLE,
            [*sentences(rows), MEANING],
            [
                TableBlock(
                    "Answers by covering, changing and cutting, beside what attention says",
                    table(rows),
                    [found],
                ),
                candidates(ctx.query("diagnosis_tests")),
            ],
        )
    ]


def sentences(rows: list[Row]) -> list[str]:
    """'Which camera do the actions depend on? base. Attention singles out wrist, but ...'"""
    return [f"{row['question_in_words']} {words.sentence(row['answer'])} {row['told']}" for row in rows]


def table(rows: list[Row]) -> Table:
    columns = [
        text_column("question_in_words", "question"),
        text_column("answer", "answer"),
        Column("estimate", ERROR),
        Column("range", "95 % interval", str, hint="BCa bootstrap over episodes, of the strongest candidate"),
        Column("n_episodes", "episodes"),
        text_column("attention_answer", "attention says"),
        Column("disagree", "disagree", words.number, is_number=False),
    ]
    return Table(columns, [{**row, "range": words.interval(row["low"], row["high"])} for row in rows])


def candidates(source: Result, first: Sequence[Column] = ()) -> TableBlock:
    """Every candidate with its numbers; ``first`` are columns before them."""
    columns = [
        *first,
        text_column("question", "question"),
        text_column("candidate", "changed"),
        Column("mean_error", "error"),
        Column("mean_error_noise", "error, noise"),
        Column("share_of_variance", "share of both", words.percent),
        Column("estimate", ERROR),
        Column("range", "95 % interval", str),
        Column("p_holm", "p, Holm", words.p_value),
        Column("n_episodes", "episodes"),
        text_column("reading", "reading"),
        Column("p_behind", "p, behind the largest", words.p_value),
        Column(
            "attention_lift",
            "lift of attention",
            hint="of the action tokens (words_to_object: of the words), against evenly spread attention",
        ),
        text_column("reason", "why it is not decided"),
    ]
    rows = [{**row, "range": words.interval(row["low"], row["high"])} for row in source]
    return TableBlock("Every candidate", Table(with_reasons(columns, rows), rows), [source])
