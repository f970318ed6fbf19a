"""What a verdict speaks of, what comes before the numbers, and the words of counts: no page needed."""

from __future__ import annotations

from typing import Any

import pytest

from measures import verdicts, verdicts_time
from reports import words
from reports.marts import answers
from reports.marts.context import condition_name
from reports.marts.warehouse import Result
from reports.pages import rules, warnings
from reports.pages.modality_balance import band_claim
from reports.vega import distributions, sheet


def verdict(because: str, hypothesis: str = "H1.1", **more: Any) -> dict[str, Any]:
    row = {"hypothesis": hypothesis, "criteria": "ours", "camera": "wrist", "because": because}
    return row | {"verdict": "supported", "estimate": 1.0, "low": 1.0, "high": 2.0} | more


def test_the_place_of_a_verdict_is_read_from_what_measures_writes() -> None:
    lift, p, n = [1.2, 1.9, 1.7, 1.6], [0.9, 0.01, 0.01, 0.01], 30
    because = verdicts.h1_1(lift, p, n, [1.0] * 4, [2.0] * 4).because
    assert answers.place(verdict(because)) == answers.Place("wrist", 3, rank="third best")

    excess = [[0.1, 0.2, 0.3]] * 18
    found = verdicts.h2_1(excess, [[0.5, 0.5, 0.001]] * 18, n)
    because = found.because.replace("prompt 3", "prompt:a, b")
    assert answers.place(verdict(because)).condition == "prompt:a, b"
    assert answers.place(verdict(because)).layer in range(5, 11)

    because = f"at denoising step 4, mean over layers: {verdicts.modality(1.0, 0.9, 1.1, n).because}"
    assert answers.place(verdict(because, camera=None)) == answers.Place(step=4, averaged=True)
    assert answers.place(verdict("2 episodes, 20 are needed")) == answers.Place("wrist")


@pytest.mark.parametrize(
    ("row", "claim"),
    [
        (verdict("", "M", low=1.6, high=2.0), "visual"),
        (verdict("", "M", low=0.2, high=0.6), "linguistic"),
        (verdict("", "M", low=0.9, high=1.2, verdict="not supported"), "balanced"),
        (verdict("", "M", low=0.9, high=1.8, verdict="not supported"), "neither side"),
        (verdict("", "M", low=None, high=None, estimate=3.0, criteria="seed"), "visual"),
        (verdict("", "M", verdict="insufficient data"), None),
        (verdict("", "H1.1"), None),
    ],
)
def test_an_either_or_question_is_answered_by_its_side(row: dict[str, Any], claim: str | None) -> None:
    assert answers.claimed(row) == claim


def test_the_unit_of_h2_1_is_a_difference() -> None:
    assert "minus" in answers.unit(verdict("", "H2.1", estimate_unit="JSD, nats"))
    assert answers.unit(verdict("", estimate_unit="lift")) == "lift"


def test_the_unit_of_h3_is_the_change_that_decides() -> None:
    estimate, p = [[0.1, 0.02], [0.3, 0.01]], [[0.5, 0.5], [0.001, 0.5]]
    thirds = verdicts_time.h3(estimate, p, 30)
    assert "last third minus first" in answers.unit(verdict(thirds.because, "H3", estimate_unit="either"))
    slope = verdicts_time.h3(estimate, [[0.5, 0.5], [0.5, 0.001]], 30)
    assert "action token" in answers.unit(verdict(slope.because, "H3", estimate_unit="either"))
    assert answers.unit(verdict("2 episodes", "H3", estimate_unit="either")) == "either"


def scenario(name: str, n_success: int, n_failure: int) -> dict[str, Any]:
    return {"scenario": name, "n_success": n_success, "n_failure": n_failure}


def test_scenarios_of_one_outcome_are_told() -> None:
    rows = [scenario("plain", 4, 1), scenario("plain", 2, 1), scenario("dark", 1, 5), scenario("odd", 0, 4)]
    (text,) = warnings.confounded(rows)
    assert "dark (1 success, 5 failures)" in text
    assert "plain (6 successes, 2 failures)" in text
    assert "odd" not in text, "four episodes say nothing"


