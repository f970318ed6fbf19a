"""`make` explains itself, and says what is missing instead of failing in the middle."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.project.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
NOT_FOR_PEOPLE = {"browser"}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(
    *arguments: str, path: str | None = None, home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    environment |= {"PATH": path} if path else {}
    environment |= {"HOME": str(home)} if home else {}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_help_is_the_default_and_lists_every_target(tmp_path: Path):
    targets = set(re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE)) - NOT_FOR_PEOPLE

    answer = make(home=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert set(re.findall(r"^  make ([a-z-]+) +\S", answer.stdout, re.MULTILINE)) == targets
    assert {"help", "demo", "test", "lint", "bench", "world", "clean"} <= targets


def test_without_a_python_it_says_which_is_wanted(tmp_path: Path):
    answer = make(f"{tmp_path}/venv/bin/pip", f"VENV={tmp_path}/venv", "PYTHON=")

    assert answer.returncode == 2
    assert "no Python 3.11 or newer found" in answer.stderr


def test_without_ensurepip_it_says_what_to_install(tmp_path: Path):
    tools = tmp_path / "tools"
    tools.mkdir()
    python = script(tools / "python-of-debian", "exit 1")
    for name in ("apt-get", "sudo"):
        script(tools / name, "exit 1")

    answer = make(
        f"{tmp_path}/venv/bin/pip",
        f"VENV={tmp_path}/venv",
        f"PYTHON={python}",
        path=f"{tools}{os.pathsep}{os.environ['PATH']}",
    )

    assert answer.returncode == 2
    assert "python3-venv" in answer.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_runs_the_tests_and_nothing_else():
    ci = ROOT / ".ci" / "run"

    assert os.access(ci, os.X_OK)
    assert ci.read_text().splitlines()[-1] == "exec make test"
