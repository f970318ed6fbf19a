"""The rules of diagnoses, with answers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from measures.diagnosis import (
    INSUFFICIENT,
    NONE,
    UNDECIDED,
    Candidate,
    Excess,
    Reading,
    attended,
    corrected,
    disagree,
    joint_p,
    leading,
    p_behind,
    reading,
    share_of_variance,
)

NAN = math.nan


def excess(estimate: float, low: float, high: float, p: float, n: int = 20, null: str = "noise") -> Excess:
    return Excess(null, estimate, low, high, p, n)


STRONG = excess(3.0, 2.0, 4.0, 0.001)
WEAK = excess(0.1, -0.1, 0.3, 0.2)
BELOW = excess(-1.0, -1.5, -0.5, 1.0)


def one(name: str, *excesses: Excess, missing: str | None = None) -> Candidate:
    return Candidate(name, excesses, missing)


def test_a_cause_must_exceed_every_null() -> None:
    """Intersection-union: the larger p counts, and it alone."""
    both = one("toy", STRONG, excess(2.0, 1.0, 3.0, 0.03, null="control"))
    assert joint_p(both) == 0.03
    assert both.stricter.null == "control"
    assert reading(both, 0.03) is Reading.CAUSE
    assert reading(one("toy", STRONG, WEAK), 0.2) is Reading.UNDECIDED
    assert reading(one("toy", STRONG, BELOW), 1.0) is Reading.NO_CAUSE


def test_no_finding_is_not_no_cause() -> None:
    """Only an interval below a null says that a change does less than it."""
    assert reading(one("toy", WEAK), 0.2) is Reading.UNDECIDED
    assert reading(one("toy", excess(-0.2, -0.6, 0.0, 0.9)), 0.9) is Reading.UNDECIDED
    assert reading(one("toy", excess(-0.2, -0.6, -0.01, 0.9)), 0.9) is Reading.NO_CAUSE


@pytest.mark.parametrize(
    ("mean", "found"), [(0.0, Reading.NO_CAUSE), (-0.3, Reading.NO_CAUSE), (0.3, Reading.UNDECIDED)]
)
def test_equal_differences_have_no_interval(mean: float, found: Reading) -> None:
    """A policy without noise that never looks: every difference is 0, and nothing can be tested."""
    assert reading(one("toy", excess(mean, NAN, NAN, NAN)), NAN) is found


def test_too_few_episodes_and_missing_nulls_decide_nothing() -> None:
    assert reading(one("toy", excess(3.0, 2.0, 4.0, 0.001, n=19)), 0.001) is Reading.INSUFFICIENT
    assert reading(one("toy", STRONG, excess(3.0, 2.0, 4.0, 0.001, n=19)), 0.001) is Reading.INSUFFICIENT
    assert reading(one("toy", STRONG, missing="no repeats"), 0.001) is Reading.INSUFFICIENT
    assert math.isnan(joint_p(one("toy", STRONG, missing="no repeats")))
    assert reading(one("toy"), NAN) is Reading.INSUFFICIENT


def test_holm_counts_the_candidates_that_were_tested() -> None:
    """p = .01, .03, .04 of three: 3 * .01, 2 * .03, and no smaller than that: .03, .06, .06. A fourth has no test."""
    family = [one(name, excess(1.0, 0.5, 1.5, p)) for name, p in (("a", 0.03), ("b", 0.01), ("c", 0.04))]
    found = corrected([*family, one("d", missing="never in view")])
    assert found[:3] == pytest.approx([0.06, 0.03, 0.06])
    assert math.isnan(found[3])


def test_the_largest_cause_leads_and_others_that_are_not_behind() -> None:
    named = [one("base", STRONG), one("wrist", excess(5.0, 4.0, 6.0, 0.001)), one("top", BELOW)]
    two = [Reading.CAUSE, Reading.CAUSE, Reading.NO_CAUSE]
    assert leading(named, two, [0.3, NAN, NAN]) == "wrist and base"
    assert leading(named, two, [0.01, NAN, NAN]) == "wrist"
    assert leading(named, [Reading.CAUSE, Reading.UNDECIDED, Reading.INSUFFICIENT], [NAN] * 3) == "base"
    assert leading(named, [Reading.NO_CAUSE] * 3, [NAN] * 3) == NONE
    assert leading(named, [Reading.NO_CAUSE, Reading.UNDECIDED, Reading.NO_CAUSE], [NAN] * 3) == UNDECIDED
    assert leading(named, [Reading.NO_CAUSE, Reading.INSUFFICIENT, Reading.NO_CAUSE], [NAN] * 3) == UNDECIDED
    assert leading(named, [Reading.INSUFFICIENT] * 3, [NAN] * 3) == INSUFFICIENT


def test_behind_the_largest_by_hand() -> None:
    """Four episodes: the first candidate is larger in all, so 1 of 16 sign patterns is as extreme; in the third it is
    smaller once, by the least, so 2 of 16. Holm over two: 2 / 16 each. What is no cause is not compared.
    """
    errors = np.array(
        [[5.0, 4.0, 4.0, 9.0], [5.0, 3.0, 3.0, 9.0], [5.0, 2.0, 2.0, 9.0], [5.0, 4.5, 5.5, 9.0]]
    )
    first, second, third, none = p_behind(errors, [True, True, True, False])
    assert math.isnan(first)
    assert math.isnan(none)
    assert (second, third) == (pytest.approx(2 / 16), pytest.approx(2 / 16))
    assert all(math.isnan(p) for p in p_behind(errors, [True, False, False, False]))


def test_attention_singles_out_the_largest_lift_that_is_above_one() -> None:
    names, n = ["base", "wrist", "top"], [20, 20, 20]
    assert attended(names, [0.1, 0.4, 0.9], [0.01, 0.01, 0.2], n) == "wrist"
    assert attended(names, [-0.1, -0.4, 0.0], [0.01, 0.01, NAN], n) == NONE
    assert attended(names, [0.1, 0.4, 0.9], [0.01, 0.01, 0.01], [20, 20, 3]) == "wrist"
    assert attended(names, [NAN, 0.4, 0.9], [NAN, 0.01, 0.01], [0, 3, 3]) == INSUFFICIENT
    assert attended([], [], [], []) == INSUFFICIENT


@pytest.mark.parametrize(
    ("answer", "attention", "expected"),
    [
        ("base", "base", False),
        ("wrist and base", "base", False),
        ("base", "wrist", True),
        ("base", NONE, True),
        (NONE, "base", True),
        (NONE, NONE, False),
        ("yes", "no", True),
        ("undecided", "base", None),
        ("base", INSUFFICIENT, None),
        ("not applicable", "yes", None),
        ("no", "unreachable", None),
    ],
)
def test_disagreement(answer: str, attention: str, expected: bool | None) -> None:
    assert disagree(answer, attention) is expected


def test_share_of_variance() -> None:
    """Inputs with variance 3 and noise with variance 1: squared differences are twice that, the share is 3/4."""
    assert share_of_variance(6.0, 2.0) == 0.75
    assert share_of_variance(0.0, 2.0) == 0
    assert math.isnan(share_of_variance(0.0, 0.0))
