"""The frames of a video: one layer or head in three panels or as an overlay, all layers side by side, prompts side by side.

A scale holds for all frames of a video: from 0 to the largest value of any patch that it shows; for differences from minus
the largest change to plus it. Both are shares of the camera's attention on one patch, and stand on the colour bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reports.images import drawing
from reports.images.drawing import RGB
from reports.marts.context import BASELINE
from reports.recordings.shots import Key, Reel, Shot
from reports.words import percent

Style = Literal["panels", "overlay"]
MOST_ACROSS = 6  # panels of a video over layers


@dataclass(frozen=True)
class Look:
    """How a video looks: colours, enlargement, pixels of a panel, outlines of objects, words burnt in."""

    colours: drawing.Colours = "viridis"
    kernel: drawing.Kernel = "linear"
    size: int = 320
    contours: bool = True
    burn: bool = False


class Painter:
    """Draws the panels of one video; its scale is shared by all frames."""

    def __init__(self, reel: Reel, look: Look, keys: Sequence[Key]) -> None:
        self.reel, self.look = reel, look
        self.table, self.diverging = drawing.colour_table(look.colours), drawing.diverging_table()
        shown = [shot.maps[key] for shot in reel.shots for key in keys if key in shot.maps]
        self.top = max((float(np.nanmax(m)) for m in shown), default=1.0) or 1.0

    def fine(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """A map in the panel's pixels."""
        return drawing.enlarged(patches, self.look.size, self.look.kernel)

    def bars(self, shot: Shot) -> drawing.Bars:
        """Letterbox bars in the panel's pixels."""
        return drawing.scaled_bars(self.reel.bars, self.look.size, shot.picture.shape[0])

    def picture(self, shot: Shot) -> RGB:
        """The picture as the policy saw it."""
        return drawing.resized(shot.picture, self.look.size)

    def colours(self, shot: Shot, patches: NDArray[np.float32]) -> RGB:
        """A map in its colours, the letterbox dimmed."""
        return drawing.dimmed(drawing.coloured(self.fine(patches), self.table, 0, self.top), self.bars(shot))

    def overlay(self, shot: Shot, patches: NDArray[np.float32]) -> RGB:
        """The map over the picture, with outlines where they are wanted."""
        return self.outlined(shot, drawing.blended(self.picture(shot), self.colours(shot, patches)))

    def difference(self, shot: Shot, patches: NDArray[np.float32], reach: float) -> RGB:
        """A difference of maps from `-reach` to `reach`, the letterbox dimmed, with outlines where they are wanted."""
        colours = drawing.coloured(self.fine(patches), self.diverging, -reach, reach)
        return self.outlined(shot, drawing.dimmed(colours, self.bars(shot)), on_light=True)

    def outlined(self, shot: Shot, image: RGB, on_light: bool = False) -> RGB:
        """An image with the outlines of the keyframe's objects, the target's last and thicker."""
        if self.look.contours:
            scale = self.look.size / shot.picture.shape[0]
            for outline in sorted(shot.outlines, key=lambda o: o.role == "target"):
                image = drawing.outlined(image, outline.lines, scale, outline.role == "target", on_light)
        return image

    def blank(self, text: str) -> RGB:
        """A panel that says why it shows nothing."""
        panel = np.zeros((self.look.size, self.look.size, 3), np.uint8)
        panel[: self.look.size // 12 + 12] = drawing.caption(self.look.size, text, self.look.size // 12 + 12)
        return panel

    def scale(self, width: int) -> RGB:
        """The colour bar of the maps."""
        return drawing.colour_bar(
            width, self.table, ["0", f"{percent(self.top)} of the camera's attention a patch"]
        )

    def head_lines(self, shot: Shot, width: int, what: str, with_prompt: bool = True) -> list[RGB]:
        """The words that are burnt in on request: frame, layer, outcome, prompt."""
        if not self.look.burn:
            return []
        episode = self.reel.episode
        outcome = episode["outcome"] or "outcome unknown"
        prompt = shot.prompts.get(BASELINE) or episode["instruction"] or "no instruction"
        first = f"frame {shot.frame_index} · {what} · {self.reel.camera} · {outcome}"
        return [drawing.caption(width, line) for line in ((first, prompt) if with_prompt else (first,))]


def layer_name(layer: int, head: int) -> str:
    """'layer 3', or 'layer 3, head 2'."""
    return f"layer {layer}" if head < 0 else f"layer {layer}, head {head}"


def layer_frames(
    reel: Reel, look: Look, layer: int, head: int = -1, style: Style = "panels"
) -> Iterator[RGB]:
    """A frame a keyframe: picture, map and overlay side by side, or the overlay alone."""
    key = (BASELINE, layer, head)
    painter = Painter(reel, look, [key])
    for shot in reel.shots:
        patches = shot.maps.get(key)
        if patches is None:
            shown = (
                [painter.picture(shot), *[painter.blank("no map")] * 2]
                if style == "panels"
                else [painter.blank("no map")]
            )
        elif style == "overlay":
            shown = [painter.overlay(shot, patches)]
        else:
            shown = [painter.picture(shot), painter.colours(shot, patches), painter.overlay(shot, patches)]
        row = drawing.beside(shown)
        width = row.shape[1]
        yield drawing.even(
            drawing.below(
                [*painter.head_lines(shot, width, layer_name(layer, head)), row, painter.scale(width)]
            )
        )


def summary_frames(reel: Reel, look: Look, layers: Sequence[int], head: int = -1) -> Iterator[RGB]:
    """A frame a keyframe: the overlays of all layers, on one scale."""
    painter = Painter(reel, look, [(BASELINE, layer, head) for layer in layers])
    across = min(MOST_ACROSS, max(1, round(np.ceil(np.sqrt(len(layers) * 1.8)))))
    for shot in reel.shots:
        panels = []
        for layer in layers:
            patches = shot.maps.get((BASELINE, layer, head))
            image = painter.blank("no map") if patches is None else painter.overlay(shot, patches)
            panels.append(drawing.below([drawing.caption(look.size, layer_name(layer, head)), image]))
        panels += [np.zeros_like(panels[0])] * (-len(panels) % across)
        rows = [drawing.beside(panels[i : i + across]) for i in range(0, len(panels), across)]
        width = rows[0].shape[1]
        yield drawing.even(
            drawing.below(
                [*painter.head_lines(shot, width, f"{len(layers)} layers"), *rows, painter.scale(width)]
            )
        )


def differences(
    shot: Shot, conditions: Sequence[str], layer: int, head: int
) -> dict[str, NDArray[np.float32]]:
    """Prompt minus baseline of a keyframe, by condition; only those that were asked there."""
    base = shot.maps.get((BASELINE, layer, head))
    found = {c: shot.maps.get((c, layer, head)) for c in conditions if c != BASELINE}
    return {} if base is None else {c: patches - base for c, patches in found.items() if patches is not None}


def prompt_frames(reel: Reel, look: Look, names: dict[str, str], layer: int, head: int = -1) -> Iterator[RGB]:
    """A frame a keyframe: baseline and prompts side by side, and below each prompt what it changed.

    `names` are the conditions to show with their short names, the baseline among them; keyframes where no prompt was asked are
    left out.
    """
    others = [c for c in names if c != BASELINE]
    painter = Painter(reel, look, [(c, layer, head) for c in names])
    changes = {shot.frame_index: differences(shot, others, layer, head) for shot in reel.shots}
    reach = max((float(np.abs(d).max()) for by in changes.values() for d in by.values()), default=0.0) or 1.0
    ends = ["-" + percent(reach), "0", "+" + percent(reach) + " than the baseline"]
    for shot in reel.shots:
        if not changes[shot.frame_index]:
            continue
        columns = []
        for condition in (BASELINE, *others):
            patches = shot.maps.get((condition, layer, head))
            change = changes[shot.frame_index].get(condition)
            title = drawing.caption(look.size, names.get(condition, condition))
            upper = painter.blank("not asked here") if patches is None else painter.overlay(shot, patches)
            if condition == BASELINE:
                lower = painter.picture(shot)
            else:
                lower = (
                    painter.blank("no difference")
                    if change is None
                    else painter.difference(shot, change, reach)
                )
            asked = drawing.caption(look.size, shot.prompts.get(condition, "")) if look.burn else None
            columns.append(drawing.below([part for part in (title, asked, upper, lower) if part is not None]))
        row = drawing.beside(columns)
        width = row.shape[1]
        scales = [painter.scale(width), drawing.colour_bar(width, painter.diverging, ends)]
        words = painter.head_lines(shot, width, layer_name(layer, head), with_prompt=False)
        yield drawing.even(drawing.below([*words, row, *scales]))
