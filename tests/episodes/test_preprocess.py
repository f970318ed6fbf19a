"""Resize with padding agrees with openpi's client, and masks, boxes and patches follow the same transform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from openpi_client import image_tools
from PIL import Image
from scipy import ndimage

from ingest.episodes.preprocess import Fit, Letterbox, resize_with_pad

SIZES = [
    (720, 1280),
    (180, 320),
    (480, 640),
    (1280, 720),
    (320, 180),
    (256, 256),
    (225, 225),  # 225 / (225 / 224) is just below 224: openpi leaves a black row and column
    (224, 224),
    (224, 300),
    (101, 333),
    (37, 53),
    (500, 3),
]


def by_openpi(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """What openpi's own client sends to its policy server."""
    resized: NDArray[np.uint8] = image_tools.resize_with_pad(image, size, size)
    return resized


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_pictures_are_bit_equal_to_those_of_openpis_client(height: int, width: int) -> None:
    image = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize_with_pad(image), by_openpi(image, 224))


def test_other_input_sizes_and_a_picture_that_already_fits() -> None:
    image = np.random.default_rng(1).integers(0, 256, (90, 160, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize_with_pad(image, 96), by_openpi(image, 96))
    fits = np.random.default_rng(2).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    resized = resize_with_pad(fits)
    np.testing.assert_array_equal(resized, fits)
    assert not np.shares_memory(resized, fits)


def test_anything_but_a_colour_picture_is_refused() -> None:
    for wrong in (np.zeros((9, 9, 3)), np.zeros((9, 9), dtype=np.uint8), np.zeros((3, 9, 9), dtype=np.uint8)):
        with pytest.raises(ValueError, match="expected a uint8"):
            resize_with_pad(wrong)


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (180, 320)])
def test_a_droid_frame_has_126_rows_between_bars_of_49(height: int, width: int) -> None:
    box = Letterbox.from_size(height, width)
    assert (box.top, box.left, box.height, box.width) == (49, 0, 126, 224)
    share = box.picture_share().reshape(16, 16)
    assert (share[:3] == 0).all()
    assert (share[13:] == 0).all()
    assert (share[[3, 12]] == 0.5).all()
    assert (share[4:12] == 1).all()
    assert 1 - share.mean() == pytest.approx(0.4375)  # the 44 % that are no picture


@settings(deadline=None)  # a busy machine is not a slow function
@given(height=st.integers(1, 1500), width=st.integers(1, 1500))
def test_the_picture_lies_where_the_rule_puts_it(height: int, width: int) -> None:
    box = Letterbox.from_size(height, width)
    ratio = max(width / 224, height / 224)
    rows, columns = max(1, int(height / ratio)), max(1, int(width / ratio))
    assert (box.height, box.width) == (rows, columns)
    assert (box.top, box.left) == (int((224 - rows) / 2), int((224 - columns) / 2))
    assert box.picture_share().sum() * 14 * 14 == pytest.approx(rows * columns)


def test_patch_shares_equal_counted_pixels() -> None:
    for height, width in SIZES:
        box = Letterbox.from_size(height, width)
        picture = np.zeros((224, 224))
        picture[box.top : box.top + box.height, box.left : box.left + box.width] = 1
        counted = [
            picture[14 * row : 14 * row + 14, 14 * column : 14 * column + 14].mean()
            for row in range(16)
            for column in range(16)
        ]
        np.testing.assert_allclose(box.picture_share(), counted, atol=1e-12)


def share_by_loops(bitmap: NDArray[np.bool_], box: Letterbox) -> NDArray[np.float64]:
    """Area of the bitmap under each input pixel, one pair of pixels at a time."""
    share = np.zeros((box.height, box.width))
    down, across = box.source_height / box.height, box.source_width / box.width
    for row in range(box.height):
        for column in range(box.width):
            for y in range(int(row * down), min(box.source_height, int((row + 1) * down) + 1)):
                for x in range(int(column * across), min(box.source_width, int((column + 1) * across) + 1)):
                    high = max(0.0, min(y + 1, (row + 1) * down) - max(y, row * down))
                    wide = max(0.0, min(x + 1, (column + 1) * across) - max(x, column * across))
                    share[row, column] += bitmap[y, x] * high * wide / (down * across)
    return share


