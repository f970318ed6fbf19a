"""Attention knock-outs: which edges to cut in a frame, and as many others for comparison (METHODS 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.attention.edit import Knockout
from ingest.attention.layout import Layout, PassLayout
from ingest.conditions.base import Condition, Inapplicable, Params, layer_numbers
from ingest.conditions.occlusion import object_pixels
from ingest.conditions.places import elsewhere, top_patches
from ingest.conditions.view import FrameView, MapChoice
from ingest.errors import UserError
from ingest.objects.coverage import patch_coverage
from ingest.policies.base import Seen
from ingest.study_conditions import KnockoutSection

Bools = NDArray[np.bool_]
OBJECT, TOP = "object:", "top:"


@dataclass(frozen=True)
class Cut:
    """Forbids some queries to see some keys in some layers, in every pass that has both.

    ``query`` is a query of the layout, such as 'instruction', 'word:duck' or 'action'; in passes whose rows are their
    keys it may also be a place, as ``keys`` are. ``keys`` is a region of the layout, 'object:ROLE or CATEGORY' (every patch that the object touches) or
    'top:PERCENTILE' (the patches that the query attends to most, averaged over the layers). ``control`` k cuts as
    many patches of the same shape elsewhere.
    """

    query: str
    keys: str
    layers: tuple[int, ...]
    control: int | None = None
    n_controls: int = 0

    def knockouts(self, view: FrameView, layout: Layout) -> tuple[tuple[Knockout, ...], Params]:
        cuts = []
        for part in layout.passes:
            rows = self._rows(view, layout, part)
            keys = self._keys(view, layout, part, self.keys) if rows else ()
            if keys:
                cuts.append(Knockout(part.name, rows, keys, frozenset(self.layers)))
        if not cuts:
            raise Inapplicable("nothing_to_cut", f"{self.query} cannot see {self.keys} in this frame")
        return tuple(cuts), {"n_keys": {cut.pass_name: len(cut.keys) for cut in cuts}}

    def _rows(self, view: FrameView, layout: Layout, part: PassLayout) -> tuple[int, ...]:
        named = next((one.rows for one in part.queries if one.name == self.query), ())
        if named or not part.rows_are_keys:
            return named
        return self._keys(view, layout, part, self.query)

    def _keys(self, view: FrameView, layout: Layout, part: PassLayout, name: str) -> tuple[int, ...]:
        if not name.startswith((OBJECT, TOP)):
            return next((region.keys for region in part.regions if region.name == name), ())
        if view.scene.seen is None:
            raise Inapplicable("frame_failed", "the frame could not be read")
        keys: list[int] = []
        for camera in layout.cameras_in(part):
            if camera.name not in view.scene.seen.letterboxes:  # a picture that the model predicts
                continue
            patches = self._patches(view.scene.seen, view, camera.name, name)
            keys += part.patch_keys(camera)[patches].tolist()
        return tuple(keys)

    def _patches(self, seen: Seen, view: FrameView, camera: str, name: str) -> Bools:
        side = view.side(camera)
        picture = seen.letterboxes[camera].picture_share(side) > 0
        chosen = self._chosen(view, camera, picture, name)
        if self.control is None or not chosen.any():
            return chosen
        rng = view.rng("elsewhere", camera, name, *self.layers)
        grid = (side, side)
        moved = elsewhere(chosen.reshape(grid), picture.reshape(grid), self.n_controls, rng)
        if self.control >= len(moved):
            raise Inapplicable("no_room", "the picture has no other place of that shape")
        return moved[self.control].ravel()

    def _chosen(self, view: FrameView, camera: str, picture: Bools, name: str) -> Bools:
        if name.startswith(OBJECT):
            pixels = object_pixels(view, camera, name.removeprefix(OBJECT))
            return (patch_coverage(pixels[None], view.side(camera))[0] > 0) & picture
        maps = [view.map(camera, MapChoice(layer, self.query)) for layer in self.layers]
        known = [one for one in maps if one is not None]
        if not known:
            raise Inapplicable("no_map", f"the baseline has no {self.query} map on camera {camera!r}")
        return top_patches(np.mean(known, axis=0), picture, 1 - float(name.removeprefix(TOP)) / 100)


def query_names(layout: Layout) -> list[str]:
    """What :attr:`Cut.query` may be in a layout, objects apart: its queries, and regions where rows are keys."""
    queries = [query.name for part in layout.passes for query in part.queries]
    places = [region.name for part in layout.passes if part.rows_are_keys for region in part.regions]
    return list(dict.fromkeys([*queries, *places]))


def region_names(layout: Layout) -> list[str]:
    """What :attr:`Cut.keys` may be in a layout, objects and percentiles apart."""
    return list(dict.fromkeys(region.name for part in layout.passes for region in part.regions))


def knockout_conditions(sections: Sequence[KnockoutSection], n_layers: int) -> Iterator[Condition]:
    """Every knock-out of the study and its controls. Raises UserError for a percentile that is none."""
    for section in sections:
        _check_percentile(section)
        is_place = section.keys.startswith((OBJECT, TOP)) or section.queries.startswith(OBJECT)
        for layers, suffix in _layer_sets(section, n_layers):
            params = {
                "cut": section.name,
                "query": section.queries,
                "keys": section.keys,
                "layer": layers[0] if len(layers) == 1 else None,
                "n_layers": len(layers),
            }
            cut = Cut(section.queries, section.keys, layers)
            yield _condition(section.name + suffix, {"arm": "cut", **params}, cut, section.every)
            for k in range(section.controls if is_place else 0):
                cut = Cut(section.queries, section.keys, layers, k, section.controls)
                name = f"{section.name}{suffix}.control.{k}"
                yield _condition(name, {"arm": "control", **params, "control": k}, cut, section.every)


def _layer_sets(section: KnockoutSection, n_layers: int) -> list[tuple[tuple[int, ...], str]]:
    if section.layers == "each":
        return [((layer,), f".L{layer}") for layer in range(n_layers)]
    return [(layer_numbers(section.layers, n_layers), "")]


def _condition(name: str, params: Mapping[str, object], cut: Cut, every: int | None) -> Condition:
    return Condition("knockout", name, "knockout", params=params, attention=cut, every=every)


def _check_percentile(section: KnockoutSection) -> None:
    if not section.keys.startswith(TOP):
        return
    try:
        percentile = float(section.keys.removeprefix(TOP))
    except ValueError:
        percentile = -1.0
    if not 0 < percentile < 100:
        raise UserError(
            f"conditions.knockout.{section.name}.keys: expected 'top:' and a percentile between 0 and 100, "
            f"found {section.keys!r}"
        )
