"""A small warehouse with plausible invented marts, and the pictures it speaks of. Same shape, same numbers, every time."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import duckdb
import numpy as np
import pyarrow as pa

from tests.reports import synthetic_results

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "\"quotes\" 'single' `back` & <b>bold</b> {{ 7*7 }} {% raw %} ${1+1} \u202egnirts\u202c \u2028 end",
    "long " + "x" * 295,
]
TOYS = ["duck", "banana", "cat", "bottle"]
COLOURS = {"duck": (40, 200, 240), "banana": (60, 220, 250), "cat": (120, 110, 110), "bottle": (90, 160, 60)}
TOP, BOTTOM = 49, 175  # picture rows inside the 224-px square


@dataclass(frozen=True)
class Shape:
    """How much the invented study holds."""

    n_success: int = 12
    n_failure: int = 12
    n_keyframes: int = 8
    n_layers: int = 8
    cameras: tuple[str, ...] = ("base", "wrist")
    masks: bool = True
    prompts: bool = True
    hostile: bool = False
    run_id: str = "0123456789abcdef"

    @property
    def views(self) -> list[tuple[str, int, str]]:
        """(pass, denoising step, query) of the stored maps."""
        return [("prefix", -1, "instruction"), ("suffix", 0, "action"), ("suffix", 4, "action")]

    @property
    def prompt_names(self) -> list[str]:
        return TOYS if self.prompts else []


RICH = Shape(n_success=5, n_failure=3, n_keyframes=2, n_layers=3, hostile=True)
EMPTY = Shape(n_success=0, n_failure=0, n_layers=2)
TINY = Shape(n_success=3, n_failure=2, n_keyframes=3, n_layers=3)
LITTLE = replace(TINY, n_success=1, n_failure=0, n_layers=1, cameras=("base",), masks=False, prompts=False)


@dataclass(frozen=True)
class Episode:
    """One invented episode."""

    index: int
    episode_id: str
    outcome: str | None
    instruction: str
    target: str


def episodes_of(shape: Shape) -> list[Episode]:
    episodes = []
    for i in range(shape.n_success + shape.n_failure):
        outcome = "success" if i < shape.n_success else "failure"
        target = TOYS[i % len(TOYS)]
        name, instruction = f"{outcome}/2026-11-20/{i:04d}", f"find the {target} and pick it up"
        if shape.hostile:
            name, instruction = f"{name}/{HOSTILE[i % 3]}", HOSTILE[i % 3]
        episodes.append(Episode(i, name, outcome, instruction, target))
    return episodes


class Rows:
    """Collects rows by mart and writes them at the end."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, **row: Any) -> None:
        self.tables.setdefault(table, []).append(row)

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        for table, rows in self.tables.items():
            names = list(dict.fromkeys(name for row in rows for name in row))
            con.register("batch", pa.Table.from_pylist([{n: row.get(n) for n in names} for row in rows]))
            con.execute(f"insert into marts.{table} by name select * from batch")
            con.unregister("batch")


