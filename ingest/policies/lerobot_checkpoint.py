"""A LeRobot checkpoint, read so that nothing in it is run and no weight is made up.

LeRobot's own loader goes on with random weights where it cannot read a file or a name is missing, and only prints so:
here every weight of the loaded model is compared with the file.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from safetensors.torch import load_file

from ingest.errors import CheckpointError, UserError
from ingest.identity import hash_files
from ingest.policies.finite import refuse_not_finite
from ingest.study import PolicySection, resolve_path

TYPES = ("pi0", "pi05", "smolvla")
CONFIG, WEIGHTS = "config.json", "model.safetensors"
PROCESSORS = ("policy_preprocessor.json", "policy_postprocessor.json")
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


class Checkpoint(NamedTuple):
    """A policy on its device, in evaluation mode, with its processors."""

    policy: Any
    preprocessor: Any
    postprocessor: Any
    checkpoint_hash: str


def read_checkpoint(section: PolicySection, device: str) -> Checkpoint:
    """Loads a local folder or a hub id. Raises CheckpointError, or UserError for a dtype the policy does not run in."""
    folder = _folder_of(section.checkpoint)
    kind = _type_of(folder)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # an unknown name; a torch that was built without it
        raise UserError(
            f"compute.device: {device!r} cannot be used ({_line(error)[:100]}); use cpu"
        ) from error
    if kind == "smolvla" and section.dtype != "float32":
        raise UserError(f"policy.dtype: smolvla takes its noise in float32 alone, found {section.dtype!r}")
    try:
        # Registers the policy's own steps.
        importlib.import_module(f"lerobot.policies.{kind}.processor_{kind}")
        config = PreTrainedConfig.from_pretrained(folder)
        _settle(config, section, device)
        with redirect_stdout(sys.stderr):
            policy = get_policy_class(kind).from_pretrained(folder, config=config)
        stored = load_file(folder / WEIGHTS)
        preprocessor, postprocessor = make_pre_post_processors(
            config,
            pretrained_path=str(folder),
            preprocessor_overrides={
                "device_processor": {"device": device},
                # One length whatever the prompt, so that prompts can share a batch; pads are masked.
                "tokenizer_processor": {"padding": "max_length"},
            },
        )
    except Exception as error:  # LeRobot, its parser and safetensors each have errors of their own
        raise CheckpointError(
            f"{folder}: not a checkpoint of {kind} that LeRobot reads ({_line(error)})"
        ) from error
    _refuse_made_up(policy, stored, folder)
    if kind == "smolvla":
        policy.float()
    for step in preprocessor.steps:
        if hasattr(step, "rename_map"):
            step.rename_map = {}  # pictures come under the policy's own names
    files = [*folder.glob("*.json"), *folder.glob("*.safetensors")]
    return Checkpoint(policy.eval(), preprocessor, postprocessor, hash_files(folder, files))


def _folder_of(checkpoint: str) -> Path:
    folder = resolve_path(checkpoint)
    if not folder.is_dir() and _HUB_ID.fullmatch(checkpoint):
        from huggingface_hub import snapshot_download

        try:
            folder = Path(snapshot_download(checkpoint, allow_patterns=["*.json", "*.safetensors"]))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{checkpoint}: neither a folder nor to be had from the hub ({_line(error)})"
            ) from error
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: there is no such folder; expected one with {', '.join((CONFIG, WEIGHTS, *PROCESSORS))}, or a name on "
            "the hub such as lerobot/smolvla_base, as policy.checkpoint"
        )
    missing = [name for name in (CONFIG, WEIGHTS, *PROCESSORS) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder}: the files {', '.join(missing)} are missing; weights are read from safetensors alone"
        )
    return folder


def _type_of(folder: Path) -> str:
    """The policy's type, once nothing in the folder asks for code from elsewhere."""
    try:
        kind = json.loads((folder / CONFIG).read_text())["type"]
        steps = [one for name in PROCESSORS for one in json.loads((folder / name).read_text())["steps"]]
        foreign = [one for one in steps if "registry_name" not in one]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder}: no configuration of a LeRobot policy ({_line(error)})") from error
    if kind not in TYPES:
        raise CheckpointError(f"{folder}: a policy of type {kind!r}; this family knows {', '.join(TYPES)}")
    if foreign:
        raise CheckpointError(
            f"{folder}: its processors name a class to import ({foreign[0].get('class')}); "
            "only steps that LeRobot registers are loaded"
        )
    return str(kind)


def _settle(config: Any, section: PolicySection, device: str) -> None:
    """The device and dtype of the study, and nothing that only training or speed asks for."""
    config.device, config.compile_model = device, False
    if hasattr(config, "dtype"):
        config.dtype = section.dtype
    if hasattr(config, "load_vlm_weights"):
        config.load_vlm_weights = False  # the checkpoint holds them all
    if getattr(config, "use_visual_memory", False) or getattr(config, "use_proprioceptive_memory", False):
        raise ValueError("a policy with memory sees more than one frame")
    if getattr(config, "num_expert_layers", 0) > 0:
        raise ValueError("an expert with fewer layers than the language model")


def _refuse_made_up(policy: Any, stored: dict[str, torch.Tensor], folder: Path) -> None:
    refuse_not_finite(stored, folder)
    if hasattr(policy, "_fix_pytorch_state_dict_keys"):
        renamed = policy._fix_pytorch_state_dict_keys(stored, policy.config)
        stored = {
            name if name.startswith("model.") else f"model.{name}": one for name, one in renamed.items()
        }
    own = policy.state_dict()
    equal = {name for name, tensor in own.items() if name in stored and _is_same(tensor, stored[name])}
    places = {own[name].data_ptr() for name in equal}  # a tied weight is stored once
    made_up = sorted(name for name, tensor in own.items() if tensor.data_ptr() not in places)
    if made_up:
        raise CheckpointError(
            f"{folder}: {len(made_up)} weights of the policy are not those of {WEIGHTS}, such as {made_up[0]}"
        )


def _is_same(tensor: torch.Tensor, stored: torch.Tensor) -> bool:
    return tensor.shape == stored.shape and torch.equal(tensor.cpu(), stored.to(tensor.dtype))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
