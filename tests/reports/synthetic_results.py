"""Invented numbers for the synthetic marts: attention on objects, modality balance, prompt shifts, tests and verdicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy import stats

if TYPE_CHECKING:
    from tests.reports.synthetic import Episode, Rows, Shape


def true_log_lift(pass_: str, layer: int, role: str, against: str) -> float:
    if against == "uniform":
        return 0.0
    peak = (2.6 if pass_ == "prefix" else 0.7) * math.exp(-((layer - 2) ** 2) / 9)
    peak *= {"target": 1.0, "distractor": 0.15}[role]
    return peak * (0.12 if against == "other_episode" else 1.0)


def add_object_attention(rows: Rows, shape: Shape, episodes: list[Episode], rng: np.random.Generator) -> None:
    for e in episodes:
        base = {"run_id": shape.run_id, "episode_id": e.episode_id}
        taste = rng.normal(0, 0.25) - (0.35 if e.outcome == "failure" else 0.0)
        for pass_, step, query in shape.views:
            for layer in range(shape.n_layers):
                last = pass_ == "prefix" and layer == shape.n_layers - 1
                view = {"pass": pass_, "denoise_step": step, "layer": layer, "query": query}
                for camera in shape.cameras:
                    for role in ("target", "distractor"):
                        for against in ("own", "other_episode", "uniform"):
                            for kind in ("mean", "max"):
                                log_lift = true_log_lift(pass_, layer, role, against)
                                if against != "uniform":
                                    log_lift += (taste if role == "target" else 0.0) + rng.normal(0, 0.2)
                                lift, area = math.exp(log_lift), 0.04 if e.outcome == "success" else 0.03
                                share = min(0.95, lift * area)
                                rows.add(
                                    "object_attention_by_episode", **base, outcome=e.outcome, **view, rows=kind, camera=camera,
                                    role=role, against=against, n_frames=shape.n_keyframes,
                                    n_objects=1 if role == "target" else 3, mass_share=share, area_share=area, lift=lift,
                                    log_lift=log_lift, precision=0.4, recall=0.5, dice=0.45, iou_p75=0.2, iou_p90=0.3, ap=0.5,
                                    pointing_hit=min(1.0, share * 2), overlap_ratio_seed=share * 0.8,
                                    attention_concentration_seed=lift * 0.9, iou_seed=min(0.9, share),
                                    mean_attn_inside_seed=0.4, mean_attn_outside_seed=0.1, is_last_prefix_layer=last,
                                )  # fmt: skip
                    for k in range(shape.n_keyframes):
                        for c, toy in enumerate(("duck", "banana", "cat", "bottle")):
                            role = "target" if toy == e.target else "distractor"
                            lift = math.exp(
                                true_log_lift(pass_, layer, role, "own") + taste + rng.normal(0, 0.3)
                            )
                            rows.add(
                                "frame_metrics", **base, frame_index=8 * k, camera=camera, **view,
                                object_index=shape.cameras.index(camera) * 4 + c, category=toy, role=role,
                                mass_share=min(0.95, lift * 0.03), area_share=0.03, lift=lift, pointing_hit=float(lift > 6),
                                overlap_ratio_seed=min(0.9, lift * 0.025),
                            )  # fmt: skip


def add_modality(rows: Rows, shape: Shape, episodes: list[Episode], rng: np.random.Generator) -> None:
    for e in episodes:
        for step in (0, 4):
            for layer in range(-1, shape.n_layers):
                depth = max(layer, 0) / max(shape.n_layers, 1)
                logs = []
                for k in range(shape.n_keyframes):
                    log_ratio = 1.0 - 2.4 * depth + (0.2 if step else 0.0) + rng.normal(0, 0.25)
                    rest = {"state_mass": 0.06, "action_mass": 0.18, "other_mass": 0.08}
                    both = 1 - sum(rest.values())
                    visual = both / (1 + math.exp(-log_ratio))
                    logs.append(log_ratio)
                    rows.add(
                        "modality_balance_by_step", run_id=shape.run_id, episode_id=e.episode_id, frame_index=8 * k,
                        condition_id="baseline:baseline", denoise_step=step, layer=layer, visual_mass=visual,
                        linguistic_mass=both - visual, **rest, visual_fraction=visual / both,
                        linguistic_fraction=1 - visual / both, ratio=math.exp(log_ratio), log_ratio=log_ratio,
                        density_lift_visual=0.6, density_lift_linguistic=8.0, n_visual_tokens=512, n_text_tokens=9,
                        n_action_tokens=8, total_mass=1.0, letterbox_mass=0.3 * visual, ratio_seed=math.exp(log_ratio) * 0.9,
                    )  # fmt: skip
                mean = float(np.mean(logs))
                visual = both / (1 + math.exp(-mean))
                seed = np.exp(logs) * 0.9
                rows.add(
                    "modality_balance_by_episode", run_id=shape.run_id, episode_id=e.episode_id, outcome=e.outcome,
                    task=f"pick up the {e.target}", suite=f"suite {e.index % 2}", letterbox_mass=0.3 * visual, denoise_step=step, layer=layer, n_frames=shape.n_keyframes, n_undefined=0,
                    visual_mass=visual, linguistic_mass=both - visual, **rest, density_lift_visual=0.6, density_lift_linguistic=8.0,
                    ratio_of_means=math.exp(mean),
                    geometric_mean_ratio=math.exp(mean), mean_ratio_seed=float(seed.mean()), std_ratio_seed=float(seed.std()),
                    median_ratio_seed=float(np.median(seed)), min_ratio_seed=float(seed.min()), max_ratio_seed=float(seed.max()),
                    visual_fraction=visual / both, linguistic_fraction=1 - visual / both,
                )  # fmt: skip
        for layer in range(shape.n_layers):
            for w, word in enumerate(e.instruction.split()[:6]):
                where = {"run_id": shape.run_id, "episode_id": e.episode_id, "layer": layer, "word_index": w, "word": word,
                         "is_last_prefix_layer": layer == shape.n_layers - 1, "n_frames": shape.n_keyframes}  # fmt: skip
                for region, kind, mass in (
                    ("image:base", "visual", 0.42),
                    ("letterbox:base", "visual", 0.28),
                    ("instruction", "linguistic", 0.2),
                    ("pad", "pad", 0.1),
                ):
                    rows.add("word_attention", **where, region=region, region_kind=kind, mass=mass)
                for camera in shape.cameras if shape.masks else ():
                    lift = math.exp(
                        true_log_lift("prefix", layer, "target", "own") * (w == 0) + rng.normal(0, 0.1)
                    )
                    rows.add(
                        "word_object_attention", **where, outcome=e.outcome, names_target=w == 0, camera=camera, role="target",
                        mass_share=min(0.9, 0.02 * lift), lift=lift,
                    )  # fmt: skip


def add_prompts(rows: Rows, shape: Shape, episodes: list[Episode], rng: np.random.Generator) -> None:
    conditions = [(f"prompt:{t}", "prompt", t) for t in shape.prompt_names] + [
        ("paraphrase:0", "paraphrase", None)
    ]
    for e in episodes:
        for condition, kind, named in conditions:
            if named == e.target:
                continue
            named = named or e.target
            for pass_, step, query in shape.views:
                for layer in range(shape.n_layers):
                    size = (0.3 if kind == "prompt" else 0.03) * math.exp(-((layer - 3) ** 2) / 8)
                    size *= 1.0 if pass_ == "prefix" else 0.3
                    for camera in shape.cameras:
                        jsd = max(0.0, size + rng.normal(0, 0.01))
                        for rows_kind in ("mean", "max"):
                            rows.add(
                                "prompt_shift_by_episode", run_id=shape.run_id, episode_id=e.episode_id, outcome=e.outcome,
                                condition_id=condition, condition_kind=kind, named_object=named, pass_=None, **{"pass": pass_},
                                denoise_step=step, layer=layer, query=query, rows=rows_kind, camera=camera,
                                n_frames=shape.n_keyframes, l2_distance=jsd * 4, correlation=1 - 2 * jsd,
                                shift_magnitude=jsd * 3, centroid_shift_px=jsd * 180, l2_unit=jsd, total_variation=min(1.0, jsd * 2),
                                jsd=jsd, mass_share_named=0.05 + jsd, mass_share_named_baseline=0.05,
                                mass_gain_named=jsd * (1 if kind == "prompt" else 0.1),
                                is_last_prefix_layer=pass_ == "prefix" and layer == shape.n_layers - 1,
                            )  # fmt: skip
    for row in rows.tables.get("prompt_shift_by_episode", []):
        row.pop("pass_", None)


def welch(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    if min(len(a), len(b)) < 3:
        return {"reason": "fewer than 3 episodes in an outcome"}
    t, p = stats.ttest_ind(a, b, equal_var=False)
    ts, ps = stats.ttest_ind(a, b)
    g = float((a.mean() - b.mean()) / math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    half = 1.96 * math.sqrt(1 / len(a) + 1 / len(b))
    return {
        "welch_t": float(t), "p_welch": float(p), "student_t_seed": float(ts), "p_student_seed": float(ps),
        "p_mann_whitney": float(p), "p_permutation": float(p), "cohens_d_seed": g, "cohens_d": g, "d_low": g - half,
        "d_high": g + half, "hedges_g": g, "g_low": g - half, "g_high": g + half, "cliffs_delta": math.tanh(g / 2),
        "delta_low": math.tanh((g - half) / 2), "delta_high": math.tanh((g + half) / 2),
    }  # fmt: skip


def interval(values: np.ndarray) -> dict[str, float | None]:
    if len(values) < 3:
        return {"estimate": float(values.mean()) if len(values) else None, "low": None, "high": None}
    half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return {
        "estimate": float(values.mean()),
        "low": float(values.mean()) - half,
        "high": float(values.mean()) + half,
    }


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = sorted({name for row in rows for name in row})
        con.register("batch", pa.Table.from_pylist([{n: row.get(n) for n in names} for row in rows]))
        con.execute(f"insert into marts.{table} by name select * from batch")
        con.unregister("batch")


def groups(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = con.execute(sql)
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def aggregate(con: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    from tests.reports import (
        synthetic_diagnoses,
        synthetic_experiments,
        synthetic_heads_and_time,
        synthetic_tests,
    )

    synthetic_tests.by_layer(con)
    synthetic_tests.intervals_and_tests(con, shape)
    synthetic_tests.verdicts(con, shape)
    synthetic_experiments.add_experiments(con, shape)
    synthetic_heads_and_time.add_heads_and_time(con, shape, np.random.default_rng(7))
    synthetic_diagnoses.add_diagnoses(con, shape)
