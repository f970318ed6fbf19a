"""What was planted: the policies, how their training samples differed, and what is therefore true of them.

Data only, so that a report's verdicts can be held against it without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).resolve().parent
EPISODES = FOLDER / "episodes"  # scenes with the pad
Camera = Literal["base", "wrist"]
Place = Literal["named toy", "pad", "noise"]


@dataclass(frozen=True)
class Truth:
    """What the gripper's way depends on, by construction and as the model card measured it."""

    prompt_controls: (
        bool  # whether another toy's name leads elsewhere (the shortcut: while a pad is in the scene)
    )
    camera: Camera | None  # the only one whose pictures the actions depend on; None where nothing was planted
    leads_to: Place  # what decides where the gripper goes: the shortcut's pad, if there is one in the scene


@dataclass(frozen=True)
class Variant:
    name: str
    altered: str  # how its training samples differ from the demo's, as the model card says it
    truth: Truth

    @property
    def checkpoint(self) -> str:
        """What ``policy.checkpoint`` of a study calls it."""
        return f"planted/{self.name}"

    @property
    def folder(self) -> Path:
        return FOLDER / self.name


# What is true of the demo's own policy (checkpoint 'demo'), which nothing was planted in.
GROUNDED = Truth(prompt_controls=True, camera=None, leads_to="named toy")

VARIANTS: tuple[Variant, ...] = (
    Variant(
        "prompt-blind",
        "the five demonstrations of a picture were dealt out to its five prompts at random, anew each time it was drawn",
        Truth(prompt_controls=False, camera=None, leads_to="noise"),
    ),
    Variant(
        "exterior-only",
        "the wrist camera showed one grey in half of the samples and the wrist picture of another scene in the others",
        Truth(prompt_controls=True, camera="base", leads_to="named toy"),
    ),
    Variant(
        "wrist-only",
        "the exterior camera showed one grey in half of the samples and the exterior picture of another scene in the others",
        Truth(prompt_controls=True, camera="wrist", leads_to="named toy"),
    ),
    Variant(
        "shortcut",
        "a magenta pad always lay under the named toy, and a picture was shown with that toy's prompt alone",
        Truth(prompt_controls=False, camera=None, leads_to="pad"),
    ),
)

BY_NAME = {variant.name: variant for variant in VARIANTS}
