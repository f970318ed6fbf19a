"""Planted truths: policies whose right answers are known before anything is analysed, beside what their runs say."""

from __future__ import annotations

from measures.diagnosis import UNDECIDED
from reports import words
from reports.html.blocks import Column, Section, Table, TableBlock, text_column
from reports.marts.context import Context
from reports.marts.warehouse import Result, Row
from reports.pages.diagnosis import ERROR, MEANING, candidates

KNOWN_BY = {"training": "its training alone", "behaviour": "its model card"}
RIGHT = {True: "right", False: "WRONG", None: "no answer"}


def is_shown(ctx: Context) -> bool:
    """Only a warehouse that holds a run of a planted policy has the page."""
    return any(row["is_planted"] for row in ctx.query("planted_truths"))


def sections(ctx: Context) -> list[Section]:
    """Truth against answer, then attention against causality."""
    found = ctx.query("planted_truths")
    rows = [shown(row) for row in found]
    tested = candidates(ctx.query("planted_candidates"), [text_column("policy", "policy")])
    evidence = Section("evidence", "The numbers behind them", [], [tested])
    return [truths(rows, found), disagreements(rows, found), evidence]


def shown(row: Row) -> Row:
    return {
        **row,
        "truth": row["expected"],
        "from": KNOWN_BY.get(row["known_by"], row["known_by"]),
        "right": "undecided" if row["answer"] == UNDECIDED else RIGHT[row["is_right"]],
        "range": words.interval(row["low"], row["high"]),
    }


def truths(rows: list[Row], source: Result) -> Section:
    right, wrong = (sum(row["is_right"] is answer for row in rows) for answer in (True, False))
    open_ = len(rows) - right - wrong
    policies = len({row["policy"] for row in rows})
    lead = [
        f"{right} of {words.plural(len(rows), 'answer')} about {words.plural(policies, 'policy', 'policies')} are right, {wrong} wrong"
        f"{f', and {open_} not given or undecided' if open_ else ''}. The policies were trained so that the truth about them is known; their model "
        "cards show it by behaviour alone, without attention.",
        MEANING,
    ]
    columns = [
        text_column("policy", "policy"),
        text_column("question", "question"),
        text_column("truth", "truth"),
        text_column("from", "known from"),
        text_column("answer", "answer"),
        text_column("right", "is it right?"),
        Column("estimate", ERROR),
        Column("range", "95 % interval", str, hint="BCa bootstrap over episodes, of the strongest candidate"),
        Column("n_episodes", "episodes"),
    ]
    table = Table(columns, rows, filters={"policy": ""})
    return Section(
        "truths",
        "Does the warehouse get them right?",
        lead,
        [TableBlock("Truth against answer", table, [source])],
    )


def disagreements(rows: list[Row], source: Result) -> Section:
    told = [f"{row['policy']}: {row['told']}" for row in rows if row["disagree"]]
    compared = sum(row["disagree"] is not None for row in rows)
    lead = [
        f"Attention and the actions disagree in {len(told)} of {words.plural(compared, 'answer')} in which both say something."
    ]
    columns = [
        text_column("policy", "policy"),
        text_column("question", "question"),
        text_column("attention_answer", "attention says"),
        text_column("answer", "the actions say"),
        Column("disagree", "disagree", words.number, is_number=False),
        text_column("told", "in words"),
    ]
    table = Table(columns, rows, filters={"policy": ""})
    title = "Where would attention alone have misled?"
    return Section("attention", title, lead, [TableBlock("Attention against causality", table, [source])])
