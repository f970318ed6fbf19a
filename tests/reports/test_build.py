"""The command: exit codes, one-line errors, and that one failure does not take the other pages with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from reports.cli import main
from tests.reports import synthetic
from tests.reports.conftest import Site


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def damaged(site: Site, folder: Path, *statements: str) -> Path:
    """A copy of a site's warehouse, changed by some statements."""
    copy = folder / "warehouse.duckdb"
    shutil.copyfile(site.warehouse, copy)
    with duckdb.connect(str(copy)) as con:
        for statement in statements:
            con.execute(statement)
    return copy


def test_no_warehouse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--warehouse", tmp_path / "none.duckdb", "--out", tmp_path / "site")
    assert code == 2
    assert err.count("\n") == 1
    assert "python -m ingest" in err
    assert not (tmp_path / "site").exists()


def test_no_marts(little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = damaged(little, tmp_path, "drop table marts.outcome_tests")
    code, _, err = run(capsys, "build", "--warehouse", copy, "--out", tmp_path / "site")
    assert code == 2
    assert (
        err
        == f"error: {copy} has no marts outcome_tests: run `python -m ingest publish --warehouse {copy}`, with the lake it is of\n"
    )


def test_a_file_that_is_no_warehouse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "warehouse.duckdb").write_text("this is no database, but long enough to look at " * 200)
    code, _, err = run(capsys, "--warehouse", tmp_path / "warehouse.duckdb", "--out", tmp_path / "site")
    assert code == 2
    assert err.count("\n") == 1


def test_a_folder_of_something_else_is_left_alone(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    code, _, err = run(capsys, "--warehouse", little.warehouse, "--out", tmp_path)
    assert code == 2
    assert "--out" in err
    assert (tmp_path / "thesis.tex").is_file()


def test_the_folder_beside_is_left_alone_too(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = tmp_path / "site.building"
    beside.mkdir()
    (beside / "thesis.txt").write_text("mine")
    code, _, err = run(
        capsys, "--warehouse", little.warehouse, "--lake", little.lake, "--out", tmp_path / "site"
    )
    assert (code, err.count("\n")) == (2, 1)
    assert str(beside) in err
    assert "--out" in err
    assert [path.name for path in tmp_path.rglob("*")] == ["site.building", "thesis.txt"]
    # One of ours, left by a build that was killed, is replaced.
    (beside / ".gazehouse-site").write_text("")
    assert (
        run(capsys, "--warehouse", little.warehouse, "--lake", little.lake, "--out", tmp_path / "site")[0]
        == 0
    )
    assert not beside.exists()


def test_a_place_that_cannot_be_written(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for out in (tmp_path / "file" / "site", tmp_path / "loop", "/proc/site", "/"):
        code, _, err = run(capsys, "--warehouse", little.warehouse, "--lake", little.lake, "--out", out)
        assert (code, err.count("\n")) == (2, 1), err
        assert "--out" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_to_a_folder_stays_and_leads_to_the_site(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_there: bool
) -> None:
    """As to another disk, where there is room for a site."""
    real, link = tmp_path / "elsewhere" / "real", tmp_path / "site"
    real.parent.mkdir()
    if is_there:
        real.mkdir()
    link.symlink_to(real)
    for _ in range(2):
        code, _, err = run(capsys, "--warehouse", little.warehouse, "--lake", little.lake, "--out", link)
        assert (code, err) == (0, "")
        assert link.is_symlink()
        assert (real / "index.html").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "site"]
    assert [path.name for path in real.parent.iterdir()] == ["real"]


def test_unknown_run(little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--warehouse", little.warehouse, "--out", tmp_path / "site", "--run", "ffff")
    assert code == 2
    assert little.shape.run_id in err


def test_one_failing_page_and_one_failing_episode_leave_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = synthetic.replace(synthetic.LITTLE, n_success=2)
    warehouse, lake = synthetic.build(tmp_path, shape)
    with duckdb.connect(str(warehouse)) as con:
        con.execute("alter table marts.modality_balance_by_task drop column log_ratio")
    (lake / f"run_id={shape.run_id}/pictures/e0001/00008_base.jpg").unlink()
    site = tmp_path / "site"
    code, out, err = run(capsys, "--warehouse", warehouse, "--lake", lake, "--out", site)
    assert code == 1
    assert [line.split(":")[1].strip() for line in err.splitlines()] == [
        "page modality-balance",
        "episode 'success/2026-11-20/0001'",
    ]
    assert "00008_base.jpg" in err
    assert "1 episode page" in out
    assert "could not be built" in (site / "modality-balance.html").read_text()
    assert "What does" in (site / "index.html").read_text()
    assert len(list((site / "episodes").glob("*.html"))) == 2


def test_a_build_replaces_a_site_and_changes_nothing_else(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    before = little.warehouse.read_bytes()
    arguments = (
        "--warehouse",
        little.warehouse,
        "--lake",
        little.lake,
        "--out",
        site,
        "--run",
        little.shape.run_id[:6],
    )
    assert run(capsys, *arguments)[0] == 0
    first = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    (site / "old-page.html").write_text("of a run long gone")
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert str(site / "index.html") in out
    assert {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()} == first
    assert little.warehouse.read_bytes() == before
    assert not site.with_name("site.building").exists()


def test_a_picture_outside_the_lake_is_refused(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = damaged(
        little, tmp_path, """update marts.frames set pictures = '{"base": "../../../../etc/hostname"}'"""
    )
    code, _, err = run(capsys, "--warehouse", copy, "--lake", little.lake, "--out", tmp_path / "site")
    assert code == 1
    assert "points out of the lake" in err


def test_without_the_lake_episodes_have_no_pictures(
    little: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    code, out, err = run(capsys, "--warehouse", little.warehouse, "--lake", tmp_path / "none", "--out", site)
    assert code == 1
    assert err.count("\n") == 1
    assert "--lake" in err
    assert "1 episode page" in out
