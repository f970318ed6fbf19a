"""What a page says is what the marts hold."""

from __future__ import annotations

import math
import re
import statistics
from typing import Any

import duckdb
import pytest

from reports import words
from tests.reports.conftest import Site, Visit
from tests.reports.drawn import specs


def rows(site: Site, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(site.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_lift_chart_holds_the_marts_intervals(rich: Site) -> None:
    first = specs(rich.root / "object-attention.html")[
        "base: lift on the target by layer, success and failure"
    ]
    points = max(first["datasets"].values(), key=lambda data: sum("high" in row for row in data))
    drawn = {
        (p["series"], p["layer"]): (p["y"], p["low"], p["high"], p["n"]) for p in points if "series" in p
    }
    stored = rows(
        rich,
        """
        select outcome, layer, estimate, bca_low, bca_high, n from marts.bootstrap_intervals
        where metric = 'lift' and camera = 'base' and denoise_step = 4 and outcome <> 'all'
    """,
    )  # the last section of the page is the last denoising step
    assert len(stored) == 2 * rich.shape.n_layers
    for outcome, layer, *numbers in stored:
        assert drawn[outcome, layer] == pytest.approx(tuple(numbers))


def test_table_of_tests_is_the_mart(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "object-attention.html", charts="none")
    block = page.locator("#outcomes .table-block").filter(has=page.locator("select")).first
    block.locator("select[data-filter=metric_name]").select_option("concentration (original)")
    block.locator("select[data-filter=camera]").select_option("wrist")
    block.locator("select[data-filter=view]").select_option("Actions to image, denoising step 0 (first)")
    keys = block.locator("th").evaluate_all("(cells) => cells.map((c) => c.dataset.key)")
    shown = block.locator("tbody tr:visible").evaluate_all(
        "(rows) => rows.map((r) => [...r.cells].map((c) => c.textContent.trim()))"
    )
    stored = rows(
        rich,
        """
        select layer, p_student_seed, p_welch_holm, hedges_g from marts.outcome_tests
        where metric = 'attention_concentration_seed' and camera = 'wrist' and denoise_step = 0 order by layer
    """,
    )
    assert len(shown) == len(stored) == rich.shape.n_layers
    for cells, (layer, p, holm, g) in zip(shown, stored, strict=True):
        row = dict(zip(keys, cells, strict=True))
        assert row["layer"] == str(layer)
        assert row["p_student_seed"] == words.p_value(p)
        assert row["p_welch_holm"] == words.p_value(holm)
        assert row["hedges_g"] == words.number(g)


def test_cards_are_the_verdicts(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "index.html")
    for hypothesis, verdict, estimate, because in rows(
        rich,
        """
        select hypothesis, verdict, estimate, because from marts.hypothesis_verdicts
        where criteria = 'ours' and verdict <> 'not applicable'
    """,
    ):
        card = page.locator("article.verdict").filter(
            has=page.locator(".hypothesis", has_text=re.compile(f"^{hypothesis}$"))
        )
        assert verdict in card.locator(".badge").inner_text()
        assert card.locator(".estimate .value").inner_text() == words.brief(estimate)
        assert because[1:] in card.inner_text()  # its first letter is a capital on the page


def test_coverage_adds_up(rich: Site, visit: Visit) -> None:
    text = visit.open(rich.root / "index.html").inner_text("main")
    for group, done, units, ok in rows(
        rich, "select condition_group, n_done, n_units, n_ok from marts.coverage"
    ):
        assert re.search(rf"{group}\s+{done} of {units} units done; {ok} of", text)
    assert "truncated JPEG" in text
    assert "Vacuous prompts: 16 inferences" in text  # 8 episodes of 2 keyframes


def test_numbers_of_a_frame_are_the_marts(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "episodes.html")
    page.locator("td.long a").first.click()
    page.wait_for_selector("html[data-shown]", state="attached")
    episode = page.locator("code.id").inner_text()
    layer = int(page.locator("input[name=layer]:checked").get_attribute("value") or -1)
    shown = page.locator("#objects tr").evaluate_all(
        "(rows) => rows.map((r) => [...r.cells].map((c) => c.textContent))"
    )
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        stored = con.execute(
            "select camera, role, lift from marts.frame_metrics where episode_id = $1 and frame_index = 0 and pass = 'prefix' "
            "and layer = $2 order by camera, object_index",
            [episode, layer],
        ).fetchall()
    assert [(r[2], r[1]) for r in shown] == [(camera, role) for camera, role, _ in stored]
    assert [float(r[5]) for r in shown] == pytest.approx([lift for *_, lift in stored], rel=6e-3)


def test_the_sql_on_a_page_runs_as_it_stands(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "methods.html")
    texts = page.locator("#queries pre code").all_text_contents()
    assert len(texts) > 12
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        for text in texts:
            con.execute(text).fetchall()


def test_the_ratio_over_the_episode_is_worked_out_again(rich: Site) -> None:
    """RICH has keyframes 0 and 8 of 16 frames: tenths 0 and 5. The interval is that of t with 7 degrees of freedom."""
    values = rows(
        rich,
        "select frame_index, log_ratio from marts.modality_balance_by_step where layer = -1 and denoise_step = 4",
    )
    drawn = specs(rich.root / "modality-balance.html")["Vision against language over the episode"]["datasets"]
    points = {r["at"]: r for data in drawn.values() for r in data if "low" in r}
    assert set(points) == {0, 5}
    for frame, tenth in ((0, 0), (8, 5)):
        logs = [log for index, log in values if index == frame]
        mean = statistics.fmean(logs)
        half = 2.364624 * statistics.stdev(logs) / math.sqrt(len(logs))
        found = (points[tenth]["y"], points[tenth]["low"], points[tenth]["high"])
        assert found == pytest.approx(
            (math.exp(mean), math.exp(mean - half), math.exp(mean + half)), rel=1e-5
        )


def test_the_box_of_ratios_holds_the_quartiles(rich: Site) -> None:
    every = sorted(
        ratio
        for (ratio,) in rows(
            rich,
            "select ratio_of_means from marts.modality_balance_by_episode where layer = -1 and denoise_step = 4",
        )
    )
    first, median, third = statistics.quantiles(every, n=4, method="inclusive")
    page = (rich.root / "modality-balance.html").read_text()
    assert f"quartiles {words.number(first)} to {words.number(third)}, median {words.number(median)}" in page
