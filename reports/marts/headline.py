"""Which view, camera and layer a single number of an episode speaks of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reports.marts import answers
from reports.marts.context import Context, View


@dataclass(frozen=True)
class Headline:
    """The view, camera and layer that a single number of an episode is taken from."""

    view: View
    camera: str
    layer: int
    lift: float | None
    why: str = "where the mean over all episodes is highest"


def headline(ctx: Context) -> Headline:
    """The camera and layer of the verdict on H1.1; where it names no layer, its camera's highest lift; else the highest of all."""
    decided, view = answers.place(answers.verdict_of(ctx, "H1.1")), answers.words_view(ctx)
    found = [head for head in headlines(ctx) if ctx.study.counted(head.view, head.layer)]
    of_camera = [head for head in found if head.view == view and head.camera == decided.camera]
    exact = [head for head in of_camera if head.layer == decided.layer]
    if exact:
        return replace(exact[0], why="the camera and layer that the verdict on H1.1 rests on")
    if of_camera:
        return replace(
            max(of_camera, key=lambda head: head.lift or 0),
            why="the verdict's camera, at its highest mean lift",
        )
    if found:
        return max(found, key=lambda head: head.lift or 0)
    first = ctx.study.views[0] if ctx.study.views else View("prefix", -1, "instruction")
    return Headline(first, ctx.study.cameras[0] if ctx.study.cameras else "", 0, None)


def headlines(ctx: Context) -> list[Headline]:
    """Every view, camera and layer with a mean lift on the target."""
    return [
        Headline(view, row["camera"], row["layer"], row["mean_lift"])
        for row in ctx.query("lift_against_nulls").where(role="target", against="own")
        for view in ctx.study.views
        if view.of(row) and row["mean_lift"] is not None
    ]