@pytest.mark.parametrize(
    "rows",
    [
        [scenario("plain", 5, 3), scenario("dark", 3, 5)],
        [scenario("plain", 9, 0), scenario("dark", 9, 0)],
        [scenario("-", 9, 1)],
    ],
)
def test_nothing_is_told_where_scenarios_are_mixed_or_one_or_outcomes_are_one(
    rows: list[dict[str, Any]],
) -> None:
    assert warnings.confounded(rows) == []


def test_vacuous_paraphrases_are_zeros_and_prompts_are_left_out() -> None:
    rows = [{"condition_group": group, "n_vacuous": 1} for group in ("prompts", "paraphrases", "baseline")]
    rows[2]["n_vacuous"] = 0
    prompts, paraphrases = warnings.vacuous(Result("coverage", "", {}, rows))
    assert "1 inference of 'prompts'" in prompts
    assert prompts.endswith("do not count.")
    assert paraphrases.endswith("count as a shift of 0.")


def test_counts_are_those_of_the_points() -> None:
    points = [("success", 26), ("success", 26), ("failure", 24), ("failure", 26)]
    rows = [{"series": series, "n": n} for series, n in points]
    assert words.outcome_counts(rows) == "26 successes and 24 to 26 failures"
    assert words.outcome_counts([{"series": "success", "n": 1}]) == "1 success"


def test_names_cut_short_stay_apart() -> None:
    assert words.short_names(["abcdefgh", "abcdefgi", "abc"], 5) == ["abcd…", "abcd… (2)", "abc"]
    named = condition_name({"kind": "paraphrase", "name": "0", "prompt_template": "take the {object}"})
    assert named == "paraphrase 0"
    assert condition_name({"kind": "prompt", "name": "duck", "prompt_template": None}) == "prompt: duck"


def test_no_band_is_spoken_of_without_an_interval() -> None:
    assert "interval lies" not in band_claim({"band": None, "low": None, "high": None})
    assert "interval lies" in band_claim({"band": None, "low": 0.1, "high": 0.9})
    assert band_claim({"band": "visual", "low": 1.0, "high": 2.0}) == "that is visual"


def test_bars_of_a_histogram_keep_from_the_edge_and_fill_the_width() -> None:
    values = {"success": [5.0, 5.5, 6.0, 6.0], "failure": [5.1, 6.0, 6.0]}
    spec = distributions.histogram(values, colours={}, x_title="ratio", marks=[0.67, 1.5])
    assert len(spec["layer"]) == 4, "bars and a box of three marks; lines far from the values are left out"
    bars = spec["layer"][0]["encoding"]
    highest = max(bar["to"] for bar in spec["datasets"]["data0"])
    assert highest == 4
    assert bars["y"]["scale"]["domain"][1] > highest
    low, high = bars["x"]["scale"]["domain"]
    assert high / low < 2
    assert distributions.marks_in_range([1.0, 2.0], [0.67, 1.5, 9.0]) == [0.67, 1.5]


def test_labels_of_near_lines_are_moved_apart() -> None:
    import altair as alt

    scale = alt.Scale(domain=[0.0, 1.0])
    below, above = sheet.apart({"0.8": 0.80, "0.82": 0.82}, scale, log=False)
    assert below - above >= sheet.LABEL_HEIGHT - 0.02 * sheet.HEIGHT
    assert sheet.apart({"0.2": 0.2, "0.8": 0.8}, scale, log=False) == [0, 0]


def test_every_hypothesis_has_its_rule_with_the_thresholds_that_are_applied() -> None:
    from tests.reports.test_what_pages_say import HYPOTHESES

    found = {rule.hypothesis: rule for rule in rules.rules(0.01, 33)}
    assert set(found) == HYPOTHESES
    assert "p < 0.01" in found["H1.1"].ours
    assert "33 episodes" in found["H1.1"].ours
    assert f"{verdicts.LIFT_NEEDED:g}" in found["H1.1"].ours
    terms = {
        "Vacuous",
        "Lift",
        "Log lift",
        "JSD",
        "BCa",
        "Holm",
        "Hedges g",
        "Unreachable",
        "Sink",
        "Letterbox",
        "Decoy",
    }
    assert terms == {term for term, _ in rules.GLOSSARY}
