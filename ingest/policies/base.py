"""What the rest of Gazehouse asks of a policy. One file beside this one a model family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ingest.attention.edit import Knockout
from ingest.attention.layout import Layout
from ingest.attention.taps import TapPoint, WeightSink
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Fit, Letterbox


@dataclass(frozen=True)
class Geometry:
    """Sizes of the model. ``passes`` maps a pass to its denoising steps (0 = runs once), ``cameras`` a camera to its
    patches a side, ``fits`` a camera to how its raw pictures are fitted into the input, where that is not the middle of
    224 pixels: object masks of any frame are placed by it."""

    n_layers: int
    n_heads: int
    head_dim: int
    passes: Mapping[str, int]
    noise_shape: tuple[int, ...]
    cameras: Mapping[str, int]
    fits: Mapping[str, Fit] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One observation as the policy sees it, before any prompt."""

    pictures: Mapping[str, NDArray[np.uint8]]  # camera -> [224, 224, 3] RGB
    letterboxes: Mapping[str, Letterbox]
    state: NDArray[np.float64]
    kept: Mapping[str, float] = field(
        default_factory=dict, kw_only=True
    )  # camera -> Camera.kept, where cropped


@dataclass(frozen=True)
class Prepared:
    """One inference, ready to run: model inputs, the token ids that enter, and what each key is."""

    inputs: Mapping[str, Any]
    token_ids: tuple[int, ...]
    layout: Layout
    warnings: tuple[str, ...] = field(default=())


class Policy(Protocol):
    """A loaded policy."""

    family: str
    checkpoint: str
    checkpoint_hash: str
    dtype: str
    device: str
    attention_impl: str  # while tapped
    geometry: Geometry

    def see(self, observation: Observation) -> Seen:
        """Raises DataError when the observation lacks what the policy needs."""
        ...

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        """``queries`` are the study's ``capture.queries``."""
        ...

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        """noise [B, *noise_shape] -> action chunks [B, horizon, action dimension]."""
        ...

    def points(self) -> list[TapPoint]:
        """The attention modules of every pass, whose output projections and weights conditions may change."""
        ...

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        """While open, every attention of :meth:`infer` also goes to ``sink``; afterwards nothing stays installed."""
        ...

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        """While open, each inference of the next :meth:`infer` goes without its forbidden edges.

        Opened outside :meth:`tapped`, so that the tap sees the edited attention.
        """
        ...


@runtime_checkable
class Answering(Protocol):
    """A policy whose model can also answer in words."""

    @property
    def can_answer(self) -> bool: ...

    def answer(self, batch: Sequence[Prepared]) -> list[str]:
        """One answer an inference, greedy, without the prompt."""
        ...


def can_answer(policy: Policy) -> bool:
    return isinstance(policy, Answering) and policy.can_answer


def without_answers(policy: Policy) -> str:
    """What is said of a policy that cannot answer."""
    return f"the policy family {policy.family!r} has no language head: it answers no questions"


def answers_of(policy: Policy, batch: Sequence[Prepared]) -> list[str | None]:
    """An answer an inference. Raises TypeError for a policy that gives none."""
    if not isinstance(policy, Answering):
        raise TypeError(f"the policy family {policy.family!r} answers no questions")
    return list(policy.answer(batch))
