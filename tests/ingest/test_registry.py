"""Families from elsewhere, and what is said when one cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.errors import CheckpointError, UnknownNameError, UserError
from ingest.policies.registry import load_policy
from ingest.study import PolicySection


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that registers the family 'mine'."""
    (tmp_path / "their_policy.py").write_text(
        "def load(section, device):\n    return (section.family, section.checkpoint, device)\n"
    )
    info = tmp_path / "their_policy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-policy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gazehouse.policies]\nmine = their_policy:load\nbroken = not_installed_anywhere:load\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_another_packages_family(package: Path) -> None:
    assert load_policy(PolicySection(family="mine", checkpoint="c"), "cpu") == ("mine", "c", "cpu")
    with pytest.raises(UnknownNameError, match="the nearest known one is 'mine'"):
        load_policy(PolicySection(family="mind"), "cpu")
    with pytest.raises(UserError, match="needs the package 'not_installed_anywhere'"):
        load_policy(PolicySection(family="broken"), "cpu")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "expected 'module:function'"),
        ("no_such_module:make", "No module named 'no_such_module'"),
        ("their_policy:make", "their_policy has no 'make'"),
        ("their_policy:load", "made a tuple, no HuggingFacePolicy"),
    ],
)
def test_a_recipe_that_cannot_be_used(package: Path, config: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_policy(PolicySection(family="huggingface", config=config), "cpu")


@pytest.mark.parametrize("fault", ["nan", "layers"])
def test_a_recipe_with_a_faulty_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"faulty_{fault}.py").write_text(
        "from dataclasses import replace\n"
        "from tests.conformance.models import openvla\n"
        "def make(section, device):\n"
        "    policy = openvla.make()\n"
        f"    if {fault!r} == 'layers':\n"
        "        return replace(policy, attention={'prefix': policy.attention['prefix'][:2]})\n"
        "    policy.model.projector.weight.data[0, 0] = float('nan')\n"
        "    return policy\n"
    )
    expected: type[Exception] = CheckpointError if fault == "nan" else UserError
    message = "projector.weight are not all finite" if fault == "nan" else "needs 3 attention modules"
    with pytest.raises(expected, match=message):
        load_policy(PolicySection(family="huggingface", config=f"faulty_{fault}:make"), "cpu")
