"""The commands of `python -m reports` are the contract's and documented, option by option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup, TyperOption

from reports.cli import app

GROUP = typer.main.get_command(app)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def commands() -> dict[str, Any]:
    assert isinstance(GROUP, TyperGroup)
    return dict(GROUP.commands)


def options() -> Iterator[tuple[str, str]]:
    for name, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter, TyperOption):
                assert parameter.help, (name, parameter.name)
                for option in [*parameter.opts, *parameter.secondary_opts]:
                    yield name, option


def documentation() -> str:
    return PAGE.read_text(encoding="utf-8").partition("\n## `python -m reports`")[2]


def rows_of(command: str) -> str:
    """Rows of the table of options that say they are of this command."""
    rows = [line.split("|") for line in documentation().splitlines() if line.startswith("| `--")]
    return "\n".join(
        row[1]
        for row in rows
        if ("all" in row[2] and command not in row[2].partition(" but ")[2]) or re.search(rf"\b{command}\b", row[2].partition(" but ")[0])
    )  # fmt: skip


def test_the_commands_are_the_contracts_and_the_issues() -> None:
    assert set(commands()) == {"build", "serve", "figure", "summary", "video", "rerun"}
    assert all(f"| `{name}" in documentation() and command.help for name, command in commands().items())


@pytest.mark.parametrize(("command", "option"), sorted(options()))
def test_every_option_is_documented(command: str, option: str) -> None:
    assert re.search(rf"`{re.escape(option)}[ `]", rows_of(command)), f"docs/cli.md: {option} of {command}"


def test_nothing_is_documented_that_is_not_there() -> None:
    known = {option for _, option in options()} | {"--help"}
    assert set(re.findall(r"`(--[a-z-]+)", documentation())) <= known
