"""What the project's own files are: everything that .gitignore leaves."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ingest", "measures", "reports", "sql")


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """git with the rules of our .gitignore and no history, so that it answers in an unpacked archive and of a checkout
    that belongs to another user as well."""
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(["git", "init", "--quiet", "--bare", empty], check=True)
        command = ["git", f"--git-dir={empty}", f"--work-tree={ROOT}", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def project_files(*suffixes: str) -> list[Path]:
    """Files of the project with one of `suffixes` (all without), as absolute paths."""
    listed = git("ls-files", "-z", "--others", "--exclude-standard")
    assert listed.returncode == 0, listed.stderr
    files = {ROOT / name for name in listed.stdout.split("\0") if name}
    return sorted(file for file in files if file.is_file() and (not suffixes or file.suffix in suffixes))


def is_text(file: Path) -> bool:
    return b"\0" not in file.read_bytes()[:8192]
