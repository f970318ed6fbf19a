"""The sentences of the demo: those the policy was trained on, and those it never heard."""

from __future__ import annotations

SEEN_TEMPLATES: tuple[str, ...] = (
    "find the {object} toy and pick it up",
    "find the {object} and pick it up",
    "pick up the {object}",
    "pick up the {object} toy",
    "take the {object}",
    "lift the {object}",
)

# Words outside the vocabulary around a name the policy knows ...
UNSEEN_FRAMES: tuple[str, ...] = (
    "grab the {object} please",
    "could you fetch the {object} over there",
    "hand me that {object}",
)

# ... and the other way round: the toy described by words the policy never learnt.
UNSEEN_NAMES: dict[str, tuple[str, ...]] = {
    "duck": ("grab the yellow bird", "pick up the rubber chick"),
    "banana": ("grab the green fruit", "pick up the curved plantain"),
    "cat": ("grab the white kitten", "pick up the small pet"),
    "bottle": ("grab the blue flask", "pick up the drink"),
    "cube": ("grab the red block", "pick up the square brick"),
}
