"""Overlap keeps its promises: the seed's numbers exactly, and patch areas that equal what pixels would
give.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures import overlap
from measures.overlap import patch_overlap, seed_overlap, uniform_map

NUMBERS = overlap.PatchOverlap._fields[:-1]


def seed_code(attn_map_16x16, object_mask_224):
    """The seed's `compute_attention_on_object`, re-typed from section 3.2."""
    attn_224 = cv2.resize(attn_map_16x16, (224, 224), interpolation=cv2.INTER_CUBIC)
    attn_224 = np.maximum(attn_224, 0)
    attn_224_norm = attn_224 / attn_224.max() if attn_224.max() > 0 else attn_224
    mask = object_mask_224.astype(bool)
    overlap_ratio = attn_224_norm[mask].sum() / (attn_224_norm.sum() + 1e-8)
    inside = attn_224_norm[mask].mean() if mask.sum() > 0 else 0
    outside = attn_224_norm[~mask].mean() if (~mask).sum() > 0 else 0
    thresholded = attn_224_norm > 0.3
    iou = (thresholded & mask).sum() / ((thresholded | mask).sum() + 1e-8)
    return [float(x) for x in (overlap_ratio, inside / (outside + 1e-8), iou, inside, outside)]


def box(top, left, height, width):
    mask = np.zeros((224, 224), dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def coverage_of(mask):
    """Share of each 14 x 14 patch that the mask covers, by counting."""
    return np.array(
        [[mask[14 * r : 14 * r + 14, 14 * c : 14 * c + 14].mean() for c in range(16)] for r in range(16)]
    ).ravel()


@pytest.mark.parametrize("sharpness", [1, 4, 12])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("grid", [16, 14, 8])
def test_seed_overlap_equals_the_seeds_code(sharpness, dtype, grid):
    rng = np.random.default_rng(sharpness)
    maps = (rng.random((23, grid, grid)) ** sharpness * 1e-3).astype(dtype)
    masks = np.stack(
        [box(30, 40, 50, 60), box(0, 0, 14, 14), box(100, 3, 124, 221), rng.random((224, 224)) < 0.1]
    )
    ours = np.stack(seed_overlap(maps, masks), axis=-1)
    theirs = np.array([[seed_code(m, mask) for mask in masks] for m in maps])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=0)


def test_seed_overlap_counts_pixels_at_the_threshold_as_the_seed_does():
    # One bright patch on a plain of 0.3 of the enlarged peak, give or take a rounding: every pixel in doubt.
    spike = np.zeros((16, 16), dtype=np.float32)
    spike[8, 8] = 1
    peak = cv2.resize(spike, (224, 224), interpolation=cv2.INTER_CUBIC).max()
    plain = 0.3 * peak / (0.7 + 0.3 * peak)
    rng = np.random.default_rng(0)
    maps = (plain * (1 + 1e-7 * rng.normal(size=(6, 16, 16)))).astype(np.float32)
    maps[:, 8, 8] = 1
    mask = box(14, 14, 60, 60)
    theirs = [seed_code(m, mask)[2] for m in maps]
    assert len(set(theirs)) > 1  # rounding does decide
    np.testing.assert_allclose(seed_overlap(maps, mask[None]).iou[:, 0], theirs, rtol=1e-7)


def test_seed_overlap_keeps_the_seeds_conventions_at_the_edges():
    rng = np.random.default_rng(0)
    one_hot = np.zeros((16, 16), dtype=np.float32)
    one_hot[3, 5] = 1
    maps = np.stack([rng.random((16, 16)).astype(np.float32), np.zeros((16, 16), np.float32), one_hot])
    masks = np.stack([np.zeros((224, 224), bool), np.ones((224, 224), bool)])
    ours = seed_overlap(maps, masks)
    theirs = np.array([[seed_code(m, mask) for mask in masks] for m in maps])
    np.testing.assert_allclose(np.stack(ours, axis=-1), theirs, rtol=1e-5)
    assert ours.mean_attn_inside[0, 0] == 0  # an empty side counts 0
    assert ours.attention_concentration[0, 1] > 1e6  # and so a full mask gives the 1e7 that METHODS warns of


def test_seed_overlap_of_a_broken_map_is_nan_and_leaves_the_others_alone():
    maps = np.random.default_rng(1).random((3, 16, 16)).astype(np.float32)
    maps[1, 0, 0] = np.nan
    masks = np.stack([box(100, 100, 50, 50), np.ones((224, 224), bool)])
    ours = np.stack(seed_overlap(maps, masks), axis=-1)
    assert np.isnan(ours[1]).all()
    np.testing.assert_allclose(ours[2], [seed_code(maps[2], mask) for mask in masks], rtol=1e-5)


