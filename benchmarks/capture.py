"""What capture costs at Pi0.5's and Cosmos's sizes. docs/performance.md holds one answer."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import subjects
from benchmarks.peak import peak_bytes
from benchmarks.subjects import Subject
from benchmarks.timing import Seconds, median_ratio, seconds_in_turn
from benchmarks.ways import WAYS, stored_bytes, ways_of

NETWORKS = ("pi05", "cosmos")
ROUNDS = 5
MB = 1e6


def main(names: Sequence[str] = NETWORKS) -> None:
    """Prints a table for each network."""
    for name in names:
        _report(name)


def _report(name: str) -> None:
    subject: Subject = getattr(subjects, name)()
    title, layers = subject.title, f"{subject.n_layers} of {subject.real_layers} layers"
    layer_bytes = subject.layer_bytes
    print(f"{title}; {layers}, float32, one thread, median of {ROUNDS}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        own: list[float] = []
        ways = ways_of(subject, Path(folder), own)
        seconds = seconds_in_turn(ways, ROUNDS, warm_all=False)
        dumped = sum(file.stat().st_size for file in Path(folder).glob("*.npy"))
        lake = Path(folder) / "lake"
        stored = {profile: stored_bytes(subject, profile, lake) for profile in ("default", "full")}
    del subject, ways  # their memory is wanted by the processes that measure it
    _print_cost(seconds, {way: peak_bytes(name, way) for way in WAYS})
    print(f"  of which reducing, fetching: {statistics.median(own):.3f} CPU s")
    print(f"  attention weights of one layer: {layer_bytes / MB:.0f} MB")
    print(f"  a frame in files: {dumped / MB:.0f} MB of .npy", end="")
    for profile, size in stored.items():
        print(f"; {size / 1e3:,.0f} kB as '{profile}' ({dumped / size:,.0f} x less)", end="")
    print("\n", flush=True)


def _print_cost(seconds: Seconds, peaks: Mapping[str, int]) -> None:
    print(
        f"  {'':52}{'CPU s':>7}{'/ eager':>9}{'/ default':>11}{'peak MB':>9}{'above default':>15}{'eager':>8}"
    )
    for way, what in WAYS.items():
        taken = statistics.median(seconds[way])
        ratios = f"{median_ratio(seconds, way, 'eager'):>9.2f}{median_ratio(seconds, way, 'default'):>11.2f}"
        above = [f"{(peaks[way] - peaks[rival]) / MB:+.0f}" for rival in ("default", "eager")]
        print(f"  {what:52}{taken:>7.2f}{ratios}{peaks[way] / MB:>9.0f}{above[0]:>15}{above[1]:>8}")


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    main(sys.argv[1:] or NETWORKS)
