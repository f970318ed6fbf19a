"""The report of 200 episodes: time to build it whole and again, size of its pages, time until the index is on the screen.

    python -m benchmarks.reports                                     # about 15 minutes: makes eight episodes first
    python -m benchmarks.reports --warehouse warehouse.duckdb --lake lake      # multiplies those of a ready one

The marts are multiplied, with maps and frames; copies of an episode share its pictures. Other work on the machine moves
wall seconds, so CPU seconds stand beside them; a build uses one core, and DuckDB both for its queries.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingest.dbt_build import project_folder
from ingest.warehouse_rows import literal
from reports import site

N_EPISODES = 200
MEGABYTE = 1e6
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def main() -> None:
    """Prints the figures, each beside its bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--warehouse", type=Path, help="A published warehouse; by default one is made.")
    parser.add_argument("--lake", type=Path, help="Its lake.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, lake = (chosen.warehouse, chosen.lake) if chosen.warehouse else _published(folder)
        warehouse = folder / "many.duckdb"
        n_episodes = _multiply(small, warehouse)
        print(f"report: {n_episodes} episodes, warehouse of {warehouse.stat().st_size / MEGABYTE:.0f} MB")
        options = site.Options(warehouse, lake or Path("lake"), folder / "site")

        def build() -> None:
            report = site.build(options, say=lambda _: None)
            if report.failures:
                raise RuntimeError("\n".join(report.failures))

        print(f"  whole build: {_timed(build)} (bar 180 s on 2 cores)")
        print(f"  again, nothing changed: {_timed(build)}")
        with duckdb.connect(str(warehouse)) as connection:
            _copy_episode(connection)
        print(f"  again, one new episode: {_timed(build)}")
        _print_sizes(options.out)
        _print_first_look(options.out / "index.html")


def _published(folder: Path) -> tuple[Path, Path]:
    """The demo's first eight episodes, run and published."""
    small, lake = folder / "small.duckdb", folder / "lake"
    for arguments in (["run", "--no-load", "--limit", "8"], ["publish", "--warehouse", str(small)]):
        command = [sys.executable, "-m", "ingest", *arguments, "--lake", str(lake)]
        subprocess.run(command, cwd=project_folder(), check=True, capture_output=True)
    return small, lake


def _multiply(small: Path, warehouse: Path) -> int:
    """A warehouse of the same marts with `N_EPISODES` episodes of the run that the report shows; their number."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set memory_limit = '4GB'")
        connection.execute(f"attach {literal(small)} as small (read_only)")
        connection.execute("create schema marts")
        marts = connection.execute(
            "select table_name, bool_or(column_name = 'episode_id') from information_schema.columns "
            "where table_catalog = 'small' and table_schema = 'marts' group by all order by all"
        ).fetchall()
        ((n_there,),) = connection.execute("select count(*) from small.marts.episodes").fetchall()
        copies = math.ceil(N_EPISODES / n_there)
        connection.execute(
            "create temp table kept as select run_id, episode_id, copy from small.marts.episodes, "
            "(select unnest(range($copies)) as copy) order by copy, hash(episode_id) limit $n",
            {"copies": copies, "n": N_EPISODES},
        )
        for mart, has_episodes in marts:
            rows = f"small.marts.{mart} as rows"
            columns = "rows.*"
            if has_episodes:
                columns = "rows.* replace (if(kept.copy = 0, rows.episode_id, rows.episode_id || '_' || kept.copy) as episode_id)"
                rows += " inner join kept using (run_id, episode_id)"
            connection.execute(f"create table marts.{mart} as select {columns} from {rows}")
        return int(connection.execute("select count(*) from marts.episodes").fetchall()[0][0])


def _copy_episode(connection: duckdb.DuckDBPyConnection) -> None:
    """One episode more, in every mart of episodes."""
    marts = connection.execute(
        "select table_name from information_schema.columns where table_schema = 'marts' and column_name = 'episode_id'"
    ).fetchall()
    ((first,),) = connection.execute("select min(episode_id) from marts.episodes").fetchall()
    for (mart,) in marts:
        connection.execute(
            f"insert into marts.{mart} select * replace (episode_id || '_new' as episode_id) from marts.{mart} "
            "where episode_id = $first",
            {"first": first},
        )


def _timed(call: Callable[[], object]) -> str:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return f"{time.perf_counter() - wall:.0f} s wall, {time.process_time() - cpu:.0f} s CPU"


def _print_sizes(root: Path) -> None:
    files = {path: path.stat().st_size for path in root.rglob("*") if path.is_file()}
    pages = {path: size for path, size in files.items() if path.suffix == ".html"}
    largest = max(pages, key=lambda path: pages[path])
    pictures = sum(size for path, size in files.items() if path.suffix in PICTURES)
    print(f"  largest page: {largest.name}, {pages[largest] / MEGABYTE:.2f} MB (bar 2)")
    print(
        f"  site: {sum(files.values()) / MEGABYTE:.0f} MB in {len(files)} files, {pictures / MEGABYTE:.0f} MB of them pictures"
    )


def _print_first_look(index: Path) -> None:
    """Until the index's `load` event in Chromium, which has drawn its text by then; median of five fresh tabs."""
    executable = os.environ.get("GAZEHOUSE_CHROMIUM") or shutil.which("chromium")
    if executable is None:
        print("  index.html: not timed, no Chromium")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        taken = []
        for _ in range(5):
            page = browser.new_page()
            page.goto(index.resolve().as_uri(), wait_until="load")
            taken.append(
                page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
            )
            page.close()
        browser.close()
    print(f"  index.html loaded: {sorted(taken)[2] / 1000:.2f} s wall (bar 2)")


if __name__ == "__main__":
    main()
