"""The warehouse gets every planted truth right, and says where attention would have misled: the shipped studies,
run for real through dbt. Slow, and worth it: nothing else shows that an answer of the warehouse is the right one.
Their warehouse is also grown by an episode, and is then what it is when it is built anew.

What `make planted-report` runs, with the attention of one head, and on the first keyframe of an episode instead of four.
On that one the changes of `wrist-only` are no more than another noise's, so it keeps its four.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("transformers")

from ingest.append import hash_of_models, sign
from ingest.dbt_build import dbt_build
from ingest.demo.planted.variants import GROUNDED, VARIANTS, Truth
from ingest.lake import RunFolder, run_ids
from ingest.policies.tiny import load as load_policy
from ingest.progress import Progress
from ingest.publish import place_to_build, publish
from ingest.run import run
from ingest.study import PACKAGE_ROOT, PolicySection, load_study
from ingest.warehouse import load

STUDIES = sorted((PACKAGE_ROOT / "studies" / "planted").glob("*.yaml"))
TRUTHS = PACKAGE_ROOT / "sql" / "truths" / "known_truths.csv"
POLICIES = {"grounded": ("demo", GROUNDED)} | {one.name: (one.checkpoint, one.truth) for one in VARIANTS}
N_EPISODES = 10
N_KEYFRAMES = dict.fromkeys(POLICIES, 1) | {"wrist-only": 4}
SMALLER = {"capture.layers": [3], "capture.heads": [0]}
FULLER = {"capture.queries": ["instruction", "words", "action"], "conditions.randomised.top": [1]}
"""Words and shuffled weights too, so that their models have rows to compare when the warehouse grows."""


def truth_rows() -> list[dict[str, str]]:
    with TRUTHS.open(newline="") as file:
        return list(csv.DictReader(file))


# --- what is known beforehand -------------------------------------------------------------------------------------


def test_the_truths_are_those_of_the_policies() -> None:
    """The table names the shipped weights, and says what `variants.py` says."""
    known = {(row["policy"], row["question"]): row["expected"] for row in truth_rows()}
    for policy, (_, truth) in POLICIES.items():
        assert known[policy, "prompt"] == ("yes" if truth.prompt_controls else "no")
        assert (
            known[policy, "object"]
            == {"named toy": "target", "pad": "decoy", "noise": "none"}[truth.leads_to]
        )
        if truth.camera is not None:
            assert known[policy, "camera"] == truth.camera
    assert {policy for policy, _ in known} == set(POLICIES)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_truth_is_keyed_by_the_weights(policy: str) -> None:
    checkpoint, _ = POLICIES[policy]
    hashes = {row["checkpoint_hash"] for row in truth_rows() if row["policy"] == policy}
    assert hashes == {load_policy(PolicySection(family="tiny", checkpoint=checkpoint), "cpu").checkpoint_hash}


def test_what_was_planted_is_known_from_the_training() -> None:
    planted: dict[str, Truth] = {one.name: one.truth for one in VARIANTS}
    for row in truth_rows():
        assert row["is_planted"] == str(row["policy"] in planted).lower()
        if row["question"] == "camera":
            assert row["known_by"] == "training"
            assert planted[row["policy"]].camera is not None


def test_the_studies_are_found() -> None:
    assert {path.stem for path in STUDIES} == set(POLICIES)


def test_the_studies_differ_in_their_policy_alone() -> None:
    """So that their answers can be compared."""
    found = [yaml.safe_load(path.read_text()) for path in STUDIES]
    assert {one.pop("policy")["checkpoint"] for one in found} == {
        checkpoint for checkpoint, _ in POLICIES.values()
    }
    assert {one.pop("study") for one in found} == {f"planted-{policy}" for policy in POLICIES}
    assert all(one == found[0] for one in found)


# --- what the warehouse says --------------------------------------------------------------------------------------


def one_thread(*_: object) -> None:
    """More of them mostly wait for each other, on a machine whose other cores run other tests."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every study's units."""
    lake = tmp_path_factory.mktemp("planted") / "lake"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.run.limit_threads", one_thread)
        for path in STUDIES:
            smaller = {**SMALLER, **FULLER, "episodes.keyframes.first": N_KEYFRAMES[path.stem]}
            with contextlib.redirect_stderr(io.StringIO()):
                summary = run(load_study(path, smaller), lake, fresh=False, progress=Progress())
            assert summary.is_complete, [result.messages for result in summary.results]
    return lake


