"""The text summary says what the marts hold, as text and as JSON."""

from __future__ import annotations

import json
import statistics

import duckdb
import pytest

from reports.words import printable
from tests.reports.conftest import Site
from tests.reports.test_build import run


def summary(site: Site, capsys: pytest.CaptureFixture[str], form: str) -> str:
    code, out, err = run(
        capsys, "summary", "--format", form, "--warehouse", site.warehouse, "--lake", site.lake
    )
    assert (code, err) == (0, "")
    return out


def test_json_holds_every_verdict(rich: Site, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(summary(rich, capsys, "json"))
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        stored = con.execute(
            "select hypothesis, criteria, verdict, estimate, low, high, n from marts.hypothesis_verdicts"
        ).fetchall()
    keys = ("hypothesis", "criteria", "verdict", "estimate", "low", "high", "n")
    assert {tuple(row[k] for k in keys) for row in found["hypotheses"]} == set(stored)
    assert found["run"]["n_episodes"] == rich.shape.n_success + rich.shape.n_failure


def test_the_parsers_numbers_are_those_of_the_episodes(
    rich: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Worked out here from the mart's rows with `statistics`, standard deviations over n."""
    found = json.loads(summary(rich, capsys, "json"))
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        rows = con.execute(
            "select denoise_step, layer, task, mean_ratio_seed, visual_fraction, linguistic_fraction from marts.modality_balance_by_episode"
        ).fetchall()
    assert len(found["balance_by_layer"]) == len({row[:2] for row in rows})
    assert len(found["balance_by_task"]) == len({(row[0], row[2]) for row in rows})
    groups = [
        (r, [e for e in rows if e[:2] == (r["denoise_step"], r["layer"])]) for r in found["balance_by_layer"]
    ]
    groups += [
        (r, [e for e in rows if (e[0], e[1], e[2]) == (r["denoise_step"], -1, r["task"])])
        for r in found["balance_by_task"]
    ]
    for row, episodes in groups:
        ratios, visual, linguistic = ([float(e[i]) for e in episodes] for i in (3, 4, 5))
        assert row["n_episodes"] == len(episodes)
        assert row["mean_ratio_seed"] == pytest.approx(statistics.fmean(ratios))
        assert row["std_ratio_seed"] == pytest.approx(statistics.pstdev(ratios))
        assert row["median_ratio_seed"] == pytest.approx(statistics.median(ratios))
        assert (row["min_ratio_seed"], row["max_ratio_seed"]) == (min(ratios), max(ratios))
        assert row["mean_visual_fraction"] == pytest.approx(statistics.fmean(visual))
        assert row["std_linguistic_fraction"] == pytest.approx(statistics.pstdev(linguistic), abs=1e-9)


def test_text_is_for_reading(rich: Site, capsys: pytest.CaptureFixture[str]) -> None:
    text = summary(rich, capsys, "text")
    assert all(line.isprintable() for line in text.splitlines()), "hostile names move no cursor"
    assert printable("a\x1b[2J\u202eb\n") == "a\\x1b[2J\\u202eb\\n"
    assert "H1.1: " in text
    assert "  original protocol: " in text
    assert "denoising step 4, mean over layers, by task" in text
    tables = [line for line in text.splitlines() if line.startswith("  all ") or line.startswith("  layer ")]
    assert len({len(line) for line in tables}) <= 4


def test_a_run_without_results_says_so(empty: Site, capsys: pytest.CaptureFixture[str]) -> None:
    text = summary(empty, capsys, "text")
    assert "0 episodes" in text
    assert "Vision and language: not measured" in text
    assert json.loads(summary(empty, capsys, "json"))["balance_by_layer"] == []
