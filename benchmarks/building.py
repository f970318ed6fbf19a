"""``python -m benchmarks.building WAREHOUSE [OPTION ...]``: dbt build as `publish` runs it, in a process of its own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ingest.dbt_build import dbt_build, project_folder


class Spent(NamedTuple):
    """Wall seconds, CPU seconds of all cores, and the peak of resident memory in bytes, dbt itself included."""

    wall: float
    cpu: float
    peak: int


def spent_on_building(warehouse: Path, *options: str) -> Spent:
    """Builds the marts of a warehouse; options go to dbt. Raises RuntimeError where a model or a test fails."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.building", str(warehouse), *options]
    process = os.spawnv(os.P_NOWAIT, sys.executable, command)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"dbt could not build {warehouse}; its lines are above")
    wall = time.perf_counter() - started
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def main(warehouse: str, *options: str) -> int:
    """0 when everything passed, else 1 and dbt's lines."""
    lines = dbt_build(project_folder(), Path(warehouse), *options)
    print(*lines or [], sep="\n", end="", flush=True)
    return int(lines is not None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
