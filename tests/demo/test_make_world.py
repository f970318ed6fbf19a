"""The demo can be made again: a smoke test of the whole way, and the parts that decide labels. Needs the extra ``sim``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mujoco")
pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def renderer() -> None:
    """In a process of its own: what a machine without EGL does may be worse than an exception."""
    code = "from ingest.demo.world.simulator import World; World().picture('base')"
    if subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("no EGL or OSMesa on this machine")


needs_rendering = pytest.mark.usefixtures("renderer")


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making takes two; beside another worker of pytest those mostly wait for each other, and on so little work."""
    import torch

    torch.set_num_threads(1)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)


@pytest.mark.slow
@needs_rendering
@pytest.mark.usefixtures("one_thread")
def test_quick_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.demo import make_world

    out = tmp_path / "out"
    arguments = ["make_world", "--quick", "--out", str(out), "--scratch", str(tmp_path / "scratch")]
    monkeypatch.setattr(sys, "argv", arguments)
    make_world.main()
    card = (out / "weights" / "model_card.md").read_text()
    assert "gets no gradient" in card
    assert "24 observations" in card
    assert (out / "episodes").is_dir()


@pytest.mark.slow
@needs_rendering
@pytest.mark.usefixtures("one_thread")
def test_quick_planted_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.demo.planted import make

    out = tmp_path / "out"
    arguments = ["make", "--quick", "--out", str(out), "--data", str(tmp_path / "data")]
    monkeypatch.setattr(sys, "argv", [*arguments, "--scratch", str(tmp_path / "scratch")])
    make.main()
    for name in ("prompt-blind", "exterior-only", "wrist-only", "shortcut"):
        assert f"planted/{name}" in (out / name / "model_card.md").read_text()
        assert (out / name / "model.safetensors").is_file()
    assert len(list((out / "episodes").glob("*/*/pad_*/episode.json"))) == 2


@needs_rendering
def test_observations_are_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    from ingest.demo.training.observations import render

    for workers in (1, 2):
        assert list(render(tmp_path / str(workers), 3, seed=4, workers=workers)) == [3]
    alone, together = (sorted((tmp_path / name).iterdir()) for name in "12")
    assert [path.name for path in alone] == [path.name for path in together]
    for a, b in zip(alone, together, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


@pytest.mark.slow  # a process that imports torch, as the making has them
@needs_rendering
def test_obedience_is_the_same_in_a_process_of_its_own() -> None:
    """One scene starts one; that several give back each its own is what the observations above show."""
    from ingest.demo.evaluate import obedience
    from ingest.demo.make_world import DEMO

    assert obedience(DEMO / "weights", [50_000], workers=2) == obedience(
        DEMO / "weights", [50_000], workers=1
    )


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
