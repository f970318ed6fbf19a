"""What a condition may look at before it changes a frame: the frame itself, and how it attends unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.attention.layout import Layout
from ingest.identity import digest
from ingest.rows import dense_lists
from ingest.scene import FrameScene

Array = NDArray[np.float64]
_KEYS = ("pass", "layer", "head", "query_index", "rows", "camera")


@dataclass(frozen=True)
class MapChoice:
    """Which of the baseline's maps: ``head`` -1 is the mean over heads, -2 the maximum; ``rows`` 'mean' or 'max'."""

    layer: int
    query: str = "instruction"
    head: int = -1
    rows: str = "mean"


class BaselineMaps:
    """The stored maps of one baseline inference, at the last captured denoising step of each pass."""

    def __init__(self, attention_maps: pa.Table, inference_id: int) -> None:
        self._table = attention_maps.filter(pc.equal(attention_maps["inference_id"], inference_id))

    @cached_property
    def _rows(self) -> Mapping[tuple[object, ...], int]:
        order = np.argsort(self._table["denoise_step"].to_numpy(), kind="stable").tolist()
        columns = [self._table[name].to_pylist() for name in _KEYS]
        return {tuple(column[row] for column in columns): row for row in order}

    @cached_property
    def _maps(self) -> NDArray[np.float32]:
        return dense_lists(self._table["map"])

    def find(self, layout: Layout, camera: str, choice: MapChoice) -> Array | None:
        """[patches] of unit mass; None where no such map was kept, or it has no mass."""
        for part in layout.passes:
            for index, query in enumerate(part.queries):
                if query.kind != "group" or query.name != choice.query:
                    continue
                row = self._rows.get((part.name, choice.layer, choice.head, index, choice.rows, camera))
                if row is not None and np.isfinite(self._maps[row]).all():
                    return self._maps[row].astype(np.float64)
        return None


@dataclass(frozen=True)
class FrameView:
    """A frame that was read, the layout of its baseline, the baseline's maps, and a seed of its own."""

    scene: FrameScene
    layout: Layout
    maps: BaselineMaps
    seed: tuple[int | str, ...]

    def rng(self, *parts: int | str) -> np.random.Generator:
        """The same draws for the same frame and ``parts``, whatever ran before."""
        key = int.from_bytes(digest("condition", *self.seed, *parts)[:16], "little")
        return np.random.Generator(np.random.Philox(key=key))

    def side(self, camera: str) -> int:
        """Patches a side of a camera's grid."""
        return next(one.rows for one in self.layout.cameras if one.name == camera)

    def map(self, camera: str, choice: MapChoice) -> Array | None:
        return self.maps.find(self.layout, camera, choice)
