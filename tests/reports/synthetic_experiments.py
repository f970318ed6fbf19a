"""Invented effects of experiments: covered pictures, a region, cuts, and switched-off heads."""

from __future__ import annotations

import duckdb

from tests.reports.synthetic import Shape
from tests.reports.synthetic_results import insert

NOISE_FLOOR = 0.15


def add_experiments(con: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """Nothing for a study without prompts: its page of causes says that there are none."""
    if not shape.prompts:
        return
    n, run = shape.n_success + shape.n_failure, shape.run_id
    layers = [
        {
            "run_id": run, "layer": layer, "camera": "together", "fill": fill, "query": "instruction",
            "is_last_prefix_layer": False, "n_episodes": n, "mean_error_high": 0.4 / layer, "mean_error_control": 0.02,
            "mean_fidelity": 0.4 / layer - 0.02, "low": 0.3 / layer, "high": 0.5 / layer, "p_holm": 0.001 * layer,
            "noise_floor": NOISE_FLOOR, "mean_fidelity_seed": 0.2 - 0.1 * layer, "label_seed": "strong" if layer == 1 else "misleading",
        }
        for layer in (1, 4) for fill in ("black", "mean")
    ]  # fmt: skip
    insert(con, "fidelity_by_layer", layers)
    region = {"run_id": run, "region": "gripper", "camera": "together", "fill": "black", "n_episodes": n}
    numbers = {"mean_error_control": 0.02, "mean_difference": 0.31, "low": 0.2, "high": 0.4, "p_holm": 0.002}
    insert(con, "region_effects", [{**region, "mean_error_region": 0.33, **numbers}])
    cut = {"run_id": run, "query": "instruction", "n_episodes": n, "family_size": 1}
    insert(con, "knockout_effects", [
        {**cut, "cut": "words-to-target", "keys": "object:target", "layer": None, "mean_error_cut": 0.33, **numbers},
        {**cut, "cut": "words-to-base", "keys": "image:base", "layer": 2, "mean_error_cut": 0.5},
    ])  # fmt: skip
    insert(con, "effects_by_condition", [
        {"run_id": run, "condition_id": f"{kind}:{name}", "condition_kind": kind, "n_episodes": n, "mean_mse_standardised": y,
         "low": 0.8 * y, "high": 1.2 * y}
        for kind, name, y in (("noise", "1", NOISE_FLOOR), ("ablation", "L1.H0.zero", 0.7), ("ablation", "L0.H1.zero", 0.1))
    ])  # fmt: skip
