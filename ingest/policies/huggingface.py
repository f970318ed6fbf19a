"""Any model whose attention goes through transformers' registry of attention functions: the user brings four functions.

The study names where they are made: ``policy: {family: huggingface, checkpoint: ..., config: my_module:make}``, and
``make(section, device)`` returns a :class:`HuggingFacePolicy`. docs/adding-a-policy.md works through an example.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ingest.attention.edit import Knockout, masked_modules
from ingest.attention.layout import Layout
from ingest.attention.tapping import tap
from ingest.attention.taps import TapPoint, WeightSink
from ingest.episodes.base import Observation
from ingest.errors import GazehouseError, UserError
from ingest.policies.base import Geometry, Prepared, Seen
from ingest.policies.finite import refuse_not_finite
from ingest.policies.pictures_once import each_once
from ingest.study import PolicySection

Inputs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Encoded:
    """One inference: model inputs with a batch dimension of 1, the ids that enter, and what each key is."""

    inputs: Inputs
    token_ids: tuple[int, ...]
    layout: Layout
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class HuggingFacePolicy:
    """A model of transformers with what only its user knows.

    ``attention`` maps a pass to its attention modules by layer; each must read its function from
    ``module.config._attn_implementation``. ``look`` turns an observation into pictures, ``encode`` (seen, prompt,
    queries) into inputs of one length whatever the prompt, with their layout, and ``act`` (model, batched inputs,
    noise [B, ...]) runs the model and gives actions [B, horizon, dims]. ``vision`` is the module that turns pictures
    into tokens, where it treats them one by one and knows nothing of the text: it then runs once a picture.
    ``reply`` (model, batched inputs) gives an answer in words an inference, where the model has a language head.
    """

    model: nn.Module
    geometry: Geometry
    attention: Mapping[str, Sequence[nn.Module]]
    look: Callable[[Observation], Seen]
    encode: Callable[[Seen, str, Sequence[str]], Encoded]
    act: Callable[[nn.Module, Inputs, Tensor], Tensor]
    checkpoint: str = "random weights"
    checkpoint_hash: str = "0" * 16
    attention_impl: str = "sdpa"
    family: str = "huggingface"
    dtype: str = "float32"
    device: str = "cpu"
    merge: Callable[[Sequence[Inputs]], Inputs] = field(default=lambda items: stacked(items))
    vision: nn.Module | None = None
    reply: Callable[[nn.Module, Inputs], Sequence[str]] | None = None

    @property
    def can_answer(self) -> bool:
        return self.reply is not None

    def see(self, observation: Observation) -> Seen:
        return self.look(observation)

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        encoded = self.encode(seen, prompt, tuple(queries))
        return Prepared(encoded.inputs, encoded.token_ids, encoded.layout, encoded.warnings)

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        inputs = self._merged(batch)
        with torch.no_grad():
            actions = self.act(self.model, inputs, torch.from_numpy(noise).to(self.device))
        result: NDArray[np.float32] = actions.float().cpu().numpy()
        return result

    def answer(self, batch: Sequence[Prepared]) -> list[str]:
        """Raises TypeError for a model without ``reply``."""
        if self.reply is None:
            raise TypeError("this policy was made without 'reply': it answers no questions")
        with torch.no_grad():
            return list(self.reply(self.model, self._merged(batch)))

    def _merged(self, batch: Sequence[Prepared]) -> Inputs:
        inputs = self.merge([item.inputs for item in batch])
        return {name: values.to(self.device) for name, values in inputs.items()}

    def points(self) -> list[TapPoint]:
        """The attention modules of every pass."""
        return [
            TapPoint(name, layer, module, self.geometry.passes[name] > 0)
            for name, modules in self.attention.items()
            for layer, module in enumerate(modules)
        ]

    def pictures_once(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.vision is None else each_once(self.vision)

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        return tap(self.points(), sink, self.attention_impl)

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        return masked_modules(self.points(), batch)


def stacked(items: Sequence[Inputs]) -> Inputs:
    """Inputs of several inferences, joined along their batch dimension.

    Raises ValueError where they differ in length: ``encode`` must pad every prompt to one length.
    """
    lengths = {name: {tuple(item[name].shape[1:]) for item in items} for name in items[0]}
    uneven = sorted(name for name, shapes in lengths.items() if len(shapes) > 1)
    if uneven:
        raise ValueError(f"inputs {uneven} differ in shape between prompts: encode must pad to one length")
    return {name: torch.cat([item[name] for item in items]) for name in items[0]}


def load(section: PolicySection, device: str) -> HuggingFacePolicy:
    """Calls the study's ``policy.config``, 'module:function', with (section, device).

    Raises UserError where there is no such function, it fails or makes something else, CheckpointError for weights that are
    not finite.
    """
    module_name, _, function_name = (section.config or "").partition(":")
    if not module_name or not function_name:
        raise UserError(
            f"policy.config: expected 'module:function' that makes the policy, found {section.config!r}"
        )
    try:
        make = getattr(importlib.import_module(module_name), function_name)
    except ModuleNotFoundError as error:
        raise UserError(f"policy.config: {error}; is its folder on PYTHONPATH?") from error
    except AttributeError as error:
        raise UserError(f"policy.config: {module_name} has no {function_name!r}") from error
    try:
        policy = make(section, device)
    except GazehouseError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        says = " ".join(str(error).split())[:300]
        raise UserError(
            f"policy.config: {section.config} failed with {type(error).__name__} ({says}), at {where.filename}:{where.lineno}; "
            "expected a function of (section, device)"
        ) from error
    if not isinstance(policy, HuggingFacePolicy):
        raise UserError(
            f"policy.config: {section.config} made a {type(policy).__name__}, no HuggingFacePolicy"
        )
    _refuse_unusable(policy)
    return policy


def _refuse_unusable(policy: HuggingFacePolicy) -> None:
    refuse_not_finite(policy.model.state_dict(), policy.checkpoint)
    for name in policy.geometry.passes:
        modules = policy.attention.get(name, ())
        if len(modules) != policy.geometry.n_layers or not all(hasattr(m, "config") for m in modules):
            raise UserError(
                f"policy.config: pass {name!r} needs {policy.geometry.n_layers} attention modules with a config, "
                f"found {len(modules)}"
            )
