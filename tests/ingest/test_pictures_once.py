"""A picture goes through the vision tower once a unit, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutput

from ingest.attention.reduce import Item, PassCapture, Reducer
from ingest.attention.selection import select
from ingest.episodes.base import Observation
from ingest.policies.base import Policy, Prepared
from ingest.policies.pictures_once import each_once, pictures_once
from ingest.policies.registry import load_policy
from ingest.study import CaptureSection, PolicySection
from tests.conformance.case import random_observation
from tests.conformance.models import pi0
from tests.ingest.world import write_checkpoint

PROMPTS = ("pick up the duck", "find the banana and lift it", "find the cat")
TOLERANCE = 1e-5


def observations() -> list[Observation]:
    state = {"cartesian_position": np.linspace(-0.5, 0.5, 6)}
    return [random_observation(index, {"base": (180, 320), "wrist": (224, 224)}, state) for index in range(2)]


class Subject:
    """A policy, what its tower's first layer sees, and six inferences: two frames under three prompts."""

    def __init__(self, policy: Any, layer: nn.Module, rows_of_a_frame: int) -> None:
        self.policy, self.layer, self.rows_of_a_frame = policy, layer, rows_of_a_frame
        self.batch: list[Prepared] = [
            policy.prepare(policy.see(one), prompt, ("instruction", "words", "action"))
            for one in observations()
            for prompt in PROMPTS
        ]
        shape = (len(self.batch), *policy.geometry.noise_shape)
        self.noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def run(self, size: int) -> tuple[np.ndarray, list[PassCapture]]:  # type: ignore[type-arg]
        """Actions and captures of all inferences, in batches."""
        geometry = self.policy.geometry
        chosen = CaptureSection(passes=list(geometry.passes), denoise_steps=["all"])
        selection = select(chosen, geometry.n_layers, geometry.n_heads, dict(geometry.passes))
        actions, captures = [], []
        for start in range(0, len(self.batch), size):
            batch = self.batch[start : start + size]
            reducer = Reducer([Item(one.layout, {}) for one in batch], selection, "cpu")
            with self.policy.tapped(reducer):
                actions.append(self.policy.infer(batch, self.noise[start : start + size]))
            captures += [capture for index in range(len(batch)) for capture in reducer.captures(index)]
        return np.concatenate(actions), captures

    @contextmanager
    def counted(self) -> Iterator[list[int]]:
        """Rows of every call of the tower's first layer."""
        calls: list[int] = []
        handle = self.layer.register_forward_hook(lambda _layer, args, _out: calls.append(len(args[0])))
        try:
            yield calls
        finally:
            handle.remove()


@pytest.fixture(scope="module", params=["tiny", "pi0_transformers"])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    if request.param == "tiny":
        folder: Path = write_checkpoint(tmp_path_factory.mktemp("tiny"))
        policy: Any = load_policy(PolicySection(checkpoint=str(folder)), "cpu")
        return Subject(policy, policy.model.patch_embedding[0], 1)  # both cameras in one row
    policy = pi0.make()
    patches = next(module for module in policy.vision.modules() if isinstance(module, nn.Conv2d))
    return Subject(policy, patches, len(pi0.CAMERAS))


@pytest.mark.parametrize("size", [1, 4, 6])
def test_the_tower_runs_once_a_picture(subject: Subject, size: int) -> None:
    with subject.counted() as calls:
        subject.run(size)
    assert sum(calls) == 6 * subject.rows_of_a_frame

    with subject.counted() as calls, pictures_once(subject.policy):
        subject.run(size)
    assert sum(calls) == 2 * subject.rows_of_a_frame


@pytest.mark.parametrize("size", [1, 4, 6])
def test_actions_and_captures_are_the_same(subject: Subject, size: int) -> None:
    plain, captures = subject.run(size)
    with pictures_once(subject.policy):
        shared, again = subject.run(size)
    np.testing.assert_allclose(shared, plain, atol=TOLERANCE, rtol=0)
    for one, other in zip(captures, again, strict=True):
        np.testing.assert_allclose(other.masses, one.masses, atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(other.head_maps, one.head_maps, atol=TOLERANCE, rtol=0)


def test_pictures_that_are_all_new_are_the_models_own_call(subject: Subject) -> None:
    """One inference of each frame: nothing to share, and the same bits."""
    alone, noise = subject.batch[:: len(PROMPTS)], subject.noise[:2]
    plain = subject.policy.infer(alone, noise)
    with pictures_once(subject.policy):
        assert np.array_equal(subject.policy.infer(alone, noise), plain)


def test_nothing_stays_installed(subject: Subject) -> None:
    def own() -> list[str]:
        modules: Sequence[Any] = [subject.policy, *subject.policy.model.modules()]
        return [name for one in modules for name in vars(one) if callable(vars(one)[name])]

    def fail() -> None:
        with pictures_once(subject.policy):
            assert own() != before
            subject.run(2)
            raise RuntimeError("on purpose")

    before = own()
    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert own() == before


def test_a_policy_that_cannot_share_runs_as_it_is() -> None:
    class Plain:
        def infer(self, batch: Sequence[Prepared], noise: Any) -> Any: ...

    policy: Policy | Plain = Plain()
    with pictures_once(policy):
        assert list(vars(policy)) == []


class Tower(nn.Module):
    """Doubles a picture; counts rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0

    def forward(self, pixels: torch.Tensor, scale: float = 1.0, mask: torch.Tensor | None = None) -> Any:
        self.rows += len(pixels)
        shift = 0 if mask is None else mask[:, None, None]
        return BaseModelOutput(last_hidden_state=2 * scale * pixels + shift, hidden_states=(pixels,))


def pictures(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None, None].expand(-1, 2, 3).clone()


def test_outputs_of_transformers_keep_their_type_and_order() -> None:
    tower = Tower()
    with each_once(tower):
        tower(pictures(1, 2))
        output = tower(pictures(3, 2, 3, 1))
    assert tower.rows == 3
    assert isinstance(output, BaseModelOutput)
    assert torch.equal(output.last_hidden_state, 2 * pictures(3, 2, 3, 1))
    assert torch.equal(output.hidden_states[0], pictures(3, 2, 3, 1))


def test_another_mask_option_or_dtype_is_another_picture() -> None:
    tower = Tower()
    with each_once(tower):
        tower(pictures(1))
        assert torch.equal(tower(pictures(1), scale=3.0).last_hidden_state, 6 * pictures(1))
        assert torch.equal(tower(pictures(1), mask=torch.ones(1)).last_hidden_state, pictures(3))
        assert torch.equal(tower(pictures(1), mask=torch.zeros(1)).last_hidden_state, pictures(2))
        assert tower(pictures(1).bfloat16()).last_hidden_state.dtype == torch.bfloat16
    assert tower.rows == 5


def test_what_the_model_does_to_an_output_does_not_reach_the_next() -> None:
    tower = Tower()
    with each_once(tower):
        tower(pictures(1)).last_hidden_state.add_(100)
        tower(pictures(1)).last_hidden_state.add_(100)
        assert torch.equal(tower(pictures(1)).last_hidden_state, pictures(2))


def test_the_longest_unseen_pictures_are_forgotten() -> None:
    tower = Tower()
    with each_once(tower, kept=2):
        tower(pictures(1, 2, 3))
        tower(pictures(2, 3))
        assert tower.rows == 3
        tower(pictures(1))
        assert tower.rows == 4


def test_tensors_that_are_not_by_picture_are_refused() -> None:
    with each_once(tower := Tower()), pytest.raises(TypeError, match="cannot be shared"):
        tower(pictures(1, 2), mask=torch.ones(3))
