"""The study's ``conditions``: what is asked of a frame beside the baseline."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ingest.conditions.vocabulary import PRESET_NAMES
from ingest.section import Section

Fill = Literal["black", "mean", "blur"]
Share = Annotated[float, Field(gt=0, lt=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
_Every = Annotated[int | None, Field(ge=1, description="Overrides conditions.every for this section.")]
Preset = Literal["objects", "empty", "shuffled_words", "synonym", "opposite", "random_words", "contradiction"]
Layers = Literal["all"] | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
# Each is an inference on every keyframe; more would be a slip of the pen, and as many conditions are made at once.
_MOST_COPIES = 1000
Name = Annotated[str, Field(min_length=1)]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text")
    return text


_Text = Annotated[str, AfterValidator(_not_blank)]


class RegionSection(Section):
    """A place in the picture: an object by role or category, or a box in shares of a camera's raw picture."""

    name: Name = Field(description="Its name in tables and pages.")
    object: str | None = Field(None, description="An object's role or category.")
    box: tuple[Fraction, Fraction, Fraction, Fraction] | None = Field(
        None, description="left, top, right, bottom; 0 to 1."
    )
    camera: str | None = Field(None, description="Only this camera; a box needs it.")

    @model_validator(mode="after")
    def _one_place(self) -> RegionSection:
        if (self.object is None) == (self.box is None):
            raise ValueError("a region is either an 'object' or a 'box'")
        if self.box is not None:
            left, top, right, bottom = self.box
            if self.camera is None or left >= right or top >= bottom:
                raise ValueError("a box needs a camera, left < right and top < bottom")
        return self

    @property
    def is_whole_picture(self) -> bool:
        """All that a camera shows: there is no elsewhere for a control."""
        return self.box == (0, 0, 1, 1)


class OcclusionSection(Section):
    layers: Literal["all"] | list[Annotated[int, Field(ge=0)]] = Field(
        "all", description="Whose baseline maps choose the patches; none where `regions` alone are covered."
    )
    query: Literal["instruction", "action"] = Field("instruction", description="Whose baseline maps.")
    percentile: float = Field(90, gt=0, lt=100, description="Patches above it in their map are occluded.")
    fills: list[Fill] = Field(["black"], min_length=1, description="What patches are covered with.")
    controls: int = Field(
        3, ge=1, le=_MOST_COPIES, description="Places of the same shape and number of patches, elsewhere."
    )
    cameras: Literal["together", "each"] = Field(
        "together", description="All cameras in one inference, or each in one of its own."
    )
    curve: list[Share] = Field(
        default_factory=list, description="Shares of the picture for deletion and insertion."
    )
    seed_arms: bool = Field(True, description="The seed's high and low arm beside ours.")
    regions: list[RegionSection] = Field(
        default_factory=list, description="Named places that are covered as a whole."
    )
    every: _Every = None

    @model_validator(mode="after")
    def _something(self) -> OcclusionSection:
        if not self.layers and not self.regions:
            raise ValueError("neither layers nor regions: nothing would be covered")
        return self


class KnockoutSection(Section):
    name: Name = Field(description="Its name in tables and pages.")
    queries: str = Field(
        "instruction",
        description="A query such as 'instruction', 'word:duck', 'action'; or a place of the prefix, as keys are.",
    )
    keys: str = Field(
        min_length=1,
        description="'object:ROLE or CATEGORY', 'top:PERCENTILE', or a region of the layout such as 'image:base'.",
    )
    layers: Layers | Literal["each"] = Field(
        "all", description="Cut in all of them at once, or `each` by itself."
    )
    controls: int = Field(3, ge=0, le=_MOST_COPIES, description="Cuts to as many keys elsewhere.")
    every: _Every = None


class AblationSection(Section):
    heads: Literal["each"] | Annotated[list[tuple[int, int]], Field(min_length=1)] = Field(
        "each", description="[layer, head] pairs."
    )
    passes: list[str] = Field(default_factory=list, description="Empty: every pass.")
    modes: list[Literal["zero", "mean"]] = Field(
        ["zero"], min_length=1, description="What a head's output becomes."
    )
    every: _Every = None


class RandomisedSection(Section):
    top: list[int | Literal["all"]] = Field(
        ["all"], min_length=1, description="Layers from the top whose attention weights are shuffled."
    )
    every: _Every = None


class AugmentationSection(Section):
    layers: Layers = Field("all", description="Whose baseline maps guide the change.")
    query: Literal["instruction", "action"] = Field("instruction", description="Whose baseline maps.")
    kinds: list[Literal["noise", "blur"]] = Field(["noise", "blur"], min_length=1, description="The change.")
    strength: float = Field(1.0, gt=0, le=1, description="Share of the change where attention is lowest.")
    every: _Every = None


class QuestionSection(Section):
    name: Name = Field(description="Its name in tables and pages.")
    prompt: Name = Field(description="The question.")
    answer: str | None = Field(None, description="The right answer; {object} is filled from the instruction.")
    every: _Every = None


class ConditionSection(Section):
    prompts: dict[_Text, str] = Field(
        default_factory=dict, description="Name -> prompt; an empty prompt is one too."
    )
    presets: list[Preset] = Field(
        default_factory=list, description="Prompts made from each episode's instruction (experiments.md)."
    )
    paraphrases: list[_Text] = Field(
        default_factory=list, description="The same request in other words: the null of prompts."
    )
    repeats: int = Field(
        0, ge=0, le=_MOST_COPIES, description="The baseline again under so many other noises."
    )
    occlusion: OcclusionSection | None = Field(None, description="Patches are covered in the raw picture.")
    knockout: list[KnockoutSection] = Field(
        default_factory=list, description="Attention is cut inside the softmax."
    )
    ablation: AblationSection | None = Field(None, description="Heads are switched off.")
    randomised: RandomisedSection | None = Field(None, description="Attention weights are shuffled.")
    augmentation: AugmentationSection | None = Field(
        None, description="Pictures change where attention is low."
    )
    vqa: list[QuestionSection] = Field(
        default_factory=list, description="Questions to models that answer in words."
    )
    every: int = Field(
        1, ge=1, description="Changed conditions run on every n-th keyframe; the baseline on all."
    )

    @field_validator("presets")
    @classmethod
    def _each_once_under_its_name(cls, value: list[Preset], info: ValidationInfo) -> list[Preset]:
        """In one order, so that two ways to say the same are the same run."""
        if len(set(value)) < len(value):
            raise ValueError("a preset is given twice; each counts once")
        for preset in value:
            for name in PRESET_NAMES[preset]:
                if name in info.data.get("prompts", {}):
                    raise ValueError(
                        f"the preset {preset!r} makes a prompt named {name!r}, and so does conditions.prompts: "
                        "rename that one, or leave the preset out"
                    )
        return sorted(value, key=list(PRESET_NAMES).index)
