"""Taps for models that run SDPA or flash attention: transformers' registry of attention functions, with ours around.

The model's own function still computes what the model goes on with, so actions stay what they were, bit for bit;
beside it the rows that are asked for are computed from the same queries and keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ingest.attention.taps import NO_STEP, TapError, TapPoint, WeightSink, is_wanted
from ingest.attention.weights import RowsOnDemand

if TYPE_CHECKING:
    from torch import Tensor, nn

TAPPED = "gazehouse"
# What a kernel may do to the weights beyond softmax(QK^T * scale + mask), and what we would therefore get wrong.
_NOT_UNDERSTOOD = ("softcap", "s_aux", "position_bias")


@contextmanager
def attention_functions(points: Sequence[TapPoint], sink: WeightSink) -> Iterator[Counter[tuple[str, int]]]:
    """Wraps the attention function that the points' modules use; undone at the end, also after an error.

    Every module must read its function from ``module.config._attn_implementation`` through transformers'
    ``ALL_ATTENTION_FUNCTIONS``, and all of them the same one. Yields the number of calls of each (pass, layer).
    Raises TapError where that does not hold, where the model runs eager attention (hook its modules instead), or where
    a tap is open already.
    """
    from transformers.masking_utils import AttentionMaskInterface
    from transformers.modeling_utils import AttentionInterface

    configs = list({id(point.module.config): point.module.config for point in points}.values())
    original = _implementation_of(configs)
    functions, masks = AttentionInterface(), AttentionMaskInterface()
    if original not in functions:
        raise TapError(f"attention {original!r} is not in the registry: hook the modules instead")
    calls: Counter[tuple[str, int]] = Counter()
    tap = _tap(functions[original], {id(point.module): point for point in points}, sink, calls)
    AttentionInterface.register(TAPPED, tap)
    if original in masks:  # a model builds no mask for a function that it does not find here
        AttentionMaskInterface.register(TAPPED, masks[original])
    try:
        for config in configs:
            config._attn_implementation = TAPPED
        yield calls
    finally:
        for config in configs:
            config._attn_implementation = original
        for registry in (AttentionInterface, AttentionMaskInterface):
            registry._global_mapping.pop(TAPPED, None)  # there is a public way in, and none out


def _implementation_of(configs: Sequence[Any]) -> str:
    found = {config._attn_implementation for config in configs}
    if TAPPED in found:
        raise TapError("the model is tapped already")
    if len(found) != 1:
        raise TapError(f"the tapped modules use different attention functions: {sorted(map(str, found))}")
    return str(found.pop())


def _tap(
    original: Callable[..., Any],
    points: dict[int, TapPoint],
    sink: WeightSink,
    calls: Counter[tuple[str, int]],
) -> Callable[..., Any]:
    def tapped(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **options: Any,
    ) -> Any:
        output = original(module, query, key, value, attention_mask, **options)
        point = points.get(id(module))
        if point is not None:
            place = point.pass_name, point.layer
            step = calls[place] if point.has_steps else NO_STEP
            calls[place] += 1
            if is_wanted(sink, *place, step):
                sink(*place, step, _weights(module, query, key, attention_mask, options))
        return output

    return tapped


def _weights(
    module: nn.Module, query: Tensor, key: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> RowsOnDemand:
    odd = [name for name in _NOT_UNDERSTOOD if options.get(name) is not None]
    if odd:
        raise TapError(f"attention with {odd[0]} cannot be recomputed: run the model with eager attention")
    scale = options.get("scaling")
    is_causal = options.get("is_causal")
    if is_causal is None:
        is_causal = getattr(module, "is_causal", True)
    return RowsOnDemand(
        query,
        key,
        query.shape[-1] ** -0.5 if scale is None else float(scale),
        mask,
        # As in transformers' sdpa_attention_forward: one row is the newest and sees everything.
        is_causal=bool(is_causal) and mask is None and query.shape[2] > 1,
    )
