"""Diagnoses of the synthetic world: what was planted in its rows is the answer, and nothing else is said."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest

from measures.diagnosis import RELEVANT_SHARE
from sql import diagnosis_words as words
from tests.dbt.macros import rendered
from tests.dbt.synthetic import FEW, PLANTED
from tests.dbt.synthetic_experiments import CONTROL, CUT, HIGH, NO_PATH, NOISE_FLOOR

MARGIN = 0.14 / 0.86 * NOISE_FLOOR
N_EPISODES = PLANTED.n_success + PLANTED.n_failure


def diagnosis(warehouse: duckdb.DuckDBPyConnection, run_id: str, question: str) -> dict[str, Any]:
    cursor = warehouse.execute(
        "select * from marts.diagnoses where run_id = $run and question = $question",
        {"run": run_id, "question": question},
    )
    names = [column[0] for column in cursor.description or []]
    (row,) = cursor.fetchall()
    return dict(zip(names, row, strict=True))


def test_the_prompt_controls_the_actions(warehouse: duckdb.DuckDBPyConnection) -> None:
    """From the raw rows: prompts that name another object against paraphrases, of which a vacuous one counts as 0."""
    raw = warehouse.execute(
        """select changed.episode_id, changed.condition_id, case when changed.status = 'ok' then per_dim[1] else 0 end
        from raw.inferences as changed
        join raw.inferences as baseline using (run_id, episode_id, frame_index)
        left join raw.action_effects on action_effects.inference_id = changed.inference_id
            and action_effects.run_id = changed.run_id
        where changed.run_id = 'planted' and changed.noise_index = 0 and baseline.noise_index = 0
            and baseline.condition_id = 'baseline:baseline' and changed.status in ('ok', 'vacuous')
            and (changed.condition_id like 'paraphrase:%' or changed.condition_id like 'prompt:%'
                and changed.named_object is distinct from baseline.named_object)"""
    ).fetchall()
    by_condition: dict[tuple[str, str], dict[str, list[float]]] = {}
    for episode, condition, squared in raw:
        key = episode, condition.split(":")[0]
        by_condition.setdefault(key, {}).setdefault(condition, []).append(squared)
    means = {key: np.mean([np.mean(one) for one in found.values()]) for key, found in by_condition.items()}
    excess = [
        means[episode, "prompt"] - means[episode, "paraphrase"] for episode, kind in means if kind == "prompt"
    ]
    found = diagnosis(warehouse, "planted", "prompt")
    assert (found["answer"], found["attention_answer"], found["disagree"]) == ("yes", "yes", False)
    assert found["estimate"] == pytest.approx(np.mean(excess), rel=0.01)
    assert found["low"] < found["estimate"] < found["high"]
    assert found["n_episodes"] == N_EPISODES == len(excess)


def test_an_object_is_a_cause(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Covering the gripper does 1, covering as much elsewhere 0.2, which is more than the margin of a noise of 0.3."""
    found = diagnosis(warehouse, "planted", "object")
    assert (found["answer"], found["family_size"]) == ("gripper", 1)
    assert found["estimate"] == pytest.approx(HIGH - CONTROL, abs=0.02)
    (test,) = warehouse.execute(
        "select stricter_null, p, p_holm, mean_error_noise, share_of_variance from marts.diagnosis_tests "
        "where run_id = 'planted' and question = 'object'"
    ).fetchall()
    assert test[0] == "control"
    assert test[1] == test[2] < 0.001
    assert test[3] == pytest.approx(NOISE_FLOOR, abs=0.02)
    assert test[4] == pytest.approx(HIGH / (HIGH + NOISE_FLOOR), abs=0.02)
    assert CONTROL > MARGIN


