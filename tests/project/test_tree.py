"""The tree holds nothing that works on one machine alone, and nothing nobody can read."""

from __future__ import annotations

import re

import pytest

from tests.project.tree import PACKAGES, ROOT, git, is_text, project_files

# Put together here, so that this file does not name what it looks for.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("download", "pytorch", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("ftp", "debian", "org"),
    )
]
PATH_OF_ONE_MACHINE = re.compile(r"(?<![\w./~$})-])/(?:work|root|home)/\w")
MOST_LINES = {"tests": 700}  # a test file may carry the data it makes
MOST_LINES_ELSEWHERE = 400
RECORDED = "ingest/demo/episodes/"


def text_files() -> list[tuple[str, str]]:
    files = [file for file in project_files() if not file.relative_to(ROOT).as_posix().startswith(RECORDED)]
    return [(file.relative_to(ROOT).as_posix(), file.read_text()) for file in files if is_text(file)]


def test_no_registry_host_is_named():
    found = [f"{name}: {host}" for name, text in text_files() for host in REGISTRY_HOSTS if host in text]

    assert not found


def test_no_path_of_one_machine_is_named():
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if PATH_OF_ONE_MACHINE.search(line)
    ]

    assert not found


def test_no_python_file_is_too_long_to_read():
    too_long = []
    for file in project_files(".py"):
        path = file.relative_to(ROOT)
        n_lines = len(file.read_text().splitlines())
        if n_lines > MOST_LINES.get(path.parts[0], MOST_LINES_ELSEWHERE):
            too_long.append(f"{path}: {n_lines}")

    assert not too_long


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_python_is_a_package(package: str):
    folders = {file.parent for file in project_files(".py") if file.relative_to(ROOT).parts[0] == package}

    assert folders
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


@pytest.mark.parametrize(
    ("path", "is_ignored"),
    [
        ("lake/run_id=0/unit=1/frames.parquet", True),
        ("site/index.html", True),
        ("warehouse.duckdb", True),
        ("warehouse__being_built.duckdb.wal", True),
        ("build/dbt/manifest.json", True),
        ("ingest/demo/episodes/success/2024-01-01/episode/trajectory.h5", False),
        ("ingest/demo/episodes/success/build/site/frame.jpg", False),
        ("ingest/demo/weights/model.safetensors", False),
    ],
)
def test_git_ignores_what_is_made_and_keeps_the_demo(path: str, is_ignored: bool):
    assert git("check-ignore", "--no-index", "--quiet", path).returncode == (0 if is_ignored else 1)
