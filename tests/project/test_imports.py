"""Imports point one way, and none of them needs a model library."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.project.tree import PACKAGES, ROOT, project_files

MODEL_LIBRARIES = ("torch", "transformers", "diffusers", "lerobot", "mujoco", "openpi", "safetensors")
# Rooms that are imported only when a policy is run, or the demo made again.
ROOMS_OF_MODELS = ("ingest/attention/", "ingest/demo/", "ingest/policies/")


@cache  # every rule reads every file
def imported_modules(file: Path) -> tuple[str, ...]:
    """Full names of what a file imports, wherever in the file."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


def offenders(importers: str, *forbidden: str) -> list[str]:
    """'file imports module' for every import of a forbidden package below the folder `importers`."""
    return [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in project_files(".py")
        if file.relative_to(ROOT).parts[0] == importers
        for module in imported_modules(file)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]


def test_measures_knows_nobody():
    assert not offenders("measures", "ingest", "reports", "models", "sql", "duckdb", "polars", "pyarrow")


def test_reports_reads_the_warehouse_and_not_ingest():
    assert not offenders("reports", "ingest", "models")


# From the bottom to the top: each knows only those before it, and what lies in it.
FLOORS_OF_REPORTS = (
    ("errors", "words"),
    ("marts",),
    ("html", "vega", "images"),
    ("recordings",),
    ("pages",),
    ("building",),
    ("site",),
    ("exposures", "figures", "summary"),
    ("commands",),
    ("cli",),
    ("__main__",),
)


def room_of(module: str) -> str:
    """'pages' of 'reports.pages.heads.sections'."""
    return module.split(".")[1]


def test_reports_is_built_from_the_bottom_to_the_top():
    floors = {room: i for i, rooms in enumerate(FLOORS_OF_REPORTS) for room in rooms}
    found = []
    for file in project_files(".py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[0] != "reports" or parts[1] == "__init__":
            continue
        used = {room_of(name) for name in imported_modules(file) if name.startswith("reports.")}
        assert used <= floors.keys(), f"{file}: name its floor here"
        found += [
            f"{'/'.join(parts)} imports {room}"
            for room in used
            if room != parts[1] and floors[room] >= floors[parts[1]]
        ]
    assert not found


def test_ingest_knows_neither_reports_nor_models():
    assert not offenders("ingest", "reports", "models")


def test_models_know_measures_alone():
    assert not offenders("models", "ingest", "reports")


def test_nobody_knows_the_command_line():
    inside = ("ingest/cli/", "ingest/cli.py", "ingest/__main__.py")
    found = [offender for room in (*PACKAGES, "models") for offender in offenders(room, "ingest.cli")]

    assert not [offender for offender in found if not offender.startswith(inside)]


def test_model_libraries_stay_in_their_rooms():
    found = [offender for room in PACKAGES for offender in offenders(room, *MODEL_LIBRARIES[1:])]

    assert not [offender for offender in found if not offender.startswith(ROOMS_OF_MODELS)]


# Packages that are imported with all their modules, or as they are.
IMPORTED = {"measures": True, "reports": True, "sql": True, "ingest": False, "ingest.cli": True}
WITHOUT_MODEL_LIBRARIES = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {libraries!r}:
            raise ModuleNotFoundError(f"{{name}} was imported", name=name)

sys.meta_path.insert(0, Blocked())
for name, is_whole in {imported!r}.items():
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + ".") if is_whole else ():
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


def test_importing_needs_no_model_library():
    script = WITHOUT_MODEL_LIBRARIES.format(libraries=MODEL_LIBRARIES, imported=IMPORTED)

    child = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )

    assert child.returncode == 0, child.stderr
