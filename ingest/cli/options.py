"""Options that several subcommands share, and what they make of a study."""

from __future__ import annotations

import os
import re
import reprlib
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.errors import UserError
from ingest.study import DEMO_STUDY, Study, load_study

StudyFile = Annotated[
    Path, typer.Option("--study", help="Study file (YAML).", show_default="the bundled demo")
]
_LAKE, _WAREHOUSE = "GAZEHOUSE_LAKE", "GAZEHOUSE_WAREHOUSE"


def _folder(text: str | Path) -> Path:
    """Not the working directory, where a shell's variable was empty."""
    if text == "":
        raise typer.BadParameter("expected a folder; `.` is the working directory")
    return Path(text)


Lake = Annotated[
    Path, typer.Option("--lake", help="Folder of the lake.", envvar=_LAKE, parser=_folder, metavar="<path>")
]
Warehouse = Annotated[Path, typer.Option("--warehouse", help="DuckDB file.", envvar=_WAREHOUSE)]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most this many episodes, outcomes in turn.")
]
Layers = Annotated[
    str | None, typer.Option("--layers", help="Layers to keep, such as 0,4,7 or 0-5; or 'all'.")
]
Device = Annotated[str | None, typer.Option("--device", help="Where the policy runs, such as cpu or cuda:0.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the study.")]
BatchSize = Annotated[int | None, typer.Option("--batch-size", min=1, help="Inferences at a time.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes that share the episodes.")]

_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")

DEFAULT_STUDY = DEMO_STUDY
DEFAULT_LAKE = Path("lake")
DEFAULT_WAREHOUSE = Path("warehouse.duckdb")


def study_from(
    path: Path,
    *,
    limit: int | None = None,
    layers: str | None = None,
    device: str | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
) -> Study:
    """The study file with the command line's values in place of its own."""
    overrides: dict[str, Any] = {
        "episodes.limit": limit,
        "capture.layers": None if layers is None else parse_numbers("--layers", layers),
        "compute.device": device,
        "compute.batch_size": batch_size,
        "compute.workers": workers,
        "seed": seed,
    }
    return load_study(path, overrides)


def parse_numbers(option: str, text: str) -> str | list[int]:
    """'all', or numbers and ranges such as '0,4,7-9'. Raises UserError for anything else."""
    if text.strip() == "all":
        return "all"
    numbers: list[int] = []
    for part in text.replace(" ", ",").split(","):
        found = _RANGE.fullmatch(part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise UserError(
                f"{option}: expected numbers such as 0,4,7 or 0-5, all below 10000, found {reprlib.repr(text)}"
            )
        numbers += range(first, last + 1)
    return numbers


def flags(lake: Path | None = None, warehouse: Path | None = None) -> str:
    """The options that a next command needs to find the same files, for a shell; nothing where it finds them itself."""
    named = [
        ("--lake", lake, DEFAULT_LAKE, _LAKE),
        ("--warehouse", warehouse, DEFAULT_WAREHOUSE, _WAREHOUSE),
    ]
    return "".join(
        f" {name} {shlex.quote(str(path))}"
        for name, path, default, variable in named
        if path is not None and (path != default or variable in os.environ)
    )


def study_flags(path: Path, **given: object) -> str:
    """The options that name the same study, for a shell; ``given`` are those of :func:`study_from`."""
    named = {"study": None if path == DEFAULT_STUDY else path, **given}
    return "".join(
        f" --{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in named.items()
        if value is not None
    )
