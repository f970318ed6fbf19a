"""Load and dbt build in a file beside the warehouse, renamed into place when every test has passed."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ingest.append import append, hash_of_models, new_units, sign
from ingest.errors import GazehouseError, UserError
from ingest.loadable import loadable
from ingest.study import PACKAGE_ROOT
from ingest.warehouse import build
from ingest.warehouse_file import (
    check_replaceable,
    copy,
    only_builder,
    put_in_place,
    remove_database,
    remove_leftover,
)

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MAX_LINES = 25
AFTER_APPENDING = (
    "--select",
    "config.materialized:table",
    "config.materialized:incremental",
    "test_type:data",
)
"""Options for `dbt_build` where the same models built the marts before: views and the seed are what they were."""


class BuildError(GazehouseError):
    """dbt could not build a model, or a test of the data failed; ``details`` are dbt's own lines about it."""

    def __init__(self, message: str, details: tuple[str, ...]) -> None:
        super().__init__(message)
        self.details = details


def publish(lake: Path, warehouse: Path, *, fresh: bool = False) -> None:
    """Readers see the old warehouse until the new one is whole.

    Units that are new to the lake are added to a copy of the warehouse, whose marts are then brought up to date; where
    that is not enough, or with ``fresh``, everything is built anew. Both ways give the same rows.

    Raises what `load` does, and BuildError when a model or a data test fails; the old warehouse then stays, and the
    failed build is kept beside it for a look.
    """
    project = project_folder()
    check_replaceable(warehouse)
    content = loadable(lake)
    building = warehouse.with_name(f"{warehouse.stem}.building{warehouse.suffix}")
    with only_builder(warehouse):
        remove_leftover(building)
        try:
            models = hash_of_models(project)
            with _parsed_meanwhile(project, building):
                units = None if fresh else new_units(warehouse, content, models)
                if units is None:
                    print(f"publish: loading {lake}", file=sys.stderr, flush=True)
                    build(content, building)
                else:
                    print(f"publish: adding {len(units)} new units of {lake}", file=sys.stderr, flush=True)
                    copy(warehouse, building)
                    append(content, building, units)
            _build_beside(project, building, warehouse, () if units is None else AFTER_APPENDING)
            sign(building, models)
            put_in_place(building, warehouse)
        except BuildError:
            raise
        except BaseException:
            remove_database(building)
            raise


def _build_beside(project: Path, building: Path, warehouse: Path, options: tuple[str, ...]) -> None:
    print("publish: dbt build", file=sys.stderr, flush=True)
    output = dbt_build(project, building, *options)
    if output is not None:
        raise BuildError(
            f"dbt build failed; {building} is kept for a look, {warehouse} was not touched", tuple(output)
        )


def dbt_build(project: Path, warehouse: Path, *options: str) -> list[str] | None:
    """Runs the project's models and data tests on ``warehouse``; unit tests, which look at no data, are left out.

    ``options`` are handed on to dbt. Returns None when all passed, else the lines that matter.
    """
    command = [*_dbt(project, "build"), "--exclude-resource-type", "unit_test", *options]
    finished = subprocess.run(
        command, cwd=project, env=_environment(project, warehouse), capture_output=True, text=True
    )
    if finished.returncode == 0:
        return None
    lines = _ANSI.sub("", finished.stdout + finished.stderr).splitlines()
    telling = [line for line in lines if re.search(r"error|fail|got \d+ result", line, re.IGNORECASE)]
    return (telling or lines)[-_MAX_LINES:]


@contextlib.contextmanager
def _parsed_meanwhile(project: Path, warehouse: Path) -> Iterator[None]:
    """dbt reads its project, 15 seconds the first time, while the block loads rows; `dbt build` then finds it read.

    What goes wrong here goes wrong in `dbt build` again, and is told there.
    """
    target = Path(os.environ.get("DBT_TARGET_PATH", project / "build" / "dbt"))
    if (target / "partial_parse.msgpack").exists():
        yield  # reading what changed takes dbt no longer than starting
        return
    parsing = subprocess.Popen(
        _dbt(project, "parse"),
        cwd=project,
        env=_environment(project, warehouse),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        parsing.wait()
    finally:
        if parsing.poll() is None:
            parsing.terminate()
            parsing.wait()


def _dbt(project: Path, command: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "dbt.cli.main",
        "--no-use-colors",
        # Seconds of every build; nobody reads these files, and what failed is on the standard output.
        "--no-write-json",
        "--log-level-file",
        "none",
        command,
        "--project-dir",
        str(project),
    ]


def _environment(project: Path, warehouse: Path) -> dict[str, str]:
    """The same for every call: another one, and dbt reads its whole project again."""
    return {
        **os.environ,
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
