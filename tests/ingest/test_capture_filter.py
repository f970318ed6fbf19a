"""What the capture section leaves out is not computed: counted in attention rows, not in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ingest.attention.reduce import Item, Reducer
from ingest.attention.selection import select
from ingest.policies.registry import load_policy
from ingest.study import CaptureSection, PolicySection
from tests.conformance.case import random_observation
from tests.conformance.cases import cosmos_diffusers
from tests.ingest.world import CONFIG, write_checkpoint

PROMPT, N_WORDS = "find the duck", 3
EVERYTHING: dict[str, Any] = {
    "layers": "all",
    "heads": "all",
    "passes": ["prefix", "suffix"],
    "denoise_steps": ["all"],
    "queries": ["instruction", "words", "action"],
}


class SoftmaxRows(TorchDispatchMode):
    """Counts the rows of every softmax in float64: the model's own run in float32, those of the capture in float64."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.ops.aten._softmax.default and args[0].dtype == torch.float64:
            self.rows += args[0].shape[:-1].numel()
        return function(*args, **(kwargs or {}))


def capture(policy: Any, batch: Sequence[Any], **section: Any) -> Reducer:
    geometry = policy.geometry
    chosen = CaptureSection(**section)
    selection = select(chosen, geometry.n_layers, geometry.n_heads, dict(geometry.passes))
    reducer = Reducer([Item(one.layout, {}) for one in batch], selection, "cpu")
    noise = np.zeros((len(batch), *geometry.noise_shape), dtype=np.float32)
    with policy.tapped(reducer):
        policy.infer(batch, noise)
    return reducer


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    checkpoint: Path = write_checkpoint(tmp_path_factory.mktemp("tiny"))
    return load_policy(PolicySection(checkpoint=str(checkpoint)), "cpu")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # rows x heads x layers of the prefix, and x steps of the suffix
        ({}, (N_WORDS + CONFIG.horizon * CONFIG.n_steps) * CONFIG.n_heads * CONFIG.n_layers),
        ({"layers": [1]}, (N_WORDS + CONFIG.horizon * CONFIG.n_steps) * CONFIG.n_heads),
        ({"heads": [0]}, (N_WORDS + CONFIG.horizon * CONFIG.n_steps) * CONFIG.n_layers),
        ({"passes": ["prefix"]}, N_WORDS * CONFIG.n_heads * CONFIG.n_layers),
        ({"passes": ["suffix"]}, CONFIG.horizon * CONFIG.n_steps * CONFIG.n_heads * CONFIG.n_layers),
        ({"denoise_steps": ["last"]}, (N_WORDS + CONFIG.horizon) * CONFIG.n_heads * CONFIG.n_layers),
        ({"denoise_steps": [0, 2]}, (N_WORDS + 2 * CONFIG.horizon) * CONFIG.n_heads * CONFIG.n_layers),
        (
            {"passes": ["suffix"], "layers": [0, 2], "heads": [1], "denoise_steps": ["first"]},
            CONFIG.horizon * 2,
        ),
    ],
    ids=lambda value: "-".join(value) or "everything" if isinstance(value, dict) else None,
)
def test_rows_that_are_not_asked_for_are_not_computed(
    tiny: Any, changes: dict[str, Any], expected: int
) -> None:
    sizes = {"base": (180, 320), "wrist": (180, 320)}
    observation = random_observation(0, sizes, {"cartesian_position": np.zeros(6)})
    section = EVERYTHING | changes
    batch = [tiny.prepare(tiny.see(observation), PROMPT, section["queries"])]
    with SoftmaxRows() as counted:
        reducer = capture(tiny, batch, **section)
    assert counted.rows == expected
    assert reducer.captures(0)


def test_queries_that_are_not_asked_for_leave_one_empty_row(tiny: Any) -> None:
    """A pass without queries keeps one row of weight 0, so that its shapes stay what they are."""
    sizes = {"base": (180, 320), "wrist": (180, 320)}
    observation = random_observation(0, sizes, {"cartesian_position": np.zeros(6)})
    section = EVERYTHING | {"queries": ["action"]}
    batch = [tiny.prepare(tiny.see(observation), PROMPT, section["queries"])]
    with SoftmaxRows() as counted:
        capture(tiny, batch, **section)
    assert counted.rows == (1 + CONFIG.horizon * CONFIG.n_steps) * CONFIG.n_heads * CONFIG.n_layers


@contextmanager
def calls_of(modules: Sequence[torch.nn.Module]) -> Iterator[list[int]]:
    calls: list[int] = []
    handles = [module.register_forward_hook(lambda *_: calls.append(1)) for module in modules]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def test_capture_projects_no_query_or_key_a_second_time() -> None:
    """The processors of diffusers hand over no queries and keys: they are taken on their way, not made again."""
    case = cosmos_diffusers.CASES[0]
    policy: Any = case.build()
    batch = [policy.prepare(policy.see(case.observe(0)), case.prompts[0], ("action",))]
    noise = np.zeros((1, *policy.geometry.noise_shape), dtype=np.float32)
    points = policy.points()
    with calls_of([point.module.to_k for point in points]) as plain:
        policy.infer(batch, noise)
    with calls_of([point.module.to_k for point in points]) as tapped, SoftmaxRows() as counted:
        capture(policy, batch, passes=["denoise"], layers=[1], denoise_steps=["first"], queries=["action"])
    assert len(tapped) == len(plain) == len(points) * case.n_calls["denoise"]
    rows = {row for query in batch[0].layout.of("denoise").queries for row in query.rows}
    assert counted.rows == len(rows) * policy.geometry.n_heads
