"""Diagnoses of the run: what the actions depend on, and whether attention says the same."""

from __future__ import annotations

from reports import words
from reports.blocks import Column, Section, Table, TableBlock, text_column
from reports.context import Context
from reports.warehouse import Result, Row

MEANING = (
    "Each candidate is changed and held against what should not matter: a paraphrase, or as many pixels elsewhere, and "
    "another noise. It is a cause when it moves the actions more than every one of these (corrected p below the study's "
    "level), and none when its 95 % interval lies below one of them. Anything else is undecided."
)
ERROR = "error above the stricter of its nulls"


def answered(ctx: Context) -> list[Row]:
    """The questions whose changes the study asks for."""
    return [row for row in ctx.query("diagnoses") if row["answer"] != "not applicable"]


def section(ctx: Context) -> list[Section]:
    """The answers with their numbers; nothing where the study asks for no such change."""
    rows = answered(ctx)
    if not rows:
        return []
    found = ctx.query("diagnoses")
    return [
        Section(
            "diagnosis",
            "What do the actions depend on?",
            [*sentences(rows), MEANING],
            [
                TableBlock(
                    "Answers by covering and changing, beside what attention says", table(rows), [found]
                ),
                numbers(rows, found),
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


def numbers(rows: list[Row], source: Result) -> TableBlock:
    """The numbers of every candidate, in sentences."""
    columns = [
        text_column("question_in_words", "question"),
        text_column("because", "covering and changing"),
        text_column("attention_because", "attention"),
    ]
    return TableBlock("The numbers behind them", Table(columns, rows), [source])
