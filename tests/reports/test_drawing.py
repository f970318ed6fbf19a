"""Pictures with attention on them: colours, blends and scales against numbers worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reports.images import drawing


def test_maps_run_between_the_published_ends_of_their_colours() -> None:
    """First and last colours as matplotlib (viridis), Google (turbo) and MATLAB (jet) publish them."""
    ends = {
        name: (tuple(t[0]), tuple(t[-1]))
        for name in ("viridis", "turbo", "jet")
        for t in [drawing.colour_table(name)]
    }
    assert ends["viridis"] == ((68, 1, 84), (253, 231, 37))  # 0.993248, 0.906157, 0.143936 of 255
    assert ends["turbo"] == ((48, 18, 59), (122, 4, 3))
    assert ends["jet"] == ((0, 0, 128), (128, 0, 0))


def test_the_diverging_scale_is_light_in_the_middle_and_blue_below() -> None:
    table = drawing.diverging_table().astype(int)
    assert tuple(table[0]) == (0x13, 0x4B, 0x85)
    assert tuple(table[-1]) == (0x99, 0x4A, 0x07)
    assert np.abs(table[127] - (0xF2, 0xF0, 0xEB)).max() <= 2
    zero = drawing.coloured(np.zeros((2, 2)), drawing.diverging_table(), -0.3, 0.3)
    assert np.abs(zero.astype(int) - (0xF2, 0xF0, 0xEB)).max() <= 2


def test_a_blend_is_60_to_40() -> None:
    picture = np.full((1, 2, 3), (200, 100, 0), np.uint8)
    colours = np.full((1, 2, 3), (10, 50, 255), np.uint8)
    # 0.6 * 200 + 0.4 * 10 = 124; 0.6 * 100 + 0.4 * 50 = 80; 0.4 * 255 = 102
    assert drawing.blended(picture, colours)[0, 0].tolist() == [124, 80, 102]
    expected = cv2.addWeighted(picture, 0.6, colours, 0.4, 0)
    np.testing.assert_array_equal(drawing.blended(picture, colours), expected)


def test_negative_cubic_values_do_not_wrap_around() -> None:
    """The original protocol casts them to 8 bits, where -3 becomes 253: a ring of the hottest colour around a hot spot."""
    patches = np.zeros((16, 16), np.float32)
    patches[8, 8] = 1.0
    fine = drawing.enlarged(patches, 224, "cubic")
    assert fine.min() < 0, "cubic overshoots"
    found = drawing.levels(fine, 0, float(fine.max()))
    assert (found[fine <= 0] == 0).all()
    assert drawing.enlarged(patches, 224).min() == 0
    assert drawing.levels(np.array([-1.0, np.nan, 0.5, 9.0]), 0, 1).tolist() == [0, 0, 128, 255]


def test_levels_of_a_flat_scale_divide_by_nothing() -> None:
    assert drawing.levels(np.zeros(3), 0, 0).tolist() == [0, 0, 0]


def test_the_letterbox_is_dimmed_and_the_picture_is_not() -> None:
    image = np.full((8, 8, 3), 100, np.uint8)
    found = drawing.dimmed(image, (2, 3, 1, 0))
    assert found[2:5, 1:, 0].tolist() == [[100] * 7] * 3
    assert (found[:2] == 35).all()
    assert (found[5:] == 35).all()
    assert (found[:, 0] == 35).all()
    assert drawing.scaled_bars((49, 49, 0, 0), 448, 224) == (98, 98, 0, 0)


def test_an_outline_is_drawn_where_it_was_found() -> None:
    square = [10, 10, 30, 10, 30, 30, 10, 30]
    image = drawing.outlined(np.full((80, 80, 3), 120, np.uint8), [square], 2.0, is_target=True)
    changed = np.argwhere((image != 120).any(axis=2))
    assert changed.min() >= 20 - 4
    assert changed.max() <= 62 + 4
    assert (image[40, 40] == 120).all(), "an outline is not filled"
    assert image[20:23, 40].max() == 255


def test_a_caption_fits_and_shows_escapes() -> None:
    strip = drawing.caption(120, "frame 3 \u202e\x1b[2J " + "x" * 400)
    assert strip.shape == (22, 120, 3)
    assert len(np.unique(strip)) > 10, "something is written"
    np.testing.assert_array_equal(drawing.caption(300, "a\x1bb"), drawing.caption(300, "a\\x1bb"))


def test_a_colour_bar_runs_from_end_to_end() -> None:
    table = drawing.colour_table("turbo")
    bar = drawing.colour_bar(200, table, ["0", "1 %"])
    assert bar.shape == (28, 200, 3)
    assert tuple(bar[0, 0]) == tuple(table[0])
    assert tuple(bar[0, -1]) == tuple(table[255])


@pytest.mark.parametrize("shape", [(7, 9), (8, 8), (7, 8)])
def test_video_gets_even_sizes(shape: tuple[int, int]) -> None:
    height, width = drawing.even(np.zeros((*shape, 3), np.uint8)).shape[:2]
    assert (height % 2, width % 2) == (0, 0)
    assert (height - shape[0], width - shape[1]) <= (1, 1)
