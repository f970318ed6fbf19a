"""What the project says about itself is true where a machine can tell."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from sql import data_dictionary
from sql.generate_sources import read_schema
from tests.project.tree import ROOT, project_files

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def test_the_data_dictionary_is_in_step():
    assert data_dictionary.PAGE.read_text() == data_dictionary.page(), "run python -m sql.data_dictionary"


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
