"""One batch through a policy, and what is known of it: what was captured, and the full weights that torch computed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ingest.attention.reduce import Item, PassCapture, Reducer
from ingest.attention.selection import Selection, select
from ingest.episodes.base import Observation
from ingest.identity import noise_of
from ingest.policies.base import Policy, Prepared
from ingest.study import CaptureSection
from tests.conformance.case import QUERIES, Case
from tests.conformance.watch import watch_attention

Weights = dict[tuple[str, int, int], NDArray[np.float64]]


@dataclass
class Shared:
    """What runs of one case have in common; that of the case before is let go."""

    case: str = ""
    known: dict[Any, Any] = field(default_factory=dict)


_SHARED = Shared()


def _shared_by(case: Case) -> dict[Any, Any]:
    if _SHARED.case != case.name:
        _SHARED.case, _SHARED.known = case.name, {}
    return _SHARED.known


class Run:
    """One batch through a policy: prepared inputs, noise, and, on demand, what was captured and what is true."""

    def __init__(self, case: Case, policy: Policy, prompts: Sequence[str] | None = None) -> None:
        self.case, self.policy = case, policy
        self.prompts = tuple(prompts or case.prompts)
        self.batch = self._once(self._prepared, "see", "prepare")
        shape = policy.geometry.noise_shape
        self.noise = np.stack(
            [noise_of(1, 0, "conformance", index, shape) for index in range(len(self.prompts))]
        )
        self.coverage = [_coverage(prepared, index) for index, prepared in enumerate(self.batch)]

    @cached_property
    def observations(self) -> list[Observation]:
        """What the policy sees, one a prompt."""
        known = _shared_by(self.case)
        for index in range(len(self.prompts)):
            if ("observed", index) not in known:
                known["observed", index] = self.case.observe(index)
        return [known["observed", index] for index in range(len(self.prompts))]

    def _prepared(self) -> list[Prepared]:
        return [
            self.policy.prepare(self.policy.see(observation), prompt, QUERIES)
            for observation, prompt in zip(self.observations, self.prompts, strict=True)
        ]

    def _once(self, make: Callable[[], Any], *methods: str) -> Any:
        """What `make` gives, worked out once for all runs of the case with these very methods, and not to be changed.

        A mutant that overrides none of them is the policy itself as far as `make` can tell; one that does has its own.
        """
        known = _shared_by(self.case)
        bound = [getattr(self.policy, name) for name in methods]
        key = (make.__name__, self.prompts, *((id(method.__self__), method.__func__) for method in bound))
        if key not in known:
            # The methods are kept with it, so that no other object gets their owners' ids.
            known[key] = bound, make()
        return known[key][1]

    def selection(self, **capture: Any) -> Selection:
        geometry = self.policy.geometry
        section = CaptureSection(**{"profile": "full", **capture})
        section = section.model_copy(update={"passes": list(geometry.passes)})
        return select(section, geometry.n_layers, geometry.n_heads, dict(geometry.passes))

    def captured_before(self) -> tuple[list[list[PassCapture]], NDArray[np.float32]]:
        """As `captured`, of the policy as it is: worked out once for all checks."""
        found: tuple[list[list[PassCapture]], NDArray[np.float32]] = self._once(
            self.captured, "see", "prepare", "infer", "tapped"
        )
        return found

    def captured(self) -> tuple[list[list[PassCapture]], NDArray[np.float32]]:
        items = [
            Item(prepared.layout, coverage)
            for prepared, coverage in zip(self.batch, self.coverage, strict=True)
        ]
        reducer = Reducer(items, self.selection(), "cpu")
        with self.policy.tapped(reducer):
            actions = self.policy.infer(self.batch, self.noise)
        return [reducer.captures(index) for index in range(len(items))], actions

    def truth(self) -> Weights:
        """Full weights [B, H, Q, K] by (pass, layer, step), in the order in which torch computed them."""
        found: Weights = self._once(self._watched, "see", "prepare", "infer")
        return found

    def _watched(self) -> Weights:
        with watch_attention() as records:
            self.policy.infer(self.batch, self.noise)
        return arrange(records, self.case, self.policy, len(self.batch))


def arrange(records: Sequence[torch.Tensor], case: Case, policy: Policy, n_items: int) -> Weights:
    """Weights by (pass, layer, step): those of a layer have as many keys as the prompt gives its pass, or the pass it sees.

    A layer that sees the keys of another pass alone has nothing on the rest of its own.
    """
    found: Weights = {}
    observation = case.observe(0)
    n_layers, n_heads = policy.geometry.n_layers, policy.geometry.n_heads
    n_keys = {name: len(case.keys(name, case.prompts[0], observation)) for name in case.n_calls}
    left: dict[int, list[NDArray[np.float64]]] = {width: [] for width in n_keys.values()}
    for one in records:
        if one.shape[:2] == (n_items, n_heads) and one.shape[3] in left:
            left[one.shape[3]].append(one.numpy())
    for pass_name, n_calls in case.n_calls.items():
        for call, layer in itertools.product(range(n_calls), range(n_layers)):
            seen = n_keys[case.sees(pass_name, layer)]
            assert left[seen], (pass_name, call, layer, [tuple(r.shape) for r in records])
            weights = left[seen].pop(0)
            rest = n_keys[pass_name] - seen
            step = -1 if policy.geometry.passes[pass_name] == 0 else call
            found[pass_name, layer, step] = np.pad(weights, ((0, 0), (0, 0), (0, 0), (0, rest)))
    assert not any(left.values()), {width: len(more) for width, more in left.items()}
    return found


def _coverage(prepared: Prepared, index: int) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(100 + index)
    return {camera.name: rng.random((2, camera.rows * camera.cols)) for camera in prepared.layout.cameras}
