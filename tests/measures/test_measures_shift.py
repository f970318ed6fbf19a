"""Shifts: the seed's statistics re-typed as the oracle, and distances between distributions against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon

from measures.shift import correlation, jensen_shannon, map_shift


def seed_statistics(attn, baseline_attn):
    """`compute_counterfactual_statistics` and `test_prompt_control` of the seed, 3.3 and 5.2."""
    diff = attn - baseline_attn
    return {
        "mean_diff": float(np.mean(diff)),
        "abs_mean_diff": float(np.mean(np.abs(diff))),
        "max_increase": float(np.max(diff)),
        "max_decrease": float(np.min(diff)),
        "l2_distance": float(np.linalg.norm(diff)),
        "correlation": float(np.corrcoef(baseline_attn.flatten(), attn.flatten())[0, 1]),
        "shift_magnitude": float(np.linalg.norm(diff) / np.linalg.norm(baseline_attn)),
    }


@pytest.fixture
def pairs():
    rng = np.random.default_rng(5)
    return (rng.random((6, 256)) ** 4 * 1e-2).astype(np.float32), (rng.random((6, 256)) ** 4 * 1e-2).astype(
        np.float32
    )


def test_the_seeds_statistics(pairs):
    maps, baseline = pairs
    ours = map_shift(maps, baseline)
    for index in range(len(maps)):
        theirs = seed_statistics(maps[index].reshape(16, 16), baseline[index].reshape(16, 16))
        for name, value in theirs.items():
            assert getattr(ours, name)[index] == pytest.approx(value, rel=1e-5, abs=1e-9), name


def test_distances_between_unit_maps(pairs):
    maps, baseline = (attention.astype(np.float64) for attention in pairs)
    ours = map_shift(maps, baseline)
    for index in range(len(maps)):
        p, q = maps[index] / maps[index].sum(), baseline[index] / baseline[index].sum()
        assert ours.l2_unit[index] == pytest.approx(np.sqrt(((p - q) ** 2).sum()))
        assert ours.total_variation[index] == pytest.approx(np.maximum(p - q, 0).sum())
        assert ours.jsd[index] == pytest.approx(jensenshannon(p, q) ** 2)


def test_one_patch_to_another():
    maps, baseline = np.zeros((2, 256)), np.zeros((2, 256))
    maps[0, 5 * 16 + 9], baseline[0, 2 * 16 + 5] = 0.4, 0.2  # three rows down, four columns right
    maps[1, 7], baseline[1, 7] = 0.4, 0.2
    found = map_shift(maps, baseline)
    assert found.centroid_shift_px.tolist() == pytest.approx([14 * 5, 0])
    assert found.total_variation.tolist() == pytest.approx([1, 0])
    assert found.jsd.tolist() == pytest.approx([np.log(2), 0])
    assert found.l2_unit.tolist() == pytest.approx([np.sqrt(2), 0])
    assert found.l2_distance.tolist() == pytest.approx([np.sqrt(0.2), 0.2])
    assert found.shift_magnitude.tolist() == pytest.approx([np.sqrt(0.2) / 0.2, 1])


def test_the_l2_of_row_maxima_stays_under_its_bound():
    """METHODS 8: for a maximum over N softmax rows L2 <= sqrt(2 N), reached by one-hot rows on different
    patches.
    """
    n_rows = 12
    maps, baseline = np.zeros((1, 256)), np.zeros((1, 256))
    maps[0, :n_rows], baseline[0, n_rows : 2 * n_rows] = 1, 1
    assert map_shift(maps, baseline).l2_distance[0] == pytest.approx(np.sqrt(2 * n_rows))
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(256, 0.01), size=(40, 2, n_rows)).max(axis=2)
    assert (map_shift(rows[:, 0], rows[:, 1]).l2_distance < np.sqrt(2 * n_rows)).all()


def test_undefined_numbers_are_nan():
    some = np.random.default_rng(0).random(256)
    maps = np.stack([some, np.zeros(256), np.full(256, 0.1)])
    found = map_shift(maps, np.stack([np.zeros(256), some, some]))
    assert np.isnan(found.shift_magnitude).tolist() == [True, False, False]
    assert np.isnan(found.correlation).all()  # zero and 0.1 everywhere are both constant
    for name in ("centroid_shift_px", "l2_unit", "total_variation", "jsd"):
        assert np.isnan(getattr(found, name)).tolist() == [True, True, False], name
    assert np.isfinite(found.l2_distance).all()


def test_a_broken_map_is_nan_and_leaves_the_others_alone(pairs):
    maps, baseline = pairs
    broken = maps.copy()
    broken[1, 3], broken[2, 5] = np.nan, np.inf
    for whole, found in zip(map_shift(maps, baseline), map_shift(broken, baseline), strict=True):
        assert np.isnan(found[1:3]).all()
        np.testing.assert_array_equal(np.delete(found, [1, 2]), np.delete(whole, [1, 2]))


def test_one_baseline_for_all(pairs):
    maps, baseline = pairs
    once = map_shift(maps, baseline[:1])
    repeated = map_shift(maps, np.repeat(baseline[:1], len(maps), axis=0))
    for a, b in zip(once, repeated, strict=True):
        np.testing.assert_allclose(a, b)


def test_a_smaller_grid_still_counts_in_pixels_of_224():
    maps = np.eye(16)[[0]]
    baseline = np.eye(16)[[1]]  # 4 x 4 patches of 56 pixels
    assert map_shift(maps, baseline, grid=4).centroid_shift_px[0] == pytest.approx(56)


@pytest.mark.parametrize(
    ("maps", "baseline"),
    [((2, 255), (2, 255)), ((2, 256), (3, 256)), ((256,), (256,)), ((2, 16, 16), (2, 256))],
)
def test_shapes_that_do_not_fit_are_refused(maps, baseline):
    with pytest.raises(ValueError, match=r"expected maps|does not fit"):
        map_shift(np.ones(maps), np.ones(baseline))


attention = arrays(np.float64, (2, 9), elements=st.floats(0, 10, width=32, allow_subnormal=False))


@settings(max_examples=80, deadline=None)
@given(attention, attention)
def test_bounds_and_symmetry(maps, baseline):
    there, back = map_shift(maps, baseline, grid=3), map_shift(baseline, maps, grid=3)
    for name, most in (("total_variation", 1), ("jsd", np.log(2)), ("l2_unit", np.sqrt(2))):
        values = getattr(there, name)
        np.testing.assert_allclose(values, getattr(back, name), atol=1e-9)
        assert ((values >= 0) & (values <= most + 1e-9) | np.isnan(values)).all()
    assert ((np.abs(there.correlation) <= 1) | np.isnan(there.correlation)).all()
    np.testing.assert_allclose(there.mean_diff, -back.mean_diff, atol=1e-12)
    np.testing.assert_allclose(there.max_increase, -back.max_decrease, atol=1e-12)
    # Pinsker's inequality both ways round: TV^2 / 2 <= JSD <= TV ln 2.
    tv = there.total_variation
    assert ((tv**2 / 2 <= there.jsd + 1e-9) & (there.jsd <= tv * np.log(2) + 1e-9) | np.isnan(tv)).all()


@settings(max_examples=60, deadline=None)
@given(attention)
def test_no_shift_against_itself(maps):
    found = map_shift(maps, maps, grid=3)
    for name in ("mean_diff", "abs_mean_diff", "max_increase", "max_decrease", "l2_distance"):
        assert not getattr(found, name).any()
    assert ((np.abs(found.correlation - 1) < 1e-9) | np.isnan(found.correlation)).all()
    assert (found.jsd[~np.isnan(found.jsd)] == 0).all()


def test_correlation_of_tiny_attention_does_not_underflow():
    x = np.array([1.0, 2, 3, 5]) * 1e-200
    assert correlation(x, x[::-1]) == pytest.approx(np.corrcoef([1, 2, 3, 5], [5, 3, 2, 1])[0, 1])


def test_jensen_shannon_broadcasts():
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    assert jensen_shannon(p, p[0]).tolist() == pytest.approx([0, jensenshannon(p[1], p[0]) ** 2])
