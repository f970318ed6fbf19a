"""openpi's policies: what is refused and how it is said, and that nothing differs from openpi's own ``infer``."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

pytest.importorskip("openpi", reason="runs in openpi's own environment")

import safetensors.torch

from ingest.errors import CheckpointError, DataError, UnknownNameError, UserError
from ingest.policies.registry import load_policy
from ingest.study import PolicySection
from tests.conformance.case import QUERIES
from tests.conformance.cases.openpi import (
    CAMERAS,
    LENGTHS,
    LONG,
    build,
    observe,
    small_models,
    tokenizer_model,
    write_checkpoint,
)

DROID = "pi0_droid"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openpi")
    (folder / "big_vision").mkdir()
    (folder / "big_vision" / "paligemma_tokenizer.model").write_bytes(tokenizer_model())
    with small_models(), patch.dict(os.environ, {"OPENPI_DATA_HOME": str(folder)}):
        write_checkpoint(folder, DROID)
        yield folder


def load(folder: Path | str, config: str | None = DROID, device: str = "cpu"):
    return load_policy(PolicySection(family="openpi", config=config, checkpoint=str(folder)), device)


@pytest.mark.parametrize(
    ("config", "error", "said"),
    [
        (None, UserError, "such as pi05_droid"),
        ("pi0_drid", UnknownNameError, "'pi0_droid'"),
        ("pi0_fast_droid", UserError, "pi0_fast"),
        ("debug", UserError, "its inputs are .*DroidInputs"),
    ],
)
def test_configs_that_cannot_be_read_are_named(checkpoint, config, error, said):
    with pytest.raises(error, match=said):
        load(checkpoint, config)


@pytest.mark.parametrize("config", ["pi0_aloha", "pi05_aloha", "pi0_aloha_sim"])
def test_another_robot_is_refused_before_the_weights_are_read(tmp_path, config):
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"AlohaInputs.*DroidInputs"):
        load(tmp_path, config)


def test_a_missing_checkpoint_says_what_is_expected(tmp_path):
    with pytest.raises(CheckpointError, match=r"expected model\.safetensors in the folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "params").mkdir()
    with pytest.raises(CheckpointError, match="convert_jax_model_to_pytorch"):
        load(tmp_path)


def test_a_checkpoint_without_norm_stats_or_of_another_shape_is_refused(checkpoint, tmp_path):
    shutil.copy(checkpoint / "model.safetensors", tmp_path)
    with pytest.raises(CheckpointError, match="Norm stats"):
        load(tmp_path)
    with pytest.raises(CheckpointError, match=r"pi05_droid \(Error.* in loading state_dict"):
        load(checkpoint, "pi05_droid")


def test_weights_that_are_not_finite_are_named(checkpoint, tmp_path):
    weights = safetensors.torch.load_file(checkpoint / "model.safetensors")
    weights["action_out_proj.bias"][3] = float("nan")
    safetensors.torch.save_file(weights, tmp_path / "model.safetensors")
    shutil.copytree(checkpoint / "assets", tmp_path / "assets")
    with pytest.raises(CheckpointError, match=r"weights of action_out_proj\.bias are not all finite"):
        load(tmp_path)


def test_a_device_that_is_not_there_is_named(checkpoint):
    with pytest.raises(UserError, match=r"compute\.device: 'nowhere'"):
        load(checkpoint, device="nowhere")


def test_compiling_is_off_and_the_log_says_so(checkpoint, caplog):
    caplog.set_level("INFO", "ingest.policies.openpi")
    load(checkpoint)
    assert "torch.compile is off" in caplog.text


def test_a_state_of_another_robot_is_a_data_error(checkpoint):
    with pytest.raises(DataError, match="7 numbers of joint_positions, found none"):
        load(checkpoint).see(observe("pi05_libero", 0))


def test_words_that_are_cut_are_listed(checkpoint):
    policy = load(checkpoint)
    (warning,) = policy.prepare(policy.see(observe(DROID, 0)), LONG, QUERIES).warnings
    cut = warning.split("cut: ")[1].split()
    assert LONG.split()[-len(cut) :] == cut
    assert len(cut) > 100


def test_the_name_of_a_word_in_bytes_has_each_character_once(checkpoint):
    policy = load(checkpoint)
    prepared = policy.prepare(policy.see(observe(DROID, 0)), "lift 🦆 утку", QUERIES)
    names = {query.name for query in prepared.layout.of("prefix").queries}
    assert names == {"instruction", "word:lift", "word:🦆", "word:утку"}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", LENGTHS)
def test_actions_are_those_of_openpis_own_infer(name, dtype):
    policy = build(name, dtype)
    observation = observe(name, 0)
    seen = policy.see(observation)
    noise = np.random.default_rng(0).standard_normal(policy.geometry.noise_shape, dtype=np.float32)
    ours = policy.infer([policy.prepare(seen, "pick up the duck", QUERIES)], noise[None])
    example = {key: seen.pictures[role] for role, key in policy.robot.cameras.items()}
    if "libero" in name:
        example["observation/state"] = observation.state
    else:
        example["observation/joint_position"] = observation.state_parts["joint_positions"]
        example["observation/gripper_position"] = observation.state_parts["gripper_position"]
    # The compiled function of the instance computes the same, but not to the bit.
    policy.policy._sample_actions = type(policy.model).sample_actions.__get__(policy.model)
    theirs = policy.policy.infer({**example, "prompt": "pick up the duck"}, noise=noise)["actions"]
    assert np.array_equal(ours[0], theirs.astype(np.float32))


def test_pictures_are_letterboxed_as_openpi_does_it():
    from openpi_client import image_tools

    policy = build(DROID, "float32")
    observation = observe(DROID, 0)
    seen = policy.see(replace(observation, images={**observation.images}))
    for role in CAMERAS:
        wanted = image_tools.resize_with_pad(observation.images[role], 224, 224)
        assert np.array_equal(seen.pictures[role], wanted)
