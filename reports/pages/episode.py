"""One page an episode: its pictures, maps and numbers, keyframe by keyframe."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from reports import words
from reports.errors import ReportError
from reports.html.blocks import Column, Table
from reports.html.render import episode_stem, script_json
from reports.images import pictures
from reports.marts.context import BASELINE, Context
from reports.marts.headline import Headline
from reports.marts.warehouse import Result, Row
from reports.recordings import videos
from reports.vega import palette

Maps = dict[
    int, dict[str, dict[str, Any]]
]  # frame -> 'condition|view|camera' -> layers, packed bytes, maxima, masses
DASHES = ("", "5 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Source:
    """What the warehouse says of an episode."""

    frames: Result
    metrics: Result
    objects: Result
    balance: Result


def read(ctx: Context, episode_id: str) -> Source:
    """Everything but the maps."""
    names = ("episode_frames", "episode_metrics", "episode_objects", "episode_balance")
    return Source(*(ctx.query(name, episode_id=episode_id) for name in names))


def maps_of(ctx: Context, episode_ids: Sequence[str]) -> dict[str, Maps]:
    """Packed maps of some episodes, with the grid's number of patches as `n`."""
    table = ctx.warehouse.table("episode_maps", run_id=ctx.study.run_id, episode_ids=list(episode_ids))
    lists = table["map"].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):  # pyarrow keeps an empty table chunked
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], pa.list_(pa.float32()))
    keys = table.drop_columns(["map"]).to_pylist()
    groups: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    views = {(v.pass_, v.step, v.query): v.key for v in ctx.study.views}
    for i, key in enumerate(keys):
        view = views.get((key["pass"], key["denoise_step"], key["query"]))
        if view is not None and lists[i].is_valid:
            groups[
                key["episode_id"], key["frame_index"], f"{key['condition_id']}|{view}|{key['camera']}"
            ].append(i)
    flat, offsets = lists.values.to_numpy(zero_copy_only=False), lists.offsets.to_numpy()
    found: dict[str, Maps] = defaultdict(lambda: defaultdict(dict))
    for (episode_id, frame, name), members in groups.items():
        stack = np.stack([flat[offsets[i] : offsets[i + 1]] for i in members]).astype(np.float32)
        levels, top = pictures.quantised(stack)
        masses = [keys[i]["mass"] for i in members]
        found[episode_id][frame][name] = {
            "layers": [keys[i]["layer"] for i in members],
            "b": pictures.packed(levels),
            "max": top,
            "mass": [None if m is None else round(m, 5) for m in masses],
            "n": stack.shape[1],
        }
    return found


def write(ctx: Context, row: Row, maps: Maps, head: Headline, neighbours: dict[str, Any]) -> None:
    """Write the page and, in a folder beside it, pictures and one script a keyframe."""
    source = read(ctx, row["episode_id"])
    name = episode_stem(ctx.study.run_id, row["episode_id"])
    folder = ctx.out / "episodes" / name
    folder.mkdir(parents=True, exist_ok=True)
    shown: list[dict[str, Any]] = []
    bad: list[Row] = []
    for frame in source.frames:
        if frame["status"] != "ok":
            bad.append(frame)
            continue
        index = frame["frame_index"]
        paths: dict[str, str] = json.loads(frame["pictures"] or "{}") if ctx.has_pictures else {}
        files = {
            c: f"{name}/{pictures.copied(ctx.run_folder, p, folder / f'{index:05d}_{ctx.study.cameras.index(c)}')}"
            for c, p in paths.items()
        }
        content = frame_content(ctx, frame, source, maps.get(index, {}))
        script = f"window.gazehouseFrame({index},{script_json(content)});\n"
        (folder / f"{index:05d}.js").write_text(script, encoding="utf-8")
        shown.append(
            {
                "index": index,
                "time": frame["timestamp"],
                "script": f"{name}/{index:05d}.js",
                "pictures": files,
            }
        )
    video = video_beside(ctx, row, head, folder) if ctx.shared.get("videos") and shown else None
    camera = camera_with_lift(ctx, source, head)
    seen = replace(head, camera=camera or head.camera)
    page = ctx.templates.get_template("episode.html").render(
        ctx.shared
        | neighbours
        | {
            "root": "../", "slug": "episodes", "title": words.cut(row["instruction"] or "Episode without instruction", 60), "study": ctx.study, "episode": row,
            "frames": shown, "video": video, "bad_frames": bad, "data": page_data(ctx, shown, source, maps, head) if shown else {},
            "table": frame_table(ctx, source, seen), "table_words": table_words(ctx, source, head, camera),
            "sources": [source.frames, source.metrics, source.balance],
        }
    )  # fmt: skip
    (ctx.out / "episodes" / f"{name}.html").write_text(page, encoding="utf-8")


