"""Write `docs/data-dictionary.md` from `sql/schema` and the descriptions beside the dbt models.

    python -m sql.data_dictionary            # after a change of sql/schema or models
    python -m sql.data_dictionary --check    # exit code 1 where the page is not in step

Nothing is described here but the keys: a table's meaning stands in its DDL, a model's in the `.yml` beside it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sql.generate_sources import ROOT, SCHEMA, read_schema

PAGE = ROOT / "docs" / "data-dictionary.md"
MODELS = ROOT / "models"

DOC = re.compile(r"{{\s*doc\(\s*['\"](?:gazehouse['\"]\s*,\s*['\"])?(\w+)['\"]\s*\)\s*}}")

# What makes a row of `raw` the only one of its kind; DuckDB would enforce it, at a price, if it were in the DDL.
_MAP = ("run_id", "inference_id", "pass", "denoise_step", "layer", "head", "query_index")
_TOKENS = ("run_id", "layout_id", "pass")
KEYS: dict[str, tuple[str, ...]] = {
    "action_effects": ("run_id", "inference_id"),
    "attention_maps": (*_MAP, "rows", "camera"),
    "attention_masses": (*_MAP[:4], "softmax", *_MAP[4:]),
    "conditions": ("run_id", "condition_id"),
    "episodes": ("run_id", "episode_id"),
    "episodes_kept": ("run_id", "episode_id"),
    "frames": ("run_id", "episode_id", "frame_index"),
    "head_focus": (*_MAP, "camera"),
    "inferences": ("run_id", "inference_id"),
    "issues": (),
    "layer_links": (*_MAP[:5], "query_index", "camera"),
    "camera_links": (*_MAP[:5], "query_index", "camera", "other_camera"),
    "layouts": ("run_id", "layout_id"),
    "map_shifts": (*_MAP, "rows", "camera"),
    "object_metrics": (*_MAP, "rows", "camera", "object_index", "against"),
    "objects": ("run_id", "episode_id", "frame_index", "camera", "object_index"),
    "queries": (*_TOKENS, "query_index"),
    "regions": (*_TOKENS, "region_index"),
    "runs": ("run_id",),
    "timings": (),
    "tokens": (*_TOKENS, "token_index"),
    "units": ("run_id", "unit"),
}

LAYERS = {
    "marts": "What pages read and what a question to the warehouse should start from.",
    "intermediate": "Steps between the two. They may change without notice.",
    "staging": "One view a raw table: the same rows, names and types made even.",
}


class UnknownDocBlockError(LookupError):
    """A description refers to a doc block that no .md file below models/ has."""


class DescribedColumn(NamedTuple):
    name: str
    type: str
    description: str


class Table(NamedTuple):
    schema: str
    name: str
    description: str
    keys: tuple[str, ...]
    columns: list[DescribedColumn]

    @property
    def anchor(self) -> str:
        """The id GitHub gives the heading `schema.name`."""
        return f"{self.schema}{self.name}"


def raw_tables(schema: Path = SCHEMA) -> list[Table]:
    """The tables of schema `raw`, as its DDL describes them."""
    raw = read_schema(schema)
    return [
        Table(
            "raw",
            name,
            description,
            KEYS.get(name, ()),
            [DescribedColumn(c.name, c.type, c.description) for c in raw.columns if c.table == name],
        )
        for name, description in raw.tables.items()
    ]


def doc_blocks(models: Path = MODELS) -> dict[str, str]:
    """dbt's `{% docs name %}` blocks: name -> text."""
    pattern = re.compile(r"{%\s*docs\s+(\w+)\s*%}(.*?){%\s*enddocs\s*%}", re.DOTALL)
    return {
        name: text
        for file in sorted(models.rglob("*.md"))
        for name, text in pattern.findall(file.read_text())
    }


def model_tables(models: Path = MODELS) -> list[Table]:
    """The dbt models, as the `.yml` beside each describes them; the schema is the folder's name."""
    blocks = doc_blocks(models)

    def resolved(text: str | None) -> str:
        return DOC.sub(lambda match: block(match.group(1)), text or "")

    def block(name: str) -> str:
        if name not in blocks:
            raise UnknownDocBlockError(f"no file {models}/**/*.md has a block {{% docs {name} %}}")
        return blocks[name]

    tables = []
    for file in sorted(models.rglob("*.yml")):
        content: dict[str, Any] = yaml.safe_load(file.read_text()) or {}
        for model in content.get("models") or []:
            columns = [
                DescribedColumn(c["name"], c.get("data_type") or "", resolved(c.get("description")))
                for c in model.get("columns") or []
            ]
            schema = file.relative_to(models).parts[0]
            tables.append(Table(schema, model["name"], resolved(model.get("description")), (), columns))
    return sorted(tables, key=lambda table: table.name)


def one_line(text: str) -> str:
    """`text` for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", r"\<")


def contents(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        sentence = one_line(table.description).split(": ")[0].rstrip(".")
        yield f"- [`{table.schema}.{table.name}`](#{table.anchor}): {sentence}"


def section(table: Table) -> Iterator[str]:
    has_types = any(column.type for column in table.columns)
    yield from ("", f"### {table.schema}.{table.name}", "", one_line(table.description))
    if table.keys:
        yield from ("", "Key: " + ", ".join(f"`{key}`" for key in table.keys))
    if not table.columns:
        return
    yield ""
    yield "| column | type | meaning |" if has_types else "| column | meaning |"
    yield "|---|---|---|" if has_types else "|---|---|"
    for column in table.columns:
        cells = [f"`{column.name}`", *([column.type] if has_types else []), one_line(column.description)]
        yield "| " + " | ".join(cells) + " |"


def page(schema: Path = SCHEMA, models: Path = MODELS) -> str:
    """The whole page."""
    raw = raw_tables(schema)
    modelled = model_tables(models)
    layers = {name: [table for table in modelled if table.schema == name] for name in LAYERS}
    layers = {name: tables for name, tables in layers.items() if tables}
    lines = [
        "<!-- Generated by `python -m sql.data_dictionary` from sql/schema and models: change those, then run that. -->",
        "",
        "# Data dictionary",
        "",
        "Every table and column of the warehouse. Schema `raw` holds the rows of the lake as `python -m ingest load` finds",
        "them; `dbt build` makes the other schemas from it. Every table has `run_id`: filter by it first.",
        "",
        "## Contents",
        "",
        "[Schema raw](#schema-raw)",
        "",
        *contents(raw),
    ]
    for name, tables in layers.items():
        lines += ["", f"[Schema {name}](#schema-{name})", "", *contents(tables)]
    lines += ["", "## Schema raw", "", "Rows as the lake holds them, described in `sql/schema`."]
    lines += [line for table in raw for line in section(table)]
    for name, tables in layers.items():
        lines += ["", f"## Schema {name}", "", LAYERS[name]]
        lines += [line for table in tables for line in section(table)]
    return "\n".join(lines) + "\n"


def main() -> int:
    text = page()
    is_in_step = PAGE.exists() and PAGE.read_text() == text
    if "--check" in sys.argv[1:]:
        if not is_in_step:
            print(f"{PAGE.relative_to(ROOT)} is not in step: run python -m sql.data_dictionary")
        return 0 if is_in_step else 1
    if not is_in_step:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
        print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
