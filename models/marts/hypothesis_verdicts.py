"""One verdict a run, hypothesis and criteria, with its question and the query that shows its numbers.

The rules are `measures.verdicts*`; the models `int_verdicts_on_*` give them their numbers.
"""

from typing import Any

import polars as pl

from sql.verdict_queries import query_text
from sql.verdict_tables import VERDICTS

QUESTIONS = {
    "H1.1": "Does the attention of the instruction's words rest on the object they name?",
    "H1.1b": "Does attention on the target differ between successful and failed episodes?",
    "H2.1": "Does a changed prompt move attention more than a paraphrase does?",
    "H2.2": "Can the model say what it sees?",
    "H1": "Do the pixels with the most attention matter more to the actions than others?",
    "H1k": "Does the path from the words to the target carry the actions?",
    "H3": "Does attention move in the course of an episode?",
    "H4": "Do heads specialise?",
    "M": "Do the actions attend more to the pictures or to the words?",
}
OF_A_CAMERA = ("H1.1", "H1.1b", "H2.1", "H3", "H4")
UNITS = {
    ("H1.1", "ours"): "lift",
    ("H1.1", "seed"): "overlap ratio",
    ("H1.1b", "ours"): "Hedges g of the log lift",
    ("H1.1b", "seed"): "Cohen's d of the overlap ratio",
    ("H2.1", "ours"): "JSD, nats",
    ("H2.1", "seed"): "L2 distance of raw maps",
    ("H2.2", "ours"): "accuracy above the most frequent answer's",
    ("H1", "ours"): "standardised squared error of the actions",
    ("H1", "seed"): "MSE of the actions, squared action units",
    ("H1k", "ours"): "standardised squared error of the actions",
    ("H3", "ours"): "change of the target's mass share, an episode or an action token",
    ("H4", "ours"): "share of variance between heads",
    ("M", "ours"): "visual / linguistic ratio",
    ("M", "seed"): "visual / linguistic ratio",
}


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    found = [
        dbt.ref("int_verdicts_on_objects").pl(),
        dbt.ref("int_verdicts_on_prompts").pl(),
        dbt.ref("int_verdicts_on_causes").pl(),
        dbt.ref("int_verdicts_on_balance").pl(),
        dbt.ref("int_verdicts_on_time_and_heads").pl(),
    ]
    cameras = dict(dbt.ref("int_main_cameras").pl().select("run_id", "camera").iter_rows())
    rows = [told(row, cameras) for table in found for row in table.iter_rows(named=True)]
    words = dict.fromkeys(["question", "estimate_unit", "camera", "query"], pl.String)
    return pl.DataFrame(rows, schema=VERDICTS | words)


def told(row: dict[str, Any], cameras: dict[str, str]) -> dict[str, Any]:
    """The verdict with its question, its unit, its camera and the query behind it."""
    run_id, hypothesis, criteria = row["run_id"], row["hypothesis"], row["criteria"]
    camera = cameras.get(run_id)
    return {
        **row,
        "question": QUESTIONS[hypothesis],
        "estimate_unit": UNITS.get((hypothesis, criteria)),
        "camera": camera if hypothesis in OF_A_CAMERA else None,
        "query": query_text(hypothesis, criteria, run_id, camera),
    }
