"""A small world for the tests of ingest: a random tiny policy, a few DROID episodes, a study, and ways to run it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml

import ingest.run
from ingest.demo.config import TinyConfig
from ingest.demo.model import TinyPolicy
from ingest.identity import unit_of
from ingest.lake import RunFolder, run_ids
from ingest.progress import Progress
from ingest.run import RunSummary, run
from ingest.study import PACKAGE_ROOT, Study, load_study
from tests.episodes.builders import Box, write_droid_episode

CONFIG = TinyConfig(
    n_layers=3,
    n_heads=2,
    n_kv_heads=1,
    head_dim=8,
    width=16,
    expert_width=16,
    mlp_ratio=1,
    horizon=4,
    n_steps=3,
    max_token_len=24,
)
# A commit made while the tests run would change `runs.git_rev`, and with it bytes that are compared.
WITHOUT_GIT = {"GIT_DIR": "/nonexistent"}
# As the commands have it; conftest.py keeps the tests of this process to one thread.
limit_threads = ingest.run.limit_threads
DUCK, CUBE = "find the duck toy", "pick up the cube"
# A prompt that reads otherwise but enters the model as the same tokens as DUCK.
DUCK_AGAIN = "Find the DUCK toy!"
# The episode of the shared world whose frame 4 lacks an object.
FORGETFUL = "failure/2025-12-10/episode_1"
# Boxes in raw pixels of 180 x 320: at the top edge, across patches, small, and wide.
BOXES: tuple[Mapping[str, Box], ...] = (
    {"duck": (31, 0, 93, 47), "cube": (200, 90, 251, 140)},
    {"duck": (150, 60, 190, 122), "cube": (12, 101, 60, 180)},
    {"duck": (243, 13, 320, 77), "cube": (100, 33, 171, 71)},
    {"duck": (77, 111, 140, 166), "cube": (260, 5, 300, 50)},
)


@dataclass(frozen=True)
class World:
    """Where everything lies, and what the study says."""

    folder: Path
    sections: Mapping[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "episodes"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def study_file(self) -> Path:
        return self.folder / "study.yaml"

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def study(self, overrides: Mapping[str, Any] | None = None) -> Study:
        return load_study(self.study_file, overrides)

    def run(self, lake: Path | None = None, overrides: Mapping[str, Any] | None = None) -> RunSummary:
        """The real pipeline, in this process."""
        with contextlib.redirect_stderr(io.StringIO()):
            return run(self.study(overrides), lake or self.lake, fresh=False, progress=Progress())


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def write_checkpoint(folder: Path, config: TinyConfig = CONFIG, seed: int = 5) -> Path:
    """Random weights, none of them zero, and projections large enough for attention that is far from uniform."""
    torch.manual_seed(seed)
    policy = TinyPolicy(config)
    with torch.no_grad():
        for name, tensor in policy.named_parameters():
            if "modulation" in name:
                tensor.normal_(std=0.3)
            if "q_proj" in name or "k_proj" in name:
                tensor.mul_(4.0)
    policy.save(folder, torch.float32)
    return folder


def write_episodes(
    root: Path,
    count: int = 4,
    *,
    n_frames: int = 8,
    instructions: Sequence[str] = (DUCK, CUBE),
    boxes: Sequence[Mapping[str, Box]] = BOXES,
) -> list[Path]:
    """Successes and failures in turn, each with objects in other places."""
    return [
        write_droid_episode(
            root,
            ("success", "failure")[index % 2],
            f"episode_{index}",
            n_frames,
            instructions[index % len(instructions)],
            objects=boxes[index % len(boxes)],
            pose="cartesian_position",
            seed=index,
        )
        for index in range(count)
    ]


def write_study(folder: Path, sections: Mapping[str, Any] | None = None) -> World:
    """A study of `folder`; `sections` are put over the test's defaults, whole sections at a time."""
    world = World(folder, sections or {})
    raw: dict[str, Any] = {
        "study": "test",
        "policy": {"family": "tiny", "checkpoint": str(world.checkpoint)},
        "episodes": {"root": str(world.root), "keyframes": {"every": 4}},
        "objects": {"source": "dinox"},
        "conditions": {"prompts": {"duck": DUCK, "cube": CUBE}, "paraphrases": ["take the {object}"]},
        "noise": {"seeds": [0]},
        **world.sections,
    }
    folder.mkdir(parents=True, exist_ok=True)
    world.study_file.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return world


def make_world(folder: Path, sections: Mapping[str, Any] | None = None, **episodes: Any) -> World:
    world = write_study(folder, sections)
    write_checkpoint(world.checkpoint)
    write_episodes(world.root, **episodes)
    return world


def cli(*arguments: str | Path) -> Ended:
    """`python -m ingest` in this process, which spares the seconds that importing torch takes."""
    from ingest.cli import main

    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["ingest", *map(str, arguments)]
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as error:
        code = error.code
    finally:
        sys.argv = before
    assert code is None or isinstance(code, int), code
    return Ended(code or 0, out.getvalue(), err.getvalue())


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """`python -m ingest` as a process of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-m", "ingest", *map(str, arguments)],
        cwd=PACKAGE_ROOT,
        env={**os.environ, **WITHOUT_GIT},
        text=True,
        **{**pipes, **options},
    )


def only_run(lake: Path) -> RunFolder:
    (run_id,) = run_ids(lake)
    return RunFolder(lake, run_id)


def unit_bytes(lake: Path) -> dict[str, bytes]:
    """Every file of every unit of a lake but the timings, by its path in the lake."""
    return {
        path.relative_to(lake).as_posix(): path.read_bytes()
        for path in sorted(lake.glob("run_id=*/unit=*/*"))
        if path.name != "timings.parquet"
    }


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table_of(lake: Path, table: str, group: str | None = None) -> list[dict[str, Any]]:
    """All rows of a raw table in the lake, or those of one condition group's units, read file by file."""
    folder = only_run(lake)
    paths = sorted(folder.path.glob(f"unit=*/{table}.parquet"))
    if group is not None:
        chosen = {
            unit for unit in folder.units() if (folder.manifest(unit) or {})["condition_group"] == group
        }
        paths = [path for path in paths if path.parent.name.removeprefix("unit=") in chosen]
    tables: list[pa.Table] = [pq.ParquetFile(path).read() for path in paths]
    return pa.concat_tables(tables).to_pylist() if tables else []


def unit_path(folder: RunFolder, episode_id: str, group: str) -> Path:
    return folder.unit_path(unit_of(folder.run_id, episode_id, group))


@contextlib.contextmanager
def restored(*paths: Path) -> Iterator[None]:
    """Puts files back as they were: worlds are shared between tests."""
    before = {path: path.read_bytes() for path in paths}
    try:
        yield
    finally:
        for path, content in before.items():
            path.write_bytes(content)
