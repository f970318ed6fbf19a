"""Masks follow the pictures of a policy that does not centre them: in `run`, in `measure`, and of other episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.policies import registry
from ingest.remeasure import remeasure
from tests.ingest.replay import box_mask
from tests.ingest.world import DUCK, World, make_world, table_of, unit_bytes

BOX = {"duck": (31, 0, 93, 47), "cube": (200, 90, 251, 140)}


def world_of(folder: Path, family: str) -> World:
    sections = {
        "policy": {"family": family, "checkpoint": str(folder / "checkpoint")},
        "conditions": {"prompts": {"duck": DUCK}},
    }
    return make_world(folder, sections, count=2, boxes=(BOX,))


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.FAMILIES, "lower_right", "tests.ingest.lower_right")


def test_masks_and_measures_follow_the_pictures(families: None, tmp_path: Path) -> None:
    world = world_of(tmp_path, "lower_right")
    assert world.run().is_complete

    for row in table_of(world.lake, "objects"):
        # The bars of 49 rows above and below are one of 98 rows above.
        lower = np.roll(box_mask(BOX[row["category"]]), 49, axis=0)
        coverage = lower.reshape(16, 14, 16, 14).mean(axis=(1, 3))
        np.testing.assert_allclose(row["coverage"], coverage.ravel(), atol=1e-6)
    metrics = table_of(world.lake, "object_metrics")
    assert {row["against"] for row in metrics} == {"own", "uniform", "other_episode"}
    # Both episodes have their objects in the same places, and so do the masks of the other one.
    shares = {
        against: {round(row["area_share"], 5) for row in metrics if row["against"] == against}
        for against in ("own", "other_episode")
    }
    assert shares["other_episode"] <= shares["own"]
    before = unit_bytes(world.lake)
    assert remeasure(world.study(), world.lake).n_changed == 0
    assert unit_bytes(world.lake) == before


def test_a_policy_that_does_not_say_where_is_refused(
    families: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tests.ingest.lower_right as family

    monkeypatch.setattr(family, "load", family.forgetful)
    world = world_of(tmp_path, "lower_right")
    summary = world.run()

    assert not summary.is_complete
    assert {result.reason for result in summary.results if result.group == "baseline"} == {"model_error"}
    (message, *_) = next(r for r in summary.results if r.group == "baseline").messages
    assert "puts its picture at (98, 0, 126, 224)" in message
    assert "masks would lie at (49, 0, 126, 224)" in message
