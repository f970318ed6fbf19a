"""From the study's ``conditions`` to the groups that run, the baseline first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ingest.attention.ablate import HeadEdit
from ingest.conditions.augmentation import augmentation_conditions
from ingest.conditions.base import Condition, ConditionGroup, ModelChange
from ingest.conditions.circuits import knockout_conditions
from ingest.conditions.occlusion import occlusion_conditions
from ingest.conditions.presets import preset_conditions
from ingest.errors import UnknownNameError, UserError
from ingest.study_conditions import AblationSection, ConditionSection, RandomisedSection, RegionSection


@dataclass(frozen=True)
class ModelShape:
    """What conditions need to know of the model."""

    cameras: tuple[str, ...]
    passes: tuple[str, ...]
    n_layers: int
    n_heads: int


def group_names(section: ConditionSection) -> tuple[str, ...]:
    """The names of the groups that :func:`condition_groups` makes, without a model."""
    present = {
        "prompts": section.prompts or section.presets,
        "paraphrases": section.paraphrases,
        "repeats": section.repeats,
        "occlusion": section.occlusion,
        "knockout": section.knockout,
        "ablation": section.ablation,
        "randomised": section.randomised,
        "augmentation": section.augmentation,
        "vqa": section.vqa,
    }
    return ("baseline", *(name for name, asked in present.items() if asked))


def condition_groups(
    section: ConditionSection, shape: ModelShape, seed: int = 0
) -> tuple[ConditionGroup, ...]:
    """The study's groups; the others are compared with the first. ``seed`` is the study's, of what presets draw.

    Raises UserError for a condition that is given twice, UnknownNameError for a layer, head or pass that the model
    does not have.
    """
    groups = [ConditionGroup("baseline", (Condition("baseline", "baseline", "baseline"),))]
    for name in group_names(section)[1:]:
        every, captures = _settings(section, name)
        conditions = tuple(_conditions(section, name, shape, seed))
        _refuse_twice(name, conditions)
        groups.append(ConditionGroup(name, conditions, every, captures, asks=name == "vqa"))
    return tuple(groups)


def _settings(section: ConditionSection, name: str) -> tuple[int, bool]:
    """Every how many keyframes, unless a condition says otherwise, and whether attention is kept."""
    own = {
        "occlusion": section.occlusion,
        "ablation": section.ablation,
        "randomised": section.randomised,
        "augmentation": section.augmentation,
    }.get(name)
    every = (own.every if own is not None else None) or section.every
    return every, name not in ("occlusion", "knockout", "ablation", "augmentation")


def _conditions(section: ConditionSection, name: str, shape: ModelShape, seed: int) -> Iterator[Condition]:
    if name == "prompts":
        for prompt, text in section.prompts.items():
            yield Condition("prompt", prompt, name, text)
        yield from preset_conditions(section.presets, seed)
    elif name == "paraphrases":
        for index, text in enumerate(section.paraphrases):
            yield Condition("paraphrase", str(index), name, text)
    elif name == "repeats":
        for index in range(1, section.repeats + 1):
            yield Condition("noise", str(index), name, noise_offset=index)
    elif name == "occlusion" and section.occlusion is not None:
        _check_layers("occlusion", section.occlusion.layers, shape)
        _check_cameras(section.occlusion.regions, shape)
        yield from occlusion_conditions(section.occlusion, shape.cameras, shape.n_layers)
    elif name == "knockout":
        for one in section.knockout:
            _check_layers(f"knockout.{one.name}", one.layers, shape)
        yield from knockout_conditions(section.knockout, shape.n_layers)
    elif name == "ablation" and section.ablation is not None:
        yield from _ablations(section.ablation, shape)
    elif name == "randomised" and section.randomised is not None:
        yield from _randomised(section.randomised, shape)
    elif name == "augmentation" and section.augmentation is not None:
        _check_layers("augmentation", section.augmentation.layers, shape)
        yield from augmentation_conditions(section.augmentation, shape.cameras, shape.n_layers)
    elif name == "vqa":
        for question in section.vqa:
            params = {"expects": question.answer}
            yield Condition("vqa", question.name, name, question.prompt, params, every=question.every)


def _ablations(section: AblationSection, shape: ModelShape) -> Iterator[Condition]:
    everything = product(range(shape.n_layers), range(shape.n_heads))
    unknown = sorted(set(section.passes) - set(shape.passes))
    if unknown:
        raise UnknownNameError(
            f"conditions.ablation.passes: the model has no pass {unknown[0]!r}; it has {sorted(shape.passes)}"
        )
    for layer, head in everything if section.heads == "each" else section.heads:
        if not (0 <= layer < shape.n_layers and 0 <= head < shape.n_heads):
            raise UnknownNameError(
                f"conditions.ablation.heads: no head {head} in layer {layer}; the model has {shape.n_layers} layers "
                f"of {shape.n_heads} heads"
            )
        for mode in section.modes:
            passes = tuple(section.passes) or shape.passes
            edits = tuple(HeadEdit(name, layer, head, mode) for name in passes)
            params = {"layer": layer, "head": head, "mode": mode, "passes": list(passes)}
            yield Condition(
                "ablation", f"L{layer}.H{head}.{mode}", "ablation", params=params, model=ModelChange(edits)
            )


def _randomised(section: RandomisedSection, shape: ModelShape) -> Iterator[Condition]:
    for top in section.top:
        n_layers = shape.n_layers if top == "all" else int(top)
        if not 1 <= n_layers <= shape.n_layers:
            raise UnknownNameError(
                f"conditions.randomised.top: expected 1 to {shape.n_layers} layers, found {top}"
            )
        yield Condition(
            "randomised",
            f"top-{n_layers}",
            "randomised",
            params={"n_layers": n_layers},
            model=ModelChange(shuffled_layers=n_layers),
        )


def _check_layers(where: str, layers: str | Sequence[int], shape: ModelShape) -> None:
    unknown = [] if isinstance(layers, str) else [one for one in layers if one >= shape.n_layers]
    if unknown:
        raise UnknownNameError(
            f"conditions.{where}.layers: unknown layer {unknown[0]}; the model's layers are 0 to {shape.n_layers - 1}"
        )


def _check_cameras(regions: Sequence[RegionSection], shape: ModelShape) -> None:
    for region in regions:
        if region.camera not in (None, *shape.cameras):
            raise UnknownNameError(
                f"conditions.occlusion.regions.{region.name}.camera: the model sees no camera {region.camera!r}, but "
                f"{', '.join(map(repr, shape.cameras))}"
            )


def _refuse_twice(group: str, conditions: Sequence[Condition]) -> None:
    asked = Counter(one.prompt_template if one.kind == "paraphrase" else one.name for one in conditions)
    twice = [name for name, count in asked.items() if count > 1]
    if twice:
        raise UserError(f"conditions.{group}: {twice[0]!r} is given twice; each counts once")
