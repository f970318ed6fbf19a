"""Taps for diffusers: an attention processor around the model's own, which still computes what the model goes on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ingest.attention.taps import NO_STEP, TapError, TapPoint, WeightSink
from ingest.attention.weights import RowsOnDemand

if TYPE_CHECKING:
    from torch import Tensor

# Processors whose queries and keys we know how to make again.
_UNDERSTOOD = ("CosmosAttnProcessor2_0",)


@contextmanager
def attention_processors(points: Sequence[TapPoint], sink: WeightSink) -> Iterator[Counter[tuple[str, int]]]:
    """Puts a processor around that of every point's module; the old ones are back at the end, also after an error.

    Queries and keys are projected, normalised and rotated a second time, so that nothing of the model's own
    computation changes. Yields the number of calls of each (pass, layer). Raises TapError for a processor that is not
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
        output: Tensor = self._original(
            attn,
            hidden_states,
            encoder_hidden_states=encoder_hidden_states,
            attention_mask=attention_mask,
            image_rotary_emb=image_rotary_emb,
        )
        place = self._point.pass_name, self._point.layer
        step = self._calls[place] if self._point.has_steps else NO_STEP
        self._calls[place] += 1
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = _by_heads(attn.norm_q, attn.to_q(hidden_states), attn.heads, image_rotary_emb)
        key = _by_heads(attn.norm_k, attn.to_k(context), attn.heads, image_rotary_emb)
        self._sink(*place, step, RowsOnDemand(query, key, query.shape[-1] ** -0.5, attention_mask))
        return output


def _by_heads(norm: Any, values: Tensor, heads: int, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
    """[B, T, heads * D] -> [B, heads, T, D], after norm and rotary embedding: as CosmosAttnProcessor2_0 makes them."""
    from diffusers.models.embeddings import apply_rotary_emb

    values = norm(values.unflatten(2, (heads, -1)).transpose(1, 2))
    return (
        values if rotary is None else apply_rotary_emb(values, rotary, use_real=True, use_real_unbind_dim=-2)
    )