@given(
    bitmap=hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)),
    size=st.sampled_from([8, 11, 16]),
)
@settings(max_examples=60, deadline=None)
def test_a_mask_holds_the_pixels_that_are_at_least_half_covered(bitmap: NDArray[np.bool_], size: int) -> None:
    box = Letterbox.from_size(*bitmap.shape, size=size)
    mask = box.mask(bitmap)
    share = share_by_loops(bitmap, box)
    inner = mask[box.top : box.top + box.height, box.left : box.left + box.width]
    assert mask.sum() == inner.sum()  # none in the padding
    clear = np.abs(share - 0.5) > 1e-6
    if (share >= 0.5 - 1e-6).any():
        np.testing.assert_array_equal(inner[clear], (share > 0.5)[clear])
        assert inner[~clear].all()  # exactly half covered counts
    else:
        assert inner.sum() == bool(bitmap.any())
        assert not bitmap.any() or share[inner][0] == pytest.approx(share.max())


def test_masks_keep_areas_and_meet_the_resized_picture() -> None:
    bitmap = np.zeros((720, 1280), dtype=np.bool_)
    bitmap[200:440, 300:900] = True
    mask = Letterbox.from_size(720, 1280).mask(bitmap)
    assert mask.sum() / (126 * 224) == pytest.approx(bitmap.mean(), rel=0.01)
    picture = resize_with_pad(np.repeat(bitmap[..., None], 3, axis=2).astype(np.uint8) * 255)
    bright, dark = picture[..., 0] > 160, picture[..., 0] < 96
    assert mask[bright].all()
    assert not mask[dark].any()


def test_a_thin_object_does_not_vanish_and_an_empty_mask_stays_empty() -> None:
    box = Letterbox.from_size(720, 1280)
    wire = np.zeros((720, 1280), dtype=np.bool_)
    wire[300, 640] = True
    assert np.argwhere(box.mask(wire)).tolist() == [[49 + 300 * 126 // 720, 640 * 224 // 1280]]
    assert not box.mask(np.zeros((720, 1280), dtype=np.bool_)).any()
    assert box.mask(np.ones((720, 1280), dtype=np.bool_)).sum() == 126 * 224


@pytest.mark.parametrize("size", [(180, 320), (200, 131), (320, 320)])
def test_masks_of_a_model_that_puts_pictures_last_meet_its_pixels(size: tuple[int, int]) -> None:
    """The picture is resized and pasted in Pillow, as SmolVLA does it in torch: 512 pixels, bars above and left."""
    bitmap = np.zeros(size, dtype=np.bool_)
    bitmap[30:110, 20:90] = True
    ratio = max(size) / 512
    height, width = int(size[0] / ratio), int(size[1] / ratio)
    resized = Image.fromarray(bitmap.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BOX)
    canvas = Image.new("L", (512, 512))
    canvas.paste(resized, (512 - width, 512 - height))
    shown = np.asarray(canvas.resize((224, 224), Image.Resampling.BOX)) / 255
    fit = Fit(512, "end")
    mask = fit.letterbox(*size).mask(bitmap)
    # Whole pixels of the 224 come within half a pixel of the picture's true edge, and so do masks of theirs.
    near = np.abs(shown - ndimage.uniform_filter(shown, 3)) > 1e-3
    np.testing.assert_array_equal(mask[~near], shown[~near] > 0.5)
    assert mask.sum() == pytest.approx(shown.sum(), rel=0.02)
    everything = fit.letterbox(*size).mask(np.ones(size, dtype=np.bool_))
    assert everything[-1, -1]
    assert everything[0, 0] == (size[0] == size[1])


def test_where_a_scaled_letterbox_lies() -> None:
    """By hand: 180 x 320 fills 288 of 512 rows, and so 126 of 224, below 224 of 512 or 98 of 224."""
    box = Letterbox.from_size(180, 320, 512, "end")
    assert box.sides == (224, 0, 288, 512)
    assert box.scaled(224).sides == (98, 0, 126, 224)
    assert Fit(512, "end").letterbox(180, 320).sides == (98, 0, 126, 224)
    assert Fit().letterbox(180, 320) == Letterbox.from_size(180, 320)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="224"):
        Letterbox.from_size(180, 320).mask(np.ones((224, 224), dtype=np.bool_))


def test_boxes_follow_the_picture() -> None:
    box = Letterbox.from_size(720, 1280)
    assert box.box(0, 0, 1280, 720) == pytest.approx((0, 49, 224, 175))
    assert box.box(640, 360, 960, 540) == pytest.approx((112, 112, 168, 143.5))
    portrait = Letterbox.from_size(640, 480)
    assert portrait.box(0, 0, 480, 640) == pytest.approx((28, 0, 196, 224))


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="0x320"):
        Letterbox.from_size(0, 320)
