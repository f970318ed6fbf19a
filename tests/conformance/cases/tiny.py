"""The bundled policy, with small random weights in place of the trained ones."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import numpy as np
import transformers

from ingest.episodes.base import Observation
from ingest.policies.base import Policy
from ingest.policies.registry import load_policy
from ingest.study import PolicySection
from tests.conformance.case import Case, Key, folder_until_exit, random_observation
from tests.ingest.world import CONFIG, write_checkpoint

if int(transformers.__version__.split(".")[0]) < 5:  # the policy says so itself, but only when it is built
    raise ImportError("transformers 5", name="transformers 5")

CAMERAS = ("base", "wrist")
SIZE = (180, 320)
BARS = (0, 1, 2, 13, 14, 15)  # rows of the 16 x 16 grid that are letterbox alone at 180 x 320


def build(attention: str, cameras: tuple[str, ...]) -> Policy:
    folder = folder_until_exit("tiny")
    write_checkpoint(folder, replace(CONFIG, cameras=cameras))
    return load_policy(PolicySection(checkpoint=str(folder), attention=attention), "cpu")


def observe(cameras: tuple[str, ...], index: int) -> Observation:
    pose = np.array([0.4 + 0.01 * index, 0.02, 0.1, 0.0, 0.0, 0.0])
    return random_observation(index, dict.fromkeys(cameras, SIZE), {"cartesian_position": pose}, gripper=0.05)


def keys(cameras: tuple[str, ...], pass_name: str, prompt: str, observation: Observation) -> list[Key]:
    found = [
        Key("letterbox" if row in BARS else "patch", camera, row, col)
        for camera in cameras
        for row in range(16)
        for col in range(16)
    ]
    n_words = min(len(re.findall(r"[\w'-]+", prompt)), CONFIG.max_token_len - 13)
    roles = ["bos", "template", "template"] + ["instruction"] * n_words + ["template"] * 3 + ["state"] * 4
    roles += ["template"] * 3
    roles += ["pad"] * (CONFIG.max_token_len - len(roles))
    words = iter(range(n_words))
    found += [Key(role, word_index=next(words) if role == "instruction" else None) for role in roles]
    if pass_name == "suffix":
        found += [Key("action")] * CONFIG.horizon
    return found


CASES = [
    Case(
        name=f"tiny-{name}",
        build=partial(build, attention, cameras),
        observe=partial(observe, cameras),
        keys=partial(keys, cameras),
        n_calls={"prefix": 1, "suffix": CONFIG.n_steps},
        long_prompt="find the duck and the cat and the cube and the bottle and then pick up the banana",
        action_tolerance=0.0 if attention == "default" else 1e-5,
        without={}
        if attention == "default"
        else {"rotary embedding left out": "the weights are the model's own"},
    )
    for name, attention, cameras in (
        ("default", "default", CAMERAS),
        ("eager", "eager", CAMERAS),
        ("one-camera", "default", ("wrist",)),
        ("three-cameras", "default", ("side", "base", "wrist")),
    )
]