@pytest.fixture(scope="module")
def dbt(dbt_folder: Path) -> Iterator[Path]:
    """Where dbt builds: at another path it would read its whole project again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_TARGET_PATH", str(dbt_folder / "target"))
        patch.setenv("DBT_LOG_PATH", str(dbt_folder / "logs"))
        yield dbt_folder


@pytest.fixture(scope="module")
def anew(lake: Path, dbt: Path) -> Path:
    """The warehouse of the whole lake, built as the first `publish` builds it."""
    publish(lake, dbt / "w.duckdb")
    return (dbt / "w.duckdb").replace(dbt / "anew.duckdb")


@pytest.fixture(scope="module")
def answers(anew: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(anew), read_only=True) as connection:
        yield connection


def rows(answers: duckdb.DuckDBPyConnection, text: str) -> list[dict[str, Any]]:
    cursor = answers.execute(text)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.mark.slow
def test_every_planted_truth_is_told(answers: duckdb.DuckDBPyConnection) -> None:
    found = rows(answers, "select * from marts.planted_truths")
    others = [
        (row["policy"], row["question"], row["expected"], row["answer"], row["because"])
        for row in found
        if not row["is_right"]
    ]
    assert others == []
    assert {(row["policy"], row["question"]) for row in found} == {
        (row["policy"], row["question"]) for row in truth_rows()
    }


@pytest.mark.slow
def test_numbers_stand_on_the_raw_rows(answers: duckdb.DuckDBPyConnection) -> None:
    """The mean error of the covered pad, worked out from raw rows without the models in between."""
    (found,) = rows(
        answers,
        """select tests.* from marts.diagnosis_tests as tests join marts.runs using (run_id)
        where study = 'planted-shortcut' and question = 'object' and candidate = 'decoy'""",
    )
    raw = rows(
        answers,
        """select inferences.* exclude (run_id), per_dim
        from raw.inferences join raw.runs using (run_id) left join raw.action_effects using (run_id, inference_id)
        where study = 'planted-shortcut' and inferences.status = 'ok'""",
    )
    steps = np.concatenate(
        [np.array(row["actions"]) for row in raw if row["condition_id"] == "baseline:baseline"]
    )
    variances = steps.astype(np.float64).var(axis=0, ddof=1)

    def errors(kind: str) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for row in raw:
            if row["condition_id"].startswith(kind):
                found.setdefault(row["episode_id"], []).append(float(np.mean(row["per_dim"] / variances)))
        return {episode: float(np.mean(values)) for episode, values in found.items()}

    pad, noise = errors("occlusion:pad.region."), errors("noise:")
    excess = np.array([pad[episode] - 0.14 / 0.86 * noise[episode] for episode in sorted(pad)])
    assert found["n_episodes"] == len(excess) == N_EPISODES
    assert found["mean_error"] == pytest.approx(np.mean(list(pad.values())), rel=1e-9)
    assert found["stricter_null"] == "noise"
    assert found["estimate"] == pytest.approx(excess.mean(), rel=1e-9)
    flipped = np.array(list(itertools.product([1, -1], repeat=N_EPISODES))) @ excess / N_EPISODES
    assert found["p"] == pytest.approx((flipped >= excess.mean() - 1e-12).mean())


@pytest.mark.slow
def test_where_attention_would_have_misled_is_said(answers: duckdb.DuckDBPyConnection) -> None:
    """A disagreement is no opinion of ours: the two answers stand in the row, and the sentence names both."""
    found = rows(answers, "select * from marts.diagnoses")
    assert len(found) == 5 * len(STUDIES)
    for row in found:
        both = row["answer"], row["attention_answer"]
        if {"undecided", "insufficient data"} & set(both):
            assert row["disagree"] is None
            assert row["told"].startswith("Not compared")
        elif row["question"] == "prompt":
            assert row["disagree"] == (both[0] != both[1])
        else:
            assert row["disagree"] == (both[1] not in both[0].split(" and "))
            assert row["disagree"] == (", but " in row["told"])
    assert any(row["disagree"] for row in found)


# --- a warehouse that grows ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown(lake: Path, dbt: Path) -> Path:
    """The warehouse of the lake without the last episode of one run, to which `publish` has added that episode."""
    before, path = dbt / "before", dbt / "w.duckdb"
    shutil.copytree(lake, before, copy_function=os.link)
    folder = RunFolder(before, min(run_ids(before)))
    episode_of = {unit: str((folder.manifest(unit) or {})["episode_id"]) for unit in folder.units()}
    units = [unit for unit, episode in episode_of.items() if episode == max(episode_of.values())]
    assert len(units) > 1
    for unit in units:
        shutil.rmtree(folder.unit_path(unit))
    building = place_to_build(path)
    load(before, building)
    # What an append finds: rows to keep, views and the seed. It makes everything else anew, whatever was there.
    found = ("+config.materialized:incremental", "+config.materialized:view", "resource_type:seed")
    assert dbt_build(PACKAGE_ROOT, building, "--exclude-resource-type", "test", "--select", *found) is None
    sign(building, hash_of_models(PACKAGE_ROOT))
    building.replace(path)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        publish(lake, path)
    assert f"adding {len(units)} new units" in said.getvalue()
    return path


@pytest.mark.slow  # two more builds by dbt, the only proof that adding to a warehouse gives what building it anew gives
def test_marts_are_those_of_a_build_of_everything(answers: duckdb.DuckDBPyConnection, grown: Path) -> None:
    """Equal but for the last digits, which hang on the order of a sum."""
    tables = answers.execute(
        "select table_schema, table_name from information_schema.tables "
        "where table_type = 'BASE TABLE' and table_schema in ('intermediate', 'marts')"
    ).fetchall()
    assert len(tables) > 30
    incremental = {
        path.stem for path in PACKAGE_ROOT.glob("models/*/*.sql") if "'incremental'" in path.read_text()
    }
    assert incremental
    with duckdb.connect(str(grown), read_only=True) as connection:
        for schema, table in tables:
            query = f"select * from {schema}.{table} order by all"
            found, expected = connection.execute(query).fetchall(), answers.execute(query).fetchall()
            assert expected or table not in incremental, f"nothing to compare in {schema}.{table}"
            assert alike(found, expected), f"{schema}.{table}"


@pytest.mark.slow
def test_checks_look_at_new_rows(grown: Path, dbt: Path) -> None:
    """What dbt compiled after an append finds damage in the episode that came, and spares the rest of a large table."""
    (check,) = (dbt / "target").glob("compiled/**/stg_raw__attention_masses_sound.sql")
    of_kept = """inference_id in
        (select inference_id from raw.inferences semi join raw.episodes_kept using (run_id, episode_id))"""
    with duckdb.connect(str(grown)) as connection:
        assert not connection.execute(check.read_text()).fetchall()
        for found, damaged in ((False, of_kept), (True, f"not {of_kept}")):
            connection.execute("begin")
            # A number is changed in its place; a row whose list is changed would move to the table's end.
            connection.execute(f"update raw.attention_masses set top_share = 2 where {damaged}")
            assert bool(connection.execute(check.read_text()).fetchall()) is found
            connection.execute("rollback")


@pytest.mark.slow
def test_a_full_refresh_makes_anew_what_an_append_left_alone(
    answers: duckdb.DuckDBPyConnection, grown: Path
) -> None:
    again = place_to_build(grown)
    shutil.copy(grown, again)
    options = ("--full-refresh", "--select", "frame_metrics", "--exclude-resource-type", "test")
    assert dbt_build(PACKAGE_ROOT, again, *options) is None
    query = "select * from marts.frame_metrics order by all"
    expected = answers.execute(query).fetchall()
    assert expected
    with duckdb.connect(str(again), read_only=True) as connection:
        assert alike(connection.execute(query).fetchall(), expected)


def alike(a: Any, b: Any) -> bool:
    """Numbers to six digits, everything else exactly."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)
