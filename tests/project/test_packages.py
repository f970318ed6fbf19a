"""pyproject.toml says what is needed, constraints.txt which versions of it work together."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project.tree import ROOT, project_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
UNPINNED_EXTRAS = {"lerobot"}  # its bounds exclude our pins: docs/installation.md
FOR_GPUS = (
    "cuda-",
    "nvidia-",
    "triton",
)  # what torch's CUDA build needs beside it, and says itself in which version
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)")


def pins(file: str = "constraints.txt") -> dict[str, str]:
    lines = [line for line in (ROOT / file).read_text().splitlines() if not line.startswith("#")]
    matches = [PIN.fullmatch(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    return {match["name"]: match["version"] for match in matches if match}


def requirements() -> list[tuple[str, Requirement]]:
    listed = {"": PROJECT["dependencies"], **EXTRAS}
    parsed = [(extra, Requirement(line)) for extra, lines in listed.items() for line in lines]
    return [(extra, requirement) for extra, requirement in parsed if requirement.name != PROJECT["name"]]


def test_the_pins_are_sorted_and_single():
    names = list(pins())

    assert names == sorted(set(names))


@pytest.mark.parametrize(("extra", "requirement"), requirements(), ids=str)
def test_a_requirement_is_a_range_that_the_pin_lies_in(extra: str, requirement: Requirement):
    assert requirement.specifier, "a range is wanted"
    assert "==" not in str(requirement.specifier), "pins belong in constraints.txt"
    if extra not in UNPINNED_EXTRAS:
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_the_lowest_pins_are_the_lower_ends_of_the_ranges():
    lowest = pins("constraints-lowest.txt")
    ends = {
        canonicalize_name(requirement.name): end.version
        for extra, requirement in requirements()
        for end in requirement.specifier
        if end.operator == ">=" and (extra == "" or canonicalize_name(requirement.name) in lowest)
    }

    assert list(lowest) == sorted(lowest)
    assert {name: Version(pin) for name, pin in lowest.items()} == {
        name: Version(end) for name, end in ends.items()
    }


def test_every_package_that_the_demo_and_the_tests_pull_in_is_pinned():
    pinned = pins()
    todo = [
        requirement
        for extra, requirement in requirements()
        if extra in {"", "torch", "hf", "sim", "video", "dev"}
    ]
    seen: dict[str, set[str]] = {}
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in seen and requirement.extras <= seen[name]:
            continue
        seen[name] = seen.get(name, set()) | requirement.extras
        for line in importlib.metadata.requires(name) or []:
            needed = Requirement(line)
            extras = ("", *requirement.extras)
            is_wanted = needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in extras)
            if is_wanted and not needed.name.startswith(FOR_GPUS):
                todo.append(needed)

    assert not set(seen) - set(pinned)


def test_the_extras_of_the_documentation_exist():
    documented = re.findall(
        r"^\| `([a-z]+)` \|", (ROOT / "docs" / "installation.md").read_text(), re.MULTILINE
    )

    assert sorted(documented) == sorted(EXTRAS)


def test_the_extras_that_nothing_uses_yet_are_marked_so():
    page = (ROOT / "docs" / "installation.md").read_text()
    marked = set(re.findall(r"^\| `([a-z]+)` \|.*\| nothing yet: ", page, re.MULTILINE))
    modules = {"ray": "ray", "slurm": "submitit", "lerobot": "lerobot", "video": "av", "rerun": "rerun"}
    code = "\n".join(
        path.read_text()
        for path in project_files(".py")
        if path.relative_to(ROOT).parts[0] in ("ingest", "reports")
    )
    unused = {
        extra
        for extra, module in modules.items()
        if not re.search(rf"^\s*(import|from) {module}\b|import_module\(.{module}\b", code, re.MULTILINE)
    }
    assert marked == unused