def video_beside(ctx: Context, row: Row, head: Headline, folder: Path) -> dict[str, Any]:
    """A video in the episode's folder: where it lies and what it shows, or why there is none."""
    try:
        n = videos.of_page(ctx, row["episode_id"], head, folder / "video.webm")
    except ReportError as error:
        return {"why": str(error)}
    what = f"{ctx.study.name(head.view)}, {head.camera}, layer {head.layer}"
    return {
        "src": f"{folder.name}/video.webm",
        "words": f"{what}: picture, map and both, {words.plural(n, 'keyframe')}.",
    }


def frame_content(
    ctx: Context, frame: Row, source: Source, maps: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Maps, outlines and numbers of one keyframe."""
    masks: dict[str, str] = json.loads(frame["masks"] or "{}")
    objects: dict[str, list[dict[str, Any]]] = {}
    for camera in ctx.study.cameras:
        members = source.objects.where(frame_index=frame["frame_index"], camera=camera)
        labels = (
            pictures.read_labels(ctx.run_folder, masks[camera])
            if members and camera in masks and ctx.has_pictures
            else None
        )
        objects[camera] = [
            {
                "index": o["object_index"], "category": o["category"] or "unnamed", "role": o["role"], "area": o["area_share"],
                "paths": [] if labels is None else pictures.contours(labels, o["object_index"] + 1),
            }
            for o in members
        ]  # fmt: skip
    metrics: dict[str, Any] = {}
    views = {(v.pass_, v.step, v.query): v for v in ctx.study.views}
    for r in source.metrics.where(frame_index=frame["frame_index"]):
        view = views.get((r["pass"], r["denoise_step"], r["query"]))
        if view is None:
            continue
        places = metrics.setdefault(view.key, {}).setdefault(r["camera"], {})
        numbers = places.setdefault(
            str(r["object_index"]),
            {"share": [None] * ctx.study.n_layers, "lift": [None] * ctx.study.n_layers},
        )
        numbers["share"][r["layer"]] = significant(r["mass_share"])
        numbers["lift"][r["layer"]] = significant(r["lift"])
    trimmed = {k: {n: v for n, v in m.items() if n != "n"} for k, m in maps.items()}
    return {"maps": trimmed, "objects": objects, "metrics": metrics}


def page_data(
    ctx: Context, shown: Sequence[dict[str, Any]], source: Source, maps: Maps, head: Headline
) -> dict[str, Any]:
    """What the viewer needs before any frame is loaded."""
    study, layers = ctx.study, list(range(ctx.study.n_layers))
    colours = palette.camera_colours(list(study.cameras))
    packs = [(name, pack) for frame in maps.values() for name, pack in frame.items()]
    asked: dict[str, set[int]] = {BASELINE: {frame["index"] for frame in shown}}
    for index, frame in sorted(maps.items()):
        for name in frame:
            asked.setdefault(name.rsplit("|", 2)[0], set()).add(index)
    numbers = {frame["index"]: i for i, frame in enumerate(shown)}
    series: dict[str, dict[str, dict[str, list[list[Any]]]]] = {}
    for kind in ("lift", "share"):
        series[kind] = {
            v.key: {c: [[None] * len(shown) for _ in layers] for c in study.cameras} for v in study.views
        }
    for v in study.views:
        for r in source.metrics:
            if r["role"] == "target" and v.of(r) and r["query"] == v.query and r["frame_index"] in numbers:
                series["lift"][v.key][r["camera"]][r["layer"]][numbers[r["frame_index"]]] = significant(
                    r["lift"]
                )
                series["share"][v.key][r["camera"]][r["layer"]][numbers[r["frame_index"]]] = significant(
                    r["mass_share"]
                )
    ratio: dict[str, dict[str, list[Any]]] = {}
    for r in source.balance:
        if r["frame_index"] in numbers:
            line = ratio.setdefault(str(r["denoise_step"]), {}).setdefault(
                str(r["layer"]), [None] * len(shown)
            )
            line[numbers[r["frame_index"]]] = significant(r["ratio"])
    return {
        "frames": list(shown),
        "cameras": [
            {"id": c, "colour": colours[c], "dash": DASHES[i % 4], **grid_of(c, packs), "bars": bars_of(ctx, c, source)}
            for i, c in enumerate(study.cameras)
        ],
        "views": [
            {"id": v.key, "label": study.short_name(v), "name": study.name(v), "pass": v.pass_, "step": v.step, "layers": layers, "uncounted": study.shaded(v)}
            for v in study.views
        ],
        "conditions": [
            {"id": c, "label": study.condition_names.get(c, c), "frames": sorted(asked[c])}
            for c in sorted(asked, key=lambda c: (c != BASELINE, c))
        ],
        "start": {"view": head.view.key, "layer": head.layer, "camera": head.camera},
        "ratio": ratio,
        "ratioSteps": sorted(ratio, key=int),
        **series,
    }  # fmt: skip


def grid_of(camera: str, packs: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, int]:
    """Rows and columns of a camera's patches: square, as every policy's so far is."""
    n = next((pack["n"] for name, pack in packs if name.endswith(f"|{camera}")), 256)
    side = math.isqrt(n)
    if side * side != n:
        raise pictures.PictureError(f"maps of camera {camera} have {n} patches, which is no square grid")
    return {"rows": side, "columns": side}


def bars_of(ctx: Context, camera: str, source: Source) -> list[int]:
    """Letterbox bars of a camera, from a few of its pictures."""
    listed = [json.loads(f["pictures"] or "{}").get(camera) for f in source.frames if f["status"] == "ok"]
    named = [path for path in listed if path and ctx.has_pictures]
    few = named[:: max(1, len(named) // 3)]
    return list(pictures.bars([pictures.below(ctx.run_folder, path) for path in few]))


def significant(value: float | None) -> float | None:
    """Four significant digits: what a page shows, and half the bytes."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")


