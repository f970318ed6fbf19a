"""A small warehouse whose answers are known: schema `raw` filled from sql/schema with rows drawn around planted effects.

    python -m tests.dbt.synthetic /tmp/synthetic.duckdb

Nothing is run and nothing measured: metrics are drawn, not reduced from maps. What is planted stands in `World`.
Rows that must never count (vacuous, nan, another noise) carry `POISON`, far outside every true value.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from ingest.schema import create_raw_schema
from tests.dbt.synthetic_experiments import REGIONS, add_experiments
from tests.dbt.synthetic_experiments import condition_rows as condition_rows_of_experiments
from tests.dbt.synthetic_latents import put_latent_frames
from tests.dbt.synthetic_layout import layout_rows

ROOT = Path(__file__).resolve().parents[2]
POISON = 0.9
GRID = 16
CATEGORIES = ["duck", "banana", "cat"]
WORDS = ["find", "the", "du", "ck"]
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """One run and what is planted in it."""

    run_id: str = "planted"
    n_success: int = 20
    n_failure: int = 20
    n_unknown: int = 0
    n_frames: int = 2
    n_layers: int = 5
    n_heads: int = 2
    prompts: tuple[str, ...] = ("duck", "banana")
    n_paraphrases: int = 2
    has_objects: bool = True
    has_inferences: bool = True
    has_failures: bool = True
    has_experiments: bool = False
    has_latent_frames: bool = False
    min_episodes: int = 20
    n_resamples: int = 1000
    seed: int = 7
    lift: float = 3.0
    lift_layers: tuple[int, ...] = (1, 2, 3)
    success_log_lift: float = 0.8
    success_layers: tuple[int, ...] = (2,)
    prompt_jsd: float = 0.2
    paraphrase_jsd: float = 0.05
    mass_gain: float = 0.1
    # Change of the target's log lift from the first keyframe to the last, and of its share from token to token.
    drift: float = 0.6
    drift_layers: tuple[int, ...] = (3,)
    token_slope: float = 0.01
    slope_layers: tuple[int, ...] = (1,)
    # Lift of the target in the last head of each layer; 1 in all others.
    head_lift: tuple[float, ...] = (1.0, 1.9, 4.0, 2.6, 1.0)
    # Correlation of the maps of two cameras on the table, by layer; 0.1 with another keyframe's.
    agreement: tuple[float, ...] = (0.1, 0.1, 0.5, 0.1, 0.1)
    flow: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    step_l2: float = 0.05
    prompt_mse: float = 1.0
    paraphrase_mse: float = 0.1
    visual: tuple[float, ...] = (0.6, 0.6, 0.4, 0.2, 0.2)
    linguistic: tuple[float, ...] = (0.2, 0.2, 0.4, 0.6, 0.6)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)


PLANTED = World(has_experiments=True)
FEW = World(
    run_id="few",
    n_success=5,
    n_failure=0,
    prompts=("banana",),
    n_paraphrases=0,
    has_failures=False,
)
BARE = World(
    run_id="bare",
    n_success=0,
    n_failure=0,
    n_unknown=1,
    n_frames=1,
    n_layers=1,
    prompts=(),
    n_paraphrases=0,
    has_objects=False,
    has_failures=False,
)
LATENT = replace(
    BARE,
    run_id="latent",
    n_success=4,
    n_failure=3,
    n_unknown=0,
    n_frames=2,
    n_layers=2,
    has_latent_frames=True,
)
EMPTY = replace(BARE, run_id="empty", has_inferences=False)


def create(path: Path, worlds: list[World]) -> None:
    """Write the worlds' rows into schema `raw` of a new DuckDB file."""
    with duckdb.connect(str(path)) as connection:
        create_raw_schema(connection)
        for world in worlds:
            for table, rows in tables(replace(world, rng=np.random.default_rng(world.seed))).items():
                if rows:
                    schema = connection.table(f"raw.{table}").limit(0).pl().schema
                    frame = pl.DataFrame(rows, schema=schema, orient="row").to_arrow()
                    columns = ", ".join(f'"{name}"' for name in frame.column_names)
                    connection.register("frame", frame)
                    connection.execute(f"insert into raw.{table} ({columns}) select {columns} from frame")
                    connection.unregister("frame")


