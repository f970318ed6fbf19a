"""A study without failures, prompts, objects or inferences has empty marts and NULLs with a reason, never an error."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from tests.dbt.conftest import Build
from tests.dbt.synthetic import BARE, EMPTY, FEW, World


def verdicts(warehouse: duckdb.DuckDBPyConnection, world: World) -> dict[tuple[str, str], str]:
    rows = warehouse.table("marts.hypothesis_verdicts").pl().filter(pl.col("run_id") == world.run_id)
    assert rows["because"].is_not_null().all()
    return {(row["hypothesis"], row["criteria"]): row["verdict"] for row in rows.iter_rows(named=True)}


def test_five_successes_are_insufficient_data(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = verdicts(warehouse, FEW)
    assert found["H1.1", "ours"] == found["H1.1b", "ours"] == found["M", "ours"] == "insufficient data"
    assert found["H3", "ours"] == found["H4", "ours"] == "insufficient data"
    # Prompts, but no paraphrases to compare them with.
    assert found["H2.1", "ours"] == "not applicable"
    tests = warehouse.table("marts.outcome_tests").pl().filter(pl.col("run_id") == FEW.run_id)
    assert len(tests)
    assert tests["p_welch"].is_null().all()
    assert tests["reason"].str.contains("fewer than 3").all()
    assert tests["is_small_n"].all()
    intervals = warehouse.table("marts.bootstrap_intervals").pl().filter(pl.col("run_id") == FEW.run_id)
    assert intervals.filter(pl.col("n") == 5)["bca_low"].is_not_null().all()
    assert intervals.filter(pl.col("n") < 3)["reason"].is_not_null().all()


def test_one_episode_without_objects_or_prompts(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = verdicts(warehouse, BARE)
    assert found["H1.1", "ours"] == found["H2.1", "ours"] == "not applicable"
    assert found["H3", "ours"] == found["H4", "ours"] == "not applicable"
    assert found["M", "ours"] == "insufficient data"
    balance = warehouse.table("marts.modality_balance_by_layer").pl().filter(pl.col("run_id") == BARE.run_id)
    assert balance["outcome"].unique().to_list() == ["all"]
    assert balance["low"].is_null().all()
    assert balance["log_ratio"].is_not_null().all()


def test_a_run_in_which_nothing_worked(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = verdicts(warehouse, EMPTY)
    assert found["H1.1", "ours"] == found["M", "ours"] == "insufficient data"
    coverage = warehouse.table("marts.coverage").pl().filter(pl.col("run_id") == EMPTY.run_id)
    assert coverage.select("n_units", "n_failed", "n_inferences").rows() == [(1, 1, 0)]
    reasons = warehouse.table("marts.coverage_reasons").pl().filter(pl.col("run_id") == EMPTY.run_id)
    assert reasons["reason"].to_list() == ["missing_camera"]


@pytest.mark.slow
def test_a_warehouse_with_next_to_nothing_builds(bare_build: Build, build: Build) -> None:
    """Empty marts have the columns and types of full ones."""

    def columns(path: Build) -> list[tuple[str, str, str]]:
        with duckdb.connect(str(path.warehouse), read_only=True) as connection:
            return connection.execute(
                "select table_name, column_name, data_type from duckdb_columns() "
                "where schema_name = 'marts' order by all"
            ).fetchall()

    assert columns(bare_build) == columns(build)
    with duckdb.connect(str(bare_build.warehouse), read_only=True) as connection:
        assert set(verdicts(connection, BARE).values()) == {"not applicable", "insufficient data"}
        assert connection.table("marts.paired_tests").fetchall() == []
