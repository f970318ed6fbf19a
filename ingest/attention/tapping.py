"""One door to the taps of models built on transformers: rows beside the model's own kernel, or hooks on eager weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingest.attention.functions import attention_functions
from ingest.attention.taps import TapPoint, WeightSink, module_hooks


@contextmanager
def tap(
    points: Sequence[TapPoint], sink: WeightSink, attention_impl: str
) -> Iterator[Counter[tuple[str, int]]]:
    """Taps the points while open; yields the number of calls of each (pass, layer).

    ``attention_impl`` 'eager' has the model form its weights, for as long as it is tapped; anything else leaves it the
    function it uses and computes the asked rows beside it.
    """
    if attention_impl != "eager":
        with attention_functions(points, sink) as calls:
            yield calls
        return
    with _eager(points), module_hooks(points, sink) as calls:
        yield calls


@contextmanager
def _eager(points: Sequence[TapPoint]) -> Iterator[None]:
    configs = {id(point.module.config): point.module.config for point in points}
    before = {key: config._attn_implementation for key, config in configs.items()}
    try:
        for config in configs.values():
            config._attn_implementation = "eager"
        yield
    finally:
        for key, config in configs.items():
            config._attn_implementation = before[key]