def test_cut_attention_carries_or_does_not(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Cutting the words from the target does 0.9, as many patches elsewhere 0.2. Cutting the action tokens from the
    gripper does 0.02, less than the margin of a noise of 0.3, though covering the gripper does 1.
    """
    found = diagnosis(warehouse, "planted", "words_to_object")
    assert (found["answer"], found["attention_answer"], found["disagree"]) == ("target", "target", False)
    assert found["estimate"] == pytest.approx(CUT - CONTROL, abs=0.02)
    assert found["low"] < found["estimate"] < found["high"]
    assert "and cutting it from target moves the actions" in found["told"]
    found = diagnosis(warehouse, "planted", "actions_to_object")
    assert (found["answer"], found["n_episodes"]) == ("none", N_EPISODES)
    assert found["estimate"] == pytest.approx(NO_PATH - MARGIN, abs=0.02)
    assert found["high"] < 0
    covered = diagnosis(warehouse, "planted", "object")["told"]
    assert "Cutting the action tokens' attention on gripper moves the actions no more" in covered
    assert "reaches them by another path" in covered


def of(candidate: str, reading: str, reason: str | None = None) -> dict[str, Any]:
    number = None if reason else 0.5
    return {
        **{"candidate": candidate, "reading": reading, "reason": reason, "stricter_null": "noise"},
        **{"estimate": number, "low": 0.25, "high": 0.75, "p_holm": 0.01, "n_episodes": 30},
    }


def test_a_path_is_told_of_what_is_covered_and_cut() -> None:
    told = words.paths(
        [of("gripper", "no cause"), of("pad", "no cause"), of("target", "cause")],
        {
            "actions_to_object": [of("gripper", "cause"), of("pad", "no cause"), of("target", "no cause")],
            "words_to_object": [of("cube", "cause"), of("target", "cause")],
        },
    )
    numbers = "(0.5 [0.25, 0.75] above the noise's margin, p = 0.01, n = 30)"
    assert told == (
        f"Covering gripper is no cause, yet cutting the action tokens' attention on it moves the actions {numbers}: "
        "a cut also hands its share of the attention to other keys. "
        f"Cutting the action tokens' attention on target moves the actions no more than what should not matter {numbers}: "
        "what target shows reaches them by another path. "
        f"Cutting the words' attention on target moves the actions too {numbers}: this link carries what target shows."
    )
    open_ = {
        "actions_to_object": [of("target", "undecided")],
        "words_to_object": [of("target", "insufficient data", "no repeats")],
    }
    assert words.paths([of("target", "cause")], open_) == (
        f"Whether the action tokens' attention on target carries it is undecided {numbers}. "
        "Whether the words' attention on target carries it is not decided (no repeats)."
    )
    assert words.paths([of("target", "cause")], {"actions_to_object": [], "words_to_object": []}) == ""


def test_what_attention_singles_out_and_no_cut_of_it_moves_is_a_disagreement() -> None:
    """The sentences of the questions about cuts: singled out or not, moved or not."""
    question, names = "actions_to_object", ["cube", "target"]
    of_both = "Of cube and target, the action tokens' attention singles out"
    assert words.told(question, "none", "target", True, names) == (
        f"{of_both} target, but cutting it moves the actions no more than what should not matter."
    )
    assert words.told(question, "cube", "target", True, names) == (
        f"{of_both} target, but cutting it from cube moves the actions most."
    )
    assert words.told(question, "none", "none", False, names) == (
        f"{of_both} no object, and cutting it moves the actions no more than what should not matter."
    )
    assert words.told(question, "target", "target", False, names) == (
        f"{of_both} target, and cutting it from target moves the actions."
    )


def test_what_a_study_does_not_ask_is_not_applicable(warehouse: duckdb.DuckDBPyConnection) -> None:
    camera = diagnosis(warehouse, "planted", "camera")
    assert (camera["answer"], camera["disagree"]) == ("not applicable", None)
    assert "box [0, 0, 1, 1]" in camera["because"]
    assert diagnosis(warehouse, "few", "object")["answer"] == "not applicable"


def test_without_its_nulls_nothing_is_decided(warehouse: duckdb.DuckDBPyConnection) -> None:
    """This world has prompts, and neither paraphrases nor repeats."""
    found = diagnosis(warehouse, FEW.run_id, "prompt")
    assert (found["answer"], found["estimate"], found["disagree"]) == ("insufficient data", None, None)
    assert "without a control" in found["because"]


def test_every_run_has_every_question(warehouse: duckdb.DuckDBPyConnection) -> None:
    counts = warehouse.execute(
        "select run_id, count(*) from marts.runs left join marts.diagnoses using (run_id) group by run_id"
    ).fetchall()
    assert {n for _, n in counts} == {5}


def test_an_unknown_checkpoint_has_no_truth(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.execute("select count(*) from marts.planted_truths").fetchall() == [(0,)]


def test_the_margin_of_the_noise_is_the_rules_share() -> None:
    ((part,),) = duckdb.sql(f"select {rendered('relevant_part_of_noise')}").fetchall()
    assert part == pytest.approx(RELEVANT_SHARE / (1 - RELEVANT_SHARE))
