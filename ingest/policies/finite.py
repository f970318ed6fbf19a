"""Weights that are not finite: a damaged checkpoint, or one that was saved after its training diverged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ingest.errors import CheckpointError


def refuse_not_finite(weights: Mapping[str, Tensor], checkpoint: str | Path) -> None:
    """Raises CheckpointError that names the checkpoint and the first tensor that holds NaN or infinity."""
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{checkpoint}: the weights of {name} are not all finite; the checkpoint is damaged"
            )