def camera_with_lift(ctx: Context, source: Source, head: Headline) -> str | None:
    """The headline's camera, or another one where the target has a lift in this episode; None where none has."""
    cameras = [head.camera, *(camera for camera in ctx.study.cameras if camera != head.camera)]
    return next((c for c in cameras if lifts_of(source, replace(head, camera=c))), None)


def lifts_of(source: Source, head: Headline) -> dict[int, float]:
    """Lift on the target by frame, where it is defined."""
    return {k: r["lift"] for k, r in target_rows(source, head).items() if r["lift"] is not None}


def target_rows(source: Source, head: Headline) -> dict[int, Row]:
    """Numbers of the target at the headline's view, camera and layer, by frame."""
    wanted = source.metrics.where(camera=head.camera, layer=head.layer, query=head.view.query, role="target")
    return {r["frame_index"]: r for r in wanted if head.view.of(r)}


def frame_table(ctx: Context, source: Source, head: Headline) -> Table:
    """One row a keyframe: lift, share and ratio."""
    target = target_rows(source, head)
    last = ctx.study.steps[-1] if ctx.study.steps else -1
    ratios = {r["frame_index"]: r["ratio"] for r in source.balance.where(denoise_step=last, layer=-1)}
    rows = [
        {
            "frame_index": f["frame_index"], "timestamp": f["timestamp"],
            "lift": target.get(f["frame_index"], {}).get("lift"), "mass_share": target.get(f["frame_index"], {}).get("mass_share"),
            "area_share": target.get(f["frame_index"], {}).get("area_share"), "ratio": ratios.get(f["frame_index"]),
        }
        for f in source.frames
    ]  # fmt: skip
    columns = [
        Column("frame_index", "frame"),
        Column("timestamp", "time, s"),
        Column("lift", "lift on the target"),
        Column("mass_share", "attention on the target", words.percent),
        Column("area_share", "its share of the picture", words.percent),
        Column("ratio", "visual / linguistic"),
    ]
    return Table(
        [c for c in columns if c.key == "frame_index" or any(r[c.key] is not None for r in rows)], rows
    )


def table_words(ctx: Context, source: Source, head: Headline, camera: str | None) -> str:
    """What the table speaks of, where lift peaks, and why a camera has none."""
    ratio = "Ratio: actions, all layers, last denoising step kept."
    absent = (
        f"No lift on the target is defined for {head.camera} in this episode: no mask of it in these frames."
    )
    if camera is None:
        others = " Nor is there one for another camera." if len(ctx.study.cameras) > 1 else ""
        return f"{absent}{others} {ratio}"
    lifts = lifts_of(source, replace(head, camera=camera))
    best = max(lifts, key=lambda k: lifts[k])
    where = f"Target: {ctx.study.name(head.view).lower()}, {camera}, layer {head.layer}."
    peak = (
        f"Lift is highest in frame {best} ({words.number(lifts[best])}) and above 1 in "
        f"{sum(v > 1 for v in lifts.values())} of {words.plural(len(lifts), 'keyframe')}."
    )
    return " ".join([*([absent] if camera != head.camera else []), where, ratio, peak])