def test_seed_overlap_of_no_maps_or_no_masks_is_empty():
    assert seed_overlap(np.zeros((0, 16, 16), np.float32), np.zeros((2, 224, 224), bool)).iou.shape == (0, 2)
    assert seed_overlap(np.zeros((3, 16, 16), np.float32), np.zeros((0, 224, 224), bool)).iou.shape == (3, 0)


@pytest.mark.parametrize("shape", [(16, 16), (1, 15, 15), (1, 16, 8)])
def test_seed_overlap_says_what_shape_it_wants(shape):
    with pytest.raises(ValueError, match=r"expected maps \[M, G, G\]"):
        seed_overlap(np.zeros(shape, np.float32), np.zeros((1, 224, 224), bool))
    with pytest.raises(ValueError, match=r"expected masks \[O, 224, 224\]"):
        seed_overlap(np.zeros((1, 16, 16), np.float32), np.zeros((1, 16, 16), bool))


def pixel_oracle(attention, mask, picture):
    """Every patch measure on 224 x 224 pixels: enlarge without interpolation, cut the padding off, count."""
    pixels = np.kron(attention.reshape(16, 16), np.ones((14, 14)))[picture]
    inside = mask[picture]
    share = pixels[inside].sum() / pixels.sum()
    area = inside.mean()
    hot = pixels > 0.3 * pixels.max()
    both = (hot & inside).sum()
    found = {
        "mass_share": share,
        "area_share": area,
        "lift": share / area,
        "log_lift": np.log(share / area),
        "precision": both / hot.sum(),
        "recall": both / inside.sum(),
        "dice": 2 * both / (hot.sum() + inside.sum()),
    }
    patches_seen = attention.reshape(16, 16)[picture[7::14, 7::14] | picture[6::14, 6::14]]
    for name, q in (("iou_p75", 75), ("iou_p90", 90)):
        hot_q = (pixels >= np.percentile(patches_seen, q)) & (pixels > 0)
        found[name] = (hot_q & inside).sum() / (hot_q | inside).sum()
    average_precision, recall_before = 0.0, 0.0
    for threshold in np.unique(pixels)[::-1]:
        chosen = pixels >= threshold
        hits = np.count_nonzero(chosen & inside)
        average_precision += hits / np.count_nonzero(chosen) * (hits / inside.sum() - recall_before)
        recall_before = hits / inside.sum()
    found["ap"] = average_precision
    return found


@pytest.mark.parametrize(
    "padding", [0, 49]
)  # 49: a 16:9 frame letterboxed into 224 ends in the middle of a patch
@pytest.mark.parametrize("ties", [False, True])
def test_patch_overlap_equals_counting_pixels(padding, ties):
    rng = np.random.default_rng(padding + ties)
    picture = np.zeros((224, 224), dtype=bool)
    picture[padding : 224 - padding] = True
    attention = rng.random((2, 256)) ** 5
    if ties:
        attention = np.floor(attention * 6) + (np.arange(256) % 3 > 0)
    masks = [box(60, 40, 50, 65) & picture, box(100, 100, 9, 9), (rng.random((224, 224)) < 0.2) & picture]
    ours = patch_overlap(attention, np.stack([coverage_of(m) for m in masks]), coverage_of(picture))
    for m, row in enumerate(attention):
        for o, mask in enumerate(masks):
            for name, value in pixel_oracle(row, mask, picture).items():
                assert getattr(ours, name)[m, o] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert (ours.reason == None).all()  # noqa: E711


