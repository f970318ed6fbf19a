"""Ways to run one inference: alone, with its attention captured, and with every weight written to disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.subjects import Subject
from ingest.attention.reduce import Item, Reducer
from ingest.attention.rows import add_capture
from ingest.attention.selection import Selection, select
from ingest.attention.weights import FullWeights, Weights
from ingest.lake import RunFolder
from ingest.rows import Tables
from ingest.study import CaptureSection

WAYS = {
    "default": "inference alone, the model's default attention",
    "eager": "inference alone, eager attention",
    "captured": "captured beside the default attention",
    "captured eager": "captured from eager attention",
    "dumped": "every weight to a .npy file",
}


def ways_of(
    subject: Subject, folder: Path, own: list[float] | None = None
) -> dict[str, Callable[[], object]]:
    """One callable for each of WAYS; ``folder`` takes the .npy files, ``own`` the CPU seconds that capture itself took."""
    selection = selection_of(subject, "default")
    return {
        "default": subject.run,
        "eager": lambda: _tapped(subject, _Nothing(), "eager"),
        "captured": lambda: captured(subject, selection, "default", own),
        "captured eager": lambda: captured(subject, selection, "eager", own),
        "dumped": lambda: _tapped(subject, _Dump(folder), "eager"),
    }


def selection_of(subject: Subject, profile: str) -> Selection:
    section = CaptureSection(profile=profile, passes=list(subject.passes))
    return select(section, subject.n_layers, subject.n_heads, dict(subject.passes))


def captured(
    subject: Subject, selection: Selection, attention: str, own: list[float] | None = None
) -> Reducer:
    """One inference with its attention reduced and fetched."""
    timed = _Timed()
    with timed:
        reducer = Reducer([Item(subject.layout, {})], selection, "cpu")
    timed.sink = reducer
    _tapped(subject, timed, attention)
    with timed:
        reducer.captures(0)
    if own is not None:
        own.append(timed.seconds)
    return reducer


class _Timed:
    """A sink around another that adds up the CPU seconds of what it does."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sink: Reducer

    def __enter__(self) -> None:
        self._started = time.process_time()

    def __exit__(self, *_error: object) -> None:
        self.seconds += time.process_time() - self._started

    def wants(self, pass_name: str, layer: int, step: int) -> bool:
        return self.sink.wants(pass_name, layer, step)

    def __call__(self, pass_name: str, layer: int, step: int, weights: Weights) -> None:
        with self:
            self.sink(pass_name, layer, step, weights)


def stored_bytes(subject: Subject, profile: str, lake: Path) -> int:
    """Bytes of the Parquet files of one captured inference."""
    tables = Tables("0" * 16)
    for capture in captured(subject, selection_of(subject, profile), "default").captures(0):
        add_capture(tables, 1, subject.layout.cameras, capture)
    folder = RunFolder(lake, f"{profile:0>16}")
    folder.write("unit", tables.finish(), {})
    return sum(file.stat().st_size for file in folder.unit_path("unit").glob("*.parquet"))


def _tapped(subject: Subject, sink: Any, attention: str) -> None:
    with subject.tapped(sink, attention):
        subject.run()


class _Nothing:
    """A sink that keeps nothing."""

    def wants(self, pass_name: str, layer: int, step: int) -> bool:
        return False

    def __call__(self, pass_name: str, layer: int, step: int, weights: Weights) -> None:
        raise AssertionError("a tap gave what nobody wants")


class _Dump:
    """A sink that does as the seeds do: all weights to the host and into files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, pass_name: str, layer: int, step: int, weights: Weights) -> None:
        np.save(self._folder / f"{pass_name}_{layer}_{step}.npy", _all_of(weights).cpu().numpy())


def _all_of(weights: Any) -> torch.Tensor:
    if isinstance(weights, FullWeights):
        return weights.weights
    return (weights.query @ weights.key.transpose(2, 3) * weights.scale).softmax(-1)
