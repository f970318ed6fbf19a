"""What is asked of a frame: the baseline, and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingest.attention.ablate import HeadEdit
from ingest.attention.edit import Knockout
from ingest.attention.layout import Layout
from ingest.conditions.view import FrameView
from ingest.episodes.base import Observation

BASELINE_ID = "baseline:baseline"
_PLACEHOLDER = "{object}"
Params = Mapping[str, object]


class Inapplicable(Exception):  # noqa: N818 - not a fault: the frame lacks what the condition is about
    """A condition says nothing about this frame; ``reason`` is a short fixed name."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class PromptChange(Protocol):
    """Another prompt made from the episode's own instruction, the same everything else."""

    @property
    def keeps_object(self) -> bool:
        """The prompt is about the instruction's object still, whether or not its words stand together in it."""
        ...

    def change(self, instruction: str, named_object: str | None) -> str:
        """The prompt; the instruction itself where there is nothing to change."""
        ...


class PictureChange(Protocol):
    """Another picture, the same everything else."""

    def change(self, view: FrameView) -> tuple[Observation, Params]:
        """The observation that the policy gets instead, and what was done. Raises Inapplicable."""
        ...


class AttentionChange(Protocol):
    """The same inputs, forbidden edges in the attention."""

    def knockouts(self, view: FrameView, layout: Layout) -> tuple[tuple[Knockout, ...], Params]:
        """The edges to cut, and what they are. Raises Inapplicable."""
        ...


@dataclass(frozen=True)
class ModelChange:
    """The same inputs through a changed model: heads switched off, or the top layers' attention weights shuffled."""

    heads: tuple[HeadEdit, ...] = ()
    shuffled_layers: int = 0


Change = PictureChange | AttentionChange | ModelChange


@dataclass(frozen=True)
class Condition:
    """One way to run a frame. ``prompt_template`` None stands for the episode's own instruction, or for what
    ``rewrite`` makes of it.

    ``noise_offset`` counts noises beyond the study's; ``expects`` is the right answer to a question, a template too;
    ``every`` None stands for the group's.
    """

    kind: str
    name: str
    group: str
    prompt_template: str | None = None
    params: Params = field(default_factory=dict)
    rewrite: PromptChange | None = None
    picture: PictureChange | None = None
    attention: AttentionChange | None = None
    model: ModelChange = ModelChange()
    noise_offset: int = 0
    every: int | None = None  # of the keyframes

    @property
    def condition_id(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def changes_prompt(self) -> bool:
        return self.prompt_template is not None or self.rewrite is not None

    @property
    def keeps_object(self) -> bool:
        """The prompt is about what the instruction is about, as far as that is known without reading it."""
        return self.rewrite.keeps_object if self.rewrite is not None else not self.changes_prompt

    def prompt(self, instruction: str, named_object: str | None) -> str | None:
        """The prompt of an episode; None where the template wants an object and the instruction names none."""
        if self.rewrite is not None:
            return self.rewrite.change(instruction, named_object)
        return instruction if self.prompt_template is None else filled(self.prompt_template, named_object)


@dataclass(frozen=True)
class ConditionGroup:
    """Conditions that are run together: with an episode, one unit of work.

    ``captures`` is False where only actions matter: then nothing is tapped and no attention is stored.
    """

    name: str
    conditions: tuple[Condition, ...]
    every: int = 1  # of the keyframes
    captures: bool = True
    asks: bool = False  # for words rather than actions

    def runs(self, condition: Condition, number: int) -> bool:
        """Whether one of the group's conditions runs on an episode's keyframe of that number, counted from 0."""
        return number % (condition.every or self.every) == 0

    def keyframes(self, keyframes: Sequence[int]) -> list[int]:
        """Those that at least one of the conditions runs on."""
        return [
            index
            for number, index in enumerate(keyframes)
            if any(self.runs(condition, number) for condition in self.conditions)
        ]


def filled(template: str, named_object: str | None) -> str | None:
    """``template`` with the object in place of {object}; None where it wants one and there is none."""
    if _PLACEHOLDER not in template:
        return template
    # Not str.format: a prompt is data, and may hold other braces.
    return None if named_object is None else template.replace(_PLACEHOLDER, named_object)


def layer_numbers(layers: str | Sequence[int], n_layers: int) -> tuple[int, ...]:
    """'all' or numbers -> numbers."""
    return tuple(range(n_layers)) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
