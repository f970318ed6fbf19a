"""The tiny policy has Pi0.5's shape: two stacks of Gemma attention, exact masks, batches that do not mix."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers.models.gemma.modeling_gemma import GemmaAttention  # noqa: E402

from ingest.demo.config import TinyConfig  # noqa: E402
from ingest.demo.model import TinyPolicy  # noqa: E402
from ingest.demo.tokenizer import TinyTokenizer, discretise_state  # noqa: E402

WEIGHTS = Path(__file__).resolve().parents[2] / "ingest" / "demo" / "weights"
PROMPTS = ("find the duck toy and pick it up", "pick up the cube", "grab the yellow bird")


@pytest.fixture(scope="module")
def policy() -> TinyPolicy:
    return TinyPolicy.from_folder(WEIGHTS)


@pytest.fixture(scope="module")
def inputs(policy: TinyPolicy) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    config = policy.config
    tokenizer = TinyTokenizer(config.max_token_len)
    texts = [
        tokenizer.encode(prompt, discretise_state([0.45, 0.0, 0.15, 0.085]).tolist()) for prompt in PROMPTS
    ]
    size = (len(PROMPTS), len(config.cameras), 3, config.image_size, config.image_size)
    return {
        "images": torch.rand(size, generator=generator) * 2 - 1,
        "tokens": torch.tensor([text.ids for text in texts]),
        "token_mask": torch.tensor([text.mask for text in texts]),
        "noise": torch.randn(len(PROMPTS), config.horizon, config.action_dim, generator=generator),
    }


def attention_of(policy: TinyPolicy, inputs: dict[str, torch.Tensor]) -> dict[str, list[torch.Tensor]]:
    """Weights of every call, by stack and layer, in eager mode."""
    seen: dict[str, list[torch.Tensor]] = {}
    hooks = []
    for stack in ("prefix", "expert"):
        for index, layer in enumerate(getattr(policy, f"{stack}_layers")):
            name = f"{stack}.{index}"
            hooks.append(
                layer.self_attn.register_forward_hook(
                    lambda _module, _args, output, name=name: seen.setdefault(name, []).append(output[1])
                )
            )
    policy.set_attention("eager")
    try:
        policy.sample_actions(**inputs)
    finally:
        policy.set_attention("sdpa")
        for hook in hooks:
            hook.remove()
    return seen


def test_one_prefix_pass_and_one_suffix_pass_a_step(
    policy: TinyPolicy, inputs: dict[str, torch.Tensor]
) -> None:
    config, seen = policy.config, attention_of(policy, inputs)
    keys = config.prefix_len
    for layer in range(config.n_layers):
        assert isinstance(policy.prefix_layers[layer].self_attn, GemmaAttention)
        assert [w.shape for w in seen[f"prefix.{layer}"]] == [(3, config.n_heads, keys, keys)]
        assert [w.shape for w in seen[f"expert.{layer}"]] == [
            (3, config.n_heads, config.horizon, keys + config.horizon)
        ] * config.n_steps


def test_padding_gets_exactly_no_weight(policy: TinyPolicy, inputs: dict[str, torch.Tensor]) -> None:
    n_patches, horizon = policy.config.n_patches, policy.config.horizon
    for name, calls in attention_of(policy, inputs).items():
        for weights in calls:
            for row, mask in enumerate(inputs["token_mask"]):
                text = weights[row, :, :, n_patches : n_patches + len(mask)]
                # Padded queries are rows of the prefix alone; what they attend to means nothing.
                valid_queries = slice(None) if weights.shape[2] == horizon else _valid(mask, n_patches)
                assert (text[:, valid_queries][..., ~mask] == 0).all(), name
                sums = weights[row][:, valid_queries].sum(-1)
                torch.testing.assert_close(sums, torch.ones_like(sums), atol=1e-5, rtol=0)


def _valid(mask: torch.Tensor, n_patches: int) -> torch.Tensor:
    return torch.cat([torch.ones(n_patches, dtype=torch.bool), mask])


def test_a_batch_equals_its_singles(policy: TinyPolicy, inputs: dict[str, torch.Tensor]) -> None:
    together = policy.sample_actions(**inputs)
    for row in range(len(PROMPTS)):
        alone = policy.sample_actions(**{name: value[row : row + 1] for name, value in inputs.items()})
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


def test_eager_equals_sdpa(policy: TinyPolicy, inputs: dict[str, torch.Tensor]) -> None:
    default = policy.sample_actions(**inputs)
    policy.set_attention("eager")
    try:
        eager = policy.sample_actions(**inputs)
    finally:
        policy.set_attention("sdpa")
    torch.testing.assert_close(eager, default, atol=1e-5, rtol=0)


def test_actions_do_not_hang_on_the_length_of_the_padding(
    policy: TinyPolicy, inputs: dict[str, torch.Tensor]
) -> None:
    longest = int(inputs["token_mask"].sum(1).max())
    short = inputs | {name: inputs[name][:, :longest] for name in ("tokens", "token_mask")}
    torch.testing.assert_close(
        policy.sample_actions(**short), policy.sample_actions(**inputs), atol=1e-5, rtol=0
    )


def test_save_and_load(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = TinyConfig(n_layers=2, width=32, expert_width=16, n_heads=2, n_kv_heads=1, head_dim=8)
    policy = TinyPolicy(config)
    policy.save(tmp_path, dtype=torch.float32)
    again = TinyPolicy.from_folder(tmp_path)
    assert again.config == config
    for name, tensor in policy.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_unknown_field_of_the_config_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"n_layers": 2, "n_towers": 3}')
    with pytest.raises(ValueError, match="n_towers"):
        TinyPolicy.from_folder(tmp_path)


@pytest.mark.parametrize("field", ["images", "token_mask", "noise"])
def test_wrong_shapes_are_named(policy: TinyPolicy, inputs: dict[str, torch.Tensor], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        policy.sample_actions(**(inputs | {field: inputs[field][:, :1]}))


def test_unknown_attention_is_refused(policy: TinyPolicy) -> None:
    with pytest.raises(ValueError, match="flash"):
        policy.set_attention("flash")  # type: ignore[arg-type]
