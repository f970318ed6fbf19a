"""Experiments of the synthetic world: covered pictures, cut attention and questions, with effects that are planted.

Layer 1's most attended patches matter, layer 2's do not; so does the path from the words to the target, and not that from
the action tokens to the gripper, though covering the gripper matters; another noise moves the actions by 0.3. Under the
words' cut the action's first dimension is 1.5 and 0.5 by turns of episodes, 0 under its control.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

Row = dict[str, Any]
HIGH, CONTROL, NOISE_FLOOR = 1.0, 0.2, 0.3
HIGH_SEED, LOW_SEED = 0.5, 0.1
CUT, NO_PATH = 0.9, 0.02
N_LAYERS, N_SHUFFLED = 5, 2
SHUFFLED_CORRELATION = 0.25
DELETED, INSERTED = 1.6, 0.8
N_CONTROLS = 2
REGIONS = [{"name": "gripper", "object": "gripper", "box": None, "camera": "base"}]
SHARE_RIGHT = 0.8


class Arm(NamedTuple):
    """A condition, and the mean of the standardised error that it causes."""

    kind: str
    name: str
    params: Row
    error: float
    mse: float = 0.0
    first_action: float = 0.0


def arms() -> Iterator[Arm]:
    yield Arm("noise", "1", {}, NOISE_FLOOR)
    yield Arm("ablation", "L0.H1.zero", {"layer": 0, "head": 1, "mode": "zero"}, 0.4)
    for layer in (1, 2):
        here = {"layer": layer, "query": "instruction", "camera": "together", "fill": "black"}
        high = HIGH if layer == 1 else CONTROL
        yield occlusion(f"L{layer}.high", {**here, "arm": "high", "share": 0.1}, high)
        for k in range(N_CONTROLS):
            params = {**here, "arm": "control", "control": k, "share": 0.1}
            yield occlusion(f"L{layer}.control.{k}", params, CONTROL)
        yield occlusion(f"L{layer}.delete", {**here, "arm": "delete", "share": 0.5}, DELETED)
        yield occlusion(f"L{layer}.insert", {**here, "arm": "insert", "share": 0.5}, INSERTED)
        yield occlusion(f"L{layer}.high_seed", {**here, "arm": "high_seed", "share": 0.1}, 0.0, HIGH_SEED)
        yield occlusion(f"L{layer}.low_seed", {**here, "arm": "low_seed", "share": 0.1}, 0.0, LOW_SEED)
    here = {"region": "gripper", "camera": "base", "fill": "mean"}
    yield occlusion("gripper.region", {**here, "arm": "region"}, HIGH)
    yield occlusion("gripper.region_control", {**here, "arm": "region_control", "control": 0}, CONTROL)
    cut = {"cut": "words-to-target", "query": "instruction", "keys": "object:target", "layer": None}
    yield knockout("words-to-target", {**cut, "arm": "cut"}, CUT, first_action=1.0)
    yield knockout("words-to-target.control.0", {**cut, "arm": "control", "control": 0}, CONTROL)
    cut = {"cut": "actions-to-gripper", "query": "action", "keys": "object:gripper", "layer": None}
    yield knockout("actions-to-gripper", {**cut, "arm": "cut"}, NO_PATH)
    yield knockout("actions-to-gripper.control.0", {**cut, "arm": "control", "control": 0}, NO_PATH)
    yield Arm("randomised", f"top-{N_SHUFFLED}", {"n_layers": N_SHUFFLED}, 0.5)
    yield Arm("vqa", "what", {"expects": "{object}"}, 0.0)


def occlusion(name: str, params: Row, error: float, mse: float = 0.0) -> Arm:
    return Arm("occlusion", name, params, error, mse)


def knockout(name: str, params: Row, error: float, first_action: float = 0.0) -> Arm:
    """In all layers."""
    return Arm("knockout", name, {**params, "n_layers": N_LAYERS}, error, first_action=first_action)


def condition_group(kind: str) -> str:
    return "repeats" if kind == "noise" else kind


def group_sizes() -> dict[str, int]:
    """Condition group -> its conditions."""
    sizes: dict[str, int] = {}
    for arm in arms():
        sizes[condition_group(arm.kind)] = sizes.get(condition_group(arm.kind), 0) + 1
    return sizes


def condition_rows() -> Iterator[Row]:
    for arm in arms():
        yield {
            "condition_id": f"{arm.kind}:{arm.name}",
            "kind": arm.kind,
            "name": arm.name,
            "params": json.dumps(arm.params),
        }


def add_experiments(out: dict[str, list[Row]], seed: int) -> None:
    """Inferences and effects of every arm, beside each baseline of the first noise; units that account for them."""
    rng = np.random.default_rng(seed)
    baselines = [
        row
        for row in out["inferences"]
        if row["condition_id"] == "baseline:baseline" and not row["noise_index"]
    ]
    attended: dict[int, list[Row]] = {}
    for row in out["object_metrics"]:
        if (row["pass"], row["rows"], row["against"]) == ("prefix", "mean", "own"):
            attended.setdefault(row["inference_id"], []).append(row)
    turns = {one: k % 2 for k, one in enumerate(sorted({row["episode_id"] for row in baselines}))}
    for baseline in baselines:
        for arm in arms():
            inference_id = len(out["inferences"]) + 1
            is_question = arm.kind == "vqa"
            right = baseline["named_object"]
            out["inferences"].append(
                {
                    **baseline,
                    "inference_id": inference_id,
                    "condition_id": f"{arm.kind}:{arm.name}",
                    "actions": None
                    if is_question
                    else [[arm.first_action * (1.5 - turns[baseline["episode_id"]]), 1.0]] * 2,
                    "answer": (f"{right.title()}." if rng.random() < SHARE_RIGHT else "nothing")
                    if is_question
                    else None,
                    "params": json.dumps({"expected": right}) if is_question else None,
                }
            )
            if arm.kind == "randomised":
                add_shuffled_attention(out, inference_id, baseline["inference_id"], attended)
            if not is_question:
                noise = rng.normal(0, 0.02)
                out["action_effects"].append(
                    {
                        "inference_id": inference_id,
                        "baseline_id": baseline["inference_id"],
                        "mse": max(arm.mse + noise, 0.0),
                        "mse_standardised": max(arm.error + noise, 0.0),
                        "per_dim": [max(arm.error + noise, 0.0), 0.0],
                    }
                )
    episodes = {row["episode_id"] for row in baselines}
    for episode_id in sorted(episodes):
        n_frames = sum(row["episode_id"] == episode_id for row in baselines)
        for group, size in group_sizes().items():
            out["units"].append(
                {
                    "unit": f"{episode_id}:{group}",
                    "episode_id": episode_id,
                    "condition_group": group,
                    "status": "done",
                    "reason": None,
                    "n_inferences": size * n_frames,
                    "n_planned": size * n_frames,
                }
            )


def add_shuffled_attention(
    out: dict[str, list[Row]], inference_id: int, baseline_id: int, attended: dict[int, list[Row]]
) -> None:
    """The words' maps: in shuffled layers another map without preference, below them the baseline's."""
    for layer in range(N_LAYERS):
        is_shuffled = layer >= N_LAYERS - N_SHUFFLED
        key = {"inference_id": inference_id, "pass": "prefix", "denoise_step": -1, "layer": layer, "head": -1, "query_index": 0,
               "rows": "mean", "camera": "base"}  # fmt: skip
        shift = (
            {"correlation": SHUFFLED_CORRELATION, "jsd": 0.5}
            if is_shuffled
            else {"correlation": 1.0, "jsd": 0.0}
        )
        same = dict.fromkeys([
            "mean_diff", "abs_mean_diff", "max_increase", "max_decrease", "l2_distance", "shift_magnitude", "centroid_shift_px",
            "l2_unit", "total_variation",
        ], 0.0)  # fmt: skip
        out["map_shifts"].append({**key, "baseline_id": baseline_id, **same, **shift})
        for row in attended[baseline_id]:
            if row["layer"] == layer:
                even = {"mass_share": row["area_share"], "lift": 1.0, "log_lift": 0.0}
                hidden = row["mass_share"] is None
                out["object_metrics"].append({**row, **key, **(even if is_shuffled and not hidden else {})})
