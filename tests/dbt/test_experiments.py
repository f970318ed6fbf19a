"""Effects of experiments, from rows to verdicts: what was planted is found, and numbers are the drawn ones' means."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from measures.bootstrap import bootstrap_interval
from tests.dbt.synthetic import PLANTED
from tests.dbt.synthetic_experiments import (
    CONTROL,
    CUT,
    DELETED,
    HIGH,
    HIGH_SEED,
    INSERTED,
    LOW_SEED,
    N_SHUFFLED,
    NOISE_FLOOR,
    SHARE_RIGHT,
    SHUFFLED_CORRELATION,
)

N_EPISODES = PLANTED.n_success + PLANTED.n_failure
IS_WORDS_CUT = "condition_id = 'knockout:words-to-target'"


def rows(warehouse: duckdb.DuckDBPyConnection, mart: str, where: str = "true") -> list[dict[str, Any]]:
    cursor = warehouse.execute(f"select * from marts.{mart} where run_id = 'planted' and {where}")
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_fidelity_by_layer(warehouse: duckdb.DuckDBPyConnection) -> None:
    first, second = sorted(rows(warehouse, "fidelity_by_layer"), key=lambda row: row["layer"])
    assert (first["layer"], second["layer"], first["n_episodes"]) == (1, 2, N_EPISODES)
    assert first["mean_error_high"] == pytest.approx(HIGH, abs=0.02)
    assert first["mean_error_control"] == pytest.approx(CONTROL, abs=0.02)
    assert first["mean_fidelity"] == pytest.approx(first["mean_error_high"] - first["mean_error_control"])
    assert first["low"] < HIGH - CONTROL < first["high"]
    assert abs(second["mean_fidelity"]) < 0.02
    assert first["p_holm"] < 0.05 < second["p_holm"]
    assert first["family_size"] == 2
    assert first["noise_floor"] == pytest.approx(NOISE_FLOOR, abs=0.01)
    assert first["mean_fidelity_seed"] == pytest.approx(HIGH_SEED - LOW_SEED, abs=0.02)
    assert first["label_seed"] == "strong"


def test_a_mean_worked_out_from_the_raw_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Controls first, then pictures, then episodes: here every level is even, so all in one is the same."""
    raw = warehouse.execute(
        """select inferences.condition_id, inferences.episode_id, action_effects.mse_standardised
        from raw.action_effects join raw.inferences using (run_id, inference_id)
        where run_id = 'planted' and condition_id like 'occlusion:L1.%'"""
    ).fetchall()
    high = [error for condition, _, error in raw if condition.endswith("high")]
    control = [error for condition, _, error in raw if ".control." in condition]
    (found,) = rows(warehouse, "fidelity_by_layer", "layer = 1")
    assert found["mean_fidelity"] == pytest.approx(np.mean(high) - np.mean(control), rel=1e-9)
    of_episode = [
        np.mean([e for c, name, e in raw if name == episode and c.endswith("high")])
        - np.mean([e for c, name, e in raw if name == episode and ".control." in c])
        for episode in sorted({name for _, name, _ in raw})
    ]
    assert found["std_fidelity"] == pytest.approx(np.std(of_episode, ddof=1), rel=1e-9)


