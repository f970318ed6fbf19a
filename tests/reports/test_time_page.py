"""The page on time: its curves, changes and lags are the marts'."""

from __future__ import annotations

import math
import re

import pytest

from reports import words
from tests.reports.conftest import Site, Visit
from tests.reports.drawn import specs
from tests.reports.test_numbers import rows
from tests.reports.test_what_pages_say import sections, text_of

PAGE = "time.html"
T_7 = 2.364624  # quantile .975 of t with 7 degrees of freedom, from a table


def points(site: Site, title: str) -> list[dict[str, float]]:
    """Rows of the points of a chart; of the last one where titles recur."""
    spec = specs(site.root / PAGE)[title]
    return max(spec["datasets"].values(), key=len)


def test_tokens_are_the_marts_with_intervals_of_t(rich: Site) -> None:
    title = "base: share on each kind of object by action token, actions, step 4"
    drawn = {(r["series"], r["at"]): r for r in points(rich, title)}  # layer 0 comes first
    stored = rows(
        rich,
        "select role, action_token, mean_mass_share from marts.roi_over_time where outcome = 'all' and action_token is not null "
        "and camera = 'base' and denoise_step = 4 and layer = 0",
    )
    assert len(drawn) == len(stored) == 8
    for role, token, share in stored:
        point = drawn[role, token]
        half = T_7 * 0.01 / math.sqrt(8)
        assert point["y"] == pytest.approx(share, rel=1e-6)
        assert (point["low"], point["high"]) == pytest.approx((share - half, share + half), rel=1e-4)
        assert point["n"] == 8


def test_tenths_are_means_of_episodes_worked_out_again(rich: Site) -> None:
    """RICH has keyframes 0 and 8 of 16 frames: tenths 0 and 5; the fixture's frames, averaged by hand."""
    frames = rows(
        rich,
        "select episode_id, frame_index, role, mass_share from marts.frame_metrics "
        "where pass = 'suffix' and denoise_step = 4 and camera = 'base' and layer = 0",
    )
    values: dict[tuple[str, int], dict[str, list[float]]] = {}
    for episode, frame, role, share in frames:
        values.setdefault((role, 10 * frame // 16), {}).setdefault(episode, []).append(share)
    drawn = {
        (r["series"], r["at"]): r["y"]
        for r in points(rich, "base: share on each kind of object over the episode")
    }
    assert {place for _, place in drawn} == {0, 5}
    for key, episodes in values.items():
        means = [sum(v) / len(v) for v in episodes.values()]
        assert drawn[key] == pytest.approx(sum(means) / len(means), rel=1e-5)


def test_the_largest_change_is_told_with_its_layer(rich: Site) -> None:
    (layer, estimate), *_ = rows(
        rich,
        "select layer, estimate from marts.paired_tests where hypothesis = 'H3' and camera = 'wrist' and pass = 'prefix' "
        "and estimand = 'target_share_last_minus_first_third' order by abs(estimate) desc",
    )
    text = sections(rich.root / PAGE)["prefix"]
    assert (
        f"wrist: the largest change from the first third to the last of the target's share is {words.number(estimate)} in layer {layer}"
        in text
    )
    assert "With fewer than 20 episodes this decides nothing." in text


def test_the_verdicts_layer_is_shown_first_and_every_layer_draws_its_own_rows(
    rich: Site, visit: Visit
) -> None:
    """The charts of a place share one specification: the data and the words must change all the same."""
    page = visit.open(rich.root / PAGE, charts="#prefix figure:nth-of-type(2) .vega")
    assert page.locator("#prefix select[data-switch] option:checked").first.inner_text() == "layer 1"
    figure = page.locator("#prefix figure").nth(1)
    figure.locator(".vega[data-drawn]").wait_for()
    seen = set()
    for layer in range(rich.shape.n_layers):
        figure.locator("select").select_option(label=f"layer {layer}")
        page.wait_for_timeout(400)
        seen.add(figure.locator("svg .mark-symbol.role-mark").first.inner_html())
        (share,), *_ = rows(
            rich,
            f"select mean_mass_share from marts.roi_over_time where pass = 'prefix' and camera = 'base' and outcome = 'all' "
            f"and role = 'target' and third = 'last' and layer = {layer}",
        )
        assert re.search(rf"target .* to {words.percent(share)}", figure.locator("[data-of]:visible").inner_text())  # fmt: skip
    assert len(seen) == rich.shape.n_layers
    assert not visit.troubles


def test_cards_lead_to_time_and_heads(rich: Site) -> None:
    index = (rich.root / "index.html").read_text()
    assert 'href="time.html"' in index
    assert 'href="heads.html#variance"' in index


def test_little_studies_say_what_they_lack(little: Site, empty: Site) -> None:
    for site in (little, empty):
        text = text_of(site.root / PAGE)
        assert "No object masks were found for this run" in text
        assert "python -m ingest measure" in (site.root / PAGE).read_text()
    assert "No steps between keyframes are stored" in text_of(empty.root / PAGE)
