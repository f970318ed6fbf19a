"""The bundled policy of Pi0.5's shape, behind the same interface as the real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from ingest.attention.edit import Knockout, masked_modules
from ingest.attention.layout import Camera, Layout, Token
from ingest.attention.tapping import tap
from ingest.attention.taps import TapPoint, WeightSink
from ingest.demo.model import TinyPolicy
from ingest.demo.planted.variants import VARIANTS
from ingest.demo.tokenizer import Piece, TinyTokenizer, discretise_state, split_words
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Letterbox, resize_with_pad
from ingest.errors import CheckpointError, DataError, UserError
from ingest.identity import hash_files
from ingest.policies.base import Geometry, Prepared, Seen
from ingest.policies.finite import refuse_not_finite
from ingest.policies.pi_layout import Slot, pi_layout
from ingest.policies.pictures_once import each_once
from ingest.policies.text import listed
from ingest.study import PolicySection, refuse_unused, resolve_path

DEMO = Path(__file__).resolve().parent.parent / "demo"
# Checkpoints that come with the package, by the name a study gives them.
BUNDLED = {"demo": DEMO / "weights"} | {variant.checkpoint: variant.folder for variant in VARIANTS}
_FILES = ("config.json", "model.safetensors")


def load(section: PolicySection, device: str) -> TinyAdapter:
    """Loads a folder with ``config.json`` and ``model.safetensors``, or a bundled one: 'demo', 'planted/<name>'.

    Raises CheckpointError for a folder that is missing, incomplete or of another shape, UserError for another dtype.
    """
    if section.dtype != "float32":
        raise UserError(f"policy.dtype: the tiny policy runs in float32, found {section.dtype!r}")
    refuse_unused(section, "config", "options")
    folder = BUNDLED.get(section.checkpoint) or resolve_path(section.checkpoint)
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder}: {'' if folder.is_dir() else 'there is no such folder; '}expected the files {', '.join(_FILES)}, "
            f"missing {', '.join(missing)}; name a folder that has them, or one of the bundled {', '.join(BUNDLED)}, as "
            "policy.checkpoint"
        )
    try:
        model = TinyPolicy.from_folder(folder)
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError, json.JSONDecodeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{folder}: not a checkpoint of the tiny policy ({reason})") from error
    refuse_not_finite(model.state_dict(), folder)
    checkpoint_hash = hash_files(folder, [folder / f for f in _FILES])
    return TinyAdapter(
        _on_device(model, device), section.checkpoint, checkpoint_hash, device, section.attention
    )


class TinyAdapter:
    """Two cameras, words and a discretised state in; a chunk of gripper motions out."""

    family = "tiny"
    dtype = "float32"

    def __init__(
        self,
        model: TinyPolicy,
        checkpoint: str,
        checkpoint_hash: str,
        device: str,
        attention: Literal["default", "eager"] = "default",
    ) -> None:
        config = model.config
        self.attention_impl = "eager" if attention == "eager" else "sdpa"
        self.model = model
        self.checkpoint = checkpoint
        self.checkpoint_hash = checkpoint_hash
        self.device = device
        self.geometry = Geometry(
            n_layers=config.n_layers,
            n_heads=config.n_heads,
            head_dim=config.head_dim,
            passes={"prefix": 0, "suffix": config.n_steps},
            noise_shape=(config.horizon, config.action_dim),
            cameras=dict.fromkeys(config.cameras, config.patches_per_side),
        )
        self._tokenizer = TinyTokenizer(config.max_token_len)
        side = config.patches_per_side
        self._cameras = tuple(Camera(name, side, side) for name in config.cameras)

    def see(self, observation: Observation) -> Seen:
        size = self.model.config.image_size
        pictures = {name: resize_with_pad(observation.images[name], size) for name in self.geometry.cameras}
        letterboxes = {}
        for name in self.geometry.cameras:
            height, width = observation.images[name].shape[:2]
            letterboxes[name] = Letterbox.from_size(height, width, size)
        return Seen(pictures, letterboxes, _gripper_state(observation))

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        text = self._tokenizer.encode(prompt, discretise_state(seen.state).tolist())
        shares = tuple(
            tuple(seen.letterboxes[camera.name].picture_share(camera.rows).tolist())
            for camera in self._cameras
        )
        images = np.stack([seen.pictures[camera.name] for camera in self._cameras]).transpose(0, 3, 1, 2)
        warnings: tuple[str, ...] = ()
        if text.truncated:
            lost = split_words(prompt)[sum(piece.role == "instruction" for piece in text.pieces) :]
            warnings = (f"the instruction is longer than the policy takes; its end was cut: {listed(lost)}",)
        return Prepared(
            inputs={"images": images, "tokens": text.ids, "token_mask": text.mask},
            token_ids=tuple(text.ids),
            layout=self._layout(_without_state_text(text.pieces), shares, tuple(queries)),
            warnings=warnings,
        )

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        images = torch.from_numpy(np.stack([item.inputs["images"] for item in batch])).to(self.device)
        actions = self.model.sample_from_patches(
            self._embedded(images),
            torch.tensor([item.inputs["tokens"] for item in batch], device=self.device),
            torch.tensor([item.inputs["token_mask"] for item in batch], device=self.device),
            torch.from_numpy(noise).to(self.device),
        )
        result: NDArray[np.float32] = actions.cpu().numpy()
        return result

    def pictures_once(self) -> AbstractContextManager[Any]:
        return each_once(self, "_embedded")

    @torch.no_grad()
    def _embedded(self, images: Tensor) -> Tensor:
        """[B, cameras, 3, S, S] of 0 to 255 -> patches [B, n_patches, width]."""
        return self.model.embed_patches(self.model.patchify(images.float() / 127.5 - 1.0))

    def points(self) -> list[TapPoint]:
        """The attention modules of both stacks."""
        prefix = [TapPoint("prefix", i, b.self_attn, False) for i, b in enumerate(self.model.prefix_layers)]
        suffix = [TapPoint("suffix", i, b.self_attn, True) for i, b in enumerate(self.model.expert_layers)]
        return [*prefix, *suffix]

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        return tap(self.points(), sink, self.attention_impl)

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        return masked_modules(self.points(), batch)

    @lru_cache(maxsize=256)  # noqa: B019 - one adapter a process, and layouts are shared by its whole life
    def _layout(
        self, pieces: tuple[Piece, ...], shares: tuple[tuple[float, ...], ...], queries: tuple[str, ...]
    ) -> Layout:
        slots = [Slot(camera, share) for camera, share in zip(self._cameras, shares, strict=True)]
        text = [_text_token(piece) for piece in pieces]
        return pi_layout(self.family, slots, text, self.model.config.horizon, queries)


def _text_token(piece: Piece) -> Token:
    kind = "pad" if piece.role == "pad" else "state" if piece.role == "state" else "text"
    text = piece.text or None
    return Token(kind, piece.role, text, piece.word_index, is_valid=piece.role != "pad")


def _without_state_text(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    # The digits change with every frame; without them the frames of a prompt share one layout.
    return tuple(piece._replace(text="") if piece.role == "state" else piece for piece in pieces)


def _gripper_state(observation: Observation) -> NDArray[np.float64]:
    """[4]: gripper x, y, z in metres and opening in metres."""
    pose = observation.state_parts.get("cartesian_position")
    if pose is None or len(pose) < 3 or observation.gripper is None:
        found = {name: len(values) for name, values in sorted(observation.state_parts.items())}
        raise DataError(
            f"frame {observation.frame_index}: the tiny policy needs cartesian_position, at least its 3 numbers x, y "
            f"and z, and gripper_position; found (with numbers a row) {found}",
            subject=f"frame {observation.frame_index}",
            reason="missing_state",
        )
    return np.array([*pose[:3], observation.gripper], dtype=np.float64)


def _on_device(model: TinyPolicy, device: str) -> TinyPolicy:
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:  # an unknown name; a torch that was built without it
        raise UserError(
            f"compute.device: {device!r} cannot be used ({str(error).splitlines()[0]}); use cpu"
        ) from error
