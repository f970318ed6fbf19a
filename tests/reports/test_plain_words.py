"""Answers in plain words: each number is worked out again from the episodes, and nothing is claimed from too few."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import duckdb
import pytest

from reports import words
from reports.html import render
from reports.marts.context import Context, read_study
from reports.marts.warehouse import open_warehouse
from reports.pages import named_object, newly_named, per_token, plain_words
from tests.reports import synthetic
from tests.reports.conftest import Site
from tests.reports.test_what_pages_say import sections, text_of

T7 = 2.364624  # 97.5 % quantile of t with 7 degrees of freedom: RICH has 8 episodes


def interval(values: list[float]) -> tuple[float, float, float]:
    assert len(values) == 8
    mean, half = statistics.fmean(values), T7 * statistics.stdev(values) / math.sqrt(8)
    return mean, mean - half, mean + half


def rows(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def episode_means(found: list[tuple[str, float]]) -> list[float]:
    """Values of (episode, value), averaged within each episode."""
    return [statistics.fmean(v for e, v in found if e == name) for name in sorted({e for e, _ in found})]


@pytest.mark.parametrize(("view", "step"), [("prefix", -1), ("suffix-0", 0), ("suffix-4", 4)])
def test_the_named_object_is_held_against_the_others(rich: Site, view: str, step: int) -> None:
    """Layers by hand: the last one of the prefix is left out."""
    lifts = rows(
        rich.warehouse,
        "select episode_id, layer, camera, role, log_lift from marts.object_attention_by_episode "
        f"where against = 'own' and \"rows\" = 'mean' and denoise_step = {step}",
    )
    found, layers = sections(rich.root / "object-attention.html")[view], range(2 if step < 0 else 3)
    for camera in ("base", "wrist"):
        value = {(e, layer, role): v for e, layer, c, role, v in lifts if c == camera}
        each = [
            (e, v - value[e, layer, "distractor"])
            for (e, layer, role), v in value.items()
            if role == "target" and layer in layers
        ]
        mean, low, high = (words.number(math.exp(x)) for x in interval(episode_means(each)))
        told = f"on {camera}: insufficient data, {mean} times as much for its area (95 % interval {low} to {high}; n\u00a0=\u00a08)"
        assert told in found
        if step != 0:
            assert " ".join(told.split()) in text_of(rich.root / "index.html")
    assert "By layer, more" not in found  # 8 episodes are too few for that


@pytest.mark.parametrize(("view", "step"), [("prefix", -1), ("suffix-0", 0), ("suffix-4", 4)])
def test_the_newly_named_object_is_held_against_its_share_before(rich: Site, view: str, step: int) -> None:
    gains = rows(
        rich.warehouse,
        "select episode_id, camera, mass_gain_named from marts.prompt_shift_by_episode where condition_kind = 'prompt' "
        f"and \"rows\" = 'mean' and denoise_step = {step} and (denoise_step >= 0 or layer < 2)",
    )
    found = sections(rich.root / "prompt-control.html")[view]
    for camera in ("base", "wrist"):
        each = [(e, v) for e, c, v in gains if c == camera]
        mean, low, high = (words.number(100 * x) for x in interval(episode_means(each)))
        told = (
            f"on {camera}: insufficient data, {mean} percentage points more than 5.0 % before (95 % interval {low} to {high}; "
            "n\u00a0=\u00a08)"
        )
        assert told in found
        if step != 0:
            assert " ".join(told.split()) in text_of(rich.root / "index.html")


def test_the_word_that_names_the_object_stands_by_itself(tmp_path: Path) -> None:
    """Layers 0 and 1 count. Log ratios in units of ln 2: half in 3 episodes, one and a half in 2; mean 0.9, deviation
    sqrt(0.3), and a half-width of t(4, .975) = 2.776445 times sqrt(0.3 / 5) = 0.680067."""
    warehouse, lake = synthetic.build(tmp_path, synthetic.TINY)
    with duckdb.connect(str(warehouse)) as con:
        con.execute(
            "insert into marts.word_object_attention by name select * replace ('distractor' as role, "
            "lift / ((1 + layer) * if(outcome = 'failure', 2, 1)) as lift) from marts.word_object_attention"
        )
    with open_warehouse(warehouse) as opened:
        study = read_study(opened, None)
        ctx = Context(opened, study, lake, tmp_path, render.environment())
        told = named_object.over_layers(ctx, study.views[0])[1]
    mean, low, high = (words.number(2**x) for x in (0.9, 0.9 - 0.680067, 0.9 + 0.680067))
    evidence = f"{mean} times as much for its area (95 % interval {low} to {high}; n\u00a0=\u00a05)"
    assert told == (
        f"The word that names it, alone, on base: insufficient data, {evidence}; on wrist: insufficient data, {evidence}."
    )


def test_a_study_without_masks_or_prompts_says_so(little: Site) -> None:
    for name in ("object-attention", "prompt-control"):
        text = text_of(little.root / f"{name}.html")
        assert named_object.QUESTION not in text
        assert newly_named.QUESTION not in text


@pytest.mark.parametrize(
    ("low", "high", "n", "claim"),
    [
        (0.1, 0.3, 20, "more"),
        (-0.3, -0.1, 20, "less"),
        (-0.1, 0.3, 20, "no difference shown"),
        (0.1, 0.3, 19, "insufficient data"),
        (None, None, 2, "insufficient data"),
    ],
)
def test_a_side_is_claimed_from_the_interval_alone(
    low: float | None, high: float | None, n: int, claim: str
) -> None:
    assert plain_words.claim(low, high, n, 20, ("more", "less", "no difference shown")) == claim


def test_enough_episodes_make_a_claim() -> None:
    """100 episodes, ln 2 with a deviation of 0.5: a half-width of 1.984217 x 0.05."""
    row = {"n_episodes": 100, "mean_log_ratio": math.log(2), "std_log_ratio": 0.5}
    assert named_object.in_words(row, 20) == (
        "more, 2.00 times as much for its area (95 % interval 1.81 to 2.21; n\u00a0=\u00a0100)"
    )
    row = {"n_episodes": 100, "mean_gain": -0.01, "std_gain": 0.01, "mean_before": None}
    assert newly_named.in_words(row, 20) == (
        "no, away from it, 1.00 percentage points less (95 % interval \u22121.20 to \u22120.802; n\u00a0=\u00a0100)"
    )


def test_a_text_token_is_held_against_a_patch(rich: Site) -> None:
    """The invented marts give text 8 times an even share and patches 0.6 times: 13.3 times as much, of 8 episodes."""
    told = "Insufficient data: a text token gets 13.3 times as much attention as a patch"
    for name in ("index", "modality-balance"):
        assert told in text_of(rich.root / f"{name}.html")


@pytest.mark.parametrize(
    ("logs", "told"),
    [
        # Mean ln 4, deviation 0.5: a half-width of t(3, .975) = 3.182446 times 0.25.
        ([math.log(4) + d for d in (-0.433013, 0.433013) * 2], "A text token gets 4.00 times as much attention as a patch (95 % interval 1.81 to 8.86;"),
        ([-math.log(4) + d for d in (-0.433013, 0.433013) * 2], "A patch gets 4.00 times as much attention as a text token (95 % interval 1.81 to 8.86;"),
        ([-1.0, 1.0, -1.0, 1.0], "No difference shown: a text token gets 1.00 times as much"),
        ([1.0, 1.1], "Insufficient data: a text token gets 2.86 times as much attention as a patch (no interval, too few episodes; n"),
    ],
)  # fmt: skip
def test_tokens_are_compared_with_an_interval(logs: list[float], told: str) -> None:
    assert per_token.in_words(logs, 3).startswith(told)
