"""Coverage and area equal counted pixels."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.episodes.preprocess import Letterbox
from ingest.objects.coverage import area_shares, patch_coverage


def test_coverage_equals_counting_patch_by_patch() -> None:
    rng = np.random.default_rng(0)
    masks = rng.uniform(size=(3, 224, 224)) < np.array([0.1, 0.5, 0.9])[:, None, None]
    coverage = patch_coverage(masks)
    assert coverage.shape == (3, 256)
    assert coverage.dtype == np.float64
    for index in range(3):
        for row in range(16):
            for column in range(16):
                inside = 0
                for y in range(14 * row, 14 * row + 14):
                    for x in range(14 * column, 14 * column + 14):
                        inside += int(masks[index, y, x])
                assert coverage[index, 16 * row + column] == pytest.approx(inside / 196, abs=1e-12)


def test_the_covered_area_is_conserved() -> None:
    masks = np.random.default_rng(1).uniform(size=(2, 224, 224)) < 0.3
    np.testing.assert_allclose(patch_coverage(masks).sum(axis=1) * 196, masks.sum(axis=(1, 2)))


def test_one_patch_full_and_none() -> None:
    masks = np.zeros((2, 224, 224), dtype=np.bool_)
    masks[0, 14:28, 28:42] = True
    coverage = patch_coverage(masks)
    assert np.flatnonzero(coverage[0]).tolist() == [16 + 2]
    assert coverage[0, 18] == 1
    assert not coverage[1].any()


def test_no_objects_have_no_rows() -> None:
    assert patch_coverage(np.zeros((0, 224, 224), dtype=np.bool_)).shape == (0, 256)
    assert area_shares(np.zeros((0, 224, 224), dtype=np.bool_), Letterbox.from_size(180, 320)).shape == (0,)


@pytest.mark.parametrize("shape", [(224, 224), (1, 180, 320), (1, 225, 225)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="divisible by 16"):
        patch_coverage(np.zeros(shape, dtype=np.bool_))


def test_area_is_a_share_of_the_picture_not_of_the_padding() -> None:
    letterbox = Letterbox.from_size(180, 320)
    full = letterbox.mask(np.ones((180, 320), dtype=np.bool_))
    half = letterbox.mask(np.tile([True] * 160 + [False] * 160, (180, 1)))
    np.testing.assert_allclose(area_shares(np.stack([full, half]), letterbox), [1.0, 0.5])
