"""dbt in a process beside the one that loads: it ends with that one, however that one ends, and says what is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ingest.dbt_build import dbt_beside, dbt_build
from ingest.study import PACKAGE_ROOT
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


BUILDS = """
import sys
from pathlib import Path
from ingest.dbt_build import dbt_build
dbt_build(Path(sys.argv[1]), Path(sys.argv[1]) / "w.duckdb")
"""
SOUND = "{name: small, profile: gazehouse, config-version: 2}\n"
ENDLESS = "select sum(hash(range)) as n from range(10000000000000)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text(UNREADABLE, encoding="utf-8")
    shutil.copy(PACKAGE_ROOT / "profiles.yml", tmp_path)
    (tmp_path / "models").mkdir()
    return tmp_path


@pytest.fixture
def slow_project(project: Path) -> Path:
    (project / "dbt_project.yml").write_text(SOUND, encoding="utf-8")
    (project / "models" / "endless.sql").write_text(ENDLESS, encoding="utf-8")
    return project


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


def test_dbt_ends_where_whoever_waits_for_its_build_is_killed(slow_project: Path) -> None:
    """The lock that it holds would keep the next publish from building."""
    building = subprocess.Popen([sys.executable, "-c", BUILDS, str(slow_project)])
    with building:
        deadline = time.monotonic() + 60
        while not (slow_project / "w.duckdb").exists():
            assert time.monotonic() < deadline, "dbt has not opened the warehouse"
            time.sleep(0.05)
        started = descendants(building.pid)
        building.send_signal(signal.SIGKILL)
    assert started
    assert all(ended(one) for one in started)


def test_what_a_user_has_set_for_other_projects_of_dbt_is_not_ours(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "dbt_project.yml").write_text(SOUND, encoding="utf-8")
    for name, value in {"TARGET": "prod", "PROFILE": "other", "RESOURCE_TYPES": "seed"}.items():
        monkeypatch.setenv(f"DBT_{name}", value)
    (project / "models" / "one.sql").write_text("select 1 as one", encoding="utf-8")
    assert dbt_build(project, project / "w.duckdb") is None
    with duckdb.connect(str(project / "w.duckdb"), read_only=True) as connection:
        assert connection.execute("select one from main.one").fetchone() == (1,)


def test_a_dbt_that_ends_before_its_word_has_built_nothing(project: Path) -> None:
    """Whatever its exit code says."""
    (project / "dbt_project.yml").write_text(SOUND, encoding="utf-8")
    leaves = "import os\n\n\ndef model(dbt, session):\n    return os._exit(0)\n"
    (project / "models" / "one.py").write_text(leaves, encoding="utf-8")
    lines = dbt_build(project, project / "w.duckdb")
    assert lines is not None
    assert lines[-1] == "dbt ended with exit code 0"
