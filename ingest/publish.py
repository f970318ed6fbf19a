"""Load and dbt build in a file beside the warehouse, renamed into place when every test has passed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ingest.errors import GazehouseError, UserError
from ingest.study import PACKAGE_ROOT
from ingest.warehouse import build, put_in_place, refuse_if_locked

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MAX_LINES = 25


class BuildError(GazehouseError):
    """dbt could not build a model, or a test of the data failed; ``details`` are dbt's own lines about it."""

    def __init__(self, message: str, details: tuple[str, ...]) -> None:
        super().__init__(message)
        self.details = details


def publish(lake: Path, warehouse: Path) -> None:
    """Readers see the old warehouse until the new one is whole.

    Raises UserError without a run in the lake or without the dbt project, BuildError when a model or a data test
    fails; the old warehouse then stays, and the failed build is kept beside it for a look.
    """
    project = project_folder()
    if not any(lake.glob("run_id=*/unit=*")):
        raise UserError(
            f"{lake}: no run in the lake; run `python -m ingest` first, or name another with --lake"
        )
    refuse_if_locked(warehouse)
    building = warehouse.with_name(f"{warehouse.stem}.building{warehouse.suffix}")
    print(f"publish: loading {lake}", file=sys.stderr, flush=True)
    build(lake, building, views=False)
    print("publish: dbt build", file=sys.stderr, flush=True)
    output = dbt_build(project, building)
    if output is not None:
        raise BuildError(
            f"dbt build failed; {building} is kept for a look, {warehouse} was not touched", tuple(output)
        )
    put_in_place(building, warehouse)


def dbt_build(project: Path, warehouse: Path) -> list[str] | None:
    """Runs the project's dbt build on ``warehouse``. Returns None when all passed, else the lines that matter."""
    environment = {
        **os.environ,
        "GAZEHOUSE_WAREHOUSE": str(warehouse.resolve()),
        "DBT_PROFILES_DIR": str(project),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [
        sys.executable,
        "-m",
        "dbt.cli.main",
        "--no-use-colors",
        "build",
        "--project-dir",
        str(project),
    ]
    finished = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if finished.returncode == 0:
        return None
    lines = _ANSI.sub("", finished.stdout + finished.stderr).splitlines()
    telling = [line for line in lines if re.search(r"error|fail|got \d+ result", line, re.IGNORECASE)]
    return (telling or lines)[-_MAX_LINES:]


def project_folder() -> Path:
    """The dbt project: the working directory's, or the one this package is installed from.

    Raises UserError when neither has a dbt_project.yml.
    """
    for folder in (Path.cwd(), PACKAGE_ROOT):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise UserError("no dbt_project.yml here; run this from a checkout of Gazehouse")
