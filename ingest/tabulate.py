"""An episode, its frames, objects, inferences and layouts -> rows of the raw tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path

import numpy as np

from ingest.attention.layout import Layout
from ingest.attention.rows import add_capture, add_head_focus
from ingest.episodes.base import Episode
from ingest.identity import canonical_json
from ingest.jobs import Job
from ingest.pictures import write_label_maps, write_pictures
from ingest.rows import Tables
from ingest.scene import FrameScene


def add_episode(tables: Tables, episode: Episode, n_keyframes: int) -> None:
    tables["episodes"].add_row(
        {
            "episode_id": episode.episode_id,
            "dataset": episode.dataset,
            "suite": episode.suite,
            "task_index": episode.task_index,
            "task": episode.task,
            "instruction": episode.instruction,
            "outcome": episode.outcome,
            "failure_kind": episode.failure_kind,
            "n_frames": episode.n_frames,
            "n_keyframes": n_keyframes,
            "source": episode.source,
            "metadata": canonical_json(dict(episode.metadata)),
        }
    )


def add_frame(tables: Tables, run_folder: Path, episode: Episode, frame: FrameScene) -> None:
    """The frame's row; its pictures and label maps go into the run's folder."""
    row: dict[str, object] = {
        "episode_id": episode.episode_id,
        "frame_index": frame.index,
        "status": "ok" if frame.reason is None else "failed",
        "reason": frame.reason,
    }
    if frame.observation is not None and frame.seen is not None:
        pictures = write_pictures(run_folder, episode.episode_id, frame.index, frame.seen.pictures)
        row |= {
            "timestamp": frame.observation.timestamp,
            "state": frame.observation.state,
            "gripper": frame.observation.gripper,
            "pictures": canonical_json(pictures),
            "masks": label_maps(run_folder, episode, frame),
        }
    tables["frames"].add_row(row)


def add_objects(tables: Tables, episode: Episode, frame: FrameScene) -> None:
    """One row per object of the frame."""
    for one in frame.objects.objects:
        stack = frame.stacks[one.camera]
        tables["objects"].add_row(
            {
                "episode_id": episode.episode_id,
                "frame_index": frame.index,
                "camera": one.camera,
                "object_index": one.object_index,
                "category": one.category,
                "role": one.role,
                "score": one.score,
                "area_share": one.area_share,
                "coverage": stack.coverage[stack.object_indices.index(one.object_index)],
                "mask_path": one.mask_path,
                "mask_source": one.source,
            }
        )


def add_inferences(tables: Tables, unit: str, episode: Episode, jobs: Iterable[Job], host: str) -> None:
    """Inference rows, their timings, and the attention of those that ran."""
    for job in jobs:
        tables["inferences"].add_row(
            {
                "inference_id": job.inference_id,
                "episode_id": episode.episode_id,
                "frame_index": job.frame.index,
                "condition_id": job.condition.condition_id,
                "noise_index": job.noise_index,
                "prompt": job.prompt,
                "named_object": job.named_object,
                "token_hash": job.token_hash,
                "layout_id": job.prepared.layout.layout_id,
                "actions": None if job.actions is None else np.asarray(job.actions).tolist(),
                "answer": job.answer,
                "params": canonical_json(dict(job.params)) if job.params else None,
                "status": job.status,
                "reason": job.reason,
            }
        )
        if job.batch_size:
            tables["timings"].add_row(
                {
                    "unit": unit,
                    "inference_id": job.inference_id,
                    "stage": "infer",
                    "seconds": job.seconds,
                    "batch_size": job.batch_size,
                    "host": host,
                }
            )
        for capture in job.captures:
            add_capture(tables, job.inference_id, job.prepared.layout.cameras, capture)
            if job.is_baseline:
                # The seed ranks heads on the first frame alone; its score costs as much as the rest together.
                is_first = job.frame.progress == 0
                add_head_focus(
                    tables, job.inference_id, job.prepared.layout.cameras, capture, with_seed=is_first
                )


def add_layouts(tables: Tables, layouts: Sequence[Layout]) -> None:
    """Each distinct layout once: itself, its tokens, regions and queries."""
    for layout in {layout.layout_id: layout for layout in layouts}.values():
        tables["layouts"].add_row(
            {
                "layout_id": layout.layout_id,
                "model_family": layout.model_family,
                "n_keys": canonical_json({p.name: p.n_keys for p in layout.passes}),
                "cameras": canonical_json([camera.facts() for camera in layout.cameras]),
            }
        )
        for part in layout.passes:
            key = {"layout_id": layout.layout_id, "pass": part.name}
            tokens = {name: list(map(attrgetter(name), part.tokens)) for name in vars(part.tokens[0])}
            tables["tokens"].add_block(
                part.n_keys, {**key, "token_index": list(range(part.n_keys)), **tokens}
            )
            for index, region in enumerate(part.regions):
                tables["regions"].add_row(
                    {
                        **key,
                        "region_index": index,
                        "kind": region.kind,
                        "name": region.name,
                        "n_keys": len(region.keys),
                        "is_partition": True,
                    }
                )
            for index, query in enumerate(part.queries):
                tables["queries"].add_row(
                    {
                        **key,
                        "query_index": index,
                        "kind": query.kind,
                        "name": query.name,
                        "n_rows": len(query.rows),
                        "word_index": query.word_index,
                    }
                )


def label_maps(run_folder: Path, episode: Episode, frame: FrameScene) -> str | None:
    masks = {camera: (stack.object_indices, stack.masks) for camera, stack in frame.stacks.items()}
    paths = write_label_maps(run_folder, episode.episode_id, frame.index, masks)
    return canonical_json(paths) if paths else None