def tables(world: World) -> dict[str, list[Row]]:
    """Raw table -> rows of this world."""
    out: dict[str, list[Row]] = {"runs": [run_row(world)]}
    out["conditions"] = list(condition_rows(world))
    out["layouts"], out["regions"], out["queries"], out["tokens"] = layout_rows()
    out["episodes"] = list(episode_rows(world))
    out["units"], out["issues"] = unit_rows(world)
    for name in [
        "frames",
        "objects",
        "inferences",
        "attention_masses",
        "attention_maps",
        "head_focus",
        "object_metrics",
        "map_shifts",
        "action_effects",
        "layer_links",
        "camera_links",
        "timings",
    ]:
        out[name] = []
    if world.has_inferences:
        for episode in out["episodes"]:
            fill_episode(world, episode, out)
    if world.has_latent_frames:
        put_latent_frames(out, world.n_layers, world.n_heads, world.rng)
    if world.has_experiments:
        out["conditions"] += condition_rows_of_experiments()
        add_experiments(out, world.seed)
    for rows in out.values():
        for row in rows:
            row["run_id"] = world.run_id
    return out


def run_row(world: World) -> Row:
    config = {
        "study": world.run_id,
        "capture": {"profile": "default", "passes": ["prefix", "suffix"]},
        "statistics": {
            "alpha": 0.05,
            "bootstrap": world.n_resamples,
            "min_episodes": world.min_episodes,
        },
        "seed": world.seed,
        "conditions": {"occlusion": {"regions": REGIONS} if world.has_experiments else None},
    }
    return {
        "study": world.run_id,
        "config": json.dumps(config),
        "config_hash": "c0",
        "policy": "tiny demo",
        "model_family": "tiny",
        "checkpoint": "demo",
        "checkpoint_hash": "c1",
        "n_layers": world.n_layers,
        "n_heads": world.n_heads,
        "head_dim": 24,
        "dtype": "float32",
        "attention_impl": "eager",
        "device": "cpu",
        "seed": world.seed,
        "git_rev": None,
        "versions": "{}",
        "schema_version": 1,
        "status": "partial" if world.has_failures else "done",
    }


def condition_rows(world: World) -> Iterator[Row]:
    yield {"condition_id": "baseline:baseline", "kind": "baseline", "name": "baseline", "params": "{}"}
    for name in world.prompts:
        yield {"condition_id": f"prompt:{name}", "kind": "prompt", "name": name, "params": "{}"}
    for index in range(world.n_paraphrases):
        yield {
            "condition_id": f"paraphrase:{index}",
            "kind": "paraphrase",
            "name": str(index),
            "prompt_template": "pick up the {object}",
            "params": "{}",
        }


def episode_rows(world: World) -> Iterator[Row]:
    outcomes = ["success"] * world.n_success + ["failure"] * world.n_failure + [None] * world.n_unknown
    for index, outcome in enumerate(outcomes):
        target = CATEGORIES[index % 3]
        yield {
            "episode_id": f"{outcome or 'unknown'}/it's {index:03d}",
            "dataset": "synthetic",
            "suite": None if world.n_unknown else f"suite {index % 2}",
            "task_index": index % 3,
            "task": f"find the {target}",
            "instruction": f"find the {target}",
            "outcome": outcome,
            "failure_kind": "wrong_toy" if outcome == "failure" else None,
            # The last keyframe lies in the last third.
            "n_frames": 8 * (world.n_frames - 1) + 3,
            "n_keyframes": world.n_frames,
            "source": "droid",
            "metadata": json.dumps({"target": target, "scenario": "plain", "failure_family": "grounding"}),
        }


