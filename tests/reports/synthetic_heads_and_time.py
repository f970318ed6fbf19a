"""Invented marts of single heads, of layers that follow each other, and of attention in time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from tests.reports.synthetic_results import insert

if TYPE_CHECKING:
    from tests.reports.synthetic import Shape

HEADS, TOKENS, LAGS = 4, 4, 4
Row = dict[str, Any]


def add_heads_and_time(con: duckdb.DuckDBPyConnection, shape: Shape, rng: np.random.Generator) -> None:
    """Nothing for a run without episodes; without masks nothing that speaks of objects."""
    n = shape.n_success + shape.n_failure
    if not n:
        return
    for pass_, step, query in shape.views:
        view = {"run_id": shape.run_id, "pass": pass_, "denoise_step": step, "query": query}
        for camera in shape.cameras:
            place = {**view, "camera": camera}
            add_ranking(con, shape, place, n, rng)
            add_layer_ranking(con, shape, place, n)
            add_variance(con, shape, place, n, rng)
            add_flow(con, shape, place, rng)
            if shape.masks:
                add_time(con, shape, place, rng)
        add_roles(con, shape, view, n, rng)
        add_agreement(con, shape, view, n, rng)


def last(shape: Shape, place: Row, layer: int) -> bool:
    return place["pass"] == "prefix" and layer == shape.n_layers - 1


def ranks(values: list[float | None], highest_first: bool) -> list[int | None]:
    known = sorted((v for v in values if v is not None), reverse=highest_first)
    return [None if v is None else known.index(v) + 1 for v in values]


def add_ranking(
    con: duckdb.DuckDBPyConnection, shape: Shape, place: Row, n: int, rng: np.random.Generator
) -> None:
    rows = [
        {
            **place, "layer": layer, "head": head, "n_episodes": n, "n_episodes_with_target": n if shape.masks else None,
            "mean_entropy_norm": rng.uniform(0.7, 1), "mean_gini": rng.uniform(0, 0.6), "mean_effective_rank": rng.uniform(50, 250),
            "mean_participation": rng.uniform(40, 240), "mean_top10_share": rng.uniform(0.1, 0.5), "mean_variance": rng.uniform(0, 1e-5),
            "mean_focus_seed": rng.uniform(500, 3000), "mean_target_share": 0.05 if shape.masks else None,
            "mean_target_lift": float(np.exp(rng.normal(0, 1))) if shape.masks else None, "std_target_lift": 0.3 if shape.masks else None,
            "focus_rank_correlation": 0.91 if n > 2 else None, "target_lift_rank_correlation": 0.83 if shape.masks and n > 2 else None,
            "is_last_prefix_layer": last(shape, place, layer),
        }
        for layer in range(shape.n_layers) for head in range(HEADS)
    ]  # fmt: skip
    for name, column, highest_first in (
        ("rank_by_focus", "mean_entropy_norm", False),
        ("rank_by_focus_seed", "mean_focus_seed", True),
        ("rank_by_target_lift", "mean_target_lift", True),
    ):
        for row, rank in zip(rows, ranks([r[column] for r in rows], highest_first), strict=True):
            row[name] = rank
    insert(con, "head_ranking", rows)


def add_layer_ranking(con: duckdb.DuckDBPyConnection, shape: Shape, place: Row, n: int) -> None:
    """The deeper, the more attention on the target and the flatter; the last prefix layer has no rank."""
    counted = [layer for layer in range(shape.n_layers) if not last(shape, place, layer)]
    measures = ("target_lift", "target_lift_gain", "entropy_norm", "variance") if shape.masks else ("entropy_norm", "variance")  # fmt: skip
    insert(con, "layer_ranking", [
        {
            **place, "measure": measure, "layer": layer, "is_last_prefix_layer": layer not in counted, "n_episodes": n,
            "mean_value": 1.0 + layer, "std_value": 0.5 if n > 1 else None, "std_episode_rank": 0.25,
            "layer_rank": (rank := (len(counted) - layer if measure.startswith("target") else layer + 1) if layer in counted else None),
            "mean_episode_rank": None if rank is None else rank + 0.5,
        }
        for measure in measures for layer in range(shape.n_layers)
    ])  # fmt: skip


def add_variance(
    con: duckdb.DuckDBPyConnection, shape: Shape, place: Row, n: int, rng: np.random.Generator
) -> None:
    for measure in ("target_lift", "entropy_norm") if shape.masks else ("entropy_norm",):
        few = {"reason": f"n = {n}: fewer than 3"} if n < 3 else {}
        shared = {**place, "measure": measure, "n_episodes": n, "n_heads": HEADS, "is_small_n": True, **few}
        rows: list[Row] = []
        for layer in range(-1, shape.n_layers):
            numbers: Row = {}
            if n >= 3:
                share = rng.uniform(0.1, 0.8)
                numbers = {
                    "share_between_heads": share,
                    "p": 0.001,
                    "p_holm": 0.004,
                    "family_size": shape.n_layers,
                }
                if layer < 0:
                    numbers |= {"low": share - 0.05, "high": share + 0.05, "split_half_correlation": 0.9, "rank_correlation": 0.88}  # fmt: skip
            if layer < 0 or not last(shape, place, layer):
                rows.append({**shared, "layer": layer, **numbers})
        insert(con, "head_specialisation", rows)


def add_flow(con: duckdb.DuckDBPyConnection, shape: Shape, place: Row, rng: np.random.Generator) -> None:
    counts = {"success": shape.n_success, "failure": shape.n_failure, "all": shape.n_success + shape.n_failure}  # fmt: skip
    insert(con, "layer_flow", [
        {
            **place, "outcome": outcome, "layer": layer, "is_last_prefix_layer": last(shape, place, layer), "n_episodes": n,
            "n_steps": n * (shape.n_keyframes - 1), "lag_keyframes": 1,
            "mean_flow": rng.uniform(-0.2, 0.9) if layer < shape.n_layers - 1 else None,
            "std_flow": 0.1 if layer < shape.n_layers - 1 and n > 1 else None, "mean_stability_tv": rng.uniform(0.02, 0.2),
            "std_stability_tv": 0.01 if n > 1 else None, "mean_stability_l2": 0.01, "mean_stability_seed": rng.uniform(100, 400),
        }
        for outcome, n in counts.items() if n for layer in range(shape.n_layers)
    ])  # fmt: skip


def add_agreement(
    con: duckdb.DuckDBPyConnection, shape: Shape, view: Row, n: int, rng: np.random.Generator
) -> None:
    """Of every pair of cameras; in layer 1 the moment adds nothing that is told from 0."""
    insert(con, "camera_agreement_by_layer", [
        {
            **view, "outcome": outcome, "camera": camera, "other_camera": other, "layer": layer, "n_episodes": n, "n_frames": n,
            "is_last_prefix_layer": last(shape, view, layer), "mean_correlation": (r := rng.uniform(0.1, 0.5)),
            "correlation_low": r - 0.1, "correlation_high": r + 0.1, "mean_other_frame_correlation": r / 2,
            "mean_correlation_gain": r / 2, "correlation_gain_low": -0.1 if layer == 1 else 0.01, "correlation_gain_high": 0.4,
            "mean_n_patches": 60.0 + layer,
        }
        for outcome in ("all", "success")
        for camera, other in itertools.combinations(shape.cameras, 2)
        for layer in range(shape.n_layers)
    ])  # fmt: skip


def add_time(con: duckdb.DuckDBPyConnection, shape: Shape, place: Row, rng: np.random.Generator) -> None:
    counts = {"success": shape.n_success, "failure": shape.n_failure, "all": shape.n_success + shape.n_failure}  # fmt: skip
    rows: list[Row] = []
    for layer in range(shape.n_layers):
        for role in ("target", "distractor"):
            for outcome, n in counts.items():
                key = {**place, "outcome": outcome, "layer": layer, "role": role, "n_episodes": n,
                       "is_last_prefix_layer": last(shape, place, layer), "std_mass_share": 0.01 if n > 1 else None}  # fmt: skip
                thirds = [{**key, "third": third, "mean_mass_share": rng.uniform(0.02, 0.2), "mean_log_lift": 0.4, "std_log_lift": 0.2} for third in ("all", "first", "middle", "last")]  # fmt: skip
                tokens = [{**key, "third": "all", "action_token": t, "mean_mass_share": rng.uniform(0.02, 0.2)} for t in range(TOKENS)]  # fmt: skip
                rows += [*thirds, *(tokens if place["pass"] == "suffix" else [])] if n else []
            insert(con, "roi_lags", [
                {**place, "layer": layer, "role": role, "lag_keyframes": lag, "is_last_prefix_layer": last(shape, place, layer),
                 "n_episodes": counts["all"], "mean_correlation": rng.uniform(-0.4, 0.9), "std_correlation": 0.2}
                for lag in range(1, LAGS + 1)
            ])  # fmt: skip
        estimands = ["target_share_last_minus_first_third", "target_log_lift_last_minus_first_third"]
        if place["pass"] == "suffix":
            estimands.append("target_share_slope_over_action_tokens")
        if not last(shape, place, layer) and counts["all"] >= 3:
            insert(con, "paired_tests", [
                {**place, "hypothesis": "H3", "family": estimand, "estimand": estimand, "rows": "mean", "layer": layer,
                 "n_episodes": counts["all"], "estimate": (x := rng.uniform(-0.05, 0.1)), "low": x - 0.02, "high": x + 0.02, "p": 0.01,
                 "p_holm": 0.03 + 0.01 * layer, "p_bh": 0.02, "family_size": shape.n_layers, "alternative": "two-sided", "is_small_n": True}
                for estimand in estimands
            ])  # fmt: skip
    insert(con, "roi_over_time", rows)


def add_roles(
    con: duckdb.DuckDBPyConnection, shape: Shape, view: Row, n: int, rng: np.random.Generator
) -> None:
    kinds = [("reads instruction", None, 0.25), ("sink", None, 0.5)]
    kinds += [("tracks target", camera, 1.5) for camera in shape.cameras] if shape.masks else []
    insert(con, "head_roles", [
        {
            **view, "layer": layer, "head": head, "camera": camera, "head_role": role, "threshold": bar, "n_episodes": n,
            "mean_value": bar + 0.1, "share_of_episodes": (share := round(rng.uniform(0, 1), 3)), "n_prompts": 2, "share_of_prompts": 0.5,
            "has_role": share >= 0.8,
        }
        for role, camera, bar in kinds for layer in range(shape.n_layers) for head in range(HEADS)
    ])  # fmt: skip
