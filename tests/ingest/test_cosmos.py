"""Cosmos Policy's layout, sampler and preprocessing against what its own code does, and what the adapter refuses."""

from __future__ import annotations

import json
import logging
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from ingest.attention.layout import LayoutError
from ingest.attention.reduce import Item, PassCapture, Reducer
from ingest.attention.rows import add_capture, add_head_focus
from ingest.attention.selection import select
from ingest.episodes.base import Observation
from ingest.errors import CheckpointError, DataError, UnknownNameError, UserError
from ingest.identity import noise_of
from ingest.objects.coverage import middle_of
from ingest.policies.base import Prepared
from ingest.policies.cosmos_diffusers import as_trained
from ingest.policies.cosmos_layout import (
    SUITES,
    CosmosOptions,
    Text,
    checked_options,
    chunk_rows,
    cosmos_layout,
    cut_warning,
    frame_index,
    frames_from_indices,
    kept_side,
    text_tokens,
)
from ingest.policies.cosmos_sampler import n_calls, sample, sigmas
from ingest.policies.pickles import no_pickles
from ingest.policies.registry import load_policy
from ingest.policies.text import Piece
from ingest.rows import Tables
from ingest.study import CaptureSection, PolicySection
from ingest.tabulate import add_layouts
from tests.conformance.case import random_observation
from tests.conformance.models import cosmos_world as world
from tests.dbt.synthetic_latents import FRAMES, ROWS_OF_A_FRAME, TEXT
from tests.ingest.test_pickles import Touch

ROOT = Path(__file__).resolve().parent.parent.parent
LATENT = (16, 28, 28)
LIBERO = SUITES["libero"]
# As `get_action` returns them, `data_batch` and `latent_indices` together.
INDICES = {
    "libero": {
        "current_proprio": 1,
        "current_wrist_image": 2,
        "current_wrist_image2": -1,
        "current_image": 3,
        "current_image2": -1,
        "action": 4,
        "future_proprio": 5,
        "future_wrist_image": 6,
        "future_wrist_image2": -1,
        "future_image": 7,
        "future_image2": -1,
        "value": 8,
    },
    "aloha": {
        "current_proprio": 1,
        "current_wrist_image": 2,
        "current_wrist_image2": 3,
        "current_image": 4,
        "action": 5,
        "future_proprio": 6,
        "future_wrist_image": 7,
        "future_wrist_image2": 8,
        "future_image": 9,
        "value": 10,
    },
}
CAMERAS = {
    "libero": {"wrist_image": "wrist", "image": "primary"},
    "aloha": {"wrist_image": "left_wrist", "wrist_image2": "right_wrist", "image": "primary"},
}


def indices(suite: str, **changed: int) -> dict[str, int]:
    return {f"{name}_latent_idx": index for name, index in {**INDICES[suite], **changed}.items()}


@pytest.mark.parametrize("suite", INDICES)
def test_frames_come_from_the_models_indices(suite: str):
    assert frames_from_indices(indices(suite), CAMERAS[suite]) == SUITES[suite].frames


@pytest.mark.parametrize(
    "changed", [{"action": 9}, {"value": 7}, {"current_proprio": 0}, {"current_image2": 9}]
)
def test_indices_that_are_no_sequence_are_refused(changed: dict[str, int]):
    with pytest.raises(LayoutError, match="no sequence"):
        frames_from_indices(indices("libero", **changed), CAMERAS["libero"])


@pytest.mark.parametrize("suite", SUITES)
def test_region_k_is_latent_frame_k(suite: str):
    frames = SUITES[suite].frames
    layout = cosmos_layout("cosmos", frames, LATENT, (), ("action",), SUITES[suite].chunk)

    regions = layout.of("denoise").regions

    assert [region.name.removeprefix("image:") for region in regions] == list(frames)
    assert {len(region.keys) for region in regions} == {196}
    assert layout.of("denoise").n_keys == {"libero": 1764, "robocasa": 2156, "aloha": 2156}[suite]


