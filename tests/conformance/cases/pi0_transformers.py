"""transformers' native Pi0 behind the generic adapter."""

from __future__ import annotations

from functools import partial

import numpy as np

from ingest.episodes.base import Observation
from tests.conformance.case import Case, Key, random_observation
from tests.conformance.models import pi0
from tests.conformance.models.tokens import toy_tokenizer


def observe(index: int) -> Observation:
    sizes = dict.fromkeys(pi0.CAMERAS, (224, 224))
    return random_observation(
        index, sizes, {"cartesian_position": np.linspace(-1, 1, pi0.STATE_DIM) + 0.1 * index}
    )


def keys(pass_name: str, prompt: str, observation: Observation) -> list[Key]:
    """Square pictures have no letterbox. Words are counted from the blanks before each token's first letter."""
    found = [Key("patch", camera, row, col) for camera in pi0.CAMERAS for row in range(4) for col in range(4)]
    text = [Key("bos")]
    offsets = toy_tokenizer()(prompt + "\n", return_offsets_mapping=True, add_special_tokens=False)[
        "offset_mapping"
    ]
    for begin, end in offsets:
        up_to = (prompt + "\n")[:end]
        if up_to.endswith("\n"):
            text.append(Key("template"))
        else:
            is_blank = not (prompt[begin:end]).strip()
            text.append(Key("instruction", word_index=len(up_to.split()) - (not is_blank)))
    found += (text + [Key("pad")] * pi0.N_TEXT)[: pi0.N_TEXT]
    if pass_name == "suffix":
        found += [Key("state"), *[Key("action")] * pi0.HORIZON]
    return found


CASES = [
    Case(
        name=f"pi0_transformers-{attention}",
        build=partial(pi0.make, attention),
        observe=observe,
        keys=keys,
        n_calls={"prefix": 1, "suffix": pi0.N_STEPS},
        prompts=("pick up the duck", "find the banana and lift", "утка 🦆"),
        long_prompt="pick up the duck and find the banana and pick up the cube and the bottle and the duck and the cube",
        action_tolerance=0.0 if attention == "sdpa" else 1e-5,
        without={}
        if attention == "sdpa"
        else {"rotary embedding left out": "the weights are the model's own"},
    )
    for attention in ("sdpa", "eager")
]
