"""What the actions may depend on, one test a candidate: the rules of `measures.diagnosis` on paired differences."""

from typing import Any

import polars as pl

from sql.diagnosis_tables import TESTS, test_rows


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    changes = dbt.ref("int_changes_averaged_to_episodes").pl()
    paired = dbt.ref("paired_tests").pl().filter(pl.col("hypothesis") == "diagnosis")
    rows = [
        row
        for run in dbt.ref("runs").pl().sort("run_id").iter_rows(named=True)
        for row in test_rows(
            run,
            changes.filter(pl.col("run_id") == run["run_id"]),
            paired.filter(pl.col("run_id") == run["run_id"]),
        )
    ]
    return pl.DataFrame(rows, schema=TESTS).with_columns(pl.col(pl.Float64).fill_nan(None))
