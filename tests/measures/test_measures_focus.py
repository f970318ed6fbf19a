"""Focus: closed forms, straight loops, and the seed's own score re-typed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy

from measures.focus import Focus, focus, focus_seed


def loops(attention):
    """The formulas of METHODS 5, one patch at a time."""
    p = [float(x) / float(np.sum(attention)) for x in attention]
    n = len(p)
    gini = sum((2 * i - n - 1) * x for i, x in enumerate(sorted(p), start=1)) / (n * sum(p))
    h = -sum(x * np.log(x) for x in p if x > 0)
    top = sum(sorted(p, reverse=True)[: int(np.ceil(n / 10))])
    mean = sum(p) / n
    return Focus(
        h, h / np.log(n), gini, np.exp(h), 1 / sum(x * x for x in p), top, sum((x - mean) ** 2 for x in p) / n
    )


@pytest.mark.parametrize("n", [2, 10, 11, 256])
def test_focus_equals_the_formulas(n):
    maps = np.random.default_rng(n).random((2, 3, n)) ** 5
    found = focus(maps)
    for index in np.ndindex(2, 3):
        for name, value in loops(maps[index])._asdict().items():
            assert getattr(found, name)[index] == pytest.approx(value, rel=1e-9), name
    np.testing.assert_allclose(found.entropy, entropy(maps, axis=-1))


def test_uniform_and_one_hot_are_the_two_ends():
    uniform, one_hot = np.full(256, 0.01), np.zeros(256)
    one_hot[77] = 0.5
    found = focus(np.stack([uniform, one_hot]))
    assert found.entropy.tolist() == pytest.approx([np.log(256), 0])
    assert found.entropy_norm.tolist() == pytest.approx([1, 0])
    assert found.gini.tolist() == pytest.approx([0, 255 / 256], abs=1e-12)
    assert found.effective_rank.tolist() == pytest.approx([256, 1])
    assert found.participation.tolist() == pytest.approx([256, 1])
    assert found.top10_share.tolist() == pytest.approx([26 / 256, 1])
    # The most a distribution over n can vary: 1/n - 1/n^2 (METHODS 5, on the seed's threshold of 0.1).
    assert found.variance.tolist() == pytest.approx([0, 1 / 256 - 1 / 256**2], abs=1e-15)


def test_top10_counts_the_patches_above_percentile_90():
    attention = np.random.default_rng(0).random(256)
    above = attention[attention > np.percentile(attention, 90)]
    assert len(above) == 26
    assert focus(attention).top10_share == pytest.approx(above.sum() / attention.sum())


def test_a_zero_map_has_no_focus():
    assert np.isnan(np.array(focus(np.zeros(256)))).all()


def test_one_patch_has_no_normalised_entropy():
    found = focus(np.array([[0.3]]))
    assert np.isnan(found.entropy_norm[0])
    assert found.entropy[0] == 0


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, 20, elements=st.floats(0, 1e3, width=32, allow_subnormal=False)),
    st.permutations(range(20)),
)
def test_bounds_and_indifference_to_scale_and_order(attention, order):
    found = focus(attention)
    if attention.sum() == 0:
        return
    for a, b in zip(found, focus(7.5 * attention[list(order)]), strict=True):
        assert a == pytest.approx(b, rel=1e-9, abs=1e-12)
    assert -1e-12 <= found.gini <= 1 - 1 / 20 + 1e-12
    assert -1e-12 <= found.entropy_norm <= 1 + 1e-12
    # The participation ratio is the Renyi-2 rank, which never exceeds the Shannon one.
    assert 1 - 1e-9 <= found.participation <= found.effective_rank * (1 + 1e-9) <= 20 * (1 + 1e-8)
    assert 2 / 20 - 1e-9 <= found.top10_share <= 1 + 1e-9


def seed_score(heatmap):
    """The heat map of `overlay_heatmap` (6.1) and the score of `calculate_focus_score` (3.5), photograph
    left out.
    """
    heatmap_224 = np.maximum(cv2.resize(heatmap, (224, 224), interpolation=cv2.INTER_CUBIC), 0)
    heatmap_norm = np.uint8(255 * heatmap_224 / (np.max(heatmap_224) + 1e-8))
    heatmap_color = cv2.applyColorMap(heatmap_norm, cv2.COLORMAP_JET)
    return np.var(cv2.cvtColor(heatmap_color, cv2.COLOR_BGR2GRAY))


def test_focus_seed_is_the_seeds_score():
    rng = np.random.default_rng(1)
    one_hot = np.zeros((16, 16))
    one_hot[4, 4] = 1e-3
    maps = np.stack([rng.random((16, 16)), rng.random((16, 16)) ** 9 * 1e-4, one_hot, np.eye(16)]).astype(
        np.float32
    )
    np.testing.assert_allclose(focus_seed(maps), [seed_score(m) for m in maps], rtol=1e-9)


def test_focus_seed_at_the_edges():
    maps = np.zeros((3, 16, 16), dtype=np.float32)
    maps[1] = 0.5
    maps[2, 0, 0] = np.nan
    scores = focus_seed(maps)
    assert scores[0] == pytest.approx(0, abs=1e-9)
    assert scores[1] == pytest.approx(seed_score(maps[1]), abs=1e-9)
    assert (
        scores[1] < 1
    )  # cut to 8 bits, a constant map is one level, or two where the cubic rounds across one
    assert np.isnan(scores[2])


def test_focus_seed_refuses_another_shape():
    with pytest.raises(ValueError, match=r"expected maps \[M, G, G\]"):
        focus_seed(np.zeros((2, 256)))
