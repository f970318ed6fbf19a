"""Pi0 and Pi0.5 as openpi's PyTorch port runs them: its transforms, its tokenizer, its sampling, inside its environment.

Everything that depends on the config (which camera fills which slot, what the text is made of, how long it may be) is
taken from what the policy's own input transforms produce, and checked against it at every inference.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from openpi import transforms
from openpi.models.model import ModelType
from openpi.models.model import Observation as ModelInputs
from openpi.models_pytorch.preprocessing_pytorch import IMAGE_KEYS
from openpi.policies import droid_policy, libero_policy, policy_config
from openpi.training import config as openpi_config

from ingest.attention.edit import Knockout, masked_modules
from ingest.attention.layout import Camera, Layout, LayoutError, Token
from ingest.attention.taps import TapPoint, WeightSink, module_hooks
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Letterbox, resize_with_pad
from ingest.errors import CheckpointError, DataError, UnknownNameError, UserError
from ingest.identity import hash_files
from ingest.policies.base import Geometry, Prepared, Seen
from ingest.policies.finite import refuse_not_finite
from ingest.policies.openpi_text import Given, text_tokens
from ingest.policies.pi_layout import Slot, pi_layout
from ingest.policies.pictures_once import each_once
from ingest.study import PolicySection, refuse_unused, resolve_path

log = logging.getLogger(__name__)
WEIGHTS = "model.safetensors"


@dataclasses.dataclass(frozen=True)
class Robot:
    """What one of openpi's input transforms wants: our camera role -> key of its example, and keys of its state -> the
    recorded part that fills it (None: the whole state). Sizes are those of openpi's own ``example``."""

    cameras: Mapping[str, str]
    state: Mapping[str, str | None]
    example: Mapping[str, Any]

    def sizes(self) -> dict[str, int]:
        return {key: len(self.example[key]) for key in self.state}


def robots() -> dict[type, Robot]:
    """Input transform of openpi -> its robot."""
    return {
        droid_policy.DroidInputs: Robot(
            {"base": "observation/exterior_image_1_left", "wrist": "observation/wrist_image_left"},
            {
                "observation/joint_position": "joint_positions",  # the episodes' name
                "observation/gripper_position": "gripper_position",
            },
            droid_policy.make_droid_example(),
        ),
        libero_policy.LiberoInputs: Robot(
            {"base": "observation/image", "wrist": "observation/wrist_image"},
            {"observation/state": None},
            libero_policy.make_libero_example(),
        ),
    }


def load(section: PolicySection, device: str) -> OpenPiAdapter:
    """Loads a folder with ``model.safetensors`` and ``assets`` as openpi does, for the openpi config ``section.config``.

    In bfloat16 the weights are what openpi's server runs; in float32 they are those of the file, not rounded.
    Raises UnknownNameError for a config that openpi does not have, UserError for one that is no pi0 or pi0.5 or whose
    robot is not mapped here, CheckpointError for a folder that is missing, incomplete, of another shape or damaged.
    """
    refuse_unused(section, "options")
    config = _config(section)
    folder = resolve_path(section.checkpoint)
    if not (folder / WEIGHTS).is_file():
        hint = "; this is a JAX checkpoint: convert it with openpi's examples/convert_jax_model_to_pytorch.py"
        raise CheckpointError(
            f"{folder}: expected a folder with {WEIGHTS} and assets/, "
            f"{f'found no {WEIGHTS}' if folder.is_dir() else 'but there is no such folder'}; name one as policy.checkpoint"
            f"{hint if (folder / 'params').is_dir() else ''}"
        )
    _check_device(device)
    _refuse_other_robots(config)
    policy = _trained(config, folder, section.dtype, device)
    refuse_not_finite(policy._model.state_dict(), folder)
    # A warning, because a log without handlers shows nothing less.
    log.warning("torch.compile is off: sample_actions runs as written, so that its attention can be read")
    files = [folder / WEIGHTS, *(folder / "assets").rglob("norm_stats.json")]
    return OpenPiAdapter(policy, section.checkpoint, hash_files(folder, files), section.dtype, device)


