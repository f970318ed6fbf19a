"""LeRobot's policies: frames of unlike size in one batch, masks on the pixels, and what is refused by name."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lerobot", reason="runs in LeRobot's own environment")

import torch
from safetensors.torch import load_file, save_file

from ingest.episodes.base import Observation
from ingest.errors import CheckpointError, DataError, UnknownNameError, UserError
from ingest.objects.coverage import patch_coverage
from ingest.policies.base import Policy
from ingest.policies.registry import load_policy
from ingest.study import PolicySection
from tests.conformance.case import QUERIES, random_observation
from tests.conformance.cases.lerobot import CASES, SIZES, WORLDS, observe, small, write_checkpoint
from tests.conformance.checks import Run

BY_NAME = {case.name: case for case in CASES}
ONE_OF_EACH = ("pi0-one-camera", "pi05-three-cameras", "smolvla-two-cameras")


@pytest.fixture(scope="module", params=ONE_OF_EACH)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def policy(name: str) -> Policy:
    return BY_NAME[name].build()


def of_another_size(observation: Observation) -> Observation:
    sizes = {camera: (240, 132) for camera in observation.images}
    pictures = random_observation(9, sizes, {"state": observation.state}).images
    return replace(observation, images=pictures)


def test_frames_of_unlike_size_share_a_batch(name: str, policy: Any) -> None:
    run = Run(BY_NAME[name], policy)
    other = of_another_size(run.observations[1])
    run.batch[1] = policy.prepare(policy.see(other), run.prompts[1], QUERIES)
    before = sorted(vars(policy.model))

    captures, actions = run.captured()

    for index, prepared in enumerate(run.batch):
        alone = policy.infer([prepared], run.noise[index : index + 1])
        np.testing.assert_allclose(alone[0], actions[index], atol=1e-5, rtol=0)
    assert not np.array_equal(actions[0], actions[1])
    assert all(abs(capture.masses.sum(-1) - 1).max() < 1e-4 for item in captures for capture in item)
    assert sorted(vars(policy.model)) == before


def test_masks_lie_on_the_pixels_that_the_policy_sees(name: str, policy: Any) -> None:
    """A white box on black, through the policy's own preprocessing, against the mask of that box."""
    sizes = {camera: SIZES[camera] for camera in WORLDS[name].filled}
    boxes = {camera: np.zeros(size, dtype=np.bool_) for camera, size in sizes.items()}
    for box in boxes.values():
        box[40:120, 20:100] = True
    pictures = {c: np.repeat(b[..., None] * np.uint8(255), 3, axis=2) for c, b in boxes.items()}
    seen = policy.see(replace(observe(WORLDS[name], 0), images=pictures))

    for camera, box in boxes.items():
        fit = policy.geometry.fits[camera]
        mask = fit.letterbox(*box.shape).mask(box)
        bright = seen.pictures[camera][..., 0] > 127
        assert fit.letterbox(*box.shape).sides == seen.letterboxes[camera].sides
        assert (mask ^ bright).sum() <= 0.03 * mask.sum()
        grid = policy.geometry.cameras[camera]
        both = patch_coverage(np.stack([mask, bright]), grid)
        np.testing.assert_allclose(both[0], both[1], atol=0.12)


def test_a_frame_without_its_camera_or_state_is_a_data_error(name: str, policy: Any) -> None:
    observation = observe(WORLDS[name], 0)

    with pytest.raises(DataError, match="no picture of"):
        policy.see(replace(observation, images={}))
    with pytest.raises(DataError, match="state of 8 numbers, found 12"):
        policy.see(replace(observation, state=np.zeros(12)))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pi0")
    with small("pi0"):
        write_checkpoint(WORLDS["pi0-one-camera"], folder)
        yield folder


def load(folder: Path | str, **section: Any) -> Policy:
    return load_policy(PolicySection(family="lerobot", checkpoint=str(folder), **section), "cpu")


def changed(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "changed"))


def test_features_and_devices_that_are_not_there_are_named(checkpoint: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"features of .*image.*found 'base=top'"):
        load(checkpoint, config="base=top")
    with pytest.raises(UserError, match=r"compute\.device: 'nowhere'"):
        load_policy(PolicySection(family="lerobot", checkpoint=str(checkpoint)), "nowhere")


def test_a_missing_checkpoint_says_what_is_expected(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        load(tmp_path / "nowhere")
    folder = changed(checkpoint, tmp_path)
    (folder / "policy_postprocessor.json").unlink()
    with pytest.raises(CheckpointError, match=r"policy_postprocessor\.json are missing"):
        load(folder)


def test_a_pickled_checkpoint_is_not_read(checkpoint: Path, tmp_path: Path) -> None:
    folder = changed(checkpoint, tmp_path)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="weights are read from safetensors alone"):
        load(folder)
    (folder / "model.safetensors").write_bytes(pickle.dumps(weights))
    with pytest.raises(CheckpointError, match="not a checkpoint of pi0"):
        load(folder)


def test_weights_that_are_not_finite_or_not_all_there_are_named(checkpoint: Path, tmp_path: Path) -> None:
    folder = changed(checkpoint, tmp_path)
    weights = load_file(folder / "model.safetensors")
    name = next(one for one in weights if one.endswith("action_out_proj.bias"))
    kept = weights.pop(name)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"1 weights of the policy are not those of.*action_out_proj"):
        load(folder)
    kept[0] = float("nan")
    save_file({**weights, name: kept}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"action_out_proj\.bias are not all finite"):
        load(folder)


def test_another_kind_of_policy_and_foreign_code_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    folder = changed(checkpoint, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "type": "act"}))
    with pytest.raises(CheckpointError, match="a policy of type 'act'; this family knows pi0, pi05, smolvla"):
        load(folder)
    (folder / "config.json").write_text(json.dumps(config))
    steps = json.loads((folder / "policy_preprocessor.json").read_text())
    steps["steps"][0] = {"class": "os.system", "config": {}}
    (folder / "policy_preprocessor.json").write_text(json.dumps(steps))
    with pytest.raises(CheckpointError, match="name a class to import"):
        load(folder)
