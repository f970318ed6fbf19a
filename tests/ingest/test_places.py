"""Where pictures are covered: the patches with most attention, and places of the same shape elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.conditions.pixels import enlarged, filled, raw_pixels
from ingest.conditions.places import elsewhere, seed_pixels, top_patches
from ingest.episodes.preprocess import Letterbox


def test_the_tenth_with_most_attention() -> None:
    attention = np.array([9.0, 1, 8, 2, 7, 3, 6, 4, 5, 0])
    picture = np.ones(10, dtype=bool)
    picture[0] = False  # a bar: its attention does not count
    assert np.flatnonzero(top_patches(attention, picture, 0.3)).tolist() == [2, 4, 6]
    assert np.flatnonzero(top_patches(attention, picture, 0.01)).tolist() == [2]
    assert np.flatnonzero(top_patches(np.ones(4), np.ones(4, dtype=bool), 0.5)).tolist() == [0, 1]
    with pytest.raises(ValueError, match="no patch shows picture"):
        top_patches(attention, np.zeros(10, dtype=bool), 0.1)


def test_a_moved_place_by_hand() -> None:
    """A 2 x 3 picture with one cell chosen has five other places, and none is given twice."""
    within = np.zeros((4, 3), dtype=bool)
    within[1:3] = True
    place = np.zeros((4, 3), dtype=bool)
    place[1, 0] = True
    found = elsewhere(place, within, 99, np.random.default_rng(0))
    cells = {tuple(map(int, np.argwhere(one)[0])) for one in found}
    assert cells == {(1, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
    assert len(found) == 5


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_moved_places_keep_size_and_stay_inside(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(3, 9)), data.draw(st.integers(3, 9))
    within = np.zeros((12, 12), dtype=bool)
    within[2 : 2 + height, 1 : 1 + width] = True
    cells = data.draw(st.sets(st.integers(0, height * width - 1), min_size=1, max_size=height * width // 3))
    place = np.zeros((12, 12), dtype=bool)
    for cell in cells:
        place[2 + cell // width, 1 + cell % width] = True
    found = elsewhere(place, within, 3, np.random.default_rng(data.draw(st.integers(0, 99))))
    again = elsewhere(place, within, 3, np.random.default_rng(0))
    corner = place[2 : 2 + height, 1 : 1 + width]
    others = {np.roll(corner, (y, x), axis=(0, 1)).tobytes() for y in range(height) for x in range(width)} - {
        corner.tobytes()
    }
    assert len(found) == len(again) == min(3, len(others))
    shared = sorted(
        int(
            (
                np.roll(place[2 : 2 + height, 1 : 1 + width], (y, x), (0, 1))
                & place[2 : 2 + height, 1 : 1 + width]
            ).sum()
        )
        for y in range(height)
        for x in range(width)
        if (y, x) != (0, 0)
    )
    worst_of_quarter = shared[max(len(shared) // 4, 3) - 1]
    for one in found:
        assert one.sum() == place.sum()
        assert not (one & ~within).any()
        assert (one & place).sum() <= worst_of_quarter


def test_the_whole_picture_is_nowhere_else() -> None:
    within = np.zeros((4, 4), dtype=bool)
    within[1:3] = True
    assert elsewhere(within, within, 3, np.random.default_rng(0)) == []
    row = within & (np.arange(4) == 1)[:, None]
    (only,) = elsewhere(row, within, 3, np.random.default_rng(0))
    assert (only == within & ~row).all()


def test_a_place_outside_the_picture_is_refused() -> None:
    within = np.zeros((4, 4), dtype=bool)
    within[1:3] = True
    with pytest.raises(ValueError, match="does not lie within"):
        elsewhere(~within, within, 1, np.random.default_rng(0))


def test_the_seeds_arms() -> None:
    """A tenth of the pixels is high; low are as many below the median, none of them high."""
    attention = np.random.default_rng(3).random(256)
    high, low = seed_pixels(attention, 224, 90, np.random.default_rng(1))
    assert high.shape == low.shape == (224, 224)
    assert abs(high.mean() - 0.1) < 1e-3
    assert low.sum() == high.sum()
    assert not (high & low).any()


def test_patches_to_raw_pixels_by_hand() -> None:
    """180 x 320 in 224: 0.7 input pixels a raw one, 49 rows of bar; patch row 3 begins at 42, row 4 at 56."""
    box = Letterbox.from_size(180, 320)
    patches = np.zeros(256, dtype=bool)
    patches[4 * 16 + 2] = True  # input rows 56 to 69, columns 28 to 41
    raw = raw_pixels(enlarged(patches, 16, 224), box, 1.0)
    rows, cols = np.flatnonzero(raw.any(axis=1)), np.flatnonzero(raw.any(axis=0))
    # 49 + (y + .5) * .7 >= 56 from y = 10, < 70 up to y = 29; (x + .5) * .7 >= 28 from x = 40, < 42 up to 59.
    assert (rows[0], rows[-1], cols[0], cols[-1]) == (10, 29, 40, 59)
    assert raw.sum() == 20 * 20


def test_a_cropped_picture() -> None:
    """A policy that sees the middle half of a 224 picture: its patch (0, 0) is raw pixels 56 to 62."""
    box = Letterbox.from_size(224, 224)
    patches = np.zeros(256, dtype=bool)
    patches[0] = True
    raw = raw_pixels(enlarged(patches, 16, 224), box, 0.5)
    assert np.argwhere(raw).min(axis=0).tolist() == [56, 56]
    assert np.argwhere(raw).max(axis=0).tolist() == [62, 62]


def test_fills() -> None:
    picture = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    mask = np.zeros((4, 4), dtype=bool)
    mask[0, 0] = mask[3, 3] = True
    black, mean = filled(picture, mask, "black", 1.0), filled(picture, mask, "mean", 1.0)
    blur = filled(picture, mask, "blur", 2.0)
    for changed in (black, mean, blur):
        assert (changed[~mask] == picture[~mask]).all()
    assert (black[mask] == 0).all()
    # The values but the first and last three average to 22.5, 23.5 and 24.5; rounded to even.
    assert mean[0, 0].tolist() == [22, 24, 24]
    assert 0 < blur[0, 0, 0] < blur[3, 3, 2] < 47
    assert picture[0, 0].tolist() == [0, 1, 2]
