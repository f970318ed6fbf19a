"""A second invented run, and the comparison of both: what `run_comparison` holds where runs share episodes or do not."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.reports import synthetic
from tests.reports.synthetic_results import insert

OTHER = "fedcba9876543210"


def build(folder: Path) -> tuple[Path, Path]:
    """A warehouse of two runs; the second has a hostile name."""
    warehouse, lake = synthetic.build(folder, synthetic.TINY)
    run = synthetic.TINY.run_id
    with duckdb.connect(str(warehouse)) as con:
        con.execute(
            "insert into marts.runs select * replace ($1 as run_id, $2 as study) from marts.runs",
            [OTHER, synthetic.HOSTILE[0]],
        )
        pair = {"run_id_a": run, "run_id_b": OTHER, "n_resamples": 2000, "seed": 1}
        place = {"topic": "object attention", "metric": "log_lift", "pass": "prefix", "denoise_step": -1, "query": "instruction", "rows": "mean"}  # fmt: skip
        means = {0: (0.5, 0.9), 1: (1.25, 1.0), 2: (0.25, 0.25)}
        insert(con, "run_comparison", [
            {**pair, **place, "camera": camera, "layer": layer, "mean_a": a, "mean_b": b, "difference": b - a, "low": b - a - 0.1,
             "high": b - a + 0.1, "n_a": 5, "n_b": 5, "is_paired": True, "method": "bca"}
            for camera in ("base", "wrist") for layer, (a, b) in means.items()
        ])  # fmt: skip
        insert(con, "run_comparison", [
            {**pair, "topic": "modality balance", "metric": "log_ratio", "denoise_step": 4, "layer": -1, "mean_a": 2.0, "mean_b": 1.5,
             "difference": -0.5, "low": -0.75, "high": -0.25, "n_a": 5, "n_b": 4, "is_paired": False, "method": "percentile"},
            {**pair, "topic": "action shift", "metric": "mse_standardised", "condition_id": "prompt:cat", "mean_a": 0.5, "mean_b": 0.625,
             "difference": 0.125, "low": None, "high": None, "n_a": 2, "n_b": 2, "is_paired": False, "method": "percentile",
             "reason": "n = 2 and 2: fewer than 3"},
            *({**pair, "topic": "paired difference", "metric": metric, "condition_id": condition, "mean_a": 0.0, "mean_b": d, "difference": d,
               "low": d / 2, "high": 2 * d, "n_a": 5, "n_b": 5, "is_paired": False, "method": "percentile"}
              for metric, condition, d in (("action_mse_minus_paraphrase", "prompt:cat", 16.0), ("camera_attention_log_lift", "camera:base", 0.03),
                                           ("camera_attention_log_lift", "camera:wrist", 0.05))),
        ])  # fmt: skip
    return warehouse, lake
