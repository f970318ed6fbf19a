"""LeRobot's own classes with small random weights; what every key is follows from LeRobot's rules, written down again.

A toy tokenizer stands in for the gated ones. Runs where LeRobot 0.6 can be imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.pi0 import PI0Config, modeling_pi0
from lerobot.policies.pi0.processor_pi0 import make_pi0_pre_post_processors
from lerobot.policies.pi05 import PI05Config, modeling_pi05
from lerobot.policies.pi05.processor_pi05 import make_pi05_pre_post_processors
from lerobot.policies.smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from ingest.episodes.base import Observation
from ingest.policies.base import Policy
from ingest.policies.registry import load_policy
from ingest.study import PolicySection
from tests.conformance.case import Case, Key, folder_until_exit, random_observation
from tests.conformance.models.tokens import toy_tokenizer

SIZES = {"base": (180, 320), "wrist": (320, 320), "side": (200, 131)}
HORIZON, STEPS, STATE = 4, 2, 8
LOW, HIGH = -2.0, 2.0  # the quantiles of every number of the state
LONG = "pick up the duck and then " * 12


@dataclass(frozen=True)
class World:
    """A policy under test: its image features in their order, and the study's cameras that fill some of them."""

    kind: str
    features: tuple[str, ...]
    filled: Mapping[str, str]  # camera -> feature
    n_text: int = 48
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slots(self) -> list[tuple[str, bool]]:
        """(camera, is masked): the features that are filled, in the policy's order; the missing ones after them."""
        cameras = {feature: camera for camera, feature in self.filled.items()}
        present = [(cameras[one], False) for one in self.features if one in cameras]
        missing = [(one, True) for one in self.features if one not in cameras]
        empty = [(f"empty_camera_{index}", True) for index in range(self.options.get("empty_cameras", 0))]
        if self.kind == "smolvla":  # which fills up as many as it is told, and not more
            return present + (missing + empty)[: len(empty)]
        return present + missing + empty


# --- what every key is ----------------------------------------------------------------------------------------------


def keys(world: World, pass_name: str, prompt: str, observation: Observation) -> list[Key]:
    found = []
    has_marks = world.options.get("add_image_special_tokens", False)
    for camera, is_masked in world.slots:
        found += [Key("template")] * (2 if has_marks else 0)
        found += patches(world, camera, is_masked)
        found += [Key("template")] * (1 if has_marks else 0)
    found += text(world, prompt, observation)
    if world.kind == "smolvla":
        found += [Key("state")]
        found += [Key("pad")] * (world.options.get("prefix_length", 0) - len(found))
    if pass_name == "suffix":
        found += [Key("state")] * (world.kind == "pi0")
        found += [Key("action")] * HORIZON
    return found