def test_areas_under_the_curves_by_hand(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Deletion: 0 at 0, HIGH at .1, DELETED at .5. Insertion: INSERTED at .5, 0 at 1."""
    (found,) = rows(warehouse, "fidelity_by_layer", "layer = 1")
    deletion = (0.1 * HIGH / 2 + 0.4 * (HIGH + DELETED) / 2) / 0.5
    assert found["deletion_auc"] == pytest.approx(deletion, abs=0.02)
    assert found["insertion_auc"] == pytest.approx(INSERTED / 2, abs=0.02)
    points = {
        (row["curve"], row["share"]): row["mean_error"]
        for row in rows(warehouse, "fidelity_curves", "layer = 1")
    }
    assert set(points) == {
        ("delete", 0.0),
        ("delete", 0.1),
        ("delete", 0.5),
        ("insert", 0.5),
        ("insert", 1.0),
    }
    assert points["delete", 0.0] == points["insert", 1.0] == 0


def test_a_region_and_a_head(warehouse: duckdb.DuckDBPyConnection) -> None:
    (region,) = rows(warehouse, "region_effects")
    assert region["mean_difference"] == pytest.approx(HIGH - CONTROL, abs=0.02)
    assert region["p_holm"] < 0.05
    (head,) = rows(warehouse, "effects_by_condition", "condition_kind = 'ablation'")
    assert head["low"] < head["mean_mse_standardised"] < head["high"]
    assert head["mean_mse_standardised"] == pytest.approx(0.4, abs=0.02)


def test_a_cut(warehouse: duckdb.DuckDBPyConnection) -> None:
    (found,) = rows(warehouse, "knockout_effects", "cut = 'words-to-target'")
    assert (found["cut"], found["layer"], found["n_episodes"]) == ("words-to-target", None, N_EPISODES)
    assert found["mean_difference"] == pytest.approx(CUT - CONTROL, abs=0.02)
    assert found["p_holm"] < 0.05
    assert found["total_effect"] == [1.0, 0.0]


def test_a_total_effect_has_an_interval_over_episodes(warehouse: duckdb.DuckDBPyConnection) -> None:
    """1.5 and 0.5 by turns in the first dimension; the second is the same in every episode, and has no interval."""
    (found,) = rows(warehouse, "knockout_effects", "cut = 'words-to-target'")
    expected = bootstrap_interval([1.5, 0.5] * (N_EPISODES // 2), **draws(warehouse))
    assert found["total_effect_low"] == [pytest.approx(expected.low), None]
    assert found["total_effect_high"] == [pytest.approx(expected.high), None]
    assert found["n_episodes_total_effect"] == N_EPISODES


def draws(warehouse: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """What intervals over all episodes were drawn with."""
    (found,) = warehouse.execute(
        "select distinct seed, n_resamples from marts.bootstrap_intervals where run_id = 'planted' and n = $n",
        {"n": N_EPISODES},
    ).fetchall()
    return dict(zip(("seed", "n_resamples"), found, strict=True))


def test_dimensions_of_the_actions(warehouse: duckdb.DuckDBPyConnection) -> None:
    """From the raw rows: a condition's squared changes by dimension, and the variance of the run's own actions."""
    found = {row["dimension"]: row for row in rows(warehouse, "action_effects_by_dimension", IS_WORDS_CUT)}
    changes = warehouse.execute(
        f"""select avg(per_dim[1]), avg(per_dim[2])
        from raw.inferences join raw.action_effects using (run_id, inference_id)
        where run_id = 'planted' and {IS_WORDS_CUT} group by episode_id order by episode_id"""
    ).fetchnumpy()
    actions = warehouse.execute(
        "select actions from raw.inferences where run_id = 'planted' and condition_id = 'baseline:baseline' "
        "and noise_index = 0"
    ).fetchall()
    variances = np.concatenate([np.array(chunk) for (chunk,) in actions]).astype(float).var(axis=0, ddof=1)
    for row, values, variance in zip((found[1], found[2]), changes.values(), variances, strict=True):
        assert row["condition_kind"] == "knockout"
        assert row["n_episodes"] == len(values) == N_EPISODES
        assert row["mean_squared_change"] == pytest.approx(values.mean())
        assert row["variance_of_actions"] == pytest.approx(variance)
        if variance:
            assert row["mean_squared_change_standardised"] == pytest.approx(values.mean() / variance)
        else:
            assert row["mean_squared_change_standardised"] is None
    expected = bootstrap_interval(changes["avg(per_dim[1])"], **draws(warehouse))
    assert (found[1]["low"], found[1]["high"]) == pytest.approx((expected.low, expected.high))
    assert (found[2]["low"], found[2]["high"]) == (None, None)


def test_shuffled_layers_lose_their_maps_and_the_target(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The top 2 of 5 layers: another map, and the trained log lift of the target, from the raw rows, is lost."""
    found = {row["layer"]: row for row in rows(warehouse, "sanity_by_layer")}
    trained = warehouse.execute(
        """select layer, avg(one.log_lift) from (
            select metrics.layer, inferences.episode_id, avg(metrics.log_lift) as log_lift
            from raw.object_metrics as metrics join raw.inferences using (run_id, inference_id)
            join raw.objects using (run_id, episode_id, frame_index, camera, object_index)
            where run_id = 'planted' and condition_id = 'baseline:baseline' and noise_index = 0 and pass = 'prefix'
                and rows = 'mean' and against = 'own' and role = 'target'
            group by all
        ) as one group by layer"""
    ).fetchall()
    assert len(found) == len(trained) == PLANTED.n_layers
    for layer, log_lift in trained:
        row, is_shuffled = found[layer], layer >= PLANTED.n_layers - N_SHUFFLED
        assert (row["is_randomised"], row["n_layers_randomised"]) == (is_shuffled, N_SHUFFLED)
        assert row["n_episodes"] == N_EPISODES >= row["n_episodes_target"] > N_EPISODES / 2
        assert row["mean_correlation"] == (SHUFFLED_CORRELATION if is_shuffled else 1)
        assert row["mean_target_log_lift_change"] == pytest.approx(-log_lift if is_shuffled else 0, rel=1e-4)
        assert (row["target_log_lift_change_low"] is None) == (not is_shuffled)


def test_answers(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Targets take turns among three, so the most frequent right answer is right in 14 of 40 episodes."""
    (found,) = rows(warehouse, "answers_by_question")
    given = warehouse.execute(
        "select episode_id, answer, params ->> '$.expected' from raw.inferences "
        "where run_id = 'planted' and condition_id = 'vqa:what' order by episode_id"
    ).fetchall()
    right = np.array([answer == f"{expected.title()}." for _, answer, expected in given])
    expected = [one for *_, one in given]
    mostly = max(set(expected), key=expected.count)
    assert found["mean_accuracy"] == pytest.approx(right.mean())
    assert abs(right.mean() - SHARE_RIGHT) < 0.15
    assert found["mean_majority_accuracy"] == pytest.approx(expected.count(mostly) / len(expected))
    assert found["low"] < found["mean_difference"] < found["high"]


def test_verdicts(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = {
        (row["hypothesis"], row["criteria"]): row
        for row in rows(warehouse, "hypothesis_verdicts", "hypothesis in ('H1', 'H1k', 'H2.2')")
    }
    assert {key: row["verdict"] for key, row in found.items()} == {
        ("H1", "ours"): "supported",
        ("H1", "seed"): "supported",
        ("H1k", "ours"): "supported",
        ("H2.2", "ours"): "supported",
    }
    assert "occlusion:black (L1, camera together)" in found["H1", "ours"]["because"]
    assert found["H1", "ours"]["estimate"] == pytest.approx(HIGH - CONTROL, abs=0.02)


def test_the_seeds_p_is_the_paired_t_tests(warehouse: duckdb.DuckDBPyConnection) -> None:
    """From the raw rows: the MSE of the high arm minus that of the low arm, an episode."""
    expected = []
    for layer in (1, 2):
        arms = [
            [mse for (mse,) in warehouse.execute(
                """select avg(mse) from raw.action_effects join raw.inferences using (run_id, inference_id)
                where run_id = 'planted' and condition_id = $one group by episode_id order by episode_id""",
                {"one": f"occlusion:L{layer}.{arm}"},
            ).fetchall()]
            for arm in ("high_seed", "low_seed")
        ]  # fmt: skip
        assert len(arms[0]) == N_EPISODES
        expected.append(stats.ttest_rel(*arms, alternative="greater").pvalue)
    found = {row["layer"]: row["p_seed"] for row in rows(warehouse, "fidelity_by_layer")}
    assert [found[1], found[2]] == pytest.approx(expected, rel=1e-6)
    (row,) = rows(warehouse, "hypothesis_verdicts", "hypothesis = 'H1' and criteria = 'seed'")
    assert row["p"] == pytest.approx(min(expected), rel=1e-6)
    assert (row["low"], row["n"], row["family_size"]) == (None, N_EPISODES, 2)


def test_a_rule_without_a_test_has_no_family(warehouse: duckdb.DuckDBPyConnection) -> None:
    for row in rows(warehouse, "hypothesis_verdicts", "hypothesis in ('M', 'H2.2')"):
        assert (row["p"], row["family_size"]) == (None, None)


def test_a_study_without_experiments_says_so(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = dict(
        warehouse.execute(
            "select hypothesis, because from marts.hypothesis_verdicts "
            "where run_id = 'few' and verdict = 'not applicable' and hypothesis in ('H1', 'H1k', 'H2.2')"
        ).fetchall()
    )
    assert found == {
        "H1": "the study has no occlusion",
        "H1k": "the study has no knock-out",
        "H2.2": "the study asks the model no questions (vqa)",
    }