class OpenPiAdapter:
    """Pictures with a letterbox, text and a state in; a chunk of the robot's actions out."""

    family = "openpi"
    attention_impl = "eager"  # openpi forces it in every pass

    def __init__(self, policy: Any, checkpoint: str, checkpoint_hash: str, dtype: str, device: str) -> None:
        self.policy = policy
        self.model = policy._model
        self.checkpoint = checkpoint
        self.checkpoint_hash = checkpoint_hash
        self.dtype = dtype
        self.device = device
        self._steps = policy._input_transform.transforms
        self.robot = _robot(self._steps)
        tokenize = next(step for step in self._steps if isinstance(step, transforms.TokenizePrompt))
        self._tokenizer = tokenize.tokenizer._tokenizer
        pair = self.model.paligemma_with_expert
        self._stacks = {"prefix": pair.paligemma.language_model, "suffix": pair.gemma_expert.model}
        for stack in self._stacks.values():
            stack.config._attn_implementation = "eager"  # as openpi does itself at the first inference
        vision = pair.paligemma.config.vision_config
        self._size, self._side = vision.image_size, vision.image_size // vision.patch_size
        self._roles = self._roles_of_slots()
        text = self._stacks["prefix"].config
        self.geometry = Geometry(
            n_layers=len(self._stacks["prefix"].layers),
            n_heads=text.num_attention_heads,
            head_dim=text.head_dim,
            passes={"prefix": 0, "suffix": self._n_steps()},
            noise_shape=(self.model.config.action_horizon, self.model.config.action_dim),
            cameras=dict.fromkeys(self._roles.values(), self._side),
        )

    def see(self, observation: Observation) -> Seen:
        state = [self._state_part(observation, key, size) for key, size in self.robot.sizes().items()]
        pictures, letterboxes = {}, {}
        for role in self.geometry.cameras:
            height, width = observation.images[role].shape[:2]
            pictures[role] = resize_with_pad(observation.images[role], self._size)
            letterboxes[role] = Letterbox.from_size(height, width, self._size)
        return Seen(pictures, letterboxes, np.concatenate(state))

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        data, given = self._transformed(seen.pictures, seen.state, prompt)
        text = text_tokens(self._tokenizer, given, data["tokenized_prompt"], data["tokenized_prompt_mask"])
        return Prepared(
            inputs=data,
            token_ids=tuple(data["tokenized_prompt"].tolist()),
            layout=self._layout(self._slots(data, seen), text.tokens, tuple(queries)),
            warnings=text.warnings,
        )

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        items = [transforms.flatten_dict(item.inputs) for item in batch]
        stacked = {
            name: torch.from_numpy(np.stack([item[name] for item in items])).to(self.device)
            for name in items[0]
        }
        # The class's function: on the instance openpi may have put a compiled one, which no hook sees.
        actions = type(self.model).sample_actions(
            self.model,
            self.device,
            ModelInputs.from_dict(transforms.unflatten_dict(stacked)),
            noise=torch.from_numpy(noise).to(self.device),
            **self.policy._sample_kwargs,
        )
        chunks = [
            self.policy._output_transform({"state": item["state"], "actions": chunk})["actions"]
            for item, chunk in zip(items, actions.float().cpu().numpy(), strict=True)
        ]
        return np.stack(chunks).astype(np.float32)

    def points(self) -> list[TapPoint]:
        """The attention modules of both stacks."""
        return [
            TapPoint(name, layer, block.self_attn, self.geometry.passes[name] > 0)
            for name, stack in self._stacks.items()
            for layer, block in enumerate(stack.layers)
        ]

    def pictures_once(self) -> AbstractContextManager[Any]:
        return each_once(self.model.paligemma_with_expert, "embed_image")

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        return module_hooks(self.points(), sink)

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        return masked_modules(self.points(), batch)

    def _n_steps(self) -> int:
        default = inspect.signature(type(self.model).sample_actions).parameters["num_steps"].default
        return int(self.policy._sample_kwargs.get("num_steps", default))

    def _state_part(self, observation: Observation, key: str, size: int) -> NDArray[np.float64]:
        part = self.robot.state[key]
        found = observation.state if part is None else observation.state_parts.get(part)
        if found is None or len(found) != size:
            raise DataError(
                f"frame {observation.frame_index}: the policy needs {size} numbers of {part or 'state'}, "
                f"found {'none' if found is None else len(found)}; the episode has {sorted(observation.state_parts)}",
                subject=f"frame {observation.frame_index}",
                reason="missing_state",
            )
        return np.asarray(found, dtype=np.float64)

    def _transformed(
        self, pictures: Mapping[str, NDArray[np.uint8]], state: NDArray[np.float64], prompt: str
    ) -> tuple[dict[str, Any], Given]:
        """The policy's input transforms: their result, and the prompt and state that the tokenizer was given."""
        ends = np.cumsum(list(self.robot.sizes().values()))
        data: dict[str, Any] = {
            **{key: pictures[role] for role, key in self.robot.cameras.items()},
            **dict(zip(self.robot.state, np.split(state, ends[:-1]), strict=True)),
            "prompt": prompt,
        }
        given = Given(prompt, None)
        for transform in self._steps:
            if isinstance(transform, transforms.TokenizePrompt):
                as_text = np.array(data["state"]) if transform.discrete_state_input else None
                given = Given(str(data["prompt"]), as_text)
            data = transform(data)
        return data, given

    def _roles_of_slots(self) -> dict[str, str]:
        """Slot of the model -> the camera that fills it, found by sending each camera a grey of its own."""
        shape = (self._size, self._size, 3)
        greys = {role: np.full(shape, 1 + i, np.uint8) for i, role in enumerate(self.robot.cameras)}
        data, _ = self._transformed(greys, np.zeros(sum(self.robot.sizes().values())), "")
        found = {
            key: role
            for key in IMAGE_KEYS
            for role, grey in greys.items()
            if data["image_mask"].get(key, True) and np.array_equal(data["image"][key], grey)
        }
        if set(found.values()) != set(greys):
            raise LayoutError(f"cameras {sorted(greys)}: openpi's transforms show only {found}")
        return found

    def _slots(self, data: Mapping[str, Any], seen: Seen) -> tuple[Slot, ...]:
        """In the order in which the model embeds them."""
        slots = []
        for key in IMAGE_KEYS:
            role = self._roles.get(key)
            if not data["image_mask"].get(key, True):  # openpi masks nothing by default
                slots.append(Slot(Camera(key, self._side, self._side), (0.0,) * self._side**2, True))
                continue
            if role is None or not np.array_equal(data["image"][key], seen.pictures[role]):
                raise LayoutError(f"slot {key} is not masked and does not show the picture of {role}")
            share = tuple(seen.letterboxes[role].picture_share(self._side).tolist())
            slots.append(Slot(Camera(role, self._side, self._side), share))
        return tuple(slots)

    @lru_cache(maxsize=256)  # noqa: B019 - one adapter a process, and layouts are shared by its whole life
    def _layout(self, slots: tuple[Slot, ...], text: tuple[Token, ...], queries: tuple[str, ...]) -> Layout:
        horizon, has_state = self.model.config.action_horizon, not self.model.pi05
        return pi_layout(self.family, slots, text, horizon, queries, has_state_token=has_state)