def test_attention_on_padding_changes_nothing():
    rng = np.random.default_rng(3)
    picture = np.repeat([0, 0, 0, 0.5] + [1] * 8 + [0.5, 0, 0, 0], 16)
    attention = rng.random((4, 256))
    flooded = attention + 1000.0 * (picture == 0)
    coverage = coverage_of(box(70, 70, 40, 40))[None]
    for a, b in zip(
        patch_overlap(attention, coverage, picture), patch_overlap(flooded, coverage, picture), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_mask_that_spills_into_padding_is_cut_to_the_picture():
    picture = np.repeat([0.0] * 4 + [1.0] * 12, 16)
    spilled = np.zeros((1, 256))
    spilled[0, 48:80] = 1  # one row of padding, one row of picture
    cut = np.where(picture > 0, spilled, 0)
    attention = np.random.default_rng(0).random((2, 256))
    for a, b in zip(
        patch_overlap(attention, spilled, picture), patch_overlap(attention, cut, picture), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_worked_example_of_four_patches():
    # Masses 4, 3, 2, 1; the mask holds all of the second patch and half of the third.
    found = patch_overlap(np.array([[4.0, 3, 2, 1]]), np.array([[0, 1, 0.5, 0]]))
    assert found.mass_share[0, 0] == pytest.approx((3 + 1) / 10)
    assert found.area_share[0, 0] == pytest.approx(1.5 / 4)
    assert found.lift[0, 0] == pytest.approx(0.4 / 0.375)
    # Hot above 0.3 * 4 = 1.2: three patches.
    assert found.precision[0, 0] == pytest.approx(1.5 / 3)
    assert found.recall[0, 0] == pytest.approx(1)
    assert found.dice[0, 0] == pytest.approx(2 * 1.5 / 4.5)
    # Percentile 75 of 1, 2, 3, 4 is 3.25: the first patch alone, which the mask misses.
    assert found.iou_p75[0, 0] == 0
    # Precision 1/2 when patch two comes in (recall 2/3), 1.5/3 when patch three does (recall 1).
    assert found.ap[0, 0] == pytest.approx(0.5 * 2 / 3 + 0.5 * 1 / 3)
    assert found.pointing_hit[0, 0] == 0


def test_uniform_map_is_the_null():
    picture = np.repeat([0, 0, 0, 0.5] + [1] * 8 + [0.5, 0, 0, 0], 16)
    coverage = np.stack([coverage_of(box(60, 30, 77, 51)), coverage_of(box(49, 0, 3, 3))])
    uniform = uniform_map(picture)
    assert uniform.sum() == pytest.approx(1)
    found = patch_overlap(uniform[None], coverage, picture)
    np.testing.assert_allclose(found.lift, 1)
    np.testing.assert_allclose(found.log_lift, 0, atol=1e-12)
    for name in ("ap", "precision", "iou_p75", "iou_p90"):
        np.testing.assert_allclose(getattr(found, name), found.area_share)
    # Chance level of pointing at a 3 x 3 pixel object: one patch of the 160 that show picture.
    assert found.pointing_hit[0, 1] == pytest.approx(1 / 160)


def test_uniform_map_without_a_picture_is_zero():
    assert uniform_map(np.zeros(4)).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("top", "coverage", "hit"),
    [
        (0, [0.5, 1, 0, 0], 1),  # half of the top patch is enough
        (0, [0.4, 1, 0, 0], 0),  # a fringe of a large object is not
        (0, [0.2, 0.1, 0, 0], 1),  # of a small object, the patch that holds most of it is
        (1, [0.2, 0.1, 0, 0], 0),
        (3, [0.5, 1, 0, 0], 0),
    ],
)
def test_pointing_hit_rule(top, coverage, hit):
    attention = np.full((1, 4), 0.1)
    attention[0, top] = 1
    assert patch_overlap(attention, np.array([coverage])).pointing_hit[0, 0] == hit


def test_one_hot_map_is_hot_in_one_patch():
    attention = np.zeros((1, 256))
    attention[0, 17] = 0.2
    found = patch_overlap(attention, np.eye(256)[[17, 18]])
    for name in ("mass_share", "precision", "recall", "dice", "iou_p75", "iou_p90", "ap", "pointing_hit"):
        assert getattr(found, name)[0, 0] == pytest.approx(1), name
    assert found.lift[0, 0] == pytest.approx(256)
    assert found.iou_p90[0, 1] == 0
    # Nothing on the object: the share is a true 0, its logarithm is undefined and says so.
    assert found.mass_share[0, 1] == 0
    assert np.isnan(found.log_lift[0, 1])
    assert found.reason[0, 1] == overlap.NO_MASS_INSIDE
    # All other patches tie at 0, so the object is found among 256.
    assert found.ap[0, 1] == pytest.approx(1 / 256)


def test_what_cannot_be_measured_is_nan_with_a_reason():
    attention = np.random.default_rng(0).random((3, 256))
    attention[1] = 0
    attention[2, 9] = np.nan
    coverage = np.stack([np.zeros(256), np.ones(256), coverage_of(box(20, 20, 20, 20))])
    found = patch_overlap(attention, coverage)
    assert found.reason.tolist() == [
        [overlap.EMPTY_MASK, overlap.FULL_MASK, None],
        [overlap.EMPTY_MASK, overlap.FULL_MASK, overlap.ZERO_MAP],
        [overlap.EMPTY_MASK, overlap.FULL_MASK, overlap.BROKEN_MAP],
    ]
    for name in NUMBERS:
        assert np.isfinite(getattr(found, name)).tolist() == [
            [False, False, True],
            [False, False, False],
            [False, False, False],
        ], name


def test_a_mask_of_the_whole_picture_within_its_padding_is_full():
    picture = np.repeat([0, 0, 0, 0.5] + [1] * 8 + [0.5, 0, 0, 0], 16)
    found = patch_overlap(np.ones((1, 256)), np.float32(picture)[None], picture)
    assert found.reason[0, 0] == overlap.FULL_MASK


def test_all_padding_is_no_picture():
    found = patch_overlap(np.ones((1, 4)), np.ones((1, 4)), np.zeros(4))
    assert found.reason[0, 0] == overlap.NO_PICTURE
    assert np.isnan(found.mass_share[0, 0])


def test_mass_only_on_padding_is_a_zero_map():
    found = patch_overlap(np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 0]]), np.array([0, 1.0, 1.0]))
    assert found.reason[0, 0] == overlap.ZERO_MAP


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (0, 0)])
def test_no_maps_or_no_objects_give_empty_arrays(shape):
    n_maps, n_objects = shape
    found = patch_overlap(np.ones((n_maps, 256)), np.ones((n_objects, 256)))
    assert all(numbers.shape == shape for numbers in found)


