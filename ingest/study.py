"""The study: one typed, validated description of a run. YAML in, every default visible, unknown keys refused."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, Field, FiniteFloat, ValidationError, field_validator, model_validator

from ingest.errors import UserError
from ingest.objects.base import Role
from ingest.section import Section as Section  # sections of families derive from it
from ingest.study_conditions import ConditionSection
from ingest.study_file import read_study_file

PACKAGE_ROOT = Path(__file__).resolve().parent.parent
DEMO_STUDY = Path(__file__).resolve().parent / "demo" / "study.yaml"

_MOST_PROBLEMS = 10
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring = 2, 60
SectionType = TypeVar("SectionType", bound=Section)


class PolicySection(Section):
    family: str = Field(
        "tiny",
        description="The adapter: tiny, openpi, lerobot, cosmos, cosmos_diffusers, huggingface or a registered one.",
    )
    checkpoint: str = Field(
        "demo", description="Folder or hub name of the weights; `demo` and `planted/<name>` are bundled."
    )
    config: str | None = Field(
        None,
        description="What the family calls a configuration: openpi's name, Cosmos' suite, `module:function`.",
    )
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="Precision the model runs in.")
    attention: Literal["default", "eager"] = Field(
        "default",
        description="'default': the model's own kernel, and the asked rows beside it; 'eager': all weights.",
    )
    options: dict[str, str | int | FiniteFloat | bool | None] = Field(
        default_factory=dict, description="What one family alone knows; its adapter names and checks them."
    )


class KeyframeSection(Section):
    every: int = Field(
        8, ge=1, description="Every n-th recorded frame; an episode's `white_list.json` decides over it."
    )
    first: int | None = Field(None, ge=1, description="Only that many, from the beginning of the episode.")
    at_most: int | None = Field(
        None, ge=1, description="No more than that many, spread evenly over the episode, its ends among them."
    )


class EpisodeSection(Section):
    source: Literal["droid"] = Field("droid", description="How episodes lie on disk (episodes.md).")
    root: str = Field(description="The folder with `success/` and `failure/`.")
    dataset: str | None = Field(
        None, description="Its name in the tables; the folder's name where none is given."
    )
    cameras: dict[str, str] = Field(
        default_factory=lambda: {"base": "varied_camera_1", "wrist": "hand_camera"},
        min_length=1,
        description="The policy's camera -> folder under `recordings/frames`.",
    )
    keyframes: KeyframeSection = Field(
        KeyframeSection(), description="Which frames the policy is asked about."
    )
    limit: int | None = Field(
        None, ge=1, description="At most so many episodes, successes and failures in turn."
    )
    table_height: FiniteFloat | None = Field(
        None,
        description="Height of the table's top in the robot's base frame, metres: where cameras are compared.",
    )


class ObjectSection(Section):
    source: Literal["dinox", "none"] = Field(
        "none", description="`dinox_info.json` of each episode, or no objects."
    )
    camera: str = Field("wrist", description="Camera of detections that name none.")
    min_score: FiniteFloat = Field(0.0, description="Detections count above it.")
    roles: Literal["from_instruction"] = Field(
        "from_instruction", description="Who is target, goal, distractor, gripper."
    )
    named_roles: dict[str, Role] = Field(
        default_factory=dict, description="Category -> its role, whatever the instruction says."
    )
    null_masks: int = Field(4, ge=1, description="Masks of other episodes that each object is compared with.")


Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what the tables hold
DenoiseStep = int | Literal["first", "last", "all"]


class CaptureSection(Section):
    profile: Literal["default", "full"] = Field(
        "default", description="`full` also keeps maps of every head, word and action token."
    )
    layers: Literal["all"] | list[int] = Field("all", description="Layers that are captured, counted from 0.")
    heads: Literal["all"] | list[int] = Field("all", description="Heads that are captured, counted from 0.")
    passes: list[Literal["prefix", "suffix", "denoise", "cross"]] = Field(
        ["prefix", "suffix"], min_length=1, description="Cosmos has `denoise` and `cross`."
    )
    denoise_steps: list[DenoiseStep] = Field(
        ["first", "last"],
        min_length=1,
        description="Numbers, `first` (noisiest), `last` or `all`; not given, `full` has `all`.",
    )
    queries: list[Literal["instruction", "words", "action"]] = Field(
        ["instruction", "words", "action"],
        min_length=1,
        description="What looks: query groups that are kept.",
    )
    rollout: bool = Field(False, description="Also the attention rollout; forms every layer's full weights.")

    @model_validator(mode="before")
    @classmethod
    def _full_has_every_step(cls, value: Any) -> Any:
        """Where no steps are named: written down here, so that it is part of the run's identity."""
        if isinstance(value, dict) and value.get("profile") == "full":
            return {"denoise_steps": ["all"], **value}
        return value

    @field_validator("layers", "heads")
    @classmethod
    def _sorted_once(cls, value: str | list[int]) -> str | list[int]:
        if not value:
            raise ValueError("expected 'all' or at least one number")
        return value if isinstance(value, str) else sorted(set(value))

    @field_validator("passes", "queries")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))

    @field_validator("denoise_steps")
    @classmethod
    def _steps_once(cls, value: list[DenoiseStep]) -> list[DenoiseStep]:
        return list(dict.fromkeys("first" if step == 0 else step for step in value))


class NoiseSection(Section):
    seeds: list[Seed] = Field(
        [0], min_length=1, description="Each runs every condition once; conditions share them."
    )

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, value: list[int]) -> list[int]:
        if len(set(value)) < len(value):
            raise ValueError("a seed is given twice; each counts once")
        return value


