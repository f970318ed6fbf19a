"""The query of ``sql/queries`` behind a verdict, as text that can be pasted."""

from __future__ import annotations

import re
from importlib import resources

WITHOUT_NUMBERS = "verdict_without_numbers"
# What the comment says of the demo, from the line on where it begins: another run's verdict is not about it.
_OF_DEMO = re.compile(r"^-- (?:For example, |The demo has no row).*\n(?:--.*\n)*", re.MULTILINE)


def query_text(hypothesis: str, criteria: str, run_id: str, camera: str | None) -> str:
    """The query that shows a verdict's numbers, after the variables that it reads."""
    folder = resources.files("sql") / "queries"
    name = file_name(hypothesis, criteria)
    if not (folder / f"{name}.sql").is_file():
        name = WITHOUT_NUMBERS
    text = _OF_DEMO.sub("", (folder / f"{name}.sql").read_text(encoding="utf-8"))
    variables = {"run_id": run_id, "camera": camera or ""}
    used = [key for key in variables if f"getvariable('{key}')" in text]
    settings = [f"set variable {key} = {literal(variables[key])};" for key in used]
    return "\n".join([*settings, text.strip()])


def file_name(hypothesis: str, criteria: str) -> str:
    """Of the query behind a verdict, without suffix, whether there is such a file or not."""
    return f"verdict_{hypothesis}_{criteria}".lower().replace(".", "_")


def literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