def groups(world: World) -> dict[str, int]:
    """Condition group -> its conditions."""
    all_groups = {"baseline": 1, "prompts": len(world.prompts), "paraphrases": world.n_paraphrases}
    return {name: n for name, n in all_groups.items() if n}


def unit_rows(world: World) -> tuple[list[Row], list[Row]]:
    units: list[Row] = []
    issues: list[Row] = []
    for episode in episode_rows(world):
        for group, n_conditions in groups(world).items():
            n = n_conditions * world.n_frames
            units.append(
                {
                    "unit": f"{episode['episode_id']}:{group}",
                    "episode_id": episode["episode_id"],
                    "condition_group": group,
                    "status": "done" if world.has_inferences else "failed",
                    "reason": None if world.has_inferences else "missing_camera",
                    "n_inferences": n if world.has_inferences else 0,
                    "n_planned": n,
                }
            )
    if world.has_failures:
        for status, reason in (
            ("failed", "truncated_h5"),
            ("skipped", "no_instruction"),
            ("pending", "not run yet"),
        ):
            units.append(
                {
                    "unit": f"broken:{status}",
                    "episode_id": f"broken/{status}",
                    "condition_group": "baseline",
                    "status": status,
                    "reason": reason,
                    "n_inferences": 0,
                    "n_planned": None,
                }
            )
        for index in range(2):
            issues.append(
                {
                    "unit": "broken:failed",
                    "episode_id": "broken/failed",
                    "stage": "open",
                    "subject": f"file {index}",
                    "reason": "truncated_h5",
                    "detail": "The file ends early: copy it again.",
                }
            )
    return units, issues


def fill_episode(world: World, episode: Row, out: dict[str, list[Row]]) -> None:
    """Frames, objects, inferences and measurements of one episode."""
    rng = world.rng
    target = json.loads(episode["metadata"])["target"]
    base = np.log(world.lift) + rng.normal(0, 0.3)
    for frame in range(world.n_frames):
        key = {"episode_id": episode["episode_id"], "frame_index": 8 * frame}
        out["frames"].append(
            key
            | {
                "timestamp": 0.8 * frame,
                "state": [0.0, 0.1],
                "gripper": 0.0,
                "pictures": json.dumps({"base": f"pictures/{episode['episode_id']}/{8 * frame:05d}.jpg"}),
                "masks": json.dumps({"base": f"masks/{episode['episode_id']}/{8 * frame:05d}.png"})
                if world.has_objects
                else None,
                "status": "ok",
                "reason": None,
            }
        )
        categories = CATEGORIES if world.has_objects else []
        for index, category in enumerate(categories):
            out["objects"].append(
                key
                | {
                    "camera": "base",
                    "object_index": index,
                    "category": category,
                    "role": "target" if category == target else "distractor",
                    "score": 1.0,
                    "area_share": 0.05,
                    "coverage": [1.0] + [0.0] * (GRID - 1),
                    "mask_path": "masks/x.png",
                    "mask_source": "simulator",
                }
            )
        baseline_id = len(out["inferences"]) + 1
        plan = [("baseline:baseline", target, 0), ("baseline:baseline", target, 1)]
        plan += [(f"prompt:{name}", name, 0) for name in world.prompts]
        plan += [(f"paraphrase:{index}", target, 0) for index in range(world.n_paraphrases)]
        for condition_id, named, noise in plan:
            kind = condition_id.split(":")[0]
            status, reason = "ok", None
            if (kind == "prompt" and named == target == "duck") or (
                condition_id == "paraphrase:1" and target == "cat"
            ):
                status, reason = "vacuous", "same tokens as the baseline"
            elif world.has_failures and condition_id == "prompt:banana" and baseline_id == 1:
                status, reason = "nan", "nan in layer 3"
            inference_id = len(out["inferences"]) + 1
            out["inferences"].append(
                key
                | {
                    "inference_id": inference_id,
                    "condition_id": condition_id,
                    "noise_index": noise,
                    "prompt": f"find the {named}",
                    "named_object": named if world.has_objects else None,
                    "token_hash": named,
                    "layout_id": "layout",
                    "actions": [[1.0, 1.0], [-1.0, 1.0]],
                    "status": status,
                    "reason": reason,
                }
            )
            poisoned = status != "ok" or noise > 0
            add_masses(world, inference_id, CATEGORIES.index(named), poisoned, out)
            drift = world.drift * (frame / max(world.n_frames - 1, 1) - 0.5)
            add_metrics(world, inference_id, condition_id, named, target, base, drift, poisoned, episode, out)
            if noise == 0:
                add_maps(world, inference_id, out)
            if kind == "baseline":
                add_focus(world, inference_id, out)
                add_links(world, inference_id, frame, poisoned, out)
                add_camera_links(world, inference_id, poisoned, out)
            if kind != "baseline":
                add_shifts(world, inference_id, baseline_id, kind, named == target, poisoned, out)
    n_noisy = world.n_frames
    for unit in out["units"]:
        if unit["episode_id"] == episode["episode_id"] and unit["condition_group"] == "baseline":
            unit["n_inferences"] += n_noisy
            unit["n_planned"] += n_noisy


