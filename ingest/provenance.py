"""Where a run's numbers come from: the row of ``runs``."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from ingest.identity import canonical_json, hex_digest
from ingest.plan import Plan
from ingest.policies.base import Policy
from ingest.schema import SCHEMA_VERSION
from ingest.study import PACKAGE_ROOT, Study

_PACKAGES = (
    "gazehouse",
    "numpy",
    "torch",
    "transformers",
    "opencv-python-headless",
    "pyarrow",
    "duckdb",
    "scipy",
)


def run_row(study: Study, plan: Plan, policy: Policy) -> dict[str, Any]:
    """The run's row of ``raw.runs``, its status left to ``load``."""
    resolved = study.resolved()
    return {
        "study": study.study,
        "config": canonical_json(resolved),
        "config_hash": hex_digest(canonical_json(resolved), length=32),
        "policy": f"{policy.family}:{policy.checkpoint}",
        "model_family": policy.family,
        "checkpoint": policy.checkpoint,
        "checkpoint_hash": policy.checkpoint_hash,
        "n_layers": policy.geometry.n_layers,
        "n_heads": policy.geometry.n_heads,
        "head_dim": policy.geometry.head_dim,
        "dtype": policy.dtype,
        "attention_impl": policy.attention_impl,
        "device": policy.device,
        "seed": study.seed,
        "git_rev": _git_revision(PACKAGE_ROOT),
        "versions": canonical_json(_versions()),
        "schema_version": SCHEMA_VERSION,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git_revision(root: Path) -> str | None:
    """The commit of this code, '+dirty' where tracked files differ; None outside a checkout."""
    if not (root / ".git").exists():
        return None
    try:
        revision = _git(root, "rev-parse", "HEAD").strip()
        is_dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no").strip())
    except (OSError, subprocess.SubprocessError):
        return None
    return revision + ("+dirty" if is_dirty else "")


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
