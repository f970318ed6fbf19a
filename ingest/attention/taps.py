"""How attention weights are reached: here, a forward hook on modules whose second output is the weights.

For models that never form them see :mod:`ingest.attention.functions`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.attention.weights import FullWeights, Weights

if TYPE_CHECKING:
    from torch import nn

NO_STEP = -1


@dataclass(frozen=True)
class TapPoint:
    """An attention module; ``has_steps`` where the pass runs once a denoising step."""

    pass_name: str
    layer: int
    module: nn.Module
    has_steps: bool


class TapError(RuntimeError):
    """The attention of a module cannot be reached this way."""


WeightSink = Callable[[str, int, int, Weights], None]
"""Takes (pass, layer, denoising step, weights). One with a method ``wants`` is given only what it wants."""


def is_wanted(sink: WeightSink, pass_name: str, layer: int, step: int) -> bool:
    """Whether the sink keeps attention of that place: a tap makes nothing ready for one that does not."""
    wants: Callable[[str, int, int], bool] | None = getattr(sink, "wants", None)
    return wants is None or wants(pass_name, layer, step)


@contextmanager
def module_hooks(points: Sequence[TapPoint], sink: WeightSink) -> Iterator[Counter[tuple[str, int]]]:
    """Installs a forward hook on every point and removes them all at the end, also after an error.

    The denoising step is the number of calls of that layer so far, so one block covers one inference. Yields the
    number of calls of each (pass, layer). Raises TapError from inside the model where a module returns no weights.
    """
    calls: Counter[tuple[str, int]] = Counter()

    def hook_for(point: TapPoint) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            if not isinstance(output, tuple) or len(output) < 2 or output[1] is None:
                raise TapError(
                    f"{point.pass_name} layer {point.layer} returned no attention weights: "
                    "the model must run eager attention while it is tapped"
                )
            place = point.pass_name, point.layer
            step = calls[place] if point.has_steps else NO_STEP
            calls[place] += 1
            if is_wanted(sink, *place, step):
                sink(*place, step, FullWeights(output[1]))

        return hook

    handles = []
    try:
        for point in points:
            handles.append(point.module.register_forward_hook(hook_for(point)))
        yield calls
    finally:
        for handle in handles:
            handle.remove()