def passes() -> Iterator[tuple[str, int, int]]:
    """(pass, denoising step, regions)."""
    yield "prefix", -1, 6
    yield "suffix", 0, 7
    yield "suffix", 4, 7


def object_shares(world: World, name: str, layer: int, head: int, query: int, named: int) -> list[float]:
    """Share of the camera's attention on each object: its area, times what the head and the token do with it."""
    shares = 0.05 * np.exp(world.rng.normal(0, 0.1, len(CATEGORIES)))
    if head == world.n_heads - 1:
        shares[named] *= world.head_lift[layer]
    if name == "suffix" and query > 0 and layer in world.slope_layers:
        shares[named] += world.token_slope * (query - 1)
    return [float(share) for share in shares]


def add_masses(
    world: World, inference_id: int, named: int, poisoned: bool, out: dict[str, list[Row]]
) -> None:
    for name, step, n_regions in passes():
        for layer in range(world.n_layers):
            visual, linguistic = world.visual[layer], world.linguistic[layer]
            if poisoned:
                visual, linguistic = 0.01, POISON
            rest = 1 - visual - linguistic
            shares = np.array([visual * 0.9, visual * 0.1, linguistic / 2, linguistic / 2, rest / 2, 0.0])
            if n_regions == 7:
                shares = np.append(shares, rest / 2)
            else:
                shares[4] += rest / 2
            for head in range(world.n_heads):
                for query in range(5 if name == "prefix" else 3):
                    noisy = shares * np.exp(world.rng.normal(0, 0.2, n_regions))
                    masses = (noisy / noisy.sum()).astype(np.float32)
                    out["attention_masses"].append(
                        {
                            "inference_id": inference_id,
                            "pass": name,
                            "denoise_step": step,
                            "softmax": "self",
                            "layer": layer,
                            "head": head,
                            "query_index": query,
                            "masses": masses.tolist(),
                            "object_masses": [
                                float(masses[0]) * (POISON if poisoned else share)
                                for share in object_shares(world, name, layer, head, query, named)
                            ]
                            if world.has_objects
                            else [],
                            # The first head always looks at one patch.
                            "top_key": 3 if head == 0 else int(world.rng.integers(0, 12)),
                            "top_share": float(masses.max()),
                            "sink_share": float(masses[2]),
                        }
                    )


