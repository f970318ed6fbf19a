"""Which marts each page reads, for dbt: ``python -m reports.exposures`` writes ``models/exposures.yml``.

What a page reads is found in its source: the queries that its module, and those it imports from `reports`, name.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from reports.site import PAGES, Page

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "models" / "exposures.yml"
QUERIES = Path(__file__).parent / "queries"
# Pages that are no list of sections, and what draws them.
DRAWN_BY = {
    "index": ("reports.pages.index",),
    "episodes": ("reports.pages.episodes", "reports.pages.episode"),
    "methods": ("reports.pages.methods",),
    "dictionary": ("reports.pages.dictionary",),
}

# They hand on the names that pages give them.
PASSED_ON = ("reports.marts.context", "reports.marts.warehouse")


def marts_of(page: Page) -> list[str]:
    """The marts that a page's queries read, sorted."""
    modules = DRAWN_BY.get(page.slug) or (page.sections.__module__,)
    queries = {name for module in modules for used in imported(module) for name in queries_of(used)}
    texts = [(QUERIES / f"{name}.sql").read_text(encoding="utf-8") for name in queries]
    return sorted({mart for text in texts for mart in re.findall(r"\bmarts\.(\w+)", text)})


def imported(module: str) -> set[str]:
    """The module and everything of `reports` that it imports, or what that imports, other than this and the site."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in ("reports", "reports.site", "reports.pages"):
            found.add(name)
            waiting += imports_of(name)
    return found


@cache
def imports_of(module: str) -> list[str]:
    """Modules of `reports` that a module imports by itself."""
    found = []
    for node in ast.walk(source_of(module)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "reports":
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name for name in (node.module, *inner) if is_module(name)]
    return found


@cache
def queries_of(module: str) -> frozenset[str]:
    """Names of query files that a module asks for: those it hands to `query`, or all its texts where it hands a variable."""
    tree = source_of(module)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) == "query"]
    is_named_elsewhere = any(isinstance(call.args[0], ast.Name) for call in calls if call.args)
    parts: list[ast.AST] = [arg for call in calls for arg in call.args]
    if is_named_elsewhere and module not in PASSED_ON:
        parts = [tree]
    constants = [node.value for part in parts for node in ast.walk(part) if isinstance(node, ast.Constant)]
    return frozenset(
        text
        for text in constants
        if isinstance(text, str) and text.isidentifier() and (QUERIES / f"{text}.sql").is_file()
    )


def name_of(call: ast.Call) -> str:
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@cache
def source_of(module: str) -> ast.Module:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


@cache
def is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the name of something in a module
        return False


def exposures_yml() -> str:
    """The text of ``models/exposures.yml``."""
    lines = [
        "# Generated from the pages and their queries by reports/exposures.py: change those, then run",
        "# `python -m reports.exposures`.",
        "version: 2",
        "",
        "exposures:",
    ]
    for page in PAGES:
        marts = marts_of(page)
        if not marts:  # the page of tables reads what the warehouse says of itself
            continue
        quoted = page.question.replace("'", "''")
        lines += [
            f"  - name: page_{page.slug.replace('-', '_')}",
            f"    label: {page.label}",
            "    type: dashboard",
            f"    description: '{quoted}'",
            "    owner: {name: Gazehouse}",
            "    depends_on:",
            *(f"      - ref('{mart}')" for mart in marts),
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(exposures_yml(), encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
