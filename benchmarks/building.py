"""``python -m benchmarks.building WAREHOUSE [OPTION ...]``: what `dbt build` takes as `publish` runs it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ingest.dbt_build import dbt_build, project_folder


class Spent(NamedTuple):
    """Wall seconds, CPU seconds of all cores, and the peak of resident memory of the largest process in bytes."""

    wall: float
    cpu: float
    peak: int


def spent_on_building(warehouse: Path, *options: str) -> Spent:
    """dbt builds the marts of a warehouse; options go to dbt. Raises RuntimeError where a model or a test fails."""
    return _told_by("-m", "benchmarks.building", str(warehouse), *options)


def spent_on_publishing(lake: Path, warehouse: Path) -> Spent:
    """`python -m ingest publish`, all of it. Raises RuntimeError where it fails."""
    return _told_by("-m", "benchmarks.building", "--publish", str(lake), str(warehouse))


def _told_by(*command: str) -> Spent:
    """A process of its own, for only then is the peak that of its own children."""
    finished = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    if finished.returncode:
        raise RuntimeError(f"could not be built; the lines are above\n{finished.stdout}")
    return Spent(*json.loads(finished.stdout.splitlines()[-1]))


def main(*asked: str) -> int:
    """Writes wall, CPU and peak as the last line; 1 and dbt's lines where the build failed."""
    started = time.perf_counter()
    if asked[0] == "--publish":
        command = ["-m", "ingest", "publish", "--lake", asked[1], "--warehouse", asked[2]]
        failed = subprocess.run([sys.executable, *command], capture_output=True, text=True)
        lines = failed.stderr.splitlines() if failed.returncode else None
    else:
        lines = dbt_build(project_folder(), Path(asked[0]), *asked[1:])
    if lines is not None:
        print(*lines, sep="\n")
        return 1
    wall, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
