"""The generic adapter on small models of transformers, each with a layout function as a user would write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ingest.episodes.base import Observation
from ingest.policies.huggingface import HuggingFacePolicy
from tests.conformance.case import Case, Key, random_observation
from tests.conformance.models import openvla, paligemma, qwen, smolvlm
from tests.conformance.models.tokens import toy_tokenizer
from tests.conformance.models.vlm import N_TEXT, Shape

HEIGHT, WIDTH = 180, 320
LONG = "pick up the duck " * 12


def observe(index: int) -> Observation:
    sizes = {"base": (HEIGHT, WIDTH), "wrist": (WIDTH, WIDTH), "side": (HEIGHT, WIDTH)}
    return random_observation(index, sizes, {"cartesian_position": np.zeros(6)})


def patches(shape: Shape) -> list[Key]:
    """A picture of 180 x 320 is fitted into the middle rows; one of 320 x 320 fills the square."""
    found = []
    for camera in shape.cameras:
        height = shape.image if camera == "wrist" else int(HEIGHT / (WIDTH / shape.image))
        top = (shape.image - height) // 2
        side = shape.image / shape.grid
        for row in range(shape.grid):
            is_bar = (row + 1) * side <= top or row * side >= top + height
            found += [Key("letterbox" if is_bar else "patch", camera, row, c) for c in range(shape.grid)]
    return found


def text(prompt: str) -> list[Key]:
    """Roles letter by letter: 't' template, digits of the instruction's words, and a token counts by its first letter."""
    before, after = "In: What action should the robot take to ", "?\nOut:"
    whole = before + prompt + after
    letters: list[int | None] = [None] * len(whole)
    word, was_blank = len(prompt.split()), True
    for offset, letter in reversed(list(enumerate(prompt))):  # so that a blank counts to the word behind it
        word -= was_blank and not letter.isspace()
        was_blank = letter.isspace()
        letters[len(before) + offset] = min(word, len(prompt.split()) - 1)
    keys = [Key("bos")]
    for begin, end in toy_tokenizer()(whole, return_offsets_mapping=True, add_special_tokens=False)[
        "offset_mapping"
    ]:
        visible = next((at for at in range(begin, end) if not whole[at].isspace()), begin)
        index = letters[visible]
        keys.append(Key("template") if index is None else Key("instruction", word_index=index))
    return (keys + [Key("pad")] * N_TEXT)[:N_TEXT]


def keys(shape: Shape, pass_name: str, prompt: str, observation: Observation) -> list[Key]:
    assert pass_name == "prefix"
    words = text(prompt)
    return [words[0], *patches(shape), *words[1:]] if shape.bos_first else [*patches(shape), *words]


def case(name: str, make: Callable[[str], HuggingFacePolicy], shape: Shape, attention: str) -> Case:
    own = {"rotary embedding left out": "the weights are the model's own"}
    return Case(
        name=f"{name}-{attention}",
        build=partial(make, attention),
        observe=observe,
        keys=partial(keys, shape),
        n_calls={"prefix": 1},
        long_prompt=LONG,
        action_tolerance=0.0 if attention == "sdpa" else 1e-5,
        without={} if attention == "sdpa" else own,
    )


CASES = [
    case(name, module.make, module.SHAPE, attention)
    for name, module in {
        "paligemma": paligemma,
        "openvla": openvla,
        "qwen2vl": qwen,
        "smolvlm": smolvlm,
    }.items()
    for attention in ("sdpa", "eager")
]
for count, cameras in {"one": ("base",), "three": ("wrist", "base", "side")}.items():
    shape = replace(paligemma.SHAPE, cameras=cameras)
    CASES.append(case(f"paligemma-{count}", partial(paligemma.make, shape=shape), shape, "sdpa"))
