"""`dbt build` of a warehouse, in a process of its own, and what it says where a model or a data test fails."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypedDict

import duckdb

from ingest.errors import UserError
from ingest.study import PACKAGE_ROOT

_MAX_LINES = 25
_ROWS_SHOWN = 3
_WHERE_DBT_WRITES = ("DBT_TARGET_PATH", "DBT_LOG_PATH")
AFTER_APPENDING = (
    "--select",
    "config.materialized:table",
    "config.materialized:incremental",
    "test_type:data",
)
"""Options for `Dbt.build` where the same models built the marts before: views and the seed are what they were."""


class _Failure(TypedDict):
    """As ingest.dbt_process writes them."""

    name: str
    message: str
    query: str | None


class Dbt:
    """A process of dbt that has begun to read its project, and waits for what to build."""

    def __init__(
        self, project: Path, warehouse: Path, process: subprocess.Popen[str], to_dbt: IO[str]
    ) -> None:
        self._project, self._warehouse, self._process, self._to_dbt = project, warehouse, process, to_dbt

    def build(self, *options: str) -> list[str] | None:
        """Once: the project's models and data tests on the warehouse, unit tests, which look at no data, left out.

        ``options`` are handed on to dbt. Returns None when all passed, else the lines that matter: of a model dbt's
        error, of a data test the first rows that it objects to.
        """
        command = [
            "build",
            "--project-dir",
            str(self._project),
            "--exclude-resource-type",
            "unit_test",
            *options,
        ]
        with contextlib.suppress(BrokenPipeError):  # dbt has ended already, and says why
            print(json.dumps(command), file=self._to_dbt, flush=True)
        output, errors = self._process.communicate()
        try:
            failures: list[_Failure] = json.loads(output.splitlines()[-1])
        except (IndexError, ValueError):  # dbt was ended before it could say anything
            ended = f"dbt ended with exit code {self._process.returncode}"
            return [*(output + errors).splitlines(), ended][-_MAX_LINES:]
        told = [line for failure in failures for line in _told(failure, self._warehouse)]
        return told[:_MAX_LINES] or None


@contextlib.contextmanager
def dbt_beside(project: Path, warehouse: Path) -> Iterator[Dbt]:
    """dbt starts and reads its project, 15 seconds the first time, while the block makes ready what it is to build.

    What goes wrong with the project is told by `build`. A block that ends without it ends dbt too, and so does the end of
    this process, however it comes: dbt then reads that nobody holds the other end of its standard input.
    """
    from_us, to_dbt = os.pipe()
    with open(to_dbt, "w", encoding="utf-8") as pipe:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ingest.dbt_process", str(project)],
                cwd=project,
                env=_environment(project, warehouse),
                stdin=from_us,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            os.close(from_us)
        with process:
            try:
                yield Dbt(project, warehouse, process, pipe)
            finally:
                if process.poll() is None:
                    process.terminate()


def dbt_build(project: Path, warehouse: Path, *options: str) -> list[str] | None:
    """`Dbt.build` of a warehouse that is ready."""
    with dbt_beside(project, warehouse) as dbt:
        return dbt.build(*options)


def _told(failure: _Failure, warehouse: Path) -> list[str]:
    if failure["query"] is None:
        return failure["message"].splitlines()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(failure["query"])
        columns = [column[0] for column in found.description]
        rows = found.fetchmany(_ROWS_SHOWN)
    shown = (", ".join(f"{name}: {value}" for name, value in zip(columns, row, strict=True)) for row in rows)
    return [f"data test {failure['name']}: {failure['message']}", *(f"  {row}" for row in shown)]


def _environment(project: Path, warehouse: Path) -> dict[str, str]:
    """The same for every call: another one, and dbt reads its whole project again.

    What a user has set for dbt's other projects (its target, what it leaves out) is not ours; only where it writes is.
    """
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DBT_") or name in _WHERE_DBT_WRITES
    }
    return {
        **ours,
        "GAZEHOUSE_WAREHOUSE": str(warehouse.resolve()),
        "DBT_PROFILES_DIR": str(project),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # dbt builds two models at a time: more threads in the algebra of either only wait for each other.
        "OMP_NUM_THREADS": "1",
    }


def project_folder() -> Path:
    """The dbt project: the working directory's, or the one this package is installed from.

    Raises UserError when neither has a dbt_project.yml.
    """
    for folder in (Path.cwd(), PACKAGE_ROOT):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise UserError("no dbt_project.yml here; run this from a checkout of Gazehouse")
