"""A macro of sql/macros as the SQL that it makes, without dbt around it."""

from __future__ import annotations

import jinja2

from tests.dbt.synthetic import ROOT


def rendered(macro: str, *arguments: str) -> str:
    """Calls a macro that uses no other file's macros."""
    source = (ROOT / "sql" / "macros" / f"{macro}.sql").read_text()
    module = jinja2.Environment().from_string(source).module
    return str(getattr(module, macro)(*arguments)).strip()
