"""Attention-guided augmentation: noise or blur, stronger where the baseline attends less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ingest.conditions.base import Condition, Inapplicable, Params, layer_numbers
from ingest.conditions.pixels import blurred, raw_pixels
from ingest.conditions.view import FrameView, MapChoice
from ingest.episodes.base import Observation
from ingest.study_conditions import AugmentationSection

_NOISE_STD = 64.0  # grey levels, at full strength


@dataclass(frozen=True)
class Augmentation:
    """Mixes each picture with a blurred or noisy one; weight ``strength`` where attention is 0, 0 at its maximum."""

    choice: MapChoice
    kind: str
    strength: float
    cameras: tuple[str, ...]

    def change(self, view: FrameView) -> tuple[Observation, Params]:
        observation, seen = view.scene.observation, view.scene.seen
        if observation is None or seen is None:
            raise Inapplicable("frame_failed", "the frame could not be read")
        pictures, means = dict(observation.images), {}
        for camera in self.cameras:
            attention = view.map(camera, self.choice)
            if attention is None:
                raise Inapplicable("no_map", f"the baseline has no {self.choice.query} map on {camera!r}")
            box, side = seen.letterboxes[camera], view.side(camera)
            grid = (attention / attention.max()).reshape(side, side).astype(np.float32)
            large = cv2.resize(grid, (box.size, box.size), interpolation=cv2.INTER_LINEAR)
            weight = self.strength * (
                1 - raw_pixels(large, box, seen.kept.get(camera, 1.0)).astype(np.float64)
            )
            raw = observation.images[camera]
            patch = box.source_height / box.height * box.size / side
            other = (
                blurred(raw, patch).astype(np.float64)
                if self.kind == "blur"
                else raw + view.rng("noise", camera).normal(0.0, _NOISE_STD, raw.shape)
            )
            mixed = (1 - weight[..., None]) * raw + weight[..., None] * other
            pictures[camera] = np.rint(mixed).clip(0, 255).astype(np.uint8)
            means[camera] = round(float(weight.mean()), 6)
        return replace(observation, images=pictures), {"mean_weight": means}


def augmentation_conditions(
    section: AugmentationSection, cameras: Sequence[str], n_layers: int
) -> Iterator[Condition]:
    """One condition a layer and kind."""
    for layer in layer_numbers(section.layers, n_layers):
        for kind in section.kinds:
            change = Augmentation(MapChoice(layer, section.query), kind, section.strength, tuple(cameras))
            params = {"layer": layer, "augmentation": kind, "strength": section.strength}
            yield Condition("augmentation", f"L{layer}.{kind}", "augmentation", params=params, picture=change)
