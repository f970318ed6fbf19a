"""dbt in a process beside the one that loads: it ends with that one, however that one ends, and says what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.dbt_build import dbt_beside, dbt_build
from tests.ingest.processes import descendants, is_alive

# A project that dbt refuses at once: how long it would have read a sound one is of no interest here.
UNREADABLE = "name: gazehouse\nmodel-paths: [\n"
WAITS = """
import sys, time
from pathlib import Path
from ingest.dbt_build import dbt_beside
with dbt_beside(Path(sys.argv[1]), Path(sys.argv[1]) / "w.duckdb"):
    print("loading", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text(UNREADABLE, encoding="utf-8")
    return tmp_path


def ended(process: tuple[int, str]) -> bool:
    deadline = time.monotonic() + 60
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_what_is_wrong_with_the_project_is_told_by_the_build(project: Path) -> None:
    lines = dbt_build(project, project / "w.duckdb")
    assert lines is not None
    assert "Syntax error near line 3" in "\n".join(lines)


def test_dbt_ends_where_loading_fails(project: Path) -> None:
    before = descendants(os.getpid())

    def fails() -> None:
        with dbt_beside(project, project / "w.duckdb"):
            started.extend(set(descendants(os.getpid())) - set(before))
            raise OSError("disk full")

    started: list[tuple[int, str]] = []
    with pytest.raises(OSError, match="disk full"):
        fails()
    assert len(started) == 1
    assert not is_alive(started[0])


def test_dbt_ends_where_whoever_loads_is_killed(project: Path) -> None:
    loading = subprocess.Popen([sys.executable, "-c", WAITS, str(project)], stdout=subprocess.PIPE, text=True)
    with loading:
        assert loading.stdout is not None
        assert loading.stdout.readline() == "loading\n"
        (dbt,) = descendants(loading.pid)
        loading.send_signal(signal.SIGKILL)
    assert ended(dbt)
