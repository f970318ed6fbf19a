"""The page on heads: its grids, rankings and roles are the marts', and its choices work."""

from __future__ import annotations

import math
import re

import pytest

from reports import words
from tests.reports.conftest import Site, Visit
from tests.reports.drawn import shared_rows
from tests.reports.test_numbers import rows
from tests.reports.test_what_pages_say import sections, text_of

PAGE = "heads.html"
GRID = "base: every head's map, layers across and heads down"


def test_grid_holds_the_mart(rich: Site) -> None:
    drawn = {
        (r["layer"], r["head"]): r for r in shared_rows(rich.root / PAGE, GRID)
    }  # the first section: words to image
    stored = rows(
        rich,
        "select layer, head, mean_entropy_norm, mean_gini, mean_focus_seed, mean_target_lift, is_last_prefix_layer "
        "from marts.head_ranking where pass = 'prefix' and camera = 'base'",
    )
    assert len(drawn) == len(stored) == 4 * rich.shape.n_layers
    for layer, head, entropy, gini, focus, lift, is_last in stored:
        cell = drawn[layer, head]
        assert cell["mean_entropy_norm"] == pytest.approx(entropy, rel=1e-5)
        assert cell["mean_gini"] == pytest.approx(gini, rel=1e-5)
        assert cell["mean_focus_seed"] == pytest.approx(focus, rel=1e-5)
        assert cell["log2_lift"] == pytest.approx(math.log2(lift), rel=1e-4)
        assert cell["last"] == is_last


def test_sentence_names_the_head_that_the_mart_does(rich: Site) -> None:
    (layer, head, entropy), *_ = rows(
        rich,
        "select layer, head, mean_entropy_norm from marts.head_ranking where pass = 'prefix' and camera = 'wrist' "
        "and not is_last_prefix_layer order by mean_entropy_norm",
    )
    text = sections(rich.root / PAGE)["prefix"]
    assert f"the most focused is L{layer} H{head} (normalised entropy {words.number(entropy)}" in text
    assert "by focus 0.91 and by lift 0.83" in text


def test_a_choice_changes_chart_words_and_alternative(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / PAGE, charts="#prefix .vega")
    figure = page.locator("#prefix figure").first
    before = figure.locator("svg").inner_html()
    assert figure.locator(".reading:visible").count() == 1
    figure.locator("select").select_option(label="Gini coefficient")
    page.wait_for_function(
        "(old) => { const svg = document.querySelector('#prefix figure svg'); return svg && svg.innerHTML !== old; }",
        arg=before,
    )
    assert "Gini coefficient" in (figure.locator("[role=img]").first.get_attribute("aria-label") or "")
    assert "Inequality of the patches" in figure.locator(".reading:visible").inner_text()
    assert figure.locator(".mark-rect.role-mark path").count() == 4 * rich.shape.n_layers
    page.locator("#prefix select").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(
        "document.querySelector('#prefix figure .reading:not([hidden])').textContent.includes('exp(entropy)')"
    )
    assert not visit.troubles


def test_ranking_has_the_intervals_of_t(rich: Site) -> None:
    """By hand: n = 8, std = .3, t(7, .975) = 2.364624."""
    text = (rich.root / PAGE).read_text()
    (lift, *_), *_ = rows(
        rich,
        "select mean_target_lift from marts.head_ranking where pass = 'prefix' and camera = 'wrist' "
        "and not is_last_prefix_layer order by 1 desc",
    )
    low = lift - 2.364624 * 0.3 / math.sqrt(8)
    assert f'data-v="{low:.6g}"' in text


def test_roles_are_counted_as_the_mart_has_them(rich: Site) -> None:
    (have, heads), *_ = rows(
        rich,
        "select count(distinct (layer, head)) filter (has_role), count(distinct (layer, head)) from marts.head_roles where pass = 'prefix'",
    )
    found = sections(rich.root / PAGE)["roles"]
    assert re.search(rf"Words to image: {have} of {heads} heads ha(s|ve) a role", found)


def test_layers_stand_in_the_marts_order(rich: Site, visit: Visit) -> None:
    """Layer 1 of 0 and 1 ranks first; by hand: gain 2, std .5, n = 8, t(7, .975) = 2.364624."""
    half = 2.364624 * 0.5 / math.sqrt(8)
    evidence = f"95 % interval {words.number(2 - half)} to {words.number(2 + half)}; n\u00a0=\u00a08"
    found = sections(rich.root / PAGE)["layers"]
    told = f"layer 1 (gain 2.00; {evidence}; rank in one episode 1.5 ± 0.2), then layer 0"
    assert f"Words to image: on base {told}; on wrist {told}." in found
    table = visit.open(rich.root / PAGE, charts="none").locator("#layers")
    keys = table.locator("th").evaluate_all("(cells) => cells.map((c) => c.dataset.key)")
    shown = table.locator("tbody tr:visible").evaluate_all(
        "(rows) => rows.map((r) => [...r.cells].map((c) => c.textContent.trim()))"
    )
    wanted = ("layer", "rank_by_gain", "rank_by_entropy", "n_episodes")
    assert [tuple(dict(zip(keys, cells, strict=True))[k] for k in wanted) for cells in shown] == [
        ("1", "1", "2", "8"),
        ("0", "2", "1", "8"),
    ]


def test_layers_without_masks_rank_by_focus(little: Site) -> None:
    assert (
        "Actions to image, denoising step 0 (first): on base layer 0 (by focus alone, without masks; n = 1)."
        in (text_of(little.root / PAGE))
    )


def test_roles_open_with_the_one_that_most_heads_have(rich: Site, visit: Visit) -> None:
    counts = rows(
        rich,
        "select head_role || coalesce(', ' || camera, ''), count(*) filter (has_role) from marts.head_roles where pass = 'prefix' group by all",
    )
    page = visit.open(rich.root / PAGE, charts="none")
    chosen = page.locator("#roles figure").first.locator("select option[selected]").inner_text()
    assert dict(counts)[chosen] == max(n for _, n in counts)


def test_little_studies_say_what_they_lack(little: Site, empty: Site) -> None:
    text = text_of(little.root / PAGE)
    assert "Insufficient data: n = 1: fewer than 3." in text
    assert "Too few episodes to say whether the ranking holds in others." in text
    assert "one layer has no next one" in text
    text = text_of(empty.root / PAGE)
    assert "No measure of single heads is stored for this run." in text
    assert "To fill it: set" in text