class StatisticsSection(Section):
    alpha: float = Field(0.05, gt=0, lt=1, description="Level of the tests, corrected within families.")
    bootstrap: int = Field(10_000, ge=100, le=1_000_000, description="Resamples of an interval.")
    min_episodes: int = Field(20, ge=3, description="Below it, in a condition, nothing is 'supported'.")


class ComputeSection(Section):
    device: str = Field("cpu", description="`cpu`, `cuda:0`, ...")
    batch_size: int = Field(8, ge=1, description="Inferences at a time; halved when memory is short.")
    workers: int = Field(1, ge=1, description="Processes that share the episodes; each loads the policy.")

    @field_validator("device")
    @classmethod
    def _that_computes(cls, value: str) -> str:
        if value.partition(":")[0] == "meta":
            raise ValueError("torch's 'meta' computes nothing; expected a device such as 'cpu' or 'cuda:0'")
        return value


class Study(Section):
    """Everything that decides what a run computes; its canonical JSON is part of the run's identity."""

    study: str = Field(min_length=1, description="Its name.")
    policy: PolicySection = Field(PolicySection(), description="Whose attention is read.")
    episodes: EpisodeSection = Field(description="What the policy is shown.")
    objects: ObjectSection = Field(ObjectSection(), description="Masks of what is in the pictures.")
    capture: CaptureSection = Field(CaptureSection(), description="How much of the attention is kept.")
    conditions: ConditionSection = Field(
        ConditionSection(), description="What is changed, beside the baseline."
    )
    noise: NoiseSection = Field(NoiseSection(), description="Where a policy's action noise starts.")
    statistics: StatisticsSection = Field(StatisticsSection(), description="Settings of tests and intervals.")
    compute: ComputeSection = Field(ComputeSection(), description="Where and how it runs.")
    seed: Seed = Field(42, description="Of everything that is drawn: controls, bootstraps, permutations.")

    def resolved(self) -> dict[str, Any]:
        """Every setting with its default filled in, ready for JSON; ``conditions.presets`` only where there are some."""
        resolved = self.model_dump(mode="json")
        if not self.conditions.presets:  # a key younger than runs that keep their ids without it
            del resolved["conditions"]["presets"]
        return resolved


def load_study(path: Path, overrides: Mapping[str, Any] | None = None) -> Study:
    """Reads a study file.

    ``overrides`` maps dotted names to values, as in ``{"episodes.limit": 3}``; None leaves the file's value.
    Raises UserError for a file that is missing, is no YAML mapping, or has unknown keys or wrong values.
    """
    raw = read_study_file(path)
    for name, value in (overrides or {}).items():
        if value is not None:
            _set(raw, name, value)
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{path}: " + _first_of(list(_explain(error)))) from error


def options_of(section: PolicySection, model: type[SectionType]) -> SectionType:
    """``policy.options`` as the typed section of a family. Raises UserError for unknown keys or wrong values."""
    try:
        return model.model_validate(section.options)
    except ValidationError as error:
        found = []
        for problem in error.errors():
            key = str(problem["loc"][0])
            if problem["type"] == "extra_forbidden":
                known = sorted(model.model_fields)
                nearest = difflib.get_close_matches(key, known, n=1, cutoff=0)
                found.append(
                    f"unknown key 'policy.options.{key}'; the nearest known key is {nearest[0]!r} "
                    f"(known: {', '.join(known)})"
                )
            else:
                found.append(f"policy.options.{key}: {problem['msg'].lower()}, found {_found(problem)}")
        raise UserError("; ".join(found)) from error


def refuse_unused(section: PolicySection, *keys: Literal["config", "options"]) -> None:
    """Raises UserError where the study says something that the family does not read."""
    for key in keys:
        if getattr(section, key):
            raise UserError(
                f"policy.{key}: the family {section.family!r} has none, found {_SHORT.repr(getattr(section, key))}; "
                "leave it out"
            )


def resolve_path(text: str) -> Path:
    """A path of the study: as given, or below the project where the working directory has no such path.

    Raises UserError for a path that cannot be: with a NUL, too long, or in the home of an unknown user.
    """
    try:
        path = Path(text).expanduser()
        path.resolve()  # raises for a NUL and for links in a circle
        if not path.is_absolute() and not path.exists() and (PACKAGE_ROOT / path).exists():
            return PACKAGE_ROOT / path
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~ of a user that there is not
        raise UserError(f"the study names the path {text!r}, which cannot be followed ({error})") from error
    return path


def _set(raw: dict[str, Any], name: str, value: Any) -> None:
    *sections, key = name.split(".")
    for section in sections:
        inner = raw.setdefault(section, {})
        if not isinstance(inner, dict):
            raise UserError(f"{section}: expected a mapping, found {type(inner).__name__}")
        raw = inner
    raw[key] = value


def _first_of(problems: list[str]) -> str:
    more = len(problems) - _MOST_PROBLEMS
    return "; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")


def _found(problem: Mapping[str, Any]) -> str:
    """What stands there, cut: nested aliases make a value of a few lines gigabytes long."""
    try:
        return _SHORT.repr(problem.get("input"))
    except ValueError:  # a number of more digits than Python writes
        return "a number of thousands of digits"


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            yield _explain_unknown(problem["loc"], where)
        else:
            yield f"{where}: {problem['msg'].lower()}, found {_found(problem)}"


def _explain_unknown(location: tuple[int | str, ...], where: str) -> str:
    key = str(location[-1])
    known = _keys_of(location[:-1])
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0)
    return f"unknown key {where!r}; the nearest known key is {nearest[0]!r} (known: {', '.join(known)})"


def _keys_of(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Study
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = section_in(model.model_fields[part].annotation) or model
    return sorted(model.model_fields)


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that the annotation of a field holds, alone, in a list or as an option; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)
