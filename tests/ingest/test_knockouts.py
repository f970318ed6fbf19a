"""Forbidden edges get exactly nothing, the rest of the row is the old row renormalised, all else stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ingest.attention.edit import EditError, Knockout, knockout, masked_modules, without_edges
from ingest.attention.taps import TapPoint
from ingest.attention.weights import Weights
from ingest.episodes.droid import DroidSource
from ingest.errors import UnknownNameError
from ingest.identity import noise_of
from ingest.policies.base import Prepared
from ingest.policies.registry import load_policy
from ingest.policies.tiny import TinyAdapter
from ingest.study import PolicySection
from tests.ingest import replay
from tests.ingest.world import DUCK, World

Seen = dict[tuple[str, int, int], torch.Tensor]


@pytest.fixture(scope="module", params=["default", "eager"])
def adapter(world: World, request: pytest.FixtureRequest) -> TinyAdapter:
    policy = load_policy(PolicySection(checkpoint=str(world.checkpoint), attention=request.param), "cpu")
    assert isinstance(policy, TinyAdapter)
    return policy


@pytest.fixture(scope="module")
def batch(world: World, adapter: TinyAdapter) -> list[Prepared]:
    source = DroidSource(world.root, replay.CAMERAS)
    episode = source.open(source.discover()[0])
    seen = adapter.see(episode.observation(0))
    return [adapter.prepare(seen, prompt, ("instruction", "words", "action")) for prompt in (DUCK, "cat")]


@pytest.fixture(scope="module")
def noise() -> Any:
    return np.stack([noise_of(42, 0, "some episode", 0, (4, 4))] * 2)


def watched(adapter: TinyAdapter, batch: list[Prepared], noise: Any) -> tuple[Seen, Any]:
    """All weights of every call, and the actions."""
    seen: Seen = {}

    def keep(name: str, layer: int, step: int, weights: Weights) -> None:
        every = torch.arange(weights.shape[2]).repeat(2, 1)
        seen[name, layer, step] = weights.rows(every, torch.tensor([0, 1]))

    with adapter.tapped(keep):
        actions = adapter.infer(batch, noise)
    return seen, actions


def test_a_region_cut_in_one_layer(adapter: TinyAdapter, batch: list[Prepared], noise: Any) -> None:
    layout = batch[0].layout.of("prefix")
    cut = knockout(layout, "instruction", "image:base", layers=[1])
    before, actions = watched(adapter, batch, noise)
    with masked_modules(adapter.points(), [[cut], []]) as edited:
        after, moved = watched(adapter, batch, noise)
    assert dict(edited) == {("prefix", 1): 1}
    rows, keys = list(cut.rows), list(cut.keys)
    weights, old = after["prefix", 1, -1], before["prefix", 1, -1]
    assert (weights[0][:, rows][..., keys] == 0).all()
    assert old[0][:, rows][..., keys].min() > 0
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights.sum(-1)), atol=1e-6, rtol=0)

    kept = old[0][:, rows].clone()
    kept[..., keys] = 0
    torch.testing.assert_close(weights[0][:, rows], kept / kept.sum(-1, keepdim=True), atol=1e-6, rtol=0)
    others = [row for row in range(536) if row not in rows]
    torch.testing.assert_close(weights[0][:, others], old[0][:, others], atol=1e-6, rtol=0)
    torch.testing.assert_close(weights[1], old[1], atol=1e-6, rtol=0)
    torch.testing.assert_close(after["prefix", 0, -1], before["prefix", 0, -1], atol=1e-6, rtol=0)

    assert not np.array_equal(moved[0], actions[0])
    np.testing.assert_allclose(moved[1], actions[1], atol=1e-6)
    again, back = watched(adapter, batch, noise)
    assert np.array_equal(back, actions)
    assert torch.equal(again["prefix", 1, -1], old)


def test_the_suffix_in_every_layer_and_step(adapter: TinyAdapter, batch: list[Prepared], noise: Any) -> None:
    cut = knockout(batch[0].layout.of("suffix"), "action:2", "instruction")
    with masked_modules(adapter.points(), [[cut], []]) as edited:
        after, _ = watched(adapter, batch, noise)
    assert dict(edited) == {("suffix", layer): 3 for layer in range(3)}
    for (name, _layer, _step), weights in after.items():
        if name == "suffix":
            assert (weights[0, :, 2][:, list(cut.keys)] == 0).all()
            assert (weights[0, :, 1][:, list(cut.keys)] > 0).all()
            torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights.sum(-1)), atol=1e-6, rtol=0)


def test_unknown_names_and_cut_off_rows(adapter: TinyAdapter, batch: list[Prepared], noise: Any) -> None:
    layout = batch[0].layout.of("prefix")
    with pytest.raises(UnknownNameError, match="no query 'words' in the prefix pass"):
        knockout(layout, "words", "image:base")
    with pytest.raises(UnknownNameError, match="no region 'image:left'"):
        knockout(layout, "instruction", "image:left")
    everything = knockout(layout, "instruction", "", keys=range(536))
    with (
        pytest.raises(EditError, match="without any key"),
        masked_modules(adapter.points(), [[everything], []]),
    ):
        adapter.infer(batch, noise)
    assert sum(len(module._forward_pre_hooks) for module in adapter.model.modules()) == 0


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.bfloat16, torch.float16])
def test_masks_of_every_dtype(dtype: torch.dtype) -> None:
    """Three keys; the last is closed already, the first is cut for row 0 of the second inference."""
    open_keys = torch.tensor([True, True, False]).expand(1, 1, 2, 3)
    mask = (
        open_keys
        if dtype == torch.bool
        else torch.zeros(1, 1, 2, 3, dtype=dtype).masked_fill(~open_keys, torch.finfo(dtype).min)
    )
    point = TapPoint("prefix", 0, torch.nn.Identity(), False)
    found = without_edges(mask, [[], [Knockout("prefix", (0,), (0,))]], point)
    may_see = found if dtype == torch.bool else found == 0
    assert may_see[:, 0].tolist() == [
        [[True, True, False], [True, True, False]],
        [[False, True, False], [True, True, False]],
    ]
    with pytest.raises(EditError, match="without any key"):
        without_edges(mask, [[], [Knockout("prefix", (0,), (0, 1))]], point)


def test_modules_without_a_mask_are_an_error() -> None:
    module = torch.nn.Linear(2, 2)
    point = TapPoint("prefix", 0, module, False)
    with (
        pytest.raises(EditError, match="gets no attention mask"),
        masked_modules([point], [[Knockout("prefix", (0,), (0,))]]),
    ):
        module(torch.zeros(1, 2))
