"""Occlusion: parts of the pictures are covered, and the actions show whether they mattered (METHODS 4).

Arms: ``high`` covers the patches with most attention, ``control`` as many elsewhere in the same shape; ``delete`` and
``insert`` are points of the deletion and insertion curves; ``region`` and ``region_control`` a named place;
``high_seed`` and ``low_seed`` the seed's pixels. Maps are the baseline's own, never those of a covered picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.conditions.base import Condition, Inapplicable, Params, layer_numbers
from ingest.conditions.pixels import enlarged, filled, in_picture, raw_pixels
from ingest.conditions.places import elsewhere, seed_pixels, top_patches
from ingest.conditions.view import FrameView, MapChoice
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import PIXELS, Letterbox
from ingest.study_conditions import OcclusionSection, RegionSection

Bools = NDArray[np.bool_]
_SOME_PICTURE = 1e-9  # share of a patch above which it counts as picture


class Place(Protocol):
    """Where to cover."""

    def pixels(self, view: FrameView, camera: str) -> Bools:
        """bool [size, size] on the picture as the policy sees it. Raises Inapplicable."""
        ...


@dataclass(frozen=True)
class TopPatches:
    """The patches with most attention; all the others where ``inverted``; ``control`` k moves them elsewhere."""

    choice: MapChoice
    share: float
    inverted: bool = False
    control: int | None = None
    n_controls: int = 0

    def pixels(self, view: FrameView, camera: str) -> Bools:
        box, side = _letterbox(view, camera), view.side(camera)
        picture = box.picture_share(side) > _SOME_PICTURE
        chosen = top_patches(_map(view, camera, self.choice), picture, self.share)
        if self.inverted:
            chosen = picture & ~chosen
        if self.control is not None:
            rng = view.rng("elsewhere", camera, self.choice.layer, self.choice.query, str(self.share))
            grid = (side, side)
            moved = elsewhere(chosen.reshape(grid), picture.reshape(grid), self.n_controls, rng)
            chosen = _nth(moved, self.control).ravel()
        return enlarged(chosen, side, box.size) & in_picture(box)


@dataclass(frozen=True)
class SeedPixels:
    """The seed's arms: pixels of the enlarged maximum over heads and words, bars and all."""

    layer: int
    query: str
    percentile: float
    arm: str

    def pixels(self, view: FrameView, camera: str) -> Bools:
        attention = _map(view, camera, MapChoice(self.layer, self.query, head=-2, rows="max"))
        rng = view.rng("seed", camera, self.layer, str(self.percentile))
        high, low = seed_pixels(attention, _letterbox(view, camera).size, self.percentile, rng)
        return high if self.arm == "high_seed" else low


@dataclass(frozen=True)
class NamedRegion:
    """An object, by role or category, or a box of one camera; ``control`` k moves it elsewhere."""

    region: RegionSection
    control: int | None = None
    n_controls: int = 0

    def pixels(self, view: FrameView, camera: str) -> Bools:
        box = _letterbox(view, camera)
        inside = in_picture(box)
        place = self._place(view, camera) & inside
        if not place.any() or self.control is None:
            return place
        rng = view.rng("elsewhere", camera, self.region.name)
        return _nth(elsewhere(place, inside, self.n_controls, rng), self.control)

    def _place(self, view: FrameView, camera: str) -> Bools:
        box = _letterbox(view, camera)
        place = np.zeros((box.size, box.size), dtype=bool)
        if self.region.camera not in (None, camera):
            return place
        if self.region.box is None:
            return object_pixels(view, camera, str(self.region.object))
        left, top, right, bottom = self.region.box
        rows = slice(round(box.top + top * box.height), round(box.top + bottom * box.height))
        cols = slice(round(box.left + left * box.width), round(box.left + right * box.width))
        place[rows, cols] = True
        return place