@pytest.mark.parametrize(("suite", "n_groups"), [("libero", 8), ("robocasa", 8), ("aloha", 28)])
def test_steps_of_the_chunk_share_tokens(suite: str, n_groups: int):
    n_steps, n_dims = SUITES[suite].chunk
    found = chunk_rows(LATENT, (n_steps, n_dims))
    frame = np.resize(np.repeat(np.arange(n_steps), n_dims), LATENT)  # written over and over
    read = frame.size // (n_steps * n_dims) * n_steps * n_dims
    frame.ravel()[read:] = -1  # the rest is not read

    for step, tokens in enumerate(found):
        rows, cols = np.nonzero((frame == step).any(axis=0))
        assert set(tokens) == set((rows // 2 * 14 + cols // 2).tolist())
    assert len(set(found)) == n_groups
    if suite == "libero":
        assert found[0] == found[4] != found[1]


def test_a_frame_is_named_as_in_the_seed_or_by_itself():
    assert [frame_index(LIBERO.frames, name) for name in ("action", "curr_last", "frame0", "wrist")] == [
        4,
        3,
        0,
        2,
    ]
    assert frame_index(SUITES["robocasa"].frames, "curr_last") == 4  # the secondary camera
    with pytest.raises(UnknownNameError, match="frame9"):
        frame_index(LIBERO.frames, "frame9")


def test_another_query_frame_is_one_more_group():
    layout = cosmos_layout("cosmos", LIBERO.frames, LATENT, (), ("action",), LIBERO.chunk, "curr_last")

    assert layout.of("cross").queries[-1].name == "frame:3"
    assert layout.of("cross").queries[-1].rows == tuple(range(3 * 196, 4 * 196))


def test_the_seeds_length_is_accepted_and_said_to_do_nothing(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        checked_options(CosmosOptions(prefer_s=1764), LIBERO.frames)

    assert "prefer_s has no effect" in caplog.text


def test_empty_slots_are_keys_of_their_own():
    embedding = np.zeros((6, 3), dtype=np.float32)
    embedding[:3] = 1.0
    pieces = (Piece("▁pick", 0, 4), Piece("▁up", 4, 7), Piece("</s>", 0, 0))

    known = text_tokens("pick up", Text(embedding, (5, 6, 1), pieces))
    unknown = text_tokens("pick up", Text.from_embedding(embedding))

    assert [(t.role, t.word_index) for t in known[:4]] == [
        ("instruction", 0),
        ("instruction", 1),
        ("template", None),
        ("text_pad", None),
    ]
    assert [token.role for token in unknown] == ["instruction"] * 3 + ["text_pad"] * 3
    assert all(token.is_valid for token in known)


def test_the_words_of_an_empty_prompt_are_none():
    embedding = np.zeros((4, 3), dtype=np.float32)
    embedding[0] = 1.0

    assert [t.role for t in text_tokens("", Text(embedding, (1,), (Piece("</s>", 0, 0),)))] == [
        "template",
        *["text_pad"] * 3,
    ]


def test_pieces_and_slots_must_agree():
    embedding = np.ones((4, 3), dtype=np.float32)
    with pytest.raises(LayoutError, match="1 pieces of text, but 4 slots"):
        text_tokens("", Text(embedding, (1,), (Piece("</s>", 0, 0),)))
    embedding[1] = 0
    with pytest.raises(LayoutError, match="empty slots between"):
        text_tokens("", Text.from_embedding(embedding))


def test_the_words_that_are_cut_are_named():
    embedding = np.ones((2, 3), dtype=np.float32)
    pieces = (Piece("▁pick", 0, 4), Piece("</s>", 0, 0))

    (known,) = cut_warning("pick up the duck", Text(embedding, (5, 1), pieces, is_cut=True))
    (unknown,) = cut_warning("pick up the duck", Text.from_embedding(embedding))

    assert known.endswith("its end was cut: up the duck")
    assert unknown.endswith("its end was cut")
    assert cut_warning("pick", Text(embedding, (5, 1), pieces)) == ()


def test_the_sampler_calls_at_the_policys_noise_levels():
    assert [round(level, 1) for level in sigmas(5).tolist()] == [80.0, 42.3, 21.0, 9.6, 4.0]
    assert [n_calls(steps) for steps in (1, 2, 3, 5)] == [1, 1, 3, 5]


def test_the_sampler_finds_what_a_perfect_network_knows():
    rng = np.random.default_rng(0)
    wanted = torch.from_numpy(rng.normal(size=(2, 3, 4, 2, 2))).float()
    noise = torch.from_numpy(rng.normal(size=wanted.shape)).float()
    is_given = torch.tensor([True, True, False, False])
    levels = []

    def network(latents: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        levels.append(level[0, 0, :, 0, 0])
        t = level[:, :, -1:]
        return ((1 - t) * (latents / (1 - t)) - wanted) / t  # so that the clean estimate is `wanted`

    found = sample(network, noise, wanted, is_given, 5)

    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    assert all(level[:2].tolist() == [0, 0] for level in levels)
    assert [round(float(level[-1]), 3) for level in levels] == [0.988, 0.977, 0.954, 0.906, 0.8]


def test_pictures_are_cropped_to_their_middle_and_masks_with_them():
    bright = np.zeros((224, 224, 3), dtype=np.uint8)
    bright[:, 112:] = 255
    bright[:6] = 255  # outside of the middle 212 pixels
    mask = bright[None, :, :, 0] > 0

    picture, seen = as_trained(bright), middle_of(mask, kept_side(224) / 224)

    assert picture.shape == (224, 224, 3)
    assert kept_side(224) == 212
    assert ((picture[..., 0] > 127) == seen[0]).mean() > 0.995
    assert not seen[0, 20, 20]
    assert middle_of(mask, 1.0) is mask


def tiny_checkpoint(folder: Path) -> PolicySection:
    """All parts of a policy, small and random, as diffusers and transformers write them."""
    from diffusers import AutoencoderKLWan, CosmosTransformer3DModel
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    CosmosTransformer3DModel(
        in_channels=17,
        out_channels=16,
        num_attention_heads=1,
        attention_head_dim=24,
        num_layers=1,
        text_embed_dim=8,
        adaln_lora_dim=4,
        max_size=(16, 32, 32),
        concat_padding_mask=False,
        extra_pos_embed_type=None,
    ).save_pretrained(folder / "transformer")
    AutoencoderKLWan(base_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1).save_pretrained(folder / "vae")
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 8}
    T5EncoderModel(T5Config(**sizes)).save_pretrained(folder / "text_encoder")
    words = Tokenizer(
        models.WordLevel({"<unk>": 0, "</s>": 1, "pick": 2, "up": 3, "duck": 4}, unk_token="<unk>")
    )
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="</s>").save_pretrained(
        folder / "tokenizer"
    )
    statistics = {
        "actions_min": [0] * 7,
        "actions_max": [1] * 7,
        "proprio_min": [-1] * 9,
        "proprio_max": [1] * 9,
    }
    (folder / "statistics.json").write_text(json.dumps(statistics))
    options = {"dataset_statistics": str(folder / "statistics.json"), "denoising_steps": 2}
    return PolicySection(family="cosmos_diffusers", checkpoint=str(folder), config="libero", options=options)


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> PolicySection:
    return tiny_checkpoint(tmp_path_factory.mktemp("cosmos"))


def square(size: int = 64) -> Observation:
    pictures: dict[str, NDArray[np.uint8]] = {
        name: np.random.default_rng(1).integers(0, 255, (size, size, 3), dtype=np.uint8)
        for name in ("wrist", "primary")
    }
    parts = {name: np.zeros(n) for name, n in zip(LIBERO.state_parts, (2, 3, 4), strict=True)}
    return Observation(0, 0.0, pictures, np.zeros(9), None, parts)


def test_a_folder_of_diffusers_becomes_a_policy(section: PolicySection):
    policy = load_policy(section, "cpu")
    policy._size = 64  # type: ignore[attr-defined] # 33 pictures of 224 x 224 take the VAE long on a CPU
    seen = policy.see(square())

    given = policy._given(seen)  # type: ignore[attr-defined]
    prepared = policy.prepare(seen, "pick up", ("action",))

    assert given.shape == (16, 9, 8, 8)
    assert torch.equal(given[:, 1], torch.zeros(16, 8, 8))  # a state in the middle of its range
    assert not torch.equal(given[:, 2], given[:, 0])
    assert prepared.token_ids == (2, 3, 1)
    assert [t.role for t in prepared.layout.of("cross").tokens][:4] == [
        "instruction",
        "instruction",
        "template",
        "text_pad",
    ]
    assert policy.geometry.passes == {"denoise": 1, "cross": 1}
    assert len(policy.checkpoint_hash) == 64


def test_what_a_checkpoint_lacks_is_named(section: PolicySection, tmp_path: Path):
    def load(**changed: object) -> None:
        load_policy(section.model_copy(update=changed), "cpu")

    with pytest.raises(UnknownNameError, match="expected one of"):
        load(config="bridge")
    with pytest.raises(UserError, match="dataset_statistics"):
        load(options={})
    with pytest.raises(UserError, match="vae: no such folder"):
        load(options={**section.options, "vae": str(tmp_path / "vae")})
    with pytest.raises(UserError, match="nearest known key is 'query_frame'"):
        load(options={"query_fram": "action"})
    with pytest.raises(UserError, match="denoising_steps"):
        load(options={"denoising_steps": 0})
    (tmp_path / "few.json").write_text("{}")
    with pytest.raises(UserError, match="device"):
        load_policy(section, "gpu7")
    with pytest.raises(CheckpointError, match=r"few\.json"):
        load(options={**section.options, "dataset_statistics": str(tmp_path / "few.json")})


def test_a_transformer_that_cannot_run_is_refused(section: PolicySection):
    config = Path(section.checkpoint) / "transformer" / "config.json"
    before = config.read_text()
    try:
        for changed, told in (
            ({"out_channels": 17}, "not a checkpoint"),
            ({"in_channels": 16, "concat_padding_mask": True}, "takes 16 channels"),
        ):
            config.write_text(json.dumps({**json.loads(before), **changed}))
            with pytest.raises(CheckpointError, match=told):
                load_policy(section, "cpu")
    finally:
        config.write_text(before)


def test_weights_that_are_not_finite_are_named(tmp_path: Path):
    section = tiny_checkpoint(tmp_path)
    path = tmp_path / "transformer" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights["proj_out.weight"][0, 0] = torch.nan
    save_file(weights, path)

    with pytest.raises(CheckpointError, match=r"proj_out\.weight are not all finite"):
        load_policy(section, "cpu")


def test_weights_of_cosmos_policy_that_are_not_finite_are_named():
    pytest.importorskip("cosmos_policy")
    from ingest.policies.cosmos import CosmosAdapter, eval_config, imported_for
    from tests.conformance.cases import cosmos as case

    model, utils = case.model(), case.smaller(imported_for("libero"))
    with torch.no_grad():
        model.net.final_layer.linear.weight[0, 0] = torch.inf

    with pytest.raises(CheckpointError, match=r"final_layer\.linear\.weight are not all finite"):
        CosmosAdapter(model, utils, eval_config("libero", chunk_size=world.CHUNK[0]), world.STATISTICS)


def test_pictures_that_the_policy_would_stretch_are_refused():
    from tests.conformance.cases.cosmos_diffusers import build

    policy, observation = build(True), world.observe(0)
    wide = {**observation.images, "wrist": np.zeros((90, 160, 3), dtype=np.uint8)}

    with pytest.raises(DataError, match="90 x 160"):
        policy.see(replace(observation, images=wide))
    with pytest.raises(DataError, match="no picture of camera 'wrist'"):
        policy.see(replace(observation, images={"primary": wide["primary"]}))
    with pytest.raises(DataError, match="has 5 numbers, found 3"):
        policy.see(replace(observation, state_parts={}, state=np.zeros(3)))
    with pytest.raises(DataError, match="gripper_qpos, eef_pos are not all finite"):
        policy.see(replace(observation, state_parts={}, state=np.array([0, 0, 0, 0, np.nan])))


def test_the_route_through_get_action_gives_its_actions():
    """With the noise that it would have drawn."""
    pytest.importorskip("cosmos_policy")
    from tests.conformance.cases.cosmos import build

    policy, observation = build(True), world.observe(1)
    prepared = policy.prepare(policy.see(observation), "pick up the duck", ("action",))
    noise = np.random.RandomState(7).standard_normal((1, *policy.geometry.noise_shape)).astype(np.float32)
    question = {f"{name}_image": picture for name, picture in observation.images.items()}
    question["proprio"] = np.concatenate(list(observation.state_parts.values()))

    theirs = policy._utils.get_action(  # type: ignore[attr-defined]
        policy._cfg,  # type: ignore[attr-defined]
        policy.model,  # type: ignore[attr-defined]
        world.STATISTICS,
        question,
        "pick up the duck",
        seed=7,
        num_denoising_steps_action=world.N_CALLS,
        generate_future_state_and_value_in_parallel=False,
    )

    assert np.array_equal(policy.infer([prepared], noise)[0], np.float32(theirs["actions"]))


@pytest.mark.parametrize("suite", ["robocasa", "aloha"])
def test_the_frames_of_three_cameras_are_those_of_get_action(suite: str, monkeypatch: pytest.MonkeyPatch):
    """The suites that the conformance cases do not run: what its own preprocessing makes of them."""
    pytest.importorskip("cosmos_policy")
    from ingest.policies.cosmos import CosmosAdapter, eval_config, imported_for
    from tests.conformance.cases import cosmos as case

    frames = SUITES[suite].frames
    monkeypatch.setattr(world, "FRAMES", frames)
    model, cfg = case.model(), eval_config(suite, chunk_size=world.CHUNK[0])
    model.config.min_num_conditional_frames = model.config.max_num_conditional_frames = frames.index("action")
    policy = CosmosAdapter(model, case.smaller(imported_for("libero")), cfg, world.STATISTICS)
    sizes = dict.fromkeys(SUITES[suite].cameras, (96, 96))
    seen = policy.see(random_observation(0, sizes, {"state": np.zeros(5)}))

    layout = policy.prepare(seen, "pick up the duck", ("action",)).layout

    assert [r.name.removeprefix("image:") for r in layout.of("denoise").regions] == list(frames)
    assert len(policy.geometry.cameras) == 3


def cosmos_section(**options: object) -> PolicySection:
    given = {"dataset_statistics": "statistics.json", **options}
    return PolicySection(family="cosmos", checkpoint="nowhere", config="libero", options=given)


def test_pickled_embeddings_are_refused_before_anything_is_loaded():
    pytest.importorskip("cosmos_policy")

    with pytest.raises(CheckpointError, match=r"libero\.pkl is a pickle.*safetensors.*trust_pickles: true"):
        load_policy(cosmos_section(text_embeddings="libero.pkl"), "cpu")
    for options in (
        {"text_embeddings": "libero.pkl", "trust_pickles": True},
        {"text_embeddings": "a.safetensors"},
    ):
        with pytest.raises(UserError, match="runs on CUDA alone"):  # what is asked next
            load_policy(cosmos_section(**options), "cpu")


def test_embeddings_from_safetensors_are_those_that_cosmos_policy_takes(tmp_path: Path):
    pytest.importorskip("cosmos_policy")
    from ingest.policies.cosmos import fill_embeddings, imported_for
    from tests.conformance.models import cosmos_standins

    cosmos_standins.install()
    wanted = torch.randn(1, 512, 8)
    save_file({"pick up the fish": wanted}, tmp_path / "t5.safetensors")
    utils = imported_for("libero")

    fill_embeddings(utils, str(tmp_path / "t5.safetensors"), "cpu")

    assert torch.equal(utils.t5_text_embeddings_cache.pop("pick up the fish"), wanted)


def test_cosmos_policys_own_loader_runs_no_code_of_a_checkpoint(tmp_path: Path):
    """Its ``torch.load`` asks for whole pickles; what is allowed are tensors."""
    pytest.importorskip("cosmos_policy")
    from tests.conformance.models import cosmos_standins

    cosmos_standins.install()
    from cosmos_policy._src.predict2.utils import model_loader

    model, path = torch.nn.Linear(2, 1), tmp_path / "model.pt"
    torch.save({"weight": torch.full((1, 2), 7.0), "bias": torch.zeros(1)}, path)
    with no_pickles():
        model_loader.load_model_state_dict_from_checkpoint(model, None, str(path))
    assert model.weight.tolist() == [[7.0, 7.0]]

    torch.save({"weight": Touch(tmp_path / "ran")}, path)
    with no_pickles(), pytest.raises(pickle.UnpicklingError):
        model_loader.load_model_state_dict_from_checkpoint(model, None, str(path))
    assert not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def captured() -> tuple[Prepared, list[PassCapture]]:
    from tests.conformance.cases.cosmos_diffusers import build

    policy = build(True)
    prepared = policy.prepare(policy.see(world.observe(0)), "pick up the duck", ("action",))
    capture = CaptureSection(passes=["denoise", "cross"], denoise_steps=["last"])
    reducer = Reducer([Item(prepared.layout, {})], select(capture, 2, 3, dict(policy.geometry.passes)), "cpu")
    with policy.tapped(reducer):
        policy.infer([prepared], noise_of(0, 0, "episode", 0, policy.geometry.noise_shape)[None])
    return prepared, reducer.captures(0)


def test_cross_attention_has_masses_and_no_maps(captured: tuple[Prepared, list[PassCapture]]):
    tables = Tables("run")
    for capture in captured[1]:
        add_capture(tables, 1, captured[0].layout.cameras, capture)
        add_head_focus(tables, 1, captured[0].layout.cameras, capture, with_seed=False)

    masses = tables["attention_masses"].finish().to_pylist()

    assert {(row["pass"], row["softmax"], len(row["masses"])) for row in masses} == {
        ("denoise", "self", 9),
        ("cross", "cross", 3),
    }
    for name in ("attention_maps", "head_focus"):
        rows = tables[name].finish().to_pylist()
        assert {(row["pass"], row["camera"]) for row in rows} == {
            ("denoise", camera) for camera in ("wrist", "primary", "future_wrist", "future_primary")
        }


def test_its_regions_are_those_of_the_marts_tests(captured: tuple[Prepared, list[PassCapture]]):
    """tests/dbt/test_latent_frames.py tries the balance on drawn masses of the same regions and queries."""
    tables = Tables("run")
    add_layouts(tables, [captured[0].layout])
    regions = tables["regions"].finish().to_pylist()
    found = {
        name: [(row["name"], row["kind"]) for row in regions if row["pass"] == name and row["is_partition"]]
        for name in ("denoise", "cross")
    }
    assert found["denoise"] == FRAMES
    assert set(found["cross"]) <= set(TEXT)
    queries = {(row["name"], row["kind"], row["n_rows"]) for row in tables["queries"].finish().to_pylist()}
    assert {("action", "group", ROWS_OF_A_FRAME), ("frame:3", "group", ROWS_OF_A_FRAME)} <= queries


def test_noise_has_the_shape_of_the_latents():
    from tests.conformance.cases.cosmos_diffusers import build

    shape = build(True).geometry.noise_shape

    assert shape == (16, 9, 8, 8)
    assert noise_of(0, 0, "episode", 0, shape).shape == shape
