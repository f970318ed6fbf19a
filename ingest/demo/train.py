"""Trains the demo policy from rendered observations, seeded, on a CPU.

    python -m ingest.demo.train --data build/world/data --out build/world/weights

``train``: on 64 of the 512 patches (most of a picture is table), then briefly on all of them; kept is a moving average
of the weights. ``polish``: from that average, the actions alone and all patches, with a shorter average. Without it the
average would still be one of weights that never saw a whole picture.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ingest.demo.config import TinyConfig
from ingest.demo.model import TinyPolicy
from ingest.demo.tokenizer import TinyTokenizer
from ingest.demo.training.dataset import Alteration, Observations, unaltered
from ingest.demo.training.losses import Probes, losses


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, besides the data."""

    seed: int = 0
    steps_few: int = 1000  # on ``few_patches`` patches
    steps_all: int = 40  # on every patch
    few_patches: int = 64
    pictures_few: int = 12  # a batch, each with five prompts
    pictures_all: int = 6
    n_noise: int = 4
    rate: float = 1.2e-3
    rate_all: float = 2e-4
    warm_up: int = 60
    decay: float = 0.995  # of the moving average of the weights
    position_weight: float = 1.0
    grounding_weight: float = 0.3
    steps_flow: int = 0  # more steps on few patches, by the flow of the actions alone, before polishing
    rate_flow: float = 1e-3
    decay_flow: float = 0.97
    steps_polish: int = 60
    rate_polish: float = 3e-4
    decay_polish: float = 0.9


def train(
    data: Path,
    recipe: Recipe,
    config: TinyConfig | None = None,
    say: Callable[[str], None] = print,
    alter: Alteration = unaltered,
) -> TinyPolicy:
    """Returns the moving average of the weights over both phases."""
    torch.manual_seed(recipe.seed)
    config = config or TinyConfig()
    policy, probes = TinyPolicy(config), Probes(config.width)
    observations = Observations(data, TinyTokenizer(config.max_token_len), alter)
    average = copy.deepcopy(policy).eval()
    parameters = [*policy.parameters(), *probes.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.02)
    rng = np.random.default_rng(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    total = recipe.steps_few + recipe.steps_all
    started = time.monotonic()
    policy.train()
    for step in range(total):
        is_few = step < recipe.steps_few
        for group in optimiser.param_groups:
            group["lr"] = _rate(recipe, step)
        rows = np.sort(
            rng.choice(
                len(observations), recipe.pictures_few if is_few else recipe.pictures_all, replace=False
            )
        )
        batch = observations.batch(rows, recipe.few_patches if is_few else None, rng)
        found = losses(policy, probes, batch, recipe.n_noise, generator)
        loss = (
            found.flow + recipe.position_weight * found.position + recipe.grounding_weight * found.grounding
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        _follow(average, policy, min(recipe.decay, (1 + step) / (10 + step)))
        if step % 50 == 0 or step == total - 1:
            say(
                f"step {step + 1}/{total} on {batch.patches.shape[1]} patches: flow {found.flow:.3f}, "
                f"place {1000 * found.position_error:.0f} mm, grounding {found.grounding:.3f}, "
                f"{time.monotonic() - started:.0f} s"
            )
    return average


def train_and_save(
    data: Path,
    out: Path,
    recipe: Recipe,
    config: TinyConfig | None = None,
    say: Callable[[str], None] = print,
    alter: Alteration = unaltered,
) -> None:
    """Both stages; writes the weights to ``out``, and those before polishing to ``out``-rough."""
    rough = out.with_name(f"{out.name}-rough")
    train(data, recipe, config, say, alter).save(rough)
    # From the file, so that polishing can be done again from what was saved.
    polish(TinyPolicy.from_folder(rough), data, recipe, say, alter).save(out)


def polish(
    policy: TinyPolicy,
    data: Path,
    recipe: Recipe,
    say: Callable[[str], None] = print,
    alter: Alteration = unaltered,
) -> TinyPolicy:
    """Trains by the flow of the actions alone: ``steps_flow`` on few patches, then on whole pictures.

    Returns the moving average of the weights.
    """
    if recipe.steps_flow:
        few = _Stage(
            "flow",
            recipe.steps_flow,
            recipe.rate_flow,
            recipe.decay_flow,
            recipe.pictures_few,
            recipe.few_patches,
        )
        policy = _by_flow(policy, data, recipe, few, say, alter)
    whole = _Stage(
        "polish", recipe.steps_polish, recipe.rate_polish, recipe.decay_polish, recipe.pictures_all, None
    )
    return _by_flow(policy, data, recipe, whole, say, alter)


class _Stage(NamedTuple):
    name: str
    steps: int
    rate: float
    decay: float
    pictures: int
    n_patches: int | None


def _by_flow(
    policy: TinyPolicy,
    data: Path,
    recipe: Recipe,
    stage: _Stage,
    say: Callable[[str], None],
    alter: Alteration,
) -> TinyPolicy:
    torch.manual_seed(recipe.seed + 1)
    policy = copy.deepcopy(policy).train()
    average = copy.deepcopy(policy).eval()
    unused = Probes(policy.config.width)
    observations = Observations(data, TinyTokenizer(policy.config.max_token_len), alter)
    optimiser = torch.optim.AdamW(policy.parameters(), lr=stage.rate, betas=(0.9, 0.98), weight_decay=0.02)
    rng = np.random.default_rng(recipe.seed + 1)
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    started = time.monotonic()
    for step in range(stage.steps):
        # Warm up while Adam's averages fill, then down to a tenth.
        share = step / stage.steps
        optimiser.param_groups[0]["lr"] = stage.rate * min(1.0, (step + 1) / 5) * (1 - 0.9 * share)
        rows = np.sort(rng.choice(len(observations), stage.pictures, replace=False))
        batch = observations.batch(rows, stage.n_patches, rng)
        found = losses(policy, unused, batch, recipe.n_noise, generator)
        optimiser.zero_grad(set_to_none=True)
        found.flow.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimiser.step()
        _follow(average, policy, min(stage.decay, (1 + step) / (10 + step)))
        if step % 10 == 0 or step == stage.steps - 1:
            say(
                f"{stage.name} {step + 1}/{stage.steps}: flow {found.flow:.3f}, {time.monotonic() - started:.0f} s"
            )
    return average


def _rate(recipe: Recipe, step: int) -> float:
    if step < recipe.steps_few:
        warm = min(1.0, (step + 1) / recipe.warm_up)
        return recipe.rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / recipe.steps_few)))
    share = (step - recipe.steps_few) / max(1, recipe.steps_all)
    return recipe.rate_all * (1 - 0.9 * share)


@torch.no_grad()
def _follow(average: TinyPolicy, policy: TinyPolicy, decay: float) -> None:
    for slow, fast in zip(average.parameters(), policy.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps-few", type=int, default=Recipe.steps_few)
    parser.add_argument("--steps-all", type=int, default=Recipe.steps_all)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    recipe = Recipe(seed=arguments.seed, steps_few=arguments.steps_few, steps_all=arguments.steps_all)
    train_and_save(arguments.data, arguments.out, recipe, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
