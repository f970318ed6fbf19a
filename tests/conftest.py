"""Order of the whole suite, and where dbt builds."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test come first, then those that open pages: begun last, one of them would keep one worker busy
    while the other has nothing."""

    def files(marker: str) -> set[Path]:
        return {item.path for item in items if item.get_closest_marker(marker)}

    slow, browser = files("slow"), files("browser")
    items.sort(key=lambda item: (item.path not in slow, item.path not in browser))


@pytest.fixture(scope="session")
def dbt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this process has dbt build: its target, and `w.duckdb`, to be moved away when it is built.

    What dbt remembers of the project, a third of a build's time, holds for a warehouse at one path: for another it
    reads the whole project again.
    """
    folder = tmp_path_factory.getbasetemp() / "dbt-builds-here"
    folder.mkdir(exist_ok=True)
    return folder
