"""Maps: unit mass, centroids in pixels, the seed's enlargement."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from measures.maps import centroid, unit_mass, upsample_cubic


def one_hot(row, col, rows=16, cols=16):
    attention = np.zeros((rows, cols))
    attention[row, col] = 0.3
    return attention.ravel()


def test_unit_mass_keeps_the_mass_apart():
    unit, mass = unit_mass(np.array([[[1, 3], [0, 0]], [[2, 2], [5, 15]]], dtype=np.float32))
    assert mass.tolist() == [[4, 0], [4, 20]]
    np.testing.assert_allclose(unit, [[[0.25, 0.75], [np.nan, np.nan]], [[0.5, 0.5], [0.25, 0.75]]])


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (3, 7), elements=st.floats(0, 1e6, width=32, allow_subnormal=False)))
def test_unit_maps_sum_to_one_and_give_the_map_back(attention):
    unit, mass = unit_mass(attention)
    nonzero = mass > 0
    np.testing.assert_allclose(unit[nonzero].sum(axis=1), 1)
    np.testing.assert_allclose(
        unit[nonzero] * mass[nonzero, None], attention[nonzero], rtol=1e-12, atol=1e-300
    )
    assert np.isnan(unit[~nonzero]).all()


def test_unit_mass_of_a_broken_map_is_nan():
    unit, mass = unit_mass(np.array([[1, np.nan], [np.inf, 1], [1, 1]]))
    assert np.isnan(unit[:2]).all()
    assert np.isnan(mass[0])
    assert unit[2].tolist() == [0.5, 0.5]


def test_unit_mass_refuses_differences():
    with pytest.raises(ValueError, match="negative"):
        unit_mass(np.array([0.5, -0.1]))


@pytest.mark.parametrize(("row", "col"), [(0, 0), (15, 15), (3, 11)])
def test_centroid_of_one_patch_is_its_centre(row, col):
    np.testing.assert_allclose(centroid(one_hot(row, col)), [14 * col + 6.5, 14 * row + 6.5])


def test_centroid_of_a_uniform_map_is_the_middle_of_the_picture():
    np.testing.assert_allclose(centroid(np.full((2, 256), 0.004)), [[111.5, 111.5]] * 2)


def test_centroid_weighs_by_mass():
    attention = 3 * one_hot(0, 0) + one_hot(4, 8)
    np.testing.assert_allclose(centroid(attention), [6.5 + 14 * 8 / 4, 6.5 + 14 * 4 / 4])


def test_centroid_of_another_grid():
    np.testing.assert_allclose(centroid(one_hot(1, 4, 2, 5), rows=2, cols=5, patch=10), [44.5, 14.5])


def test_centroid_of_nothing_is_nan():
    assert np.isnan(centroid(np.zeros(256))).all()


def test_centroid_refuses_another_size():
    with pytest.raises(ValueError, match="16 x 16"):
        centroid(np.ones(255))


@pytest.mark.parametrize("grid", [16, 14, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_upsample_cubic_is_the_seeds(dtype, grid):
    maps = (np.random.default_rng(0).random((4, grid, grid)) ** 6).astype(dtype)
    large = upsample_cubic(maps)
    assert large.shape == (4, 224, 224)
    for small, picture in zip(maps, large, strict=True):
        worked_in = np.float64 if dtype == np.float64 else np.float32
        expected = np.maximum(
            cv2.resize(small.astype(worked_in), (224, 224), interpolation=cv2.INTER_CUBIC), 0
        )
        np.testing.assert_array_equal(picture, expected / expected.max())


def test_upsample_cubic_interpolates_with_catmull_rom_like_weights():
    """Between two patch centres OpenCV's cubic (a = -.75) blends four neighbours; at fraction t by its
    polynomial.
    """
    attention = np.zeros((1, 16, 16))
    attention[0, :, 6] = 1  # a column, so that only the horizontal weights matter
    row = upsample_cubic(attention)[0, 100]
    a = -0.75
    raw = np.zeros(224)
    for x in range(224):
        t = abs((x + 0.5) / 14 - 0.5 - 6)
        if t <= 1:
            raw[x] = ((a + 2) * t - (a + 3)) * t * t + 1
        elif t < 2:
            raw[x] = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    expected = np.maximum(raw, 0)
    np.testing.assert_allclose(row, expected / expected.max(), atol=1e-6)


def test_upsample_cubic_of_zero_stays_zero():
    assert not upsample_cubic(np.zeros((1, 16, 16), np.float32)).any()


def test_upsample_cubic_refuses_another_shape():
    with pytest.raises(ValueError, match=r"expected maps \[M, G, G\]"):
        upsample_cubic(np.zeros((2, 256)))
