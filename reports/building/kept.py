"""What a site was built from, so that the next build takes over the pages for which nothing has changed.

A small file in the site (`FILE`) holds a hash of the code; for each page of sections the queries that it asked, with a
hash of their rows; and for each episode's page one hash of everything that it is drawn from. A page is taken over where
all of these are the same again and its files are as they were written. What was read is compared, never a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import measures
import reports
from reports.marts.context import Context
from reports.marts.warehouse import Asked, Row

FILE = ".gazehouse-kept.json"
FORMAT = 1
DRAWN_WITH = ("altair", "av", "duckdb", "jinja2", "numpy", "opencv-python-headless", "vl-convert-python")
CHANGES_WITH_EVERY_UNIT = ("last_worked_at", "n_ok", "status")
"""Columns of a run that the index alone shows."""


@dataclass
class KeptPage:
    """A page of sections: what it asked, the numbers of those questions that it shows, and its file's hash."""

    asked: list[Asked]
    shown: list[int]
    file: str


@dataclass
class KeptEpisode:
    """An episode's page: hashes of what it is drawn from and of its text, and the number and bytes of its other files."""

    drawn_from: str
    page: str
    n_files: int
    n_bytes: int


@dataclass
class Kept:
    """What a build leaves to the next one."""

    code: str
    study: str
    pages: dict[str, KeptPage] = field(default_factory=dict)
    episodes: dict[str, KeptEpisode] = field(default_factory=dict)


@dataclass(frozen=True)
class Memory:
    """The old site, what it keeps that may be taken over, and what the new one will keep."""

    site: Path
    old: Kept
    new: Kept

    @classmethod
    def of(cls, site: Path, context: Context, say: Callable[[str], None], *, fresh: bool) -> Memory:
        """Of the site that is to be replaced; with `fresh` nothing of it is taken over."""
        new = Kept(code_digest(), study_digest(context))
        return cls(site, new if fresh else read(site, new, say), replace(new, pages={}, episodes={}))


def digest(value: Any) -> str:
    """Hex hash of a value's text; floats are written with all their digits."""
    return hashlib.blake2b(repr(value).encode(), digest_size=12).hexdigest()


@cache
def code_digest() -> str:
    """Hash of the pages' code and of the versions that it draws with."""
    state = hashlib.blake2b(digest_size=12)
    for package in (reports, measures):
        root = Path(str(package.__file__)).parent
        for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            state.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    for name in DRAWN_WITH:
        state.update(f"{name}={installed(name)}\0".encode())
    return state.hexdigest()


def installed(name: str) -> str:
    """The version of a distribution, or '' where another one stands in for it."""
    try:
        return version(name)
    except ModuleNotFoundError:
        return ""


def study_digest(context: Context) -> str:
    """Hash of what pages know of the run before they ask anything."""
    study = context.study
    lasting = [
        {name: value for name, value in run.items() if name not in CHANGES_WITH_EVERY_UNIT}
        for run in (study.run, *study.others)
    ]
    pages = [page.slug for page in context.shared["nav"]]
    return digest([lasting, study.views, study.cameras, study.conditions, pages, context.has_pictures])


def read(site: Path, new: Kept, say: Callable[[str], None]) -> Kept:
    """What the site keeps; nothing where its code or study is not that of the new one."""
    nothing = replace(new, pages={}, episodes={})
    path = site / FILE
    if not path.is_file():
        return nothing
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if (held["format"], held["code"], held["study"]) != (FORMAT, new.code, new.study):
            return nothing
        pages = {
            slug: KeptPage([Asked(*asked) for asked in page["asked"]], page["shown"], page["file"])
            for slug, page in held["pages"].items()
        }
        episodes = {stem: KeptEpisode(**episode) for stem, episode in held["episodes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        say(f"{path} cannot be read ({type(error).__name__}: {error}): every page is drawn again")
        return nothing
    return replace(new, pages=pages, episodes=episodes)


def write(site: Path, kept: Kept) -> None:
    """Leave it in the site."""
    in_order = replace(kept, episodes=dict(sorted(kept.episodes.items())))
    text = json.dumps({"format": FORMAT, **asdict(in_order)}, separators=(",", ":"))
    (site / FILE).write_text(text, encoding="utf-8")


def file_digest(path: Path) -> str:
    """Hash of a file's bytes; '' where there is none."""
    return hashlib.blake2b(path.read_bytes(), digest_size=12).hexdigest() if path.is_file() else ""


def episode_digests(context: Context, rows: Sequence[Row], head: object) -> dict[str, str]:
    """Hash of everything that each episode's page is drawn from, its place among the others apart."""
    parts: dict[str, list[Any]] = defaultdict(list)
    with_videos = bool(context.shared.get("videos"))
    for name in ("episode_fingerprints", *(["video_fingerprints"] if with_videos else [])):
        for found in context.query(name):
            parts[found["episode_id"]].append((found["mart"], found["n_rows"], str(found["fingerprint"])))
    if context.has_pictures:
        for found in context.query("episode_files"):
            names = [found["pictures"], found["masks"]]
            paths = [path for text in names if text for path in json.loads(text).values()]
            parts[found["episode_id"]] += [state_of(context.run_folder / path) for path in paths]
    return {
        row["episode_id"]: digest(
            [sorted(row.items()), head, with_videos, sorted(parts[row["episode_id"]], key=str)]
        )
        for row in rows
    }


def state_of(path: Path) -> tuple[str, int, int]:
    """Name, size and time of a picture: as `make` does, and a hundred times as fast as reading it."""
    try:
        found = path.stat()
    except OSError:
        return (path.name, -1, -1)
    return (path.name, found.st_size, found.st_mtime_ns)


def weighed(files: Iterable[Path]) -> tuple[int, int]:
    """Number and bytes of some files."""
    sizes = [path.stat().st_size for path in files if path.is_file()]
    return len(sizes), sum(sizes)


def taken_over(old: Path, new: Path) -> None:
    """A file, or a folder of files, from the old site: the same bytes under a second name, or a copy where that cannot be."""
    if old.is_dir():
        new.mkdir(parents=True, exist_ok=True)
        for path in old.iterdir():
            taken_over(path, new / path.name)
        return
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)
