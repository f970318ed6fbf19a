"""Captured attention -> rows of ``attention_masses``, ``attention_maps`` and ``head_focus``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ingest.attention.layout import Camera
from ingest.attention.reduce import MapBlock, PassCapture
from ingest.rows import Tables, grid_columns
from measures.focus import focus, focus_seed
from measures.maps import unit_mass


def add_capture(tables: Tables, inference_id: int, cameras: Sequence[Camera], capture: PassCapture) -> None:
    """Masses and maps of one inference, pass and denoising step."""
    key = {"inference_id": inference_id, "pass": capture.pass_name, "denoise_step": capture.step}
    _add_masses(tables, key, capture)
    for block in capture.maps if capture.head_maps.shape[-1] else ():  # no maps where no key is a patch
        _add_maps(tables, key, cameras, capture, block)


def add_head_focus(
    tables: Tables, inference_id: int, cameras: Sequence[Camera], capture: PassCapture, *, with_seed: bool
) -> None:
    """How focused each head's map of each query group is, per camera; the seed's slow score only ``with_seed``."""
    key = {"inference_id": inference_id, "pass": capture.pass_name, "denoise_step": capture.step}
    if not capture.head_maps.shape[-1]:  # no key is a patch
        return
    for camera, patches in _camera_slices(cameras):
        values = capture.head_maps[..., patches]
        n_rows, grid = grid_columns(
            layer=capture.layers, head=capture.heads, query_index=capture.group_indices
        )
        if not n_rows:
            return
        maps = values.reshape(n_rows, -1)
        tables["head_focus"].add_block(
            n_rows,
            {
                **key,
                **grid,
                "camera": camera.name,
                **focus(maps)._asdict(),
                "focus_seed": focus_seed(maps.reshape(n_rows, camera.rows, camera.cols))
                if with_seed
                else None,
            },
        )


def _add_masses(tables: Tables, key: dict[str, object], capture: PassCapture) -> None:
    n_queries = capture.masses.shape[2]
    n_rows, grid = grid_columns(layer=capture.layers, head=capture.heads, query_index=range(n_queries))
    if not n_rows:
        return
    tables["attention_masses"].add_block(
        n_rows,
        {
            **key,
            **grid,
            # The keys of a cross-attention are other tokens, so it is a pass of its own.
            "softmax": "cross" if capture.pass_name == "cross" else "self",
            "masses": capture.masses.reshape(n_rows, -1),
            "object_masses": capture.object_masses.reshape(n_rows, -1),
            "top_key": capture.top_key.ravel(),
            "top_share": capture.top_share.ravel(),
            "sink_share": None if capture.sink_share is None else capture.sink_share.ravel(),
        },
    )


def _add_maps(
    tables: Tables, key: dict[str, object], cameras: Sequence[Camera], capture: PassCapture, block: MapBlock
) -> None:
    for camera, patches in _camera_slices(cameras):
        n_rows, grid = grid_columns(layer=capture.layers, query_index=block.query_indices)
        if not n_rows:
            return
        unit = unit_mass(block.values[..., patches].reshape(n_rows, -1))
        tables["attention_maps"].add_block(
            n_rows,
            {
                **key,
                **grid,
                "head": block.head,
                "rows": block.rows,
                "camera": camera.name,
                "map": unit.maps.astype(np.float32),
                "mass": unit.mass,
            },
        )


def _camera_slices(cameras: Sequence[Camera]) -> list[tuple[Camera, slice]]:
    slices, start = [], 0
    for camera in cameras:
        stop = start + camera.rows * camera.cols
        slices.append((camera, slice(start, stop)))
        start = stop
    return slices
