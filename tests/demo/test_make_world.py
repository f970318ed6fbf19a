"""The demo can be made again: a smoke test of the whole way, and the parts that decide labels. Needs the extra ``sim``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mujoco")
pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]


def _can_render() -> bool:
    code = "from ingest.demo.world.simulator import World; World().picture('base')"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0


needs_rendering = pytest.mark.skipif(not _can_render(), reason="no EGL or OSMesa on this machine")


@pytest.mark.slow
@needs_rendering
def test_quick_world(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ingest.demo.make_world", "--quick", "--out", str(tmp_path / "out")]
    command += ["--scratch", str(tmp_path / "scratch")]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"LP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "out" / "weights" / "model_card.md").read_text()
    assert "gets no gradient" in card
    assert "24 observations" in card
    assert (tmp_path / "out" / "episodes").is_dir()


@pytest.mark.slow
@needs_rendering
def test_quick_planted_policies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ingest.demo.planted.make", "--quick", "--out", str(out)]
    command += ["--data", str(tmp_path / "data"), "--scratch", str(tmp_path / "scratch")]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"LP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name in ("prompt-blind", "exterior-only", "wrist-only", "shortcut"):
        assert f"planted/{name}" in (out / name / "model_card.md").read_text()
        assert (out / name / "model.safetensors").is_file()
    assert len(list((out / "episodes").glob("*/*/pad_*/episode.json"))) == 2


@needs_rendering
def test_an_expert_rollout_is_judged_a_success_and_labels_are_right() -> None:
    from ingest.demo.world.expert import expert_action
    from ingest.demo.world.judge import Trace
    from ingest.demo.world.placement import place
    from ingest.demo.world.simulator import LABELS, World

    world = World()
    rng = np.random.default_rng(5)
    placement = place(rng, "plain", "cube")
    world.reset(placement)
    picture, labels = world.picture("base"), world.labels("base")
    cube = picture[labels == LABELS["cube"]].astype(int)
    assert len(cube) > 100
    assert np.median(cube[:, 0] - cube[:, 1]) > 60  # red
    trace = Trace([world.state()], [{name: world.position(name) for name in placement.poses}])
    for _ in range(40):
        world.step(expert_action(world.state(), world.position("cube")))
        trace.states.append(world.state())
        trace.bodies.append({name: world.position(name) for name in placement.poses})
        if trace.is_over():
            break
    assert trace.judge("cube").outcome == "success"
    verdict = trace.judge("duck")
    assert (verdict.failure_kind, verdict.failure_family, verdict.approached) == (
        "wrong_toy",
        "grounding",
        "cube",
    )


def test_the_last_prefix_layers_attention_gets_no_gradient() -> None:
    import torch

    from ingest.demo.config import TinyConfig
    from ingest.demo.model import PrefixCache, TinyPolicy

    config = TinyConfig(n_layers=2, width=32, expert_width=16, n_heads=2, n_kv_heads=2, head_dim=8)
    policy = TinyPolicy(config)
    cache = PrefixCache()
    tokens = torch.ones(1, 5, dtype=torch.bool)
    policy.encode_prefix(torch.randn(1, 5, 32), tokens, torch.arange(5)[None], cache)
    mask = torch.zeros(1, 1, 8, 13)
    policy.velocity(torch.randn(1, 8, 4), torch.rand(1, 8), mask, cache).sum().backward()
    last = policy.prefix_layers[-1].self_attn
    assert last.q_proj.weight.grad is None
    assert last.o_proj.weight.grad is None
    assert last.k_proj.weight.grad is not None
    assert policy.prefix_layers[0].self_attn.q_proj.weight.grad is not None
