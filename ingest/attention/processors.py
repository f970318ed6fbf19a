"""Taps for diffusers: an attention processor around the model's own, which still computes what the model goes on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ingest.attention.taps import NO_STEP, TapError, TapPoint, WeightSink, is_wanted
from ingest.attention.weights import RowsOnDemand

if TYPE_CHECKING:
    from torch import Tensor

# Processors whose queries and keys we know how to make again.
_UNDERSTOOD = ("CosmosAttnProcessor2_0",)


@contextmanager
def attention_processors(points: Sequence[TapPoint], sink: WeightSink) -> Iterator[Counter[tuple[str, int]]]:
    """Puts a processor around that of every point's module; the old ones are back at the end, also after an error.

    Queries and keys are taken where the model has normalised them, and rotated a second time. Yields the number of calls of each (pass, layer). Raises TapError for a processor that is not
    understood, or where a tap is open already.
    """
    calls: Counter[tuple[str, int]] = Counter()
    before = [(point.module, point.module.processor) for point in points]
    for module, processor in before:
        if type(processor).__name__ not in _UNDERSTOOD:
            raise TapError(
                f"{type(module).__name__} runs {type(processor).__name__}; understood: {', '.join(_UNDERSTOOD)}"
            )
    try:
        for point, (module, processor) in zip(points, before, strict=True):
            module.set_processor(_Tapped(processor, point, sink, calls))
        yield calls
    finally:
        for module, processor in before:
            module.set_processor(processor)


class _Tapped:
    """A processor of :class:`diffusers.models.attention_processor.Attention`.

    Its keywords are spelled out: diffusers drops what a processor's signature does not name.
    """

    def __init__(
        self, original: Any, point: TapPoint, sink: WeightSink, calls: Counter[tuple[str, int]]
    ) -> None:
        self._original, self._point, self._sink, self._calls = original, point, sink, calls

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        place = self._point.pass_name, self._point.layer
        step = self._calls[place] if self._point.has_steps else NO_STEP
        self._calls[place] += 1
        with ExitStack() as stack:
            normalised: list[Tensor] = []
            wanted = is_wanted(self._sink, *place, step)
            for norm in (attn.norm_q, attn.norm_k) if wanted else ():
                hook = norm.register_forward_hook(lambda _norm, _args, values: normalised.append(values))
                stack.callback(hook.remove)
            output: Tensor = self._original(
                attn,
                hidden_states,
                encoder_hidden_states=encoder_hidden_states,
                attention_mask=attention_mask,
                image_rotary_emb=image_rotary_emb,
            )
        if wanted:
            query, key = (_rotated(values, image_rotary_emb) for values in normalised)
            self._sink(*place, step, RowsOnDemand(query, key, query.shape[-1] ** -0.5, attention_mask))
        return output


def _rotated(values: Tensor, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
    """[B, heads, T, D] after the rotary embedding, as CosmosAttnProcessor2_0 makes it."""
    if rotary is None:
        return values
    from diffusers.models.embeddings import apply_rotary_emb

    turned: Tensor = apply_rotary_emb(values, rotary, use_real=True, use_real_unbind_dim=-2)
    return turned