def add_metrics(
    world: World,
    inference_id: int,
    condition_id: str,
    named: str,
    target: str,
    base: float,
    drift: float,
    poisoned: bool,
    episode: Row,
    out: dict[str, list[Row]],
) -> None:
    if not world.has_objects:
        return
    rng = world.rng
    kind = condition_id.split(":")[0]
    for name, step, _ in passes():
        for layer in range(world.n_layers):
            for rows in ("mean", "max"):
                for index, category in enumerate(CATEGORIES):
                    for against in ("own", "other_episode") if kind == "baseline" else ("own",):
                        log_lift = rng.normal(0, 0.1)
                        if layer in world.lift_layers and category == target and against == "own":
                            log_lift += base
                        if (
                            layer in world.success_layers
                            and category == target
                            and against == "own"
                            and episode["outcome"] == "success"
                        ):
                            log_lift += world.success_log_lift
                        if layer in world.drift_layers and category == target and against == "own":
                            log_lift += drift
                        mass = 0.05 * float(np.exp(log_lift))
                        if kind == "prompt" and category == named:
                            mass += world.mass_gain
                            log_lift = float(np.log(mass / 0.05))
                        if poisoned:
                            mass, log_lift = POISON, 9.0
                        # The banana is out of view in the second frame: numbers are null, with a reason.
                        hidden = category == "banana" and inference_id % 2 == 0 and layer == 0
                        seed = against == "own" and not hidden
                        out["object_metrics"].append(
                            {
                                "inference_id": inference_id,
                                "pass": name,
                                "denoise_step": step,
                                "layer": layer,
                                "head": -1,
                                "query_index": 0,
                                "rows": rows,
                                "camera": "base",
                                "object_index": index,
                                "against": against,
                                "mass_share": None if hidden else mass,
                                "area_share": 0.05,
                                "lift": None if hidden else mass / 0.05,
                                "log_lift": None if hidden else log_lift,
                                "precision": None if hidden else min(1.0, mass),
                                "recall": None if hidden else min(1.0, mass * 2),
                                "dice": None if hidden else min(1.0, mass * 1.5),
                                "iou_p75": None if hidden else min(1.0, mass / 3),
                                "iou_p90": None if hidden else min(1.0, mass / 4),
                                "ap": None if hidden else min(1.0, mass / 5),
                                "pointing_hit": None if hidden else float(log_lift > 0.5),
                                "overlap_ratio_seed": min(1.0, mass) if seed else None,
                                "attention_concentration_seed": float(np.exp(log_lift)) if seed else None,
                                "iou_seed": min(1.0, mass / 2) if seed else None,
                                "mean_attn_inside_seed": min(1.0, mass / 6) if seed else None,
                                "mean_attn_outside_seed": min(1.0, mass / 7) if seed else None,
                                "reason": "empty mask" if hidden else None,
                            }
                        )


def add_maps(world: World, inference_id: int, out: dict[str, list[Row]]) -> None:
    for name, step, _ in passes():
        for layer in range(world.n_layers):
            for head, rows in ((-1, "mean"), (-1, "max"), (-2, "mean"), (0, "mean")):
                out["attention_maps"].append(
                    {
                        "inference_id": inference_id,
                        "pass": name,
                        "denoise_step": step,
                        "layer": layer,
                        "head": head,
                        "query_index": 0,
                        "rows": rows,
                        "camera": "base",
                        "map": [1 / GRID] * GRID,
                        "mass": 0.5,
                    }
                )


def add_focus(world: World, inference_id: int, out: dict[str, list[Row]]) -> None:
    for layer in range(world.n_layers):
        for head in range(world.n_heads):
            out["head_focus"].append(
                {
                    "inference_id": inference_id,
                    "pass": "prefix",
                    "denoise_step": -1,
                    "layer": layer,
                    "head": head,
                    "query_index": 0,
                    "camera": "base",
                    "entropy": 2.0,
                    "entropy_norm": 0.7 + 0.1 * head,
                    "gini": 0.3,
                    "effective_rank": 7.4,
                    "participation": 6.0,
                    "top10_share": 0.4,
                    "variance": 0.01,
                }
            )


