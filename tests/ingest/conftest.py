"""One world, run once, for every test that only looks at what the pipeline wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from ingest.warehouse import load
from tests.ingest.world import FORGETFUL, World, make_world


def forget_a_detection(world: World) -> None:
    """One frame has fewer objects than the others of its batch: the exterior camera's cube was not found."""
    path = world.root / FORGETFUL / "dinox_info.json"
    info = json.loads(path.read_text())
    info["00004"] = [
        one for one in info["00004"] if (one["category"], one["camera"]) != ("cube", "varied_camera_1")
    ]
    path.write_text(json.dumps(info))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four episodes under baseline, prompts and a paraphrase, with two noises; its lake is not to be changed."""
    made = make_world(tmp_path_factory.mktemp("world"), {"noise": {"seeds": [0, 7]}})
    forget_a_detection(made)
    summary = made.run()
    assert summary.is_complete, [result.messages for result in summary.results]
    return made


@pytest.fixture(scope="session")
def one_unit(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An episode's baseline, for tests that need a lake and do not look at its rows; not to be changed."""
    made = make_world(tmp_path_factory.mktemp("one-unit"), {"conditions": {}}, count=1)
    assert made.run().is_complete
    return made


@pytest.fixture(scope="session")
def warehouse(world: World) -> Path:
    """The world's lake, loaded; not to be changed."""
    path = world.folder / "warehouse.duckdb"
    load(world.lake, path)
    return path


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine the threads of small products mostly wait for each other."""
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.run.limit_threads", lambda *_: torch.set_num_threads(1))
        torch.set_num_threads(1)
        yield