@pytest.mark.parametrize(
    ("maps", "coverage", "picture", "message"),
    [
        (np.ones(4), np.ones((1, 4)), None, "expected maps"),
        (np.ones((1, 4)), np.ones((1, 5)), None, "expected maps"),
        (np.ones((1, 4)), np.ones((1, 4)), np.ones(5), "expected picture"),
        (-np.ones((1, 4)), np.ones((1, 4)), None, "negative"),
        (np.ones((1, 4)), 196 * np.ones((1, 4)), None, "coverage holds shares outside"),
        (np.ones((1, 4)), np.full((1, 4), np.nan), None, "coverage holds shares outside"),
        (np.ones((1, 4)), np.ones((1, 4)), 2 * np.ones(4), "picture holds shares outside"),
    ],
)
def test_patch_overlap_refuses_what_does_not_fit(maps, coverage, picture, message):
    with pytest.raises(ValueError, match=message):
        patch_overlap(maps, coverage, picture)


shares = st.floats(0, 1, width=32, allow_subnormal=False)


@st.composite
def scenes(draw):
    patches = st.lists(shares, min_size=9, max_size=9)
    attention = draw(st.lists(st.floats(0, 1e3, width=32, allow_subnormal=False), min_size=9, max_size=9))
    return np.array([attention]), np.array([draw(patches), draw(patches)]), np.array(draw(patches))


def test_an_infinite_map_is_broken_too():
    maps = np.random.default_rng(1).random((2, 16, 16)).astype(np.float32)
    maps[0, 3, 3] = np.inf
    seed = seed_overlap(maps, box(10, 10, 50, 50)[None])
    assert np.isnan(np.array(seed)[:, 0]).all()
    assert np.isfinite(np.array(seed)[:, 1]).all()
    found = patch_overlap(maps.reshape(2, 256), coverage_of(box(10, 10, 50, 50))[None])
    assert found.reason[:, 0].tolist() == [overlap.BROKEN_MAP, None]


@settings(max_examples=50, deadline=None)
@given(scenes())
def test_bounds_and_reasons(scene):
    found = patch_overlap(*scene)
    for name in NUMBERS:
        numbers = getattr(found, name)
        if name not in ("lift", "log_lift"):
            assert ((numbers >= -1e-9) & (numbers <= 1 + 1e-9) | np.isnan(numbers)).all(), name
        assert not np.isinf(numbers).any(), name
        reasons = found.reason[np.isnan(numbers)]
        assert all(isinstance(text, str) for text in reasons), name
    assert (found.dice + 1e-9 >= np.minimum(found.precision, found.recall))[found.reason == None].all()  # noqa: E711


@settings(max_examples=50, deadline=None)
@given(scenes(), st.integers(-20, 20))
def test_the_scale_of_attention_does_not_matter(scene, exponent):
    attention, coverage, picture = scene
    first = patch_overlap(attention, coverage, picture)
    second = patch_overlap(attention * 2.0**exponent, coverage, picture)
    for name in NUMBERS:
        np.testing.assert_allclose(
            getattr(first, name), getattr(second, name), rtol=1e-9, atol=1e-12, err_msg=name
        )


@settings(max_examples=50, deadline=None)
@given(scenes())
def test_masks_that_partition_the_picture_share_its_mass(scene):
    attention, coverage, picture = scene
    inside = coverage[0] * picture
    found = patch_overlap(attention, np.stack([inside, picture - inside]), picture)
    if found.reason[0, 0] in (None, overlap.NO_MASS_INSIDE) and found.reason[0, 1] in (
        None,
        overlap.NO_MASS_INSIDE,
    ):
        assert found.mass_share[0].sum() == pytest.approx(1)
        assert found.area_share[0].sum() == pytest.approx(1)
