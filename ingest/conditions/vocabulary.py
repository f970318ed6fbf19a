"""The words that presets put into prompts. Stored prompts say what a run used: a change here is for runs to come."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# The seed's counterfactual prompts, COUNTERFACTUAL_PROMPTS: object -> what it asks where no object can be swapped.
SEED_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "duck": "find the duck toy and pick it up",
        "banana": "find the banana and pick it up",
        "cat": "find the cat toy and pick it up",
        "bottle": "find the bottle and pick it up",
    }
)

# Preset -> the names of its conditions, in the order in which they run.
PRESET_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "objects": tuple(SEED_SENTENCES),
        "empty": ("empty",),
        "shuffled_words": ("shuffled_words",),
        "synonym": ("synonym",),
        "opposite": ("opposite",),
        "random_words": ("random_words",),
        "contradiction": ("contradiction",),
    }
)

# Of several words that fit, the longest run of them is replaced, once: 'pick up' before 'pick'.
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "pick it up": "grab it",
        "pick them up": "grab them",
        "pick up": "grab",
        "pick": "grab",
        "grab": "take",
        "take": "grab",
        "get": "fetch",
        "fetch": "get",
        "find": "look for",
        "look for": "find",
        "search for": "find",
        "locate": "find",
        "lift": "raise",
        "raise": "lift",
        "put": "place",
        "place": "put",
        "move": "shift",
        "push": "shove",
        "close": "shut",
        "shut": "close",
        "close to": "near",
        "near": "close to",
        "next to": "beside",
        "beside": "next to",
        "turn on": "switch on",
        "turn off": "switch off",
        "switch on": "turn on",
        "switch off": "turn off",
        "turn": "rotate",
        "rotate": "turn",
        "big": "large",
        "large": "big",
        "small": "little",
        "little": "small",
        "bowl": "dish",
        "dish": "bowl",
        "cup": "mug",
        "mug": "cup",
        "cube": "block",
        "block": "cube",
        "bottle": "flask",
        "towel": "cloth",
        "cloth": "towel",
        "toy": "plaything",
        "fridge": "refrigerator",
        "refrigerator": "fridge",
    }
)

OPPOSITES: Mapping[str, str] = MappingProxyType(
    {
        "up": "down",
        "down": "up",
        "open": "close",
        "close": "open",
        "shut": "open",
        "left": "right",
        "right": "left",
        "on": "off",
        "onto": "off",
        "off": "on",
        "in": "out of",
        "into": "out of",
        "out of": "into",
        "out": "in",
        "inside": "outside",
        "outside": "inside",
        "pick": "put",
        "put it down": "pick it up",
        "put down": "pick up",
        "put": "remove",
        "place": "remove",
        "insert": "remove",
        "remove": "put",
        "push": "pull",
        "pull": "push",
        "grab": "release",
        "grasp": "release",
        "take": "release",
        "release": "grab",
        "lift": "lower",
        "raise": "lower",
        "lower": "raise",
        "find": "hide",
        "hide": "find",
        "fill": "empty",
        "empty": "fill",
        "fold": "unfold",
        "unfold": "fold",
        "stack": "unstack",
        "unstack": "stack",
        "over": "under",
        "under": "over",
        "above": "below",
        "below": "above",
        "top": "bottom",
        "bottom": "top",
        "front": "back",
        "behind": "in front of",
        "in front of": "behind",
        "towards": "away from",
        "toward": "away from",
        "away from": "towards",
        "near": "far from",
        "next to": "far from",
        "close to": "far from",
        "far from": "near",
        "on top of": "underneath",
        "underneath": "on top of",
        "with": "without",
        "without": "with",
    }
)

# No thing, place, movement, direction or colour that a robot's task is about.
# fmt: off
UNRELATED_WORDS: tuple[str, ...] = (
    "almost", "ancient", "belief", "century", "certainly", "comedy", "democracy", "dozen", "economy", "eloquent",
    "evening", "famous", "fortunate", "grammar", "however", "humour", "idea", "january", "justice", "kindness",
    "legend", "maybe", "melody", "nation", "nevertheless", "often", "opinion", "patience", "philosophy", "quarterly",
    "reason", "rumour", "seldom", "silence", "sincerely", "theory", "thursday", "tradition", "winter", "yesterday",
)
# fmt: on
