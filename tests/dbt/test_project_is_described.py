"""Every source, model and column says what it is, once; every query of the gallery runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.dbt.conftest import Build
from tests.dbt.synthetic import PLANTED, ROOT

QUERIES = sorted((ROOT / "sql" / "queries").glob("*.sql"))

# Finds nothing in a policy without latent frames; tests/ingest/test_cosmos.py checks its numbers on rows of Cosmos.
OF_COSMOS = {"frame_ratio_seed"}
# Finds nothing in episodes of two keyframes; the unit test of marts.roi_lags checks the numbers.
OF_LONG_EPISODES = {"how_long_attention_lasts"}


def test_sources_are_in_step_with_the_ddl() -> None:
    command = [sys.executable, "sql/generate_sources.py", "--check"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


def test_every_model_and_column_is_described(build: Build) -> None:
    manifest = json.loads((build.target / "manifest.json").read_text())
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        actual: dict[str, set[str]] = {}
        for table, column in connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where schema_name in ('staging', 'intermediate', 'marts')"
        ).fetchall():
            actual.setdefault(table, set()).add(column)
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert {model["name"] for model in models} == set(actual)
    for model in models:
        assert model["description"], model["name"]
        assert "ne row per" in model["description"], (
            f"{model['name']}: the description does not say the grain"
        )
        described = {name for name, column in model["columns"].items() if column["description"].strip()}
        assert described == actual[model["name"]], model["name"]


def test_any_client_shows_the_descriptions(build: Build) -> None:
    """As comments of the marts' tables and columns, in the words of the project."""
    manifest = json.loads((build.target / "manifest.json").read_text())
    marts = [
        n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"
    ]
    said = {(m["name"], c["name"]): c["description"].strip() for m in marts for c in m["columns"].values()}
    said |= {(m["name"], ""): m["description"].strip() for m in marts}
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        stored = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() where schema_name = 'marts' "
            "union all select table_name, '', comment from duckdb_tables() where schema_name = 'marts' "
            "union all select view_name, '', comment from duckdb_views() where schema_name = 'marts'"
        ).fetchall()
    assert {(table, column): (comment or "").strip() for table, column, comment in stored} == said


def test_every_description_lies_beside_its_model(build: Build) -> None:
    manifest = json.loads((build.target / "manifest.json").read_text())
    for model in manifest["nodes"].values():
        if model["resource_type"] == "model":
            beside = model["original_file_path"].rsplit(".", 1)[0] + ".yml"
            assert model["patch_path"] == f"gazehouse://{beside}"


def test_every_mart_promises_its_types_and_keeps_them(build: Build, bare_build: Build) -> None:
    """dbt enforces contracts on models in SQL alone, so those in Python are held to their types here."""
    manifest = json.loads((build.target / "manifest.json").read_text())
    marts = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }
    promised = {
        (name, column): described["data_type"]
        for name, mart in marts.items()
        for column, described in mart["columns"].items()
    }
    for warehouse in (build.warehouse, bare_build.warehouse):
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            found = connection.execute(
                "select table_name, column_name, lower(data_type) from duckdb_columns() where schema_name = 'marts'"
            ).fetchall()
        assert {(table, column): kind for table, column, kind in found} == promised
    for name, mart in marts.items():
        assert mart["language"] == "python" or mart["config"]["contract"]["enforced"], name


def test_a_model_of_the_marts_reads_no_raw_table(build: Build) -> None:
    """raw -> staging -> intermediate -> marts."""
    manifest = json.loads((build.target / "manifest.json").read_text())
    for model in manifest["nodes"].values():
        if model["resource_type"] == "model" and model["schema"] != "staging":
            assert not [parent for parent in model["depends_on"]["nodes"] if parent.startswith("source.")]


def test_a_renamed_warehouse_keeps_its_views(build: Build, tmp_path: Path) -> None:
    """`ingest publish` renames it, and people copy it: no view may name the catalog."""
    renamed = shutil.copy(build.warehouse, tmp_path / "another.duckdb")
    with duckdb.connect(str(renamed), read_only=True) as connection:
        views = connection.execute(
            "select format('{}.{}', schema_name, view_name) from duckdb_views() where not internal"
        ).fetchall()
        assert ("marts.frame_gallery",) in views
        for (view,) in views:
            # Not with table(): that of DuckDB 1.4 finds no view in a schema.
            connection.sql(f"from {view} limit 1").fetchall()


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_the_query_runs_as_it_stands(path: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    text = path.read_text()
    assert text.startswith("-- "), "says in a comment what it answers"
    warehouse.execute("set variable run_id = $run", {"run": PLANTED.run_id})
    warehouse.execute("set variable camera = 'base'")
    assert warehouse.execute(text).fetchall() or path.stem in OF_COSMOS | OF_LONG_EPISODES


def test_a_verdict_names_a_query_that_can_be_pasted(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select run_id, hypothesis, criteria, query from marts.hypothesis_verdicts"
    ).fetchall()
    for run_id, hypothesis, criteria, query in rows:
        found = warehouse.execute(query).fetchall()
        assert found or run_id != PLANTED.run_id, (run_id, hypothesis, criteria)
