"""What the project says about itself is true where a machine can tell."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from ingest import study_reference
from sql import data_dictionary, query_catalogue
from sql.generate_sources import read_schema
from tests.project.tree import ROOT, project_files

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def test_the_data_dictionary_is_in_step():
    assert data_dictionary.PAGE.read_text() == data_dictionary.page(), "run python -m sql.data_dictionary"


def test_the_study_file_and_the_queries_are_in_step():
    assert study_reference.PAGE.read_text() == study_reference.page(), "run make dictionary"
    assert query_catalogue.PAGE.read_text() == query_catalogue.page(), "run make dictionary"


def test_a_query_without_a_question_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(query_catalogue, "ROOT", tmp_path)
    (tmp_path / "silent.sql").write_text("select 1")

    with pytest.raises(ValueError, match=r"silent\.sql begins with no comment"):
        query_catalogue.page(tmp_path)


def test_every_key_of_a_study_says_what_it_means():
    rows = [line for line in study_reference.page().splitlines() if line.startswith("| `")]

    assert len(rows) > 60
    assert not [row for row in rows if row.endswith("|  |")]


def test_the_index_lists_every_page_once():
    index = (ROOT / "docs" / "README.md").read_text()
    listed = [a or b for a, b in LINK.findall(index)]

    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert sorted(target for target in listed if "/" not in target) == sorted(pages)


def test_names_in_the_methods_are_names_of_the_warehouse():
    """What methods.md sets in code and writes with underscores or as `schema.table` is there."""
    tables = [*data_dictionary.raw_tables(), *data_dictionary.model_tables()]
    known = {column.name for table in tables for column in table.columns} | {table.name for table in tables}
    known |= {f"{table.schema}.{table.name}" for table in tables}
    known |= {file.stem for file in project_files(".sql") if "checks" in file.parts}
    text = (ROOT / "docs" / "methods.md").read_text()
    named = re.findall(r"`((?:raw|marts)\.\w+|\w+_\w+)`", text) + re.findall(r"`\w+\.(mse)`", text)

    assert len(named) > 30
    assert set(named) - known - {"other_episode"} == set()  # a value of the column `against`


def test_the_key_of_a_raw_table_is_made_of_its_columns():
    raw = read_schema()
    columns = {
        table: {column.name for column in raw.columns if column.table == table} for table in raw.tables
    }

    assert set(data_dictionary.KEYS) == set(raw.tables)
    assert not [
        (table, key) for table, keys in data_dictionary.KEYS.items() for key in set(keys) - columns[table]
    ]


def test_every_table_and_column_is_described():
    tables = [*data_dictionary.raw_tables(), *data_dictionary.model_tables()]

    assert not [
        f"{table.schema}.{table.name}" for table in tables if not table.description or not table.columns
    ]
    assert not [
        f"{table.schema}.{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if not column.description
    ]


def test_an_unknown_doc_block_is_named(tmp_path: Path):
    (tmp_path / "marts").mkdir()
    (tmp_path / "marts" / "words.yml").write_text(
        "models: [{name: words, description: \"{{ doc('missing') }}\"}]"
    )

    with pytest.raises(data_dictionary.UnknownDocBlockError, match="docs missing"):
        data_dictionary.model_tables(tmp_path)


def test_every_model_has_a_description():
    models = {
        file.stem for file in project_files(".sql", ".py") if file.relative_to(ROOT).parts[0] == "models"
    }

    assert models - {table.name for table in data_dictionary.model_tables()} == set()


def test_citation_names_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("page", project_files(".md"), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    targets = [a or b for a, b in LINK.findall(page.read_text())]
    local = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]

    assert not [target for target in local if target and not (page.parent / target).exists()]
