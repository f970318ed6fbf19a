"""Verdicts: one row of METHODS 8 a test, and the sentence says the numbers it rests on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from measures import verdicts, verdicts_seed
from measures.layer_tests import span
from measures.verdict import Outcome, middle_layers, not_applicable

NAN = float("nan")


def test_the_middle_of_18_layers_is_l5_to_l10():
    assert middle_layers(18) == [5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("n_layers", range(2, 60))
def test_every_depth_has_a_middle_of_about_the_same_share(n_layers):
    middle = middle_layers(n_layers)
    assert middle == list(range(middle[0], middle[-1] + 1))
    assert 0.27 <= middle[0] / n_layers <= middle[-1] / n_layers <= 0.56
    assert abs(len(middle) - 5 / 18 * n_layers) <= 1


def test_one_layer_has_no_middle():
    assert middle_layers(1) == []


def test_not_applicable_keeps_its_reason():
    found = not_applicable("the policy has no text")
    assert (found.verdict, found.because) == (Outcome.NOT_APPLICABLE, "the policy has no text")


class TestObjectAttention:
    def test_three_layers_that_pass_support_it(self):
        found = verdicts.h1_1(
            [1.0, 2.5, 1.6, 2.0], [0.9, 0.01, 0.04, 0.02], [30, 31, 32, 33], [0, 2, 1.2, 1.7], [2, 3, 2, 2.3]
        )
        assert found.verdict is Outcome.SUPPORTED
        # The third best layer decides: L2.
        assert (found.estimate, found.low, found.high, found.n, found.family_size) == (1.6, 1.2, 2, 32, 4)
        for part in ("3 of 4 layers", "(L1, L2, L3)", "L2, has mean lift 1.6 [1.2, 2], p = 0.04, n = 32"):
            assert part in found.because

    @pytest.mark.parametrize(
        ("lift", "p"),
        [
            ([2, 2, 1.49, 1], [0.01, 0.01, 0.01, 0.01]),  # significant in three, but large in two
            ([2, 2, 2, 2], [0.01, 0.01, 0.05, 0.2]),  # .05 itself does not pass
            ([2, 2, 1, 9], [0.01, 0.01, 0.01, 0.9]),  # large and significant in different layers
        ],
    )
    def test_both_in_the_same_three_layers(self, lift, p):
        assert verdicts.h1_1(lift, p, 30).verdict is Outcome.NOT_SUPPORTED

    def test_layers_under_the_minimum_do_not_speak(self):
        found = verdicts.h1_1([2, 2, 2, 2], [0.01] * 4, [19, 20, 20, 12])
        assert found.verdict is Outcome.INSUFFICIENT
        assert math.isnan(found.estimate)
        assert "2 layers have a test over at least 20 episodes" in found.because
        assert (
            verdicts.h1_1([2, 2, 2, 2], [0.01] * 4, [19, 20, 20, 12], min_episodes=12).verdict
            is Outcome.SUPPORTED
        )

    def test_layers_that_do_not_count_are_nan(self):
        found = verdicts.h1_1([2, 2, NAN, 2], [0.01, 0.01, NAN, 0.01], 25)
        assert (found.verdict, found.family_size) == (Outcome.SUPPORTED, 3)

    def test_columns_must_fit(self):
        with pytest.raises(ValueError, match="one entry a test"):
            verdicts.h1_1([1, 2, 3], [0.1, 0.2], 20)

    def test_the_seeds_three_criteria(self):
        overlap, concentration, p = np.full(18, 0.3), np.full(18, 1.0), np.full(18, 0.5)
        overlap[[2, 7, 8]] = 0.51, 0.7, 0.6
        concentration[5:11] = 2.1
        p[3] = 0.049
        found = verdicts_seed.h1_1(overlap, concentration, p, 20, 20)
        assert found.verdict is Outcome.SUPPORTED
        assert (found.estimate, found.n, found.family_size, found.p) == (0.51, 40, 18, 0.049)
        assert math.isnan(found.low)
        with_ends = verdicts_seed.h1_1(overlap, concentration, p, 20, 20, overlap - 0.1, overlap + 0.2)
        assert (with_ends.low, with_ends.high) == (0.51 - 0.1, 0.51 + 0.2)
        assert "(L2, L7, L8)" in found.because
        for array, index, value in ((overlap, 2, 0.5), (concentration, 10, 2.0), (p, 3, 0.05)):
            spoiled = [a.copy() for a in (overlap, concentration, p)]
            next(s for s, a in zip(spoiled, (overlap, concentration, p), strict=True) if a is array)[
                index
            ] = value
            assert verdicts_seed.h1_1(*spoiled, 20, 20).verdict is Outcome.NOT_SUPPORTED
        assert verdicts_seed.h1_1(overlap, concentration, p, 20, 19).verdict is Outcome.INSUFFICIENT
        assert (
            verdicts_seed.h1_1(overlap, concentration, np.full(18, NAN), 20, 20).verdict
            is Outcome.INSUFFICIENT
        )
        concentration[7] = NAN
        assert verdicts_seed.h1_1(overlap, concentration, p, 20, 20).verdict is Outcome.INSUFFICIENT


class TestSuccessAndFailure:
    def test_one_layer_by_both_tests_supports_it(self):
        found = verdicts.h1_1b([0.2, -0.9], [0.3, 0.01], [0.4, 0.02], 22, 21, [-0.3, -1.5], [0.7, -0.3])
        assert (found.verdict, found.estimate, found.low, found.high) == (Outcome.SUPPORTED, -0.9, -1.5, -0.3)
        assert (found.n, found.family_size, found.p) == (43, 2, 0.02)  # the larger of the two tests'
        assert "L1, has g -0.9 [-1.5, -0.3], p = 0.02" in found.because
        assert "(22 successes, 21 failures)" in found.because

    @pytest.mark.parametrize(("welch", "permutation"), [([0.01], [0.06]), ([0.06], [0.01])])
    def test_one_test_alone_does_not(self, welch, permutation):
        assert verdicts.h1_1b([0.9], welch, permutation, 30, 30).verdict is Outcome.NOT_SUPPORTED

    def test_each_outcome_needs_its_episodes(self):
        found = verdicts.h1_1b([0.9], [0.001], [0.001], 60, 19)
        assert (found.verdict, found.n) == (Outcome.INSUFFICIENT, 79)
        assert found.because == "60 successes and 19 failures, 20 of each are needed"

    def test_without_any_result(self):
        assert verdicts.h1_1b([NAN], [NAN], [0.1], 30, 30).verdict is Outcome.INSUFFICIENT

    def test_the_seed_takes_any_uncorrected_layer(self):
        found = verdicts_seed.h1_1b([0.1, 0.8], [0.6, 0.04], 20, 20)
        assert (found.verdict, found.estimate, found.family_size) == (Outcome.SUPPORTED, 0.8, 2)
        assert found.p == 0.04
        assert verdicts_seed.h1_1b([0.1, 0.8], [0.6, 0.06], 20, 20).verdict is Outcome.NOT_SUPPORTED
        assert verdicts_seed.h1_1b([0.1], [0.01], 3, 20).verdict is Outcome.INSUFFICIENT


class TestPromptControl:
    def arrays(self, layer, p):
        excess, corrected = np.full((18, 3), 0.01), np.ones((18, 3))
        excess[layer, 1], corrected[layer, 1] = 0.2, p
        return excess, corrected

    @pytest.mark.parametrize(
        ("layer", "outcome"),
        [(5, "supported"), (10, "supported"), (4, "not supported"), (11, "not supported")],
    )
    def test_a_middle_layer_under_some_prompt(self, layer, outcome):
        assert verdicts.h2_1(*self.arrays(layer, 0.01), 20).verdict == outcome

    def test_the_sentence(self):
        found = verdicts.h2_1(*self.arrays(7, 0.01), 24, actions_p=0.4)
        assert (found.estimate, found.n, found.family_size) == (0.2, 24, 54)
        for part in (
            "1 of 18 tests in L5 to L10",
            "L7 under prompt 2, has JSD above paraphrases (nats) 0.2",
            "the actions are not shown to move more than under a paraphrase (p = 0.4)",
        ):
            assert part in found.because
        assert "the actions move more" in verdicts.h2_1(*self.arrays(7, 0.01), 24, actions_p=0.01).because

    def test_one_prompt_needs_no_second_axis(self):
        found = verdicts.h2_1([0, 0.3, 0.2, 0], [1, 0.001, 0.03, 1], 20, estimand="mass gained")
        assert (found.verdict, found.estimate) == (Outcome.SUPPORTED, 0.2)  # L2 is the middle of four
        assert "L2, has mass gained 0.2" in found.because

    def test_too_few_episodes(self):
        assert verdicts.h2_1(*self.arrays(7, 0.01), 19).verdict is Outcome.INSUFFICIENT

    def test_the_seeds_criteria_hold_in_every_middle_layer(self):
        l2, r, px = np.zeros(18), np.ones(18), np.zeros(18)
        l2[5:11], r[5:11], px[5:11] = 5.1, 0.7, 51
        found = verdicts_seed.h2_1(l2, r, px, 20, n_rows=13)
        assert (found.verdict, found.estimate) == (Outcome.SUPPORTED, 5.1)
        assert found.family_size is None
        assert math.isnan(found.p)
        for spoiled in ((np.where(np.arange(18) == 8, 5, l2), r, px), (l2, r + 0.11, px), (l2, r, px - 1)):
            assert verdicts_seed.h2_1(*spoiled, 20, n_rows=13).verdict is Outcome.NOT_SUPPORTED
        assert verdicts_seed.h2_1(l2, r, px, 19, n_rows=13).verdict is Outcome.INSUFFICIENT
        assert verdicts_seed.h2_1(l2, r * NAN, px, 20, n_rows=13).verdict is Outcome.INSUFFICIENT

    @pytest.mark.parametrize("n_rows", [1, 8, 12])
    def test_under_13_words_the_seeds_l2_cannot_be_met(self, n_rows):
        found = verdicts_seed.h2_1(np.full(18, 9.0), np.zeros(18), np.full(18, 99.0), 100, n_rows)
        assert found.verdict is Outcome.UNREACHABLE
        assert f"over {n_rows} text rows it is at most {math.sqrt(2 * n_rows):.3g}" in found.because


class TestModality:
    @pytest.mark.parametrize(
        ("low", "high", "outcome", "words"),
        [
            (1.6, 2.5, "supported", "visual band"),
            (0.2, 0.6, "supported", "linguistic band"),
            (0.8, 1.3, "not supported", "balanced band"),
            (1.2, 1.8, "not supported", "no band, it crosses 1.5"),
            (0.5, 1.8, "not supported", "no band, it crosses 0.67 and 1.5"),
        ],
    )
    def test_a_band_is_claimed_by_the_whole_interval(self, low, high, outcome, words):
        middle = math.sqrt(low * high)
        found = verdicts.modality(math.log(middle), math.log(low), math.log(high), 20)
        assert found.verdict == outcome
        assert found.because.endswith(words)
        assert found.family_size is None
        assert (found.estimate, found.low, found.high) == (
            pytest.approx(middle),
            pytest.approx(low),
            pytest.approx(high),
        )

    def test_layers_are_told_beside_it(self):
        found = verdicts.modality(1.0, 0.9, 1.1, 25, np.log([1.6, 0.9, 0.1, 0.5]), np.log([3, 1.1, 0.5, 2]))
        assert found.because.endswith("of 4 layers 1 visual, 1 linguistic, 1 balanced, 1 in no band")

    def test_undefined_or_too_little(self):
        assert verdicts.modality(1.0, 0.9, 1.1, 19).verdict is Outcome.INSUFFICIENT
        assert verdicts.modality(NAN, 0.9, 1.1, 30).verdict is Outcome.INSUFFICIENT
        assert verdicts.modality(1.0, 0.9, 1.1, 25, [NAN], [NAN]).because.endswith("1 in no band")

    @pytest.mark.parametrize(
        ("ratio", "outcome"),
        [
            (1.51, "supported"),
            (1.5, "not supported"),
            (0.66, "supported"),
            (0.67, "not supported"),
            (NAN, "insufficient data"),
        ],
    )
    def test_the_seed_reads_a_point(self, ratio, outcome):
        assert verdicts_seed.modality(ratio, 20).verdict == outcome
        assert verdicts_seed.modality(ratio, 20).family_size is None
        assert verdicts_seed.modality(ratio, 19).verdict is Outcome.INSUFFICIENT


def test_one_middle_layer_is_named_once() -> None:
    assert span([2]) == "L2"
    assert span([5, 6, 7]) == "L5 to L7"
