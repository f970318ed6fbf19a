"""What the project's own files are: everything git tracks, or would track."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ingest", "measures", "reports", "sql")


def project_files(*suffixes: str) -> list[Path]:
    """Files of the project with one of `suffixes` (all without), as absolute paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    files = {ROOT / name for name in listed if name}
    return sorted(file for file in files if file.is_file() and (not suffixes or file.suffix in suffixes))


def is_text(file: Path) -> bool:
    return b"\0" not in file.read_bytes()[:8192]