def build(folder: Path, shape: Shape = TINY) -> tuple[Path, Path]:
    """Write `folder/warehouse.duckdb` and `folder/lake`; return both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    warehouse, lake = folder / "warehouse.duckdb", folder / "lake"
    warehouse.unlink(missing_ok=True)
    con = duckdb.connect(str(warehouse))
    for name in ("marts.sql", "marts_of_heads_and_time.sql"):
        con.execute((Path(__file__).parent / name).read_text())
    rows, rng = Rows(), np.random.default_rng(42)
    episodes = episodes_of(shape)
    add_dimensions(rows, shape, episodes)
    scenes = add_pictures(rows, shape, episodes, lake / f"run_id={shape.run_id}", rng)
    if shape.masks:
        synthetic_results.add_object_attention(rows, shape, episodes, rng)
    synthetic_results.add_modality(rows, shape, episodes, rng)
    if shape.prompts:
        synthetic_results.add_prompts(rows, shape, episodes, rng)
    rows.write(con)
    add_gallery(con, shape, episodes, scenes, rng)
    synthetic_results.aggregate(con, shape)
    con.close()
    return warehouse, lake


def add_dimensions(rows: Rows, shape: Shape, episodes: list[Episode]) -> None:
    run = shape.run_id
    config = {
        "study": "demo",
        "policy": {"family": "tiny", "checkpoint": "demo", "dtype": "float32"},
        "episodes": {"source": "droid", "root": "ingest/demo/episodes"},
        "capture": {"profile": "default", "layers": "all"},
        "statistics": {"alpha": 0.05, "bootstrap": 10000, "min_episodes": 20},
        "seed": 42,
    }
    rows.add(
        "runs", run_id=run, study=HOSTILE[0] if shape.hostile else "demo", config=json.dumps(config), config_hash="ab" * 16,
        policy="tiny:demo", model_family="tiny", checkpoint="demo", checkpoint_hash="cd" * 16, n_layers=shape.n_layers,
        n_heads=4, head_dim=24, dtype="float32", attention_impl="eager", device="cpu", seed=42, git_rev="1a2b3c4+dirty",
        versions=json.dumps({"python": "3.11.7", "numpy": "2.4.6"}), schema_version=1, status="done",
    )  # fmt: skip
    for e in episodes:
        kind = None if e.outcome == "success" else ["wrong_toy", "missed_grip"][e.index % 2]
        family = {"wrong_toy": "grounding", "missed_grip": "grip"}.get(kind or "")
        if shape.hostile and kind == "wrong_toy":
            kind, family = HOSTILE[0], HOSTILE[1]
        rows.add(
            "episodes", run_id=run, episode_id=e.episode_id, dataset="demo", suite=HOSTILE[0] if shape.hostile else None, task_index=e.index % 4,
            task=e.instruction if shape.hostile else f"pick up the {e.target}", instruction=e.instruction, outcome=e.outcome,
            failure_kind=kind, n_frames=shape.n_keyframes * 8, n_keyframes=shape.n_keyframes, source="droid", metadata="{}",
            failure_family=family, target=e.target, scenario=HOSTILE[1] if shape.hostile else "plain",
        )  # fmt: skip
    groups = ["baseline", *(["prompts", "paraphrases"] if shape.prompts else [])]
    for group in groups:
        n, k = len(episodes), {"baseline": 1, "prompts": len(TOYS), "paraphrases": 1}[group]
        vacuous = len(episodes) * shape.n_keyframes if group == "prompts" else 0
        total = n * k * shape.n_keyframes
        rows.add(
            "coverage", run_id=run, condition_group=group, n_units=n + 1, n_done=n, n_partial=0, n_failed=1, n_skipped=0,
            n_pending=0, n_planned_inferences=total + 8, n_inferences=total, n_ok=total - vacuous, n_vacuous=vacuous, n_nan=0,
            n_failed_inferences=0,
        )  # fmt: skip
        rows.add(
            "coverage_reasons",
            run_id=run,
            condition_group=group,
            status="failed",
            reason="truncated JPEG",
            n_units=1,
        )
    rows.add(
        "issues_by_reason", run_id=run, stage="read", reason="truncated JPEG", n_issues=len(groups),
        example_subject=HOSTILE[0] if shape.hostile else "recordings/frames/hand_camera/00008.jpg",
        example_detail=HOSTILE[1] if shape.hostile else "image file is truncated (12 bytes not processed)",
    )  # fmt: skip
    rows.add("conditions", run_id=run, condition_id="baseline:baseline", kind="baseline", name="baseline")
    for toy in shape.prompt_names:
        template = HOSTILE[0] if shape.hostile else f"find the {toy} and pick it up"
        rows.add(
            "conditions",
            run_id=run,
            condition_id=f"prompt:{toy}",
            kind="prompt",
            name=toy,
            prompt_template=template,
        )
    if shape.prompts:
        rows.add(
            "conditions", run_id=run, condition_id="paraphrase:0", kind="paraphrase", name="0",
            prompt_template="pick up the {object}",
        )  # fmt: skip


Scene = dict[str, tuple[float, float]]


def add_pictures(
    rows: Rows, shape: Shape, episodes: list[Episode], root: Path, rng: np.random.Generator
) -> dict[Any, Scene]:
    """Pictures and label maps of every keyframe; returns where each toy is, by (episode, frame, camera)."""
    scenes: dict[Any, Scene] = {}
    for e in episodes:
        folder = f"pictures/e{e.index:04d}"
        (root / folder).mkdir(parents=True, exist_ok=True)
        start = {
            c: {t: (rng.uniform(30, 194), rng.uniform(TOP + 25, BOTTOM - 25)) for t in TOYS}
            for c in shape.cameras
        }
        for k in range(shape.n_keyframes):
            pictures, masks = {}, {}
            for c, camera in enumerate(shape.cameras):
                scene = {t: (x + 2.0 * k * c, y - 1.0 * k * c) for t, (x, y) in start[camera].items()}
                scenes[e.index, k, camera] = scene
                name = f"{folder}/{8 * k:05d}_{camera}"
                pictures[camera], masks[camera] = f"{name}.jpg", f"{name}.png"
                areas = draw(scene, root / pictures[camera], root / masks[camera], c * len(TOYS), shape.masks)
                for i, toy in enumerate(TOYS if shape.masks else []):
                    rows.add(
                        "objects", run_id=shape.run_id, episode_id=e.episode_id, frame_index=8 * k, camera=camera,
                        object_index=c * len(TOYS) + i, category=HOSTILE[0] if shape.hostile and i == 0 else toy,
                        role="target" if toy == e.target else "distractor", score=1.0, area_share=areas[i] / (224.0 * 126.0),
                        mask_source="simulator",
                    )  # fmt: skip
            rows.add(
                "frames", run_id=shape.run_id, episode_id=e.episode_id, frame_index=8 * k, timestamp=0.8 * k, state=[0.1, 0.2],
                gripper=0.0, pictures=json.dumps(pictures), masks=json.dumps(masks) if shape.masks else None, status="ok",
            )  # fmt: skip
    return scenes


def draw(scene: Scene, picture: Path, mask: Path, first_index: int, with_mask: bool) -> list[int]:
    image = np.zeros((224, 224, 3), np.uint8)
    image[TOP:BOTTOM] = np.linspace(90, 160, BOTTOM - TOP, dtype=np.uint8)[:, None, None] + np.array(
        [10, 20, 40], np.uint8
    )
    labels = np.zeros((224, 224), np.uint8)
    for i, (toy, (x, y)) in enumerate(scene.items()):
        size = (14 + 2 * i, 10 + i)
        cv2.ellipse(image, (int(x), int(y)), size, 20 * i, 0, 360, COLOURS[toy], -1, cv2.LINE_AA)
        cv2.ellipse(labels, (int(x), int(y)), size, 20 * i, 0, 360, first_index + i + 1, -1)
    cv2.imwrite(str(picture), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    labels[:TOP], labels[BOTTOM:] = 0, 0
    if with_mask:
        cv2.imwrite(str(mask), labels)
    return [int((labels == first_index + i + 1).sum()) for i in range(len(scene))]


def add_gallery(
    con: duckdb.DuckDBPyConnection,
    shape: Shape,
    episodes: list[Episode],
    scenes: dict[Any, Scene],
    rng: np.random.Generator,
) -> None:
    """Maps: a bump on the named toy, sharp in early layers, on top of noise."""
    grid = 14.0 * np.arange(16) + 6.5
    maps, keys = [], []
    for e in episodes:
        for k in range(shape.n_keyframes):
            for camera in shape.cameras:
                for condition in ["baseline:baseline", *(f"prompt:{t}" for t in shape.prompt_names)]:
                    toy = e.target if condition == "baseline:baseline" else condition.split(":")[1]
                    x, y = scenes[e.index, k, camera][toy]
                    bump = np.exp(-((grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2) / (2 * 11.0**2))
                    for pass_, step, query in shape.views:
                        for layer in range(shape.n_layers):
                            weight = (6.0 if pass_ == "prefix" else 1.5) * math.exp(-layer / 2.5)
                            raw = weight * bump + rng.gamma(1.2, 0.12, (16, 16))
                            maps.append((raw / raw.sum()).astype(np.float32).ravel())
                            keys.append((e.episode_id, 8 * k, camera, condition, pass_, step, layer, query,
                                         f"pictures/e{e.index:04d}/{8 * k:05d}_{camera}"))  # fmt: skip
    if not maps:
        return
    columns = list(zip(*keys, strict=True))
    flat = pa.array(np.concatenate(maps), pa.float32())
    offsets = pa.array(np.arange(len(maps) + 1, dtype=np.int32) * 256, pa.int32())
    table = pa.table({
        "run_id": [shape.run_id] * len(maps),
        **{n: list(c) for n, c in zip(
            ("episode_id", "frame_index", "camera", "condition_id", "pass", "denoise_step", "layer", "query", "stem"),
            columns, strict=True)},
        "map": pa.ListArray.from_arrays(offsets, flat),
    })  # fmt: skip
    con.register("batch", table)
    con.execute(f"""
        insert into marts.frame_gallery by name
        select * exclude (stem), 'mean' as "rows", -1 as head, 0.4 as mass, stem || '.jpg' as picture,
               {"stem || '.png'" if shape.masks else "null"} as mask
        from batch
    """)
    # Two heads of their own, as the capture profile 'full' keeps them: head 0 is the mean's map, head 1 the same upside down.
    con.execute("""
        insert into marts.frame_gallery by name
        select frame_gallery.* replace (heads.head as head, case heads.head when 0 then map else list_reverse(map) end as map)
        from marts.frame_gallery cross join (values (0), (1)) as heads (head)
        where condition_id = 'baseline:baseline'
    """)
    con.execute("""
        insert into marts.frame_inferences by name
        select distinct
            gallery.run_id, gallery.episode_id, gallery.frame_index, gallery.condition_id,
            split_part(gallery.condition_id, ':', 1) as condition_kind,
            case when gallery.condition_id = 'baseline:baseline' then episodes.instruction else 'find the ' || split_part(gallery.condition_id, ':', 2) end as prompt,
            [[gallery.frame_index / 8.0, 0.5], [1.0, -1.0]]::float[][] as actions
        from marts.frame_gallery as gallery inner join marts.episodes as episodes using (run_id, episode_id)
    """)
