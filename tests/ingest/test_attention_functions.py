"""Rows computed beside SDPA, against the weights of transformers' own eager attention on other models' masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ingest.attention.functions import TAPPED, attention_functions
from ingest.attention.taps import TapError, TapPoint
from ingest.attention.weights import RowsOnDemand, Weights

N_TOKENS = 9


@pytest.fixture
def llama() -> Iterator[LlamaForCausalLM]:
    """Three layers, causal, four query heads on two key heads."""
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation="sdpa",
    )
    model = LlamaForCausalLM(config).eval()
    for parameter in model.parameters():
        parameter.data.mul_(6)  # otherwise attention is nearly uniform
    yield model
    assert TAPPED not in ALL_ATTENTION_FUNCTIONS


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(50, (2, N_TOKENS), generator=torch.Generator().manual_seed(1))


def points_of(model: LlamaForCausalLM) -> list[TapPoint]:
    return [TapPoint("prefix", i, layer.self_attn, False) for i, layer in enumerate(model.model.layers)]


def forward(model: LlamaForCausalLM, tokens: torch.Tensor, mask: torch.Tensor | None, **options: Any) -> Any:
    with torch.no_grad():
        return model(tokens, attention_mask=mask, use_cache=False, **options)


@pytest.mark.parametrize("is_padded", [False, True], ids=["causal without a mask", "causal and padded"])
def test_rows_equal_the_models_own_eager_weights(
    llama: LlamaForCausalLM, tokens: torch.Tensor, is_padded: bool
) -> None:
    mask = torch.ones_like(tokens)
    if is_padded:
        mask[0, -3:] = 0
    plain = forward(llama, tokens, mask).logits
    seen: list[torch.Tensor] = []
    index = torch.tensor([[5, 0, 3], [8, 2, 7]])
    heads = torch.tensor([3, 1])
    with attention_functions(
        points_of(llama), lambda *call: seen.append(call[3].rows(index, heads))
    ) as calls:
        tapped = forward(llama, tokens, mask).logits
    assert torch.equal(plain, tapped)
    assert dict(calls) == {("prefix", layer): 1 for layer in range(3)}

    llama.set_attn_implementation("eager")
    wanted = forward(llama, tokens, mask, output_attentions=True).attentions
    assert len(seen) == len(wanted) == 3
    for rows, weights in zip(seen, wanted, strict=True):
        assert rows.shape == (2, 2, 3, N_TOKENS)
        for b in range(2):
            for h, head in enumerate(heads):
                for r, row in enumerate(index[b]):
                    torch.testing.assert_close(
                        rows[b, h, r].float(), weights[b, head, row], atol=1e-5, rtol=0
                    )
        assert weights.amax() > 0.5


def test_the_function_is_put_back_after_an_error(llama: LlamaForCausalLM, tokens: torch.Tensor) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"), attention_functions(points_of(llama), fail):
        forward(llama, tokens, None)
    assert llama.config._attn_implementation == "sdpa"


def test_a_second_tap_is_refused(llama: LlamaForCausalLM) -> None:
    def ignore(_pass: str, _layer: int, _step: int, _weights: Weights) -> None:
        pass

    with (
        attention_functions(points_of(llama), ignore),
        pytest.raises(TapError, match="tapped already"),
        attention_functions(points_of(llama), ignore),
    ):
        pass


def test_eager_attention_is_left_to_the_hooks(llama: LlamaForCausalLM) -> None:
    llama.set_attn_implementation("eager")
    with (
        pytest.raises(TapError, match="hook the modules"),
        attention_functions(points_of(llama), lambda *_: None),
    ):
        pass


def test_rows_by_hand() -> None:
    """Two keys, scores 0 and ln 3: weights 1/4 and 3/4; a third key is masked."""
    key = torch.tensor([[0.0], [1.0], [50.0]])[None, None]
    query = torch.full((1, 1, 1, 1), 2 * torch.log(torch.tensor(3.0)).item())
    seen = torch.tensor([True, True, False])[None, None, None]
    additive = torch.zeros(1, 1, 1, 3).masked_fill(~seen, -2.3819763e38)
    for mask in (seen, additive):
        rows = RowsOnDemand(query, key, 0.5, mask).rows(torch.tensor([[0]]), torch.tensor([0]))
        assert rows.flatten().tolist() == pytest.approx([0.25, 0.75, 0.0], abs=1e-7)
        assert rows[..., 2].item() == 0.0