def patches(world: World, camera: str, is_masked: bool) -> list[Key]:
    """pi0 and pi05 centre a picture in 224 pixels, 16 x 16 patches; smolvla puts it last in 512 pixels, 8 x 8."""
    size, grid = (512, 8) if world.kind == "smolvla" else (224, 16)
    if is_masked:
        return [Key("masked_camera", camera, row, col) for row in range(grid) for col in range(grid)]
    height, width = SIZES[camera]
    ratio = max(width / size, height / size)
    free = size - int(height / ratio), size - int(width / ratio)
    begin = free if world.kind == "smolvla" else (free[0] // 2, free[1] // 2)
    end = size - free[0] + begin[0], size - free[1] + begin[1]
    side = size // grid

    def shows(row: int, col: int) -> bool:
        return (
            row * side < end[0]
            and (row + 1) * side > begin[0]
            and col * side < end[1]
            and (col + 1) * side > begin[1]
        )

    return [
        Key("patch" if shows(row, col) else "letterbox", camera, row, col)
        for row in range(grid)
        for col in range(grid)
    ]


def text(world: World, prompt: str, observation: Observation) -> list[Key]:
    """Every character has a part; a token counts by the first one that is no blank."""
    instruction = prompt
    before, after, state = "", "\n", ""
    if world.kind == "pi05":
        bins = [int((min(max(x, LOW), HIGH) - LOW) / (HIGH - LOW) * 256) for x in observation.state]
        instruction = prompt.strip()
        before, after, state = "Task: ", ";\nAction: ", " ".join(str(min(one, 255)) for one in bins)
    whole = before + instruction + (", State: " + state if state else "") + after
    part: list[Key] = [Key("template")] * len(whole)
    word, was_blank = len(instruction.split()), True
    for offset in reversed(range(len(instruction))):  # so that a blank counts to the word behind it
        word -= was_blank and not instruction[offset].isspace()
        was_blank = instruction[offset].isspace()
        index = min(word, len(instruction.split()) - 1)
        part[len(before) + offset] = Key("instruction", word_index=index)
    begin = whole.index(", State: ") + len(", State: ") if state else 0
    part[begin : begin + len(state)] = [Key("state")] * len(state)
    found = [Key("bos")] if world.kind != "smolvla" else []
    for start, stop in toy_tokenizer()(whole, return_offsets_mapping=True)["offset_mapping"]:
        found.append(part[next((at for at in range(start, stop) if not whole[at].isspace()), start)])
    return (found + [Key("pad")] * world.n_text)[: world.n_text]


# --- the small models -----------------------------------------------------------------------------------------------


def build(world: World) -> Policy:
    folder = folder_until_exit("lerobot")
    with small(world.kind):
        write_checkpoint(world, folder)
        pairs = ", ".join(f"{camera}={feature}" for camera, feature in world.filled.items())
        return load_policy(PolicySection(family="lerobot", checkpoint=str(folder), config=pairs), "cpu")


def write_checkpoint(world: World, folder: Path) -> None:
    """A folder as LeRobot's ``save_pretrained`` writes it."""
    tokenizer = saved_tokenizer(folder / "tokenizer", world.kind)
    images = {
        f"observation.images.{name}": PolicyFeature(FeatureType.VISUAL, (3, 224, 224))
        for name in world.features
    }
    shared: dict[str, Any] = {
        "input_features": {**images, "observation.state": PolicyFeature(FeatureType.STATE, (STATE,))},
        "output_features": {"action": PolicyFeature(FeatureType.ACTION, (7,))},
        "tokenizer_max_length": world.n_text,
        "chunk_size": HORIZON,
        "n_action_steps": HORIZON,
        "max_action_dim": 9,
        "max_state_dim": 10,
        "device": "cpu",
        **world.options,
    }
    make: Callable[..., Any]
    torch.manual_seed(0)
    if world.kind == "smolvla":
        write_vlm(folder / "vlm")
        config = SmolVLAConfig(
            **shared, num_steps=STEPS, num_vlm_layers=4, vlm_model_name=str(folder / "vlm")
        )
        policy, make = SmolVLAPolicy(config), make_smolvla_pre_post_processors
    elif world.kind == "pi0":
        policy = modeling_pi0.PI0Policy(PI0Config(**shared, num_inference_steps=STEPS))
        make = make_pi0_pre_post_processors
    else:
        policy = modeling_pi05.PI05Policy(PI05Config(**shared, num_inference_steps=STEPS))
        make = make_pi05_pre_post_processors
    sharpen(policy)
    policy.save_pretrained(folder)
    with mock.patch(
        "lerobot.processor.tokenizer_processor.AutoTokenizer.from_pretrained", return_value=tokenizer
    ):
        for pipeline in make(policy.config, dataset_stats=statistics()):
            pipeline.save_pretrained(folder)
    steps = folder / "policy_preprocessor.json"
    settings = json.loads(steps.read_text())
    for step in settings["steps"]:
        if "tokenizer_name" in step["config"]:
            step["config"]["tokenizer_name"] = str(folder / "tokenizer")
    steps.write_text(json.dumps(settings))


def statistics() -> dict[str, dict[str, torch.Tensor]]:
    """The state lies between LOW and HIGH, the actions between -1 and 1."""

    def spread(n: int, low: float, high: float) -> dict[str, torch.Tensor]:
        one = torch.ones(n)
        ends = {"min": low * one, "max": high * one, "q01": low * one, "q99": high * one}
        return {**ends, "mean": (low + high) / 2 * one, "std": (high - low) / 2 * one}

    return {"observation.state": spread(STATE, LOW, HIGH), "action": spread(7, -1.0, 1.0)}


def sharpen(policy: torch.nn.Module) -> None:
    """Random weights for which no attention is near uniform, and no adaptive norm closes its gate."""
    with torch.no_grad():
        for name, parameter in policy.named_parameters():
            if ".dense." in name:
                parameter.normal_(std=0.2)
            elif "q_proj.weight" in name or "k_proj.weight" in name:
                parameter.normal_(std=0.25)
            elif "_proj" in name or "embed" in name:
                parameter.normal_(std=0.2)


def saved_tokenizer(folder: Path, kind: str) -> PreTrainedTokenizerFast:
    """The toy tokenizer; for pi0 and pi05 it puts <bos> first, as PaliGemma's does."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=toy_tokenizer().backend_tokenizer.from_str(
            toy_tokenizer().backend_tokenizer.to_str()
        ),
        pad_token="<pad>",
        bos_token="<bos>",
    )
    if kind != "smolvla":
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", tokenizer.bos_token_id)]
        )
    tokenizer.save_pretrained(folder)
    return tokenizer


@contextmanager
def small(kind: str) -> Iterator[None]:
    """pi0 and pi05 hard-code the sizes of PaliGemma: here the same classes get smaller configurations."""
    if kind == "smolvla":
        yield
        return
    module = modeling_pi0 if kind == "pi0" else modeling_pi05
    vlm, expert = module.PaliGemmaForConditionalGenerationWithPiGemma, module.PiGemmaForCausalLM
    sizes = module.GemmaConfig(width=32, depth=2, mlp_dim=32, num_heads=2, num_kv_heads=1, head_dim=16)

    def small_vlm(config: Any) -> Any:
        vision = {
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
        }
        for name, value in {**vision, "projection_dim": 32}.items():
            setattr(config.vision_config, name, value)
        config.text_config.vocab_size = config.image_token_index = config._vocab_size = 512
        config.projection_dim = 32
        return vlm(config=config)

    def small_expert(config: Any) -> Any:
        config.vocab_size = 8
        return expert(config=config)

    with ExitStack() as stack:
        for name, value in {
            "get_gemma_config": lambda _: sizes,
            "PaliGemmaForConditionalGenerationWithPiGemma": small_vlm,
            "PiGemmaForCausalLM": small_expert,
        }.items():
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def write_vlm(folder: Path) -> None:
    """A small SmolVLM: its configuration and processor, no weights."""
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    names = {"fake_image_token": "<fake>", "global_image_token": "<global>", "image_token": "<image>"}
    tokenizer = saved_tokenizer(folder, "smolvla")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<fake>", "<global>", "<end_of_utterance>"]})
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer,
        pad_token="<pad>",
        bos_token="<bos>",
        extra_special_tokens={**names, "end_of_utterance_token": "<end_of_utterance>"},
    )
    SmolVLMProcessor(
        SmolVLMImageProcessor(), tokenizer, SmolVLMVideoProcessor(), chat_template="{{ messages }}"
    ).save_pretrained(folder)
    SmolVLMConfig(
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "image_size": 512,
            "patch_size": 16,
        },
        text_config={
            "model_type": "llama",
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 4,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "vocab_size": 512,
        },
        scale_factor=4,
        image_token_id=2,
    ).save_pretrained(folder)


# --- cases ----------------------------------------------------------------------------------------------------------


def observe(world: World, index: int) -> Observation:
    state = np.random.default_rng(50 + index).uniform(LOW, HIGH, STATE)
    sizes = {camera: SIZES[camera] for camera in world.filled}
    return random_observation(index, sizes, {"state": state})


OPENPI = ("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb")
WORLDS = {
    "pi0-one-camera": World("pi0", ("image",), {"base": "image"}, options={"use_relative_actions": True}),
    "pi0-middle-camera-missing": World(
        "pi0", OPENPI, {"base": "base_0_rgb", "wrist": "right_wrist_0_rgb"}, options={"empty_cameras": 1}
    ),
    "pi05-three-cameras": World(
        "pi05", OPENPI, {"wrist": "left_wrist_0_rgb", "base": "base_0_rgb", "side": "right_wrist_0_rgb"}, 96
    ),
    "pi05-first-camera-missing": World(
        "pi05", OPENPI, {"wrist": "left_wrist_0_rgb", "side": "right_wrist_0_rgb"}, 96
    ),
    "smolvla-two-cameras": World(
        "smolvla",
        ("camera1", "camera2", "camera3"),
        {"base": "camera2", "wrist": "camera3"},
        options={"empty_cameras": 1},
    ),
    "smolvla-image-marks": World(
        "smolvla",
        ("camera1",),
        {"side": "camera1"},
        options={"add_image_special_tokens": True, "prefix_length": 130},
    ),
}


def sees(world: World, pass_name: str, layer: int) -> str:
    """smolvla's action expert: every second layer attends to the prefix alone."""
    return "prefix" if world.kind == "smolvla" and layer % 2 else pass_name


OWN = {"rotary embedding left out": "the weights are the model's own"}

CASES = [
    Case(
        name=name,
        build=lru_cache(partial(build, world)),
        observe=partial(observe, world),
        keys=partial(keys, world),
        n_calls={"prefix": 1, "suffix": STEPS},
        long_prompt=LONG,
        sees=partial(sees, world),
        without={} if world.kind == "smolvla" else OWN,
    )
    for name, world in WORLDS.items()
]
