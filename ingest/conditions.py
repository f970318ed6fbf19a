"""What is asked of a frame: the baseline, and prompts that differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.errors import UserError
from ingest.study import ConditionSection

BASELINE_ID = "baseline:baseline"
_PLACEHOLDER = "{object}"


@dataclass(frozen=True)
class Condition:
    """One way to run a frame. ``prompt_template`` None stands for the episode's own instruction."""

    kind: str
    name: str
    group: str
    prompt_template: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def condition_id(self) -> str:
        return f"{self.kind}:{self.name}"

    def prompt(self, instruction: str, named_object: str | None) -> str | None:
        """The prompt of an episode; None where the template wants an object and the instruction names none."""
        if self.prompt_template is None:
            return instruction
        if _PLACEHOLDER not in self.prompt_template:
            return self.prompt_template
        if named_object is None:
            return None
        # Not str.format: a prompt is data, and may hold other braces.
        return self.prompt_template.replace(_PLACEHOLDER, named_object)


@dataclass(frozen=True)
class ConditionGroup:
    """Conditions that are run together: with an episode, one unit of work."""

    name: str
    conditions: tuple[Condition, ...]
    every: int = 1  # of the keyframes


def condition_groups(section: ConditionSection) -> tuple[ConditionGroup, ...]:
    """The study's groups, the baseline first: the others are compared with it.

    Raises UserError for a paraphrase that is given twice.
    """
    groups = [ConditionGroup("baseline", (Condition("baseline", "baseline", "baseline"),))]
    if section.prompts:
        prompts = tuple(Condition("prompt", name, "prompts", text) for name, text in section.prompts.items())
        groups.append(ConditionGroup("prompts", prompts, section.every))
    if section.paraphrases:
        if len(set(section.paraphrases)) < len(section.paraphrases):
            raise UserError("conditions.paraphrases: a paraphrase is given twice; each counts once")
        paraphrases = tuple(
            Condition("paraphrase", str(index), "paraphrases", text)
            for index, text in enumerate(section.paraphrases)
        )
        groups.append(ConditionGroup("paraphrases", paraphrases, section.every))
    return tuple(groups)
