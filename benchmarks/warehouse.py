"""The warehouse at 10^8 region-rows: the whole build, one new episode, and questions beside reading JSON in Python.

    python -m benchmarks.warehouse                 # 4 to 15 minutes on two idle cores, and 12 GB of disk
    python -m benchmarks.warehouse --copies 2      # 16 episodes: does it run to its end?

The rows are those of eight demo episodes, enlarged to 208 episodes of a model of 18 layers and 8 heads.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.building import Spent, spent_on_building, spent_on_publishing
from benchmarks.large_lake import LargeLake
from ingest.dbt_build import AFTER_APPENDING, project_folder
from ingest.publish import place_to_build

HERE = Path(__file__).parent
N_COPIES = 26
PYTHON_MODELS = (
    "--resource-type",
    "model",
    "--select",
    "path:models/marts/*.py",
    "path:models/intermediate/*.py",
)
N_DUMPED = 8
"""So many of the episodes are dumped as JSON and read; the time of all is in proportion."""
GALLERY = (
    "heads_that_track_the_object",
    "failures_in_the_last_third",
    "prompts_that_move_attention",
    "vision_against_language_by_task",
    "layers_to_ablate",
)
STUDY = """
study: bench
policy: {family: tiny, checkpoint: demo}
episodes:
  source: droid
  root: ingest/demo/episodes
  cameras: {base: varied_camera_1, wrist: hand_camera}
  keyframes: {every: 8}
  limit: 8
objects: {source: dinox, camera: wrist, min_score: 0.0, named_roles: {decoy: decoy, screen: occluder}}
capture: {queries: [instruction, action]}
conditions:
  prompts:
    duck: "find the duck toy and pick it up"
    banana: "find the banana and pick it up"
    cat: "find the cat toy and pick it up"
  paraphrases: ["find the {object} and pick it up"]
compute: {workers: 2, batch_size: 8}
"""


def main(n_copies: int = N_COPIES) -> None:
    """Prints the figures, each beside its bar. Raises RuntimeError when a step fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lake, warehouse = folder / "large", folder / "warehouse.duckdb"
        print("ingesting eight episodes and enlarging their rows", flush=True)
        large = LargeLake(_small(folder), lake, n_copies)
        large.write()
        whole = spent_on_publishing(lake, warehouse)
        n_episodes, n_rows = _ask(
            warehouse,
            "select (select count(*) from raw.episodes), (select sum(len(masses)) from raw.attention_masses)",
        )[0]
        print(f"warehouse: {n_episodes} episodes, {n_rows / 1e6:.0f} M region-rows, {_gigabytes(warehouse)}")
        print(f"  published from its lake: {_told(whole)} (bars 180 s, 8 GiB)", flush=True)
        large.add_the_last()
        one = spent_on_publishing(lake, warehouse)
        print(f"  one new episode published: {_told(one)}; {_shares(one, whole)} (bar 25 %)", flush=True)
        # Where `publish` builds: at another path dbt would read its whole project again.
        building = warehouse.rename(place_to_build(warehouse))
        one = spent_on_building(building, *AFTER_APPENDING)
        whole = spent_on_building(building, "--full-refresh")
        print(f"  dbt build alone: whole {_told(whole)}; one episode {_told(one)}; {_shares(one, whole)}")
        python = spent_on_building(building, *PYTHON_MODELS)
        print(f"  Python models alone: {_told(python)} (bar 1 GiB)", flush=True)
        building.rename(warehouse)
        _compare_with_json(warehouse, folder / "json", n_episodes)


def _small(folder: Path) -> Path:
    study, lake = folder / "study.yaml", folder / "lake"
    study.write_text(STUDY, encoding="utf-8")
    command = [sys.executable, "-m", "ingest", "run", "--no-load", "--study", str(study), "--lake", str(lake)]
    subprocess.run(command, cwd=project_folder(), check=True, capture_output=True)
    return lake


def _compare_with_json(warehouse: Path, folder: Path, n_episodes: int) -> None:
    folder.mkdir()
    _dump(warehouse, folder)
    size = sum(path.stat().st_size for path in folder.glob("*.json"))
    share = n_episodes / N_DUMPED
    by_json = _seconds(lambda: _means_of_json(folder)) * share
    print(
        f"  JSON, one file an episode: {size * share / 1e9:.1f} GB; read and averaged in Python: {by_json:.0f} s"
    )
    print(f"    (taken on {N_DUMPED} of {n_episodes} episodes, the rest in proportion)")
    raw = (HERE / "sql" / "json_means.sql").read_text(encoding="utf-8")
    by_sql = _seconds(lambda: _ask(warehouse, raw))
    print(
        f"  the same means in SQL, from raw rows: {by_sql:.1f} s, {by_json / by_sql:.0f} x as fast (bar 50)"
    )
    for name in GALLERY:
        query = (project_folder() / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")
        taken = _seconds(lambda query=query: _ask(warehouse, query))  # type: ignore[misc]
        print(f"    {name}: {taken * 1e3:.0f} ms, {by_json / taken:.0f} x as fast")


def _dump(warehouse: Path, folder: Path) -> None:
    """The seeds' way: one JSON an episode, a record for each row of attention."""
    query = (HERE / "sql" / "episode_rows.sql").read_text(encoding="utf-8")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        episodes = connection.execute(
            "select episode_id, outcome from raw.episodes order by hash(episode_id) limit $n", {"n": N_DUMPED}
        ).fetchall()
        for number, (episode_id, outcome) in enumerate(episodes):
            found = connection.execute(query, {"episode_id": episode_id})
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            path = folder / f"{number}.json"
            path.write_text(json.dumps({"outcome": outcome, "rows": rows}), encoding="utf-8")


def _means_of_json(folder: Path) -> dict[tuple[Any, ...], list[float]]:
    """Mean mass of each region by outcome, layer, head and query, as the seeds' scripts work it out."""
    sums: dict[tuple[Any, ...], list[float]] = {}
    counts: dict[tuple[Any, ...], int] = defaultdict(int)
    for path in sorted(folder.glob("*.json")):
        episode = json.loads(path.read_text(encoding="utf-8"))
        for row in episode["rows"]:
            key = (
                episode["outcome"], row["layer"], row["head"], row["pass"], row["denoise_step"], row["query_index"],
            )  # fmt: skip
            counts[key] += 1
            known = sums.get(key)
            sums[key] = (
                row["masses"]
                if known is None
                else [a + b for a, b in zip(known, row["masses"], strict=False)]
            )
    return {key: [value / counts[key] for value in total] for key, total in sums.items()}


def _ask(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def _seconds(call: Callable[[], object]) -> float:
    """Wall seconds: build and queries use all cores."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _told(spent: Spent) -> str:
    return f"{spent.wall:.0f} s, {spent.cpu:.0f} CPU s, peak {spent.peak / 2**30:.2f} GiB"


def _shares(one: Spent, whole: Spent) -> str:
    return f"{one.wall / whole.wall:.0%} of the whole's seconds, {one.cpu / whole.cpu:.0%} of its CPU seconds"


def _gigabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e9:.1f} GB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--copies", type=int, default=N_COPIES, help=f"of eight episodes (default: {N_COPIES})"
    )
    main(parser.parse_args().copies)
