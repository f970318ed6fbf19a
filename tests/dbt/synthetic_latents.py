"""Rows of a policy with latent frames: self-attention over the frames, and the words in a cross-attention of its own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

Row = dict[str, Any]
ROWS_OF_A_FRAME = 16
# Of LIBERO's sequence; region k is frame k.
FRAMES = [
    ("blank", "other"),
    ("state", "state"),
    ("image:wrist", "visual"),
    ("image:primary", "visual"),
    ("action", "action"),
    ("future_state", "state"),
    ("image:future_wrist", "visual"),
    ("image:future_primary", "visual"),
    ("value", "other"),
]
TEXT = [("instruction", "linguistic"), ("template", "linguistic"), ("text_pad", "pad")]
QUERIES = ["action", "chunk:0", "frame:3"]
OPTIONS = {"query_frame": "curr_last", "visual_frame": "wrist", "text_frame": "frame1"}
STEPS = (0, 4)
_MEASURED = ("attention_maps", "head_focus", "object_metrics", "map_shifts", "layer_links", "camera_links")


def put_latent_frames(
    out: dict[str, list[Row]], n_layers: int, n_heads: int, rng: np.random.Generator
) -> None:
    """Puts another layout and other masses in the place of those of a policy like Pi0."""
    (run,) = out["runs"]
    run |= {"model_family": "cosmos_diffusers", "checkpoint_hash": "c2"}
    run["config"] = json.dumps(json.loads(run["config"]) | {"policy": {"options": OPTIONS}})
    out["tokens"] = []
    out["layouts"][0]["cameras"] = json.dumps(
        [{"name": name, "rows": 4, "cols": 4} for name in ("wrist", "primary")]
    )
    of_passes = {"denoise": ("self", FRAMES), "cross": ("cross", TEXT)}
    out["regions"] = [
        {
            "layout_id": "layout",
            "pass": name,
            "region_index": index,
            "kind": kind,
            "name": region,
            "n_keys": ROWS_OF_A_FRAME,
            "is_partition": True,
        }
        for name, (_, regions) in of_passes.items()
        for index, (region, kind) in enumerate(regions)
    ]
    out["queries"] = [
        {
            "layout_id": "layout",
            "pass": name,
            "query_index": index,
            "kind": "group",
            "name": query,
            "n_rows": ROWS_OF_A_FRAME,
        }
        for name in of_passes
        for index, query in enumerate(QUERIES)
    ]
    for name in _MEASURED:
        out[name] = []
    out["attention_masses"] = [
        {
            "inference_id": inference["inference_id"],
            "pass": name,
            "denoise_step": step,
            "softmax": softmax,
            "layer": layer,
            "head": head,
            "query_index": query,
            "masses": rng.dirichlet(np.ones(len(regions))).astype(np.float32).tolist(),
            "object_masses": [],
            "top_key": 0,
            "top_share": 0.2,
            "sink_share": 0.1,
        }
        for inference in out["inferences"]
        for name, (softmax, regions) in of_passes.items()
        for step in STEPS
        for layer in range(n_layers)
        for head in range(n_heads)
        for query in range(len(QUERIES))
    ]
