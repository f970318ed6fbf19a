"""Which of the objects the instruction is about.

Words are compared whole and without case; 'boxes' is 'box'. A category is named where its words stand together in
the text, in any order ('toy duck' names 'duck toy'); words such as 'toy' may be left out if others remain. The
longest category takes its words first, so 'duck toy' leaves no 'duck' over for a second category.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ingest.objects.base import Role

GRIPPER_NAMES = ("gripper", "robot gripper", "robot", "robot arm", "robot hand", "end effector", "finger")
# Words that say little about which object is meant.
GENERIC_WORDS = ("toy", "object", "item", "thing")
# "PUT the duck IN the bowl": what follows is where to, not what. "FROM the bowl" is neither.
# fmt: off
_PLACING = frozenset((
    "put", "place", "move", "bring", "carry", "push", "pull", "slide", "stack", "drop", "insert", "pour", "set",
    "lay", "hang", "throw", "store", "return",
))
_TOWARDS = frozenset((
    "in", "into", "inside", "on", "onto", "to", "toward", "towards", "under", "beside", "behind", "near", "next",
    "above", "over", "against",
))
# fmt: on
_AWAY = frozenset(("from", "off", "out", "without"))


class _Mention(NamedTuple):
    position: int  # of the first word
    category: str


def assign_roles(
    categories: Iterable[str],
    instruction: str,
    metadata_target: str | None = None,
    named_roles: Mapping[str, Role] = MappingProxyType({}),
) -> dict[str, Role]:
    """The role of every category, keys sorted.

    - 'gripper': the category is a name of the robot's hand.
    - 'target': named by the instruction; `metadata_target` decides instead when the recording states it.
    - 'goal': where the target is to be put ('put the duck in the bowl'); a landmark ('pick up the duck near the
      bowl') is none.
    - 'distractor': all others.

    A category of `named_roles` has the role given there, whatever the instruction says.
    A stated target that is not among the categories leaves no target: the object was not detected.
    """
    names = sorted(set(categories))
    objects = [name for name in names if not _is_gripper(name) and name not in named_roles]
    targets, goals = _named(instruction, objects)
    if metadata_target is not None:
        targets = _stated(metadata_target, objects)
    roles: dict[str, Role] = {}
    for name in names:
        if name in named_roles:
            roles[name] = named_roles[name]
        elif name not in objects:
            roles[name] = "gripper"
        elif name in targets:
            roles[name] = "target"
        elif name in goals:
            roles[name] = "goal"
        else:
            roles[name] = "distractor"
    return roles


def named_category(prompt: str, categories: Iterable[str]) -> str | None:
    """The category that a prompt asks for: the first target that it names, or None."""
    targets, _ = _named(prompt, sorted(name for name in set(categories) if not _is_gripper(name)))
    return targets[0] if targets else None


def with_other_object(instruction: str, category: str, other: str) -> str | None:
    """The instruction with ``other`` wherever it names ``category``; None where it does not name it.

    An instruction that is about ``other`` already stays as it is. 'an' before the name becomes 'a', as before a consonant.
    """
    found = list(re.finditer(r"[^\W_]+", instruction))
    words = [unicodedata.normalize("NFKC", one.group()).casefold() for one in found]
    for wanted, _ in _patterns([category]):
        n = len(wanted)
        spans: list[tuple[int, int]] = []
        for start in range(len(words) - n + 1):
            if _same_words(words[start : start + n], wanted) and (not spans or start >= spans[-1][1]):
                spans.append((start, start + n))
        if not spans:
            continue
        if _same_words(_specific(_words(category)), _specific(_words(other))):
            return instruction
        text = instruction
        for first, end in reversed(spans):
            text = text[: found[first].start()] + other + text[found[end - 1].end() :]
            if first and words[first - 1] == "an":
                text = text[: found[first - 1].end() - 1] + text[found[first - 1].end() :]
        return text
    return None


def _is_gripper(category: str) -> bool:
    return any(_same_words(_words(category), _words(name)) for name in GRIPPER_NAMES)


def _stated(target: str, categories: Sequence[str]) -> list[str]:
    """The categories that are the stated target: in the same words, else but for generic ones."""
    wanted = _words(target)
    same = [name for name in categories if _same_words(_words(name), wanted)]
    return same or [name for name in categories if _same_words(_specific(_words(name)), _specific(wanted))]


def _named(text: str, categories: Sequence[str]) -> tuple[list[str], list[str]]:
    """(targets, goals) in the order of the text; what only says where ('go to the duck') is the target if all is."""
    words = _words(text)
    targets: list[str] = []
    places: list[_Mention] = []
    position = 0
    for mention in _mentions(words, categories):
        before = words[position : mention.position]
        relation = next((word for word in reversed(before) if word in _TOWARDS | _AWAY), None)
        if relation is None:
            targets.append(mention.category)
        elif relation in _TOWARDS:
            places.append(mention)
        position = mention.position
    if not targets and places:
        targets.append(places.pop(0).category)
    goals = [place.category for place in places if _PLACING.intersection(words[: place.position])]
    return targets, goals


def _mentions(words: Sequence[str], categories: Sequence[str]) -> list[_Mention]:
    """The first mention of each named category, in the order of the text."""
    free = [True] * len(words)
    mentions: list[_Mention] = []
    for wanted, category in _patterns(categories):
        if any(mention.category == category for mention in mentions):
            continue
        found = [
            start
            for start in range(len(words) - len(wanted) + 1)
            if all(free[start : start + len(wanted)])
            and _same_words(words[start : start + len(wanted)], wanted)
        ]
        for start in found:
            free[start : start + len(wanted)] = [False] * len(wanted)
        if found:
            mentions.append(_Mention(found[0], category))
    return sorted(mentions)


def _patterns(categories: Sequence[str]) -> list[tuple[list[str], str]]:
    """What to look for, in order: whole categories, longest first; then categories without their generic words."""
    whole = [(_words(category), category) for category in categories]
    short = [(_specific(words), category) for words, category in whole]
    reduced = [pattern for pattern in short if pattern not in whole]
    return [
        pattern
        for patterns in (whole, reduced)
        for pattern in sorted(patterns, key=lambda pattern: (-len(pattern[0]), pattern[1]))
        if pattern[0]
    ]


def _specific(words: Sequence[str]) -> list[str]:
    """Without the generic words, unless nothing else would be left."""
    return [word for word in words if word not in GENERIC_WORDS] or list(words)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def _same_words(left: Sequence[str], right: Sequence[str]) -> bool:
    """The same words in any order."""
    rest = list(right)
    for word in left:
        match = next((other for other in rest if _same_word(word, other)), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest


def _same_word(left: str, right: str) -> bool:
    if left == right:
        return True
    short, long = sorted((left, right), key=len)
    return long in (f"{short}s", f"{short}es") or (short.endswith("y") and long == f"{short[:-1]}ies")
