"""What capture costs on the bundled policy, what the capture filter spares, and what sharing pictures spares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import median_seconds
from ingest.attention.reduce import Item, Reducer
from ingest.attention.selection import select
from ingest.episodes.base import Observation
from ingest.policies.base import Policy, Prepared
from ingest.policies.pictures_once import pictures_once
from ingest.policies.registry import load_policy
from ingest.study import CaptureSection, PolicySection

BATCH, ROUNDS = 4, 7
OBJECTS = ("duck toy", "banana", "cat toy", "bottle", "cube", "red toy")
FILTER = CaptureSection(layers=[3, 4], heads=[0], denoise_steps=["last"])


def main() -> None:
    """Prints the costs; the rival is named in each line."""
    policies = {
        attention: load_policy(PolicySection(attention=attention), "cpu")
        for attention in ("default", "eager")
    }
    plain = policies["default"]
    batch = _prompts_of_frames(plain, CaptureSection(), 2)
    few = _prompts_of_frames(plain, FILTER, 2)
    shape = plain.geometry.noise_shape
    noise = np.random.default_rng(0).standard_normal((len(batch), *shape)).astype(np.float32)
    nothing = CaptureSection(layers=[0], heads=[0], passes=["prefix"], queries=["action"])
    seconds = median_seconds(
        {
            "default": lambda: _infer(plain, batch, noise),
            "eager": lambda: _captured(policies["eager"], batch, noise, nothing),
            "captured": lambda: _captured(plain, batch, noise, CaptureSection()),
            "filtered": lambda: _captured(plain, few, noise, FILTER),
            "shared": lambda: _shared(plain, batch, noise),
        },
        ROUNDS,
    )
    each = {name: 1e3 * taken / len(batch) for name, taken in seconds.items()}
    print(
        f"bundled policy, {len(batch)} inferences in batches of {BATCH}, median of {ROUNDS}: CPU ms an inference"
    )
    print(f"  inference alone {each['default']:.0f}, with eager attention {each['eager']:.0f}")
    print(
        f"  captured {each['captured']:.0f}: {_ratio(each, 'captured', 'default')}, {_ratio(each, 'captured', 'eager')}"
    )
    print(
        f"  2 of 8 layers, 1 of 4 heads, last step {each['filtered']:.0f}: {_ratio(each, 'filtered', 'default')}"
    )
    print(
        f"  pictures shared by {len(OBJECTS)} prompts {each['shared']:.0f}: {_ratio(each, 'shared', 'default')}\n"
    )


def _ratio(each: dict[str, float], name: str, rival: str) -> str:
    return f"{each[name] / each[rival]:.2f} x {rival}"


def _prompts_of_frames(policy: Policy, capture: CaptureSection, n_frames: int) -> list[Prepared]:
    """Frames under six prompts each, as in a unit of changed prompts."""
    rng = np.random.default_rng(0)
    pose = np.array([0.45, 0.0, 0.15, 0.0, 0.0, 0.0])
    batch = []
    for index in range(n_frames):
        images = {
            name: rng.integers(0, 255, (180, 320, 3), dtype=np.uint8) for name in policy.geometry.cameras
        }
        seen = policy.see(Observation(index, 0.0, images, pose, 0.05, {"cartesian_position": pose}))
        batch += [
            policy.prepare(seen, f"find the {name} and pick it up", capture.queries) for name in OBJECTS
        ]
    return batch


def _infer(policy: Policy, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> None:
    for start in range(0, len(batch), BATCH):
        policy.infer(batch[start : start + BATCH], noise[start : start + BATCH])


def _shared(policy: Policy, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> None:
    with pictures_once(policy):
        _infer(policy, batch, noise)


def _captured(
    policy: Policy, batch: Sequence[Prepared], noise: NDArray[np.float32], capture: CaptureSection
) -> None:
    geometry = policy.geometry
    selection = select(capture, geometry.n_layers, geometry.n_heads, dict(geometry.passes))
    for start in range(0, len(batch), BATCH):
        part = batch[start : start + BATCH]
        reducer = Reducer([Item(item.layout, {}) for item in part], selection, policy.device)
        with policy.tapped(reducer):
            policy.infer(part, noise[start : start + BATCH])
        for index in range(len(part)):
            reducer.captures(index)
