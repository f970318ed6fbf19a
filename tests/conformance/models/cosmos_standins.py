"""Lets cosmos-policy be imported where there is no CUDA: plain stand-ins for packages that its small parts do not need."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

# Imported at the top of its files, and unused by the network, the sampler and `get_action`.
UNUSED = (
    *("boto3", "botocore", "decord", "draccus", "flash_attn", "ftfy", "imageio", "libero", "megatron"),
    *("multistorageclient", "natten", "nvidia_resiliency_ext", "peft", "pynvml", "qwen_vl_utils"),
    *("s3torchconnector", "transformer_engine", "transformer_engine_torch", "wandb", "webdataset"),
)
# Text encoders of other models, which ask for CUDA or flash attention while they are imported.
ENCODERS = (
    "cosmos_policy._src.predict2.inference.get_umt5_emb",
    "cosmos_policy._src.predict2.text_encoders.text_encoder",
)


class _Empty(ModuleType):
    """A module in which every name is a class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda self, *_args, **_options: None})
        setattr(self, name, made)
        return made


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        is_ours = name in ENCODERS or name.split(".")[0] in self._names
        return ModuleSpec(name, self, is_package=True) if is_ours else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        return None


class RMSNorm(nn.Module):
    """transformer_engine's, in plain torch."""

    def __init__(self, size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(size))

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)

    def forward(self, values: Tensor) -> Tensor:
        scale = torch.rsqrt(values.float().pow(2).mean(-1, keepdim=True) + self.eps)
        return (values.float() * scale).type_as(values) * self.weight


def apply_rotary_pos_emb(values: Tensor, angles: Tensor, tensor_format: str, fused: bool) -> Tensor:
    """values [B, S, H, D], angles [S, 1, 1, D]: the halves of D are rotated against each other."""
    assert tensor_format == "bshd"
    assert fused
    angles, (first, second) = angles.transpose(0, 1), values.chunk(2, -1)
    turned = torch.cat([-second, first], -1)
    return (values * angles.cos() + turned * angles.sin()).type_as(values)


def replaced() -> list[str]:
    """Of the unused, what is not installed; megatron also where it is, because it subclasses transformer_engine's classes."""
    missing = [name for name in UNUSED if name not in sys.modules and importlib.util.find_spec(name) is None]
    if "transformer_engine" in missing and "megatron" not in {*missing, *sys.modules}:
        missing.append("megatron")
    return missing


def install() -> None:
    """Does nothing where there is CUDA: there, the real packages belong."""
    if torch.cuda.is_available():
        return
    missing = replaced()
    sys.meta_path.insert(0, _Finder(missing))
    if "transformer_engine" in missing:
        rope: Any = importlib.import_module("transformer_engine.pytorch.attention.rope")
        engine: Any = importlib.import_module("transformer_engine")
        engine.__version__, engine.pytorch.RMSNorm = "2.8.0", RMSNorm
        rope.apply_rotary_pos_emb = apply_rotary_pos_emb
    if "megatron" in missing:
        parallel: Any = importlib.import_module("megatron.core.parallel_state")
        parallel.is_initialized = lambda: False
    torch.Tensor.cuda = lambda self, *_args, **_options: self  # type: ignore[method-assign]
