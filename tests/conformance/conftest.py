"""`--adapter NAME` runs one adapter's cases; without it all run whose library can be imported here."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One case after the other: left to itself, pytest goes to and fro between them, and makes each model anew."""
    # All tests of the suite come past here, and others have a "case" of their own.
    places = [place for place, item in enumerate(items) if isinstance(parameters(item).get("case"), Case)]
    ordered = sorted((items[place] for place in places), key=lambda item: parameters(item)["case"].name)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def parameters(item: pytest.Item) -> dict[str, Any]:
    """What a test is run with, by name."""
    call = getattr(item, "callspec", None)
    return {} if call is None else dict(call.params)
