"""The real `dbt build` on a synthetic warehouse, once for all workers of pytest-xdist."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from ingest.publish import place_to_build
from tests.dbt.synthetic import BARE, EMPTY, FEW, LATENT, PLANTED, ROOT, World, create


class Build(NamedTuple):
    """A warehouse that dbt has built, and dbt's own artefacts beside it."""

    warehouse: Path
    target: Path


class Places(NamedTuple):
    """Where builds lie for all workers of pytest-xdist, and where this worker has dbt build."""

    shared: Path
    own: Path


def built(places: Places, name: str, worlds: list[World], *options: str) -> Build:
    """Create and build `shared/name/warehouse.duckdb`, or wait until another worker has."""
    build = Build(places.shared / name / "warehouse.duckdb", places.shared / name / "target")
    build.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with (places.shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not build.warehouse.exists():
            # As `publish` to w.duckdb has it: at another path dbt would parse the whole project again.
            building = Build(place_to_build(places.own / "w.duckdb"), places.own / "target")
            building.warehouse.unlink(missing_ok=True)
            create(building.warehouse, worlds)
            shutil.rmtree(building.target / "compiled", ignore_errors=True)
            dbt(building, *options)
            shutil.copytree(building.target, build.target)
            building.warehouse.replace(build.warehouse)
    return build


def dbt(build: Build, *options: str) -> None:
    """A bare `dbt build`, as the README has it; the whole output is the message where it fails."""
    environment = {
        **os.environ,
        "GAZEHOUSE_WAREHOUSE": str(build.warehouse),
        "DBT_TARGET_PATH": str(build.target),
        "DBT_LOG_PATH": str(build.target / "logs"),
        "DBT_LOG_LEVEL_FILE": "none",
    }
    command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "build", *options]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        pytest.fail(finished.stdout[-6000:] + finished.stderr[-2000:], pytrace=False)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, dbt_folder: Path) -> Places:
    """One folder for all workers: with xdist each has its own below it."""
    base = tmp_path_factory.getbasetemp()
    return Places((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dbt", dbt_folder)


@pytest.fixture(scope="session")
def build(places: Places) -> Build:
    return built(places, "synthetic", [PLANTED, FEW, BARE, EMPTY, LATENT])


@pytest.fixture(scope="session")
def bare_build(places: Places, build: Build) -> Build:
    """One episode of unknown outcome, one layer, no objects, no prompts, and nothing else in the warehouse."""
    return built(places, "bare", [BARE], "--exclude-resource-type", "unit_test")


@pytest.fixture
def warehouse(build: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        yield connection
