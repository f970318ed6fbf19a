"""Flow and stability of maps against numpy's corrcoef and the seed's own loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.links import flow, map_step


def attention_stability(attn_sequence):
    """The seed, 10.1."""
    diffs = [np.linalg.norm(attn_sequence[i + 1] - attn_sequence[i]) for i in range(len(attn_sequence) - 1)]
    return 1 / (np.mean(diffs) + 1e-8)


def raw_maps(n, seed=3):
    return np.random.default_rng(seed).random((n, 256)) ** 3 * 0.01


def test_flow_is_the_seeds_correlation_of_layers():
    maps = raw_maps(5)
    found = flow(maps[:-1], maps[1:])
    for layer in range(4):
        expected = np.corrcoef(maps[layer].flatten(), maps[layer + 1].flatten())[0, 1]
        assert found[layer] == pytest.approx(expected)
    assert flow(maps[:1] * 7, maps[1:2] * 0.1)[0] == pytest.approx(found[0])


def test_flow_of_a_uniform_or_a_missing_map_is_undefined():
    maps = raw_maps(1)
    assert np.isnan(flow(maps, np.full_like(maps, 1 / 256))[0])
    assert np.isnan(flow(maps, np.full_like(maps, np.nan))[0])


def test_steps_give_the_seeds_stability():
    raw = raw_maps(6)
    mass = raw.sum(axis=1)
    unit = raw / mass[:, None]
    steps = map_step(unit[1:], unit[:-1], mass[1:], mass[:-1])
    assert 1 / (steps.l2_raw.mean() + 1e-8) == pytest.approx(attention_stability(list(raw)))
    assert 1 / (steps.l2.mean() + 1e-8) == pytest.approx(attention_stability(list(unit)))
    for index in range(5):
        gained = np.maximum(unit[index + 1] - unit[index], 0).sum()
        assert steps.total_variation[index] == pytest.approx(gained)


def test_one_patch_to_another_is_as_far_as_maps_can_be():
    here, there = np.zeros((1, 4)), np.zeros((1, 4))
    here[0, 0], there[0, 3] = 1, 1
    step = map_step(here, there, np.array([0.5]), np.array([0.2]))
    assert (step.l2[0], step.total_variation[0]) == (pytest.approx(np.sqrt(2)), pytest.approx(1))
    assert step.l2_raw[0] == pytest.approx(np.hypot(0.5, 0.2))


def test_a_zero_map_has_no_unit_step_but_counts_as_zero_in_the_seeds():
    step = map_step(np.full((1, 4), np.nan), np.full((1, 4), 0.25), np.zeros(1), np.ones(1))
    assert np.isnan([step.l2[0], step.total_variation[0]]).all()
    assert step.l2_raw[0] == pytest.approx(0.5)


@settings(deadline=None)  # a busy machine is not a slow function
@given(st.integers(0, 2**32 - 1))
def test_standing_still_and_the_order_of_time(seed):
    unit = raw_maps(2, seed)
    unit /= unit.sum(axis=1, keepdims=True)
    mass = np.ones(1)
    assert map_step(unit[:1], unit[:1], mass, mass).l2[0] == 0
    there, back = (map_step(unit[a : a + 1], unit[b : b + 1], mass, mass) for a, b in ((0, 1), (1, 0)))
    assert np.array(there) == pytest.approx(np.array(back))
    assert 0 <= there.total_variation[0] <= 1
    # Norms of a vector: half the 1-norm is at least half the 2-norm.
    assert there.total_variation[0] >= there.l2[0] / 2
