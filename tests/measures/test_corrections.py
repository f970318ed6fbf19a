"""Families of tests: statsmodels as the oracle, NaN outside the family."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from measures.corrections import benjamini_hochberg, family_size, holm

BOTH = [(holm, "holm"), (benjamini_hochberg, "fdr_bh")]
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize(("ours", "name"), BOTH)
@pytest.mark.parametrize("n", [1, 2, 7, 18])
def test_agrees_with_statsmodels(ours, name, n):
    p = np.round(np.random.default_rng(n).random(n) ** 3, 2)  # small ones and ties
    np.testing.assert_allclose(ours(p), multipletests(p, method=name)[1], atol=1e-12)


def holm_by_definition(p):
    """The largest of (m - rank + 1) p over the p-values up to this one, 1 at most."""
    ranked = sorted(p)
    return [min(1, max((len(p) - i) * q for i, q in enumerate(ranked) if q <= mine)) for mine in p]


def benjamini_hochberg_by_definition(p):
    """The smallest of m p / rank over the p-values from this one on."""
    ranked = sorted(p)
    return [min(1, min(len(p) * q / (i + 1) for i, q in enumerate(ranked) if q >= mine)) for mine in p]


@settings(max_examples=60, deadline=None)
@given(p=probabilities, n_missing=st.integers(0, 5))
def test_tests_that_were_not_run_are_not_counted(p, n_missing):
    mixed = np.random.default_rng(0).permutation([*p, *[np.nan] * n_missing])
    present = ~np.isnan(mixed)
    for ours, oracle in ((holm, holm_by_definition), (benjamini_hochberg, benjamini_hochberg_by_definition)):
        found = ours(mixed)
        assert np.isnan(found[~present]).all()
        np.testing.assert_allclose(found[present], oracle(mixed[present]), atol=1e-12)
    assert family_size(mixed) == len(p)


def test_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])


@pytest.mark.parametrize(("ours", "_name"), BOTH)
def test_edges(ours, _name):
    assert ours([]).tolist() == []
    assert np.isnan(ours([np.nan, np.nan])).all()
    assert ours([0.3]).tolist() == [0.3]
    assert ours([0.9, 0.8]).max() <= 1
    layers_by_prompts = ours(np.array([[0.01, 0.2, np.nan], [0.5, 0.03, 0.04]]))
    assert layers_by_prompts.shape == (2, 3)
    assert np.isnan(layers_by_prompts[0, 2])


@pytest.mark.parametrize(("ours", "_name"), BOTH)
def test_the_input_is_left_as_it_was(ours, _name):
    p = np.array([0.2, 0.01, np.nan])
    ours(p)
    np.testing.assert_array_equal(p, [0.2, 0.01, np.nan])


@pytest.mark.parametrize("p", [[-0.1], [1.1, 0.5]])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        holm(p)
