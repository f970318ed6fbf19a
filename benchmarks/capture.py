"""What capture costs on the bundled policy: time against inference alone, bytes against the seed's full matrices."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import median_seconds
from ingest.attention.reduce import Item, Reducer
from ingest.attention.rows import add_capture
from ingest.attention.selection import Selection, select
from ingest.episodes.base import Observation
from ingest.policies.base import Policy, Prepared
from ingest.policies.registry import load_policy
from ingest.rows import Tables
from ingest.study import CaptureSection, PolicySection

BATCH, ROUNDS = 8, 7


def main() -> None:
    """Prints the ratios; rivals are named in each line."""
    policy = load_policy(PolicySection(), "cpu")
    geometry = policy.geometry
    selection = select(CaptureSection(), geometry.n_layers, geometry.n_heads, dict(geometry.passes))
    batch = _batch(policy, selection)
    noise = np.random.default_rng(0).standard_normal((BATCH, *geometry.noise_shape)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        seconds = median_seconds(
            {
                "default": lambda: policy.infer(batch, noise),
                "eager": lambda: _tapped(policy, batch, noise, _ignore),
                "captured": lambda: _captured(policy, batch, noise, selection),
                "dumped": lambda: _dumped(policy, batch, noise, Path(folder)),
            },
            ROUNDS,
        )
        full = sum(path.stat().st_size for path in Path(folder).iterdir()) / BATCH
    stored = _stored_bytes(policy, batch, noise, selection) / BATCH
    print(f"capture, bundled policy, batch of {BATCH}, median of {ROUNDS} rounds:")
    for name, rival in [("captured", "eager"), ("captured", "default"), ("dumped", "eager")]:
        print(
            f"  {name} / {rival}: {seconds[name] / seconds[rival]:.2f} ({seconds[name] / BATCH * 1e3:.1f} ms a frame)"
        )
    print(
        f"  full weights / stored rows: {full / stored:.0f} x ({full / 1e6:.1f} MB and {stored / 1e3:.0f} kB a frame)"
    )


def _batch(policy: Policy, selection: Selection) -> list[Prepared]:
    rng = np.random.default_rng(0)
    pose = np.array([0.45, 0.0, 0.15, 0.0, 0.0, 0.0])
    images = {name: rng.integers(0, 255, (180, 320, 3), dtype=np.uint8) for name in policy.geometry.cameras}
    seen = policy.see(Observation(0, 0.0, images, pose, 0.05, {"cartesian_position": pose}))
    return [policy.prepare(seen, "find the duck toy and pick it up", selection.queries)] * BATCH


def _ignore(*_: object) -> None:
    """A sink that keeps nothing: eager attention alone."""


def _tapped(policy: Policy, batch: list[Prepared], noise: NDArray[np.float32], sink: object) -> None:
    with policy.tapped(sink):  # type: ignore[arg-type]
        policy.infer(batch, noise)


def _captured(
    policy: Policy, batch: list[Prepared], noise: NDArray[np.float32], selection: Selection
) -> Reducer:
    reducer = Reducer([Item(item.layout, {}) for item in batch], selection, policy.device)
    _tapped(policy, batch, noise, reducer)
    for index in range(len(batch)):
        reducer.captures(index)
    return reducer


def _dumped(policy: Policy, batch: list[Prepared], noise: NDArray[np.float32], folder: Path) -> None:
    """The seed's way: every weight to the host and into .npy files."""

    def dump(pass_name: str, layer: int, step: int, weights: object) -> None:
        np.save(folder / f"{pass_name}_{layer}_{step}.npy", weights.numpy())  # type: ignore[attr-defined]

    _tapped(policy, batch, noise, dump)


def _stored_bytes(
    policy: Policy, batch: list[Prepared], noise: NDArray[np.float32], selection: Selection
) -> int:
    """Bytes of the attention rows as Arrow holds them, before compression."""
    reducer = _captured(policy, batch, noise, selection)
    tables = Tables("benchmark")
    for index, item in enumerate(batch):
        for capture in reducer.captures(index):
            add_capture(tables, index, item.layout.cameras, capture)
    return sum(table.nbytes for table in tables.finish().values())