def _robot(steps: Sequence[Any]) -> Robot:
    known = robots()
    for step in steps:
        if type(step) in known:
            return known[type(step)]
    raise UserError(
        f"policy.config: its inputs are {[type(step).__name__ for step in steps]}; "
        f"episodes can be mapped to {sorted(one.__name__ for one in known)} only"
    )


def _refuse_other_robots(config: Any) -> None:
    """As :func:`_robot`, before the weights are read."""
    try:
        inputs = config.data.create(config.assets_dirs, config.model).data_transforms.inputs
    except (ValueError, OSError) as error:  # its assets; the same call is made when the policy is loaded
        raise CheckpointError(
            f"policy.config: openpi cannot set up the data of {config.name} ({' '.join(str(error).split())[:300]})"
        ) from error
    _robot(inputs)


def _config(section: PolicySection) -> Any:
    if section.config is None:
        raise UserError("policy.config: expected the name of an openpi config, such as pi05_droid")
    try:
        config = openpi_config.get_config(section.config)
    except ValueError as error:  # it names the nearest
        raise UnknownNameError(f"policy.config: {' '.join(str(error).split())}") from error
    if config.model.model_type not in (ModelType.PI0, ModelType.PI05):
        raise UserError(
            f"policy.config: {config.name} is a {config.model.model_type.value} model; pi0 and pi05 can be read"
        )
    # float32 all the way: with openpi's own "bfloat16" the file's weights would be rounded as they are read.
    return dataclasses.replace(config, model=dataclasses.replace(config.model, dtype=section.dtype))


def _trained(config: Any, folder: Path, dtype: str, device: str) -> Any:
    try:
        policy = policy_config.create_trained_policy(config, folder, pytorch_device=device)
        if dtype == "float32":  # create_trained_policy rounds to bfloat16 whatever the config says
            policy._model.paligemma_with_expert.to_bfloat16_for_selected_params("float32")
            safetensors.torch.load_model(policy._model, folder / WEIGHTS)
    except (ValueError, KeyError, TypeError, RuntimeError, OSError, safetensors.SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{folder}: not a checkpoint of openpi's {config.name} ({reason})") from error
    return policy


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # an unknown name; a torch that was built without it
        raise UserError(
            f"compute.device: {device!r} cannot be used ({str(error).splitlines()[0]}); use cpu"
        ) from error
