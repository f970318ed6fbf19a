"""``conditions.presets``: prompts that are made from each episode's own instruction.

The same study seed and instruction give the same prompt: what is drawn is ordered by a hash.
Where a preset finds nothing to change it returns the instruction, which makes the condition vacuous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ingest.conditions.base import Condition, PromptChange
from ingest.conditions.vocabulary import OPPOSITES, PRESET_NAMES, SEED_SENTENCES, SYNONYMS, UNRELATED_WORDS
from ingest.identity import digest
from ingest.objects.roles import with_other_object


@dataclass(frozen=True)
class ObjectSwap:
    """The instruction about another object; the seed's sentence where the instruction's object cannot be told."""

    other: str
    keeps_object: bool = False

    def change(self, instruction: str, named_object: str | None) -> str:
        swapped = None if named_object is None else with_other_object(instruction, named_object, self.other)
        return SEED_SENTENCES[self.other] if swapped is None else swapped


@dataclass(frozen=True)
class Reworded:
    """The instruction in other words, whatever it is about."""

    make: Callable[[str], str]
    keeps_object: bool = True

    def change(self, instruction: str, named_object: str | None) -> str:
        return self.make(instruction)


def preset_conditions(presets: Sequence[str], seed: int) -> Iterator[Condition]:
    """The conditions of the presets; ``seed`` is the study's."""
    changes: dict[str, PromptChange] = {
        **{other: ObjectSwap(other) for other in PRESET_NAMES["objects"]},
        "shuffled_words": Reworded(partial(shuffled_words, seed=seed)),
        "synonym": Reworded(synonym),
        "opposite": Reworded(opposite),
        "random_words": Reworded(partial(random_words, seed=seed), keeps_object=False),
        "contradiction": Reworded(contradiction),
    }
    for preset in presets:
        for name in PRESET_NAMES[preset]:
            if preset == "empty":
                yield Condition("prompt", name, "prompts", "", {"preset": preset})
                continue
            params: dict[str, object] = {"preset": preset}
            if preset == "objects":
                params["object"] = name
            if changes[name].keeps_object:
                params["is_same_object"] = True  # known without masks too, by which other prompts are told
            yield Condition("prompt", name, "prompts", params=params, rewrite=changes[name])


def shuffled_words(instruction: str, seed: int) -> str:
    """The same words in another order; the instruction where all its words are the same."""
    words = instruction.split()
    if len(set(words)) < 2:
        return instruction
    order = sorted(range(len(words)), key=lambda index: digest("shuffled_words", seed, instruction, index))
    shuffled = [words[index] for index in order]
    # A model may not tell 'The' from 'the', so another order of those alone would be none.
    is_same = [word.casefold() for word in shuffled] == [word.casefold() for word in words]
    return " ".join(words[1:] + words[:1] if is_same else shuffled)


def random_words(instruction: str, seed: int) -> str:
    """As many words that have nothing to do with the task; each once before any comes twice."""
    drawn = sorted(UNRELATED_WORDS, key=lambda word: digest("random_words", seed, instruction, word))
    return " ".join(drawn[index % len(drawn)] for index in range(len(instruction.split())))


def synonym(instruction: str) -> str:
    """The same request with the words of :data:`SYNONYMS` replaced."""
    return _replaced(instruction, SYNONYMS, _SYNONYMS)


def opposite(instruction: str) -> str:
    """The words of :data:`OPPOSITES` replaced, word by word: no grammar is looked at."""
    return _replaced(instruction, OPPOSITES, _OPPOSITES)


def contradiction(instruction: str) -> str:
    """'pick up the duck, but do not pick up the duck'."""
    request = instruction.strip().rstrip(".!?,;:").rstrip()
    if not request:
        return instruction
    first = request.split()[0]
    again = first.lower() + request[len(first) :] if first.istitle() else request
    return f"{request}, but do not {again}"


def _pattern(table: Mapping[str, str]) -> re.Pattern[str]:
    phrases = sorted(table, key=len, reverse=True)
    either = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases)
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)


def _replaced(text: str, table: Mapping[str, str], pattern: re.Pattern[str]) -> str:
    def other(found: re.Match[str]) -> str:
        words = found.group()
        # The pattern's 'i' has forms ('ı') that no case folding brings back: those words stay.
        new = table.get(" ".join(words.casefold().split()), words)
        return new[:1].upper() + new[1:] if words[:1].isupper() else new

    return pattern.sub(other, text)


_SYNONYMS, _OPPOSITES = _pattern(SYNONYMS), _pattern(OPPOSITES)
