"""Which layers, heads, passes and denoising steps are captured: the study's words against the model's geometry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.attention.taps import NO_STEP
from ingest.errors import UnknownNameError, UserError
from ingest.study import CaptureSection


@dataclass(frozen=True)
class Selection:
    """What is kept, in numbers. ``steps`` maps a pass to its denoising steps (-1 where it has none)."""

    layers: tuple[int, ...]
    heads: tuple[int, ...]
    steps: dict[str, tuple[int, ...]]
    queries: tuple[str, ...]
    is_full: bool
    rollout: bool = False

    def wants(self, pass_name: str, layer: int, step: int) -> bool:
        return layer in self.layers and step in self.steps.get(pass_name, ())


def select(capture: CaptureSection, n_layers: int, n_heads: int, passes: dict[str, int]) -> Selection:
    """Resolves the study's ``capture`` section.

    ``passes`` maps each pass of the model to its number of denoising steps (0 = runs once, without steps).
    Raises UnknownNameError for a layer, head, pass or step that the model does not have, and UserError for a rollout
    over some layers: it is a product over all of them.
    """
    if capture.rollout and capture.layers != "all":
        raise UserError("capture.rollout: it is a product over all layers; set capture.layers to 'all'")
    for name in capture.passes:
        if name not in passes:
            raise UnknownNameError(f"capture.passes: the model has no pass {name!r}; it has {sorted(passes)}")
    return Selection(
        layers=_numbers("layer", capture.layers, n_layers),
        heads=_numbers("head", capture.heads, n_heads),
        steps={name: _steps(capture, passes[name]) for name in capture.passes},
        queries=tuple(capture.queries),
        is_full=capture.profile == "full",
        rollout=capture.rollout,
    )


def _numbers(what: str, wanted: str | list[int], count: int) -> tuple[int, ...]:
    if isinstance(wanted, str):
        return tuple(range(count))
    _check_range(what, wanted, count)
    return tuple(wanted)


def _steps(capture: CaptureSection, count: int) -> tuple[int, ...]:
    if count == 0:
        return (NO_STEP,)
    wanted = capture.denoise_steps
    if "all" in wanted:
        return tuple(range(count))
    named = {"first": 0, "last": count - 1}
    numbers = [step if isinstance(step, int) else named[step] for step in wanted]
    _check_range("denoising step", numbers, count)
    return tuple(sorted(set(numbers)))


def _check_range(what: str, wanted: Iterable[int], count: int) -> None:
    unknown = [number for number in wanted if not 0 <= number < count]
    if unknown:
        raise UnknownNameError(f"unknown {what} {unknown[0]}: the model's {what}s are 0 to {count - 1}")
