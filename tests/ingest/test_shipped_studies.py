"""The studies that come with Gazehouse can be run as they are: `ingest check --dry-run` plans them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from ingest.study import PACKAGE_ROOT, load_study
from tests.ingest.world import cli, table_of

STUDIES = PACKAGE_ROOT / "studies"


@pytest.mark.parametrize("path", sorted(STUDIES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_study_is_valid(path: Path) -> None:
    assert load_study(path).study.endswith(path.stem)


@pytest.mark.parametrize("name", ["demo-quick", "changed-models"])
def test_a_shipped_study_is_planned(name: str) -> None:
    ended = cli("check", "--study", STUDIES / f"{name}.yaml", "--dry-run")
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"\d+ units, \d+ inferences planned", ended.out)


def test_the_study_of_changed_models_asks_what_it_says() -> None:
    study = load_study(STUDIES / "changed-models.yaml")
    assert study.conditions.vqa == []
    ended = cli("check", "--study", STUDIES / "changed-models.yaml", "--dry-run")
    planned = dict(re.findall(r"^  (\w+): \d+ units, (\d+) inferences$", ended.out, re.MULTILINE))
    n = 30
    assert study.episodes.limit == n
    counts = {"baseline": n, "repeats": n, "ablation": 8 * n, "randomised": 5 * n, "augmentation": 2 * n}
    assert planned == {group: str(count) for group, count in counts.items()}


def test_the_study_of_experiments_is_planned_with_a_warning_about_its_questions() -> None:
    ended = cli("check", "--study", STUDIES / "experiments.yaml", "--dry-run")
    assert ended.code == 0
    assert ended.err == (
        "warning: conditions.vqa: the policy family 'tiny' has no language head: it answers no questions, and is asked none\n"
    )
    assert "8 units, 124 inferences planned" in ended.out
    assert "vqa: 2 units, 0 inferences" in ended.out
    said = (STUDIES / "experiments.yaml").read_text()
    assert "124 inferences" in said


@pytest.mark.slow
def test_the_study_of_experiments_runs_and_asks_what_it_says(tmp_path: Path) -> None:
    ended = cli("run", "--study", STUDIES / "experiments.yaml", "--no-load", "--lake", tmp_path / "lake")
    assert ended.code == 0
    conditions = table_of(tmp_path / "lake", "conditions")
    asked = {
        row["condition_id"]: json.loads(row["params"]) for row in conditions if row["kind"] == "occlusion"
    }
    n_curve, n_fills, n_cameras = 4, 3, 2
    arms = Counter(params["arm"] for params in asked.values())
    each = n_fills * n_cameras
    assert arms == {"high": each, "control": each, "delete": n_curve * each, "insert": n_curve * each}
    assert {params["fill"] for params in asked.values()} == {"black", "mean", "blur"}
    assert {params["camera"] for params in asked.values()} == {"base", "wrist"}
    assert [row["name"] for row in conditions if row["kind"] == "vqa"] == ["what", "where"]

    effects = table_of(tmp_path / "lake", "action_effects", "occlusion")
    assert len(effects) == 2 * len(asked)
    assert all(row["mse"] > 0 for row in effects)
    for row in effects:  # one camera at a time
        assert len(json.loads(row["params"])["share_occluded"]) == 1
    issues = table_of(tmp_path / "lake", "issues")
    assert [row["reason"] for row in issues] == ["no_language_head"] * 2
