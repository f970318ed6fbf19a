"""The studies that come with Gazehouse can be run as they are: `ingest check --dry-run` plans them."""

from __future__ import annotations

import re

import pytest

from ingest.study import PACKAGE_ROOT, load_study
from tests.ingest.world import cli

STUDIES = PACKAGE_ROOT / "studies"


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
