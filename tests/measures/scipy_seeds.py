"""How a function of scipy takes a generator: `rng` from 1.15 on, `random_state` before."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np


def seeded(function: Callable[..., Any], seed: int) -> dict[str, np.random.Generator]:
    """Keyword arguments that make `function` repeatable."""
    name = "rng" if "rng" in inspect.signature(function).parameters else "random_state"
    return {name: np.random.default_rng(seed)}