def add_links(world: World, inference_id: int, frame: int, poisoned: bool, out: dict[str, list[Row]]) -> None:
    for name, step, _ in passes():
        for layer in range(world.n_layers):
            flow = world.flow[layer] + world.rng.normal(0, 0.02) if layer < world.n_layers - 1 else None
            l2 = world.step_l2 * float(np.exp(world.rng.normal(0, 0.1)))
            if poisoned:
                flow, l2 = -POISON, POISON
            out["layer_links"].append(
                {
                    "inference_id": inference_id,
                    "pass": name,
                    "denoise_step": step,
                    "layer": layer,
                    "query_index": 0,
                    "camera": "base",
                    "flow": flow,
                    "stability_l2": l2 if frame else None,
                    "stability_tv": l2 if frame else None,
                    "stability_l2_raw": l2 / 2 if frame else None,
                }
            )


def add_camera_links(world: World, inference_id: int, poisoned: bool, out: dict[str, list[Row]]) -> None:
    """Worlds without objects have no calibration either. Draws of its own: the other tables keep theirs."""
    rng = np.random.default_rng([world.seed, abs(inference_id)])
    for name, step, _ in passes():
        for layer in range(world.n_layers):
            row: Row = {"correlation": None, "reason": "the recording has no calibration of camera base"}
            if world.has_objects:
                r = -POISON if poisoned else world.agreement[layer] + rng.normal(0, 0.05)
                null = 0.1 + rng.normal(0, 0.05)
                shares = {"mass_share": 0.3, "other_mass_share": 0.5, "n_patches": 40}
                row = {"correlation": r, "other_frame_correlation": null, **shares}
            keys = {"inference_id": inference_id, "pass": name, "denoise_step": step, "layer": layer}
            cameras = {"query_index": 0, "camera": "base", "other_camera": "wrist"}
            out["camera_links"].append({**keys, **cameras, **row})


def add_shifts(
    world: World,
    inference_id: int,
    baseline_id: int,
    kind: str,
    is_same: bool,
    poisoned: bool,
    out: dict[str, list[Row]],
) -> None:
    moved = kind == "prompt" and not is_same
    scale = world.prompt_mse if moved else world.paraphrase_mse
    mse = 99.0 if poisoned else scale * float(np.exp(world.rng.normal(0, 0.2)))
    out["action_effects"].append(
        {
            "inference_id": inference_id,
            "baseline_id": baseline_id,
            "mse": mse,
            "mse_standardised": mse * 2,
            "per_dim": [mse, mse],
            "params": "{}",
        }
    )
    for name, step, _ in passes():
        for layer in range(world.n_layers):
            for rows in ("mean", "max"):
                jsd = world.prompt_jsd if moved and layer in world.lift_layers else world.paraphrase_jsd
                jsd *= float(np.exp(world.rng.normal(0, 0.2)))
                if poisoned:
                    jsd = 0.69
                out["map_shifts"].append(
                    {
                        "inference_id": inference_id,
                        "baseline_id": baseline_id,
                        "pass": name,
                        "denoise_step": step,
                        "layer": layer,
                        "head": -1,
                        "query_index": 0,
                        "rows": rows,
                        "camera": "base",
                        "mean_diff": jsd / 100,
                        "abs_mean_diff": jsd / 50,
                        "max_increase": jsd / 4,
                        "max_decrease": -jsd / 5,
                        "l2_distance": jsd * 2,
                        "correlation": 1 - jsd,
                        "shift_magnitude": jsd,
                        "centroid_shift_px": 100 * jsd,
                        "l2_unit": jsd / 3,
                        "total_variation": min(1.0, jsd),
                        "jsd": jsd,
                    }
                )


if __name__ == "__main__":
    create(Path(sys.argv[1]), [PLANTED, FEW, BARE, EMPTY])
