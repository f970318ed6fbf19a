"""The geometry of the tiny policy, stored beside its weights as ``config.json``."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from ingest.demo.tokenizer import VOCABULARY_SIZE


@dataclass(frozen=True)
class TinyConfig:
    """Sizes of the two stacks; both have the same depth, heads and head_dim, so that they can share keys."""

    n_layers: int = 8
    n_heads: int = 4
    n_kv_heads: int = 4
    head_dim: int = 24
    width: int = 96
    expert_width: int = 64
    mlp_ratio: int = 4
    horizon: int = 8
    action_dim: int = 4
    n_steps: int = 5
    max_token_len: int = 28
    vocabulary_size: int = VOCABULARY_SIZE
    cameras: tuple[str, ...] = ("base", "wrist")
    image_size: int = 224
    patch_size: int = 14
    # Larger than Gemma's 10,000: with 12 frequencies a head, most would turn too fast for words to find patches
    # hundreds of places away.
    rope_theta: float = 1_000_000.0

    @property
    def patches_per_side(self) -> int:
        return self.image_size // self.patch_size

    @property
    def patches_per_camera(self) -> int:
        return self.patches_per_side**2

    @property
    def n_patches(self) -> int:
        return len(self.cameras) * self.patches_per_camera

    @property
    def prefix_len(self) -> int:
        """Keys of the prefix pass: patches of every camera, then text."""
        return self.n_patches + self.max_token_len

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> TinyConfig:
        """Raises ValueError when the file holds a field this version does not know."""
        fields = json.loads(path.read_text())
        unknown = set(fields) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise ValueError(
                f"{path}: unknown fields {sorted(unknown)}; written by another version of the policy"
            )
        return cls(**{**fields, "cameras": tuple(fields["cameras"])})
