"""`--adapter NAME` runs one adapter's cases; without it all run whose library can be imported here."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from tests.conformance import cases as package
from tests.conformance.case import Case


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--adapter", help="conformance: the module of tests/conformance/cases to run alone")


def found_cases(only: str | None) -> tuple[list[Case], dict[str, str]]:
    """The cases that can run, and why the others cannot."""
    cases: list[Case] = []
    missing: dict[str, str] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if only not in (None, module.name):
            continue
        try:
            cases += importlib.import_module(f"{package.__name__}.{module.name}").CASES
        except ImportError as error:
            if only is not None:
                raise
            missing[module.name] = f"{error.name or error} cannot be imported here"
    return cases, missing


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    only = metafunc.config.getoption("--adapter", default=None)
    if "case" in metafunc.fixturenames:
        cases, _ = found_cases(only)
        metafunc.parametrize("case", cases, ids=[case.name for case in cases], scope="module")
    if "left_out" in metafunc.fixturenames:
        _, missing = found_cases(only)
        lines = {name: f"conformance of {name} did not run: {why}" for name, why in missing.items()}
        metafunc.parametrize("left_out", lines.values() or [None], ids=list(lines) or ["none"])