@dataclass(frozen=True)
class Occlusion:
    """Covers a place in some cameras. Raises Inapplicable where it is in none of them."""

    place: Place
    cameras: tuple[str, ...]
    fill: str

    def change(self, view: FrameView) -> tuple[Observation, Params]:
        observation = view.scene.observation
        if observation is None or view.scene.seen is None:
            raise Inapplicable("frame_failed", "the frame could not be read")
        pictures, shares = dict(observation.images), {}
        for camera in self.cameras:
            seen = self.place.pixels(view, camera)
            box = _letterbox(view, camera)
            raw = raw_pixels(seen, box, view.scene.seen.kept.get(camera, 1.0)).astype(bool)
            patch = box.source_height / box.height * box.size / view.side(camera)
            pictures[camera] = filled(observation.images[camera], raw, self.fill, patch)
            shares[camera] = round(float(raw.mean()), 6)
        if not any(shares.values()):
            raise Inapplicable("not_in_view", "nothing of it is in view")
        return replace(observation, images=pictures), {"share_occluded": shares}


def object_pixels(view: FrameView, camera: str, wanted: str) -> Bools:
    """bool [size, size]: the frame's objects of a role or category in a camera; all False where there is none."""
    box = _letterbox(view, camera)
    found = np.zeros((box.size, box.size), dtype=bool)
    stack = view.scene.stacks.get(camera)
    if stack is None:
        return found
    by_index = {one.object_index: one for one in view.scene.objects.objects}
    for index, mask in zip(stack.object_indices, stack.masks, strict=True):
        if wanted in (by_index[index].role, by_index[index].category):
            found |= mask
    return found


def occlusion_conditions(
    section: OcclusionSection, cameras: Sequence[str], n_layers: int
) -> Iterator[Condition]:
    """Every arm of the study's occlusion, each once."""
    share = 1 - section.percentile / 100
    together = {"together": tuple(cameras)}
    for name, members in (together if section.cameras == "together" else {c: (c,) for c in cameras}).items():
        for fill in section.fills:
            for layer in layer_numbers(section.layers, n_layers):
                choice = MapChoice(layer, section.query)
                here = {
                    "layer": layer,
                    "query": section.query,
                    "camera": name,
                    "fill": fill,
                    "share": round(share, 6),
                }
                yield _condition("high", here, Occlusion(TopPatches(choice, share), members, fill))
                for k in range(section.controls):
                    place: Place = TopPatches(choice, share, control=k, n_controls=section.controls)
                    yield _condition("control", {**here, "control": k}, Occlusion(place, members, fill))
                for point in section.curve:
                    there = {**here, "share": point}
                    yield _condition("delete", there, Occlusion(TopPatches(choice, point), members, fill))
                    place = TopPatches(choice, point, inverted=True)
                    yield _condition("insert", there, Occlusion(place, members, fill))
                for arm in ("high_seed", "low_seed") if section.seed_arms else ():
                    place = SeedPixels(layer, section.query, section.percentile, arm)
                    yield _condition(arm, here, Occlusion(place, members, fill))
            for region in section.regions:
                here = {"region": region.name, "camera": name, "fill": fill}
                yield _condition("region", here, Occlusion(NamedRegion(region), members, fill))
                for k in range(0 if region.is_whole_picture else section.controls):
                    place = NamedRegion(region, k, section.controls)
                    yield _condition(
                        "region_control", {**here, "control": k}, Occlusion(place, members, fill)
                    )


def _condition(arm: str, params: Mapping[str, object], change: Occlusion) -> Condition:
    named = {"arm": arm, **params}
    parts = [str(params.get("region", "")), f"L{params['layer']}" if "layer" in params else "", arm]
    parts += [f"{params[key]:g}" for key in ("share",) if arm in ("delete", "insert")]
    parts += [str(params.get("control", "")), str(params["camera"]), str(params["fill"])]
    return Condition(
        "occlusion", ".".join(part for part in parts if part), "occlusion", params=named, picture=change
    )


def _letterbox(view: FrameView, camera: str) -> Letterbox:
    if view.scene.seen is None:
        raise Inapplicable("frame_failed", "the frame could not be read")
    return view.scene.seen.letterboxes[camera].scaled(PIXELS)  # as masks of objects are


def _map(view: FrameView, camera: str, choice: MapChoice) -> NDArray[np.float64]:
    found = view.map(camera, choice)
    if found is None:
        raise Inapplicable(
            "no_map", f"the baseline has no {choice.query} map of layer {choice.layer} on camera {camera!r}"
        )
    return found


def _nth(moved: list[Bools], index: int) -> Bools:
    if index >= len(moved):
        raise Inapplicable("no_room", "the picture has no other place of that shape")
    return moved[index]
