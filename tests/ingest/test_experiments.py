"""Covered pictures, cut attention and changed models: the stored actions against a model of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from ingest.episodes.preprocess import resize_with_pad
from ingest.identity import noise_of
from tests.ingest.replay import CAMERAS, FIRST_KEY, FIRST_TEXT_KEY, FIRST_WORD, Replay
from tests.ingest.world import DUCK, World, make_world, table_of

EPISODE = "success/2025-12-10/episode_0"
CONDITIONS: dict[str, Any] = {
    "repeats": 1,
    "occlusion": {
        "layers": [1],
        "fills": ["black", "mean"],
        "controls": 2,
        "cameras": "each",
        "curve": [0.5],
        "regions": [
            {"name": "target", "object": "duck"},
            {"name": "corner", "box": [0, 0, 0.25, 0.5], "camera": "base"},
            {"name": "ghost", "object": "gripper"},
        ],
    },
    "knockout": [
        {"name": "words-to-target", "keys": "object:target", "controls": 1},
        {"name": "words-to-base", "keys": "image:base", "layers": "each"},
        {"name": "actions-to-top", "queries": "action", "keys": "top:90", "layers": [0, 1], "controls": 0},
    ],
    "ablation": {"heads": [[1, 0], [2, 1]], "modes": ["zero", "mean"]},
    "randomised": {"top": [1, "all"]},
    "augmentation": {"layers": [0], "strength": 0.5},
    "vqa": [{"name": "seen", "prompt": "is there a {object}?", "answer": "yes"}],
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(
        tmp_path_factory.mktemp("experiments"),
        {"conditions": CONDITIONS, "noise": {"seeds": [3]}, "compute": {"batch_size": 5}},
        count=1,
    )
    assert world.run().is_complete
    return world


@pytest.fixture(scope="module")
def replay(asked: World) -> Replay:
    return Replay(asked.root, asked.checkpoint)


@pytest.fixture(scope="module")
def rows(asked: World) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["condition_id"], row["frame_index"]): row for row in table_of(asked.lake, "inferences")}


def actions_of(row: dict[str, Any]) -> NDArray[np.float32]:
    return np.asarray(row["actions"], dtype=np.float32)


def picture(world: World, camera: str, frame: int) -> NDArray[np.uint8]:
    path = world.root / EPISODE / "recordings" / "frames" / CAMERAS[camera] / f"{frame:05d}.jpg"
    return np.asarray(Image.open(path).convert("RGB"))


def acted(replay: Replay, frame: int, pictures: dict[str, NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Actions on other raw pictures of a frame."""
    inputs = replay.inputs(EPISODE, frame, DUCK, 3)
    for index, camera in enumerate(CAMERAS):
        if camera in pictures:
            seen = torch.from_numpy(resize_with_pad(pictures[camera])).permute(2, 0, 1)
            inputs["images"][0, index] = seen.float() / 127.5 - 1.0
    result: NDArray[np.float32] = replay.model.sample_actions(**inputs)[0].numpy()
    return result


def stored_map(world: World, frame: int, camera: str, layer: int, head: int, kind: str) -> list[float]:
    ids = {
        row["inference_id"]
        for row in table_of(world.lake, "inferences", "baseline")
        if row["frame_index"] == frame
    }
    (found,) = [
        row["map"]
        for row in table_of(world.lake, "attention_maps", "baseline")
        if row["inference_id"] in ids
        and (row["pass"], row["layer"], row["head"], row["rows"], row["camera"])
        == ("prefix", layer, head, kind, camera)
        and row["query_index"] == 0
    ]
    result: list[float] = found
    return result


def covered_by_hand(world: World, frame: int, camera: str, patches: set[int]) -> NDArray[np.uint8]:
    """The raw picture, black where a pixel's centre lies in one of the patches."""
    raw = picture(world, camera, frame).copy()
    for y in range(180):
        for x in range(320):
            row, col = int(49 + (y + 0.5) * 0.7) // 14, int((x + 0.5) * 0.7) // 14
            if row * 16 + col in patches:
                raw[y, x] = 0
    return raw


@pytest.mark.parametrize("camera", ["base", "wrist"])
@pytest.mark.parametrize("arm", ["high", "delete.0.5", "insert.0.5"])
def test_the_patches_with_most_attention_are_covered(
    asked: World, replay: Replay, rows: dict[tuple[str, int], dict[str, Any]], camera: str, arm: str
) -> None:
    attention = stored_map(asked, 4, camera, 1, -1, "mean")
    shown = [patch for patch in range(256) if 3 <= patch // 16 <= 12]  # the others are bars
    ranked = sorted(shown, key=lambda patch: -attention[patch])
    chosen = set(ranked[: 16 if arm == "high" else 80])
    if arm.startswith("insert"):
        chosen = set(shown) - chosen
    expected = acted(replay, 4, {camera: covered_by_hand(asked, 4, camera, chosen)})
    row = rows[f"occlusion:L1.{arm}.{camera}.black", 4]
    np.testing.assert_allclose(actions_of(row), expected, atol=2e-6)
    assert np.abs(expected - actions_of(rows["baseline:baseline", 4])).max() > 1e-4
    (share,) = json.loads(row["params"])["share_occluded"].values()
    black = (covered_by_hand(asked, 4, camera, chosen) != picture(asked, camera, 4)).any(axis=2).mean()
    assert share == pytest.approx(black, abs=0.01)  # some pixels were black before


def test_every_arm_changes_the_actions_in_its_own_way(rows: dict[tuple[str, int], dict[str, Any]]) -> None:
    arms = ["high", "control.0", "control.1", "high_seed", "low_seed", "delete.0.5", "insert.0.5"]
    seen = [actions_of(rows[f"occlusion:L1.{arm}.base.black", 0]) for arm in arms]
    for first in range(len(arms)):
        for second in range(first):
            assert np.abs(seen[first] - seen[second]).max() > 1e-6, (arms[first], arms[second])


def test_a_named_region_and_a_box(
    asked: World, replay: Replay, rows: dict[tuple[str, int], dict[str, Any]]
) -> None:
    """The box is a quarter of the width by half the height: raw 80 x 90 pixels, from 0.7 * 80 = 56 input pixels."""
    raw = picture(asked, "base", 0).copy()
    raw[:90, :80] = 0
    np.testing.assert_allclose(
        actions_of(rows["occlusion:corner.region.base.black", 0]), acted(replay, 0, {"base": raw}), atol=2e-6
    )
    assert ("occlusion:corner.region.wrist.black", 0) not in rows  # another camera's
    assert ("occlusion:target.region.wrist.black", 0) in rows
    issues = {(row["subject"], row["reason"]) for row in table_of(asked.lake, "issues", "occlusion")}
    assert ("frame 0, occlusion:ghost.region.base.black", "not_in_view") in issues


def test_maps_come_from_the_unmasked_run(asked: World) -> None:
    """Groups that only ask for actions keep no attention at all."""
    for group in ("occlusion", "knockout", "ablation", "augmentation"):
        assert not table_of(asked.lake, "attention_maps", group)
        assert table_of(asked.lake, "action_effects", group)
    for group in ("repeats", "randomised"):
        assert table_of(asked.lake, "map_shifts", group)


def test_effects_are_differences_to_the_baseline_under_the_same_noise(
    asked: World, rows: dict[tuple[str, int], dict[str, Any]]
) -> None:
    effects = {row["inference_id"]: row for row in table_of(asked.lake, "action_effects", "occlusion")}
    for name in ("occlusion:L1.high.base.black", "occlusion:L1.low_seed.wrist.mean"):
        row = rows[name, 4]
        difference = actions_of(row).astype(float) - actions_of(rows["baseline:baseline", 4])
        found = effects[row["inference_id"]]
        assert found["mse"] == pytest.approx(float((difference**2).mean()), rel=1e-9)
        assert found["params"] == row["params"]


def test_a_repeat_has_another_noise(
    asked: World, replay: Replay, rows: dict[tuple[str, int], dict[str, Any]]
) -> None:
    inputs = replay.inputs(EPISODE, 0, DUCK, 3)
    inputs["noise"] = torch.from_numpy(noise_of(42, 3, EPISODE, 0, (4, 4), repeat=1))[None]
    expected = replay.model.sample_actions(**inputs)[0].numpy()
    np.testing.assert_allclose(actions_of(rows["noise:1", 0]), expected, atol=2e-6)
    ids = {rows["noise:1", frame]["inference_id"] for frame in (0, 4)}
    shifts = [row for row in table_of(asked.lake, "map_shifts", "repeats") if row["inference_id"] in ids]
    prefix = [row["jsd"] for row in shifts if row["pass"] == "prefix"]
    suffix = [row["jsd"] for row in shifts if row["pass"] == "suffix"]
    assert max(prefix) == 0  # the prefix does not see the noise
    assert min(suffix) > 0


def test_cut_words_lose_sight_of_a_camera(
    replay: Replay, rows: dict[tuple[str, int], dict[str, Any]]
) -> None:
    """Eager attention of the tests' own, with minus infinity put into the mask of one layer."""
    model = replay.model
    module = model.prefix_layers[1].self_attn
    words = range(FIRST_WORD, FIRST_WORD + 4)
    image = [FIRST_KEY["base"] + patch for patch in range(256) if 3 <= patch // 16 <= 12]

    def cut(_module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        mask = kwargs["attention_mask"].clone()
        mask = mask.expand(-1, -1, FIRST_TEXT_KEY + 24, -1).clone()
        for row in words:
            mask[:, :, row, image] = False if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
        return args, {**kwargs, "attention_mask": mask}

    handle = module.register_forward_pre_hook(cut, with_kwargs=True)
    try:
        expected = model.sample_actions(**replay.inputs(EPISODE, 0, DUCK, 3))[0].numpy()
    finally:
        handle.remove()
    row = rows["knockout:words-to-base.L1", 0]
    np.testing.assert_allclose(actions_of(row), expected, atol=2e-6)
    assert np.abs(expected - actions_of(rows["baseline:baseline", 0])).max() > 1e-6
    assert json.loads(row["params"]) == {"n_keys": {"prefix": 160}}


def test_a_cut_to_an_object_and_its_control_cut_as_many_keys(
    rows: dict[tuple[str, int], dict[str, Any]],
) -> None:
    """The duck's box of raw (31, 0, 93, 47) touches input columns 22 to 64 and rows 49 to 81: 4 x 3 patches."""
    cut = json.loads(rows["knockout:words-to-target", 0]["params"])
    control = json.loads(rows["knockout:words-to-target.control.0", 0]["params"])
    assert cut == control
    assert cut["n_keys"]["prefix"] % 12 == 0
    actions = [
        actions_of(rows[name, 0])
        for name in ("knockout:words-to-target", "knockout:words-to-target.control.0")
    ]
    assert np.abs(actions[0] - actions[1]).max() > 0


def test_a_head_without_output(replay: Replay, rows: dict[tuple[str, int], dict[str, Any]]) -> None:
    """Zero is what the head's columns of the output projection being zero gives."""
    for layer, head in ((1, 0), (2, 1)):
        weights = []
        for blocks in (replay.model.prefix_layers, replay.model.expert_layers):
            weight = blocks[layer].self_attn.o_proj.weight
            weights.append((weight, weight.detach().clone()))
            with torch.no_grad():
                weight[:, head * 8 : head * 8 + 8] = 0
        expected = replay.model.sample_actions(**replay.inputs(EPISODE, 4, DUCK, 3))[0].numpy()
        with torch.no_grad():
            for weight, before in weights:
                weight.copy_(before)
        row = rows[f"ablation:L{layer}.H{head}.zero", 4]
        np.testing.assert_allclose(actions_of(row), expected, atol=2e-6)
        assert np.abs(expected - actions_of(rows["baseline:baseline", 4])).max() > 1e-6


def test_a_head_with_its_mean_output(replay: Replay, rows: dict[tuple[str, int], dict[str, Any]]) -> None:
    """The mean over both keyframes, their valid tokens and steps, put in by a hook of the tests' own."""
    model, layer, head = replay.model, 1, 0
    columns = slice(head * 8, head * 8 + 8)
    projections = {
        "prefix": model.prefix_layers[layer].self_attn.o_proj,
        "suffix": model.expert_layers[layer].self_attn.o_proj,
    }
    of_frames: dict[str, list[NDArray[np.float64]]] = {"prefix": [], "suffix": []}
    for frame in (0, 4):
        inputs = replay.inputs(EPISODE, frame, DUCK, 3)
        seen: dict[str, list[NDArray[np.float64]]] = {"prefix": [], "suffix": []}
        valid = np.concatenate([np.ones(512, dtype=bool), inputs["token_mask"][0].numpy()])
        handles = []
        for name, projection in projections.items():

            def keep(_module: Any, args: Any, name: str = name, valid: Any = valid, seen: Any = seen) -> None:
                outputs = args[0][0, :, columns].double().numpy()
                seen[name].append(outputs[valid] if name == "prefix" else outputs)

            handles.append(projection.register_forward_pre_hook(keep))
        model.sample_actions(**inputs)
        for handle in handles:
            handle.remove()
        for name, found in seen.items():
            of_frames[name].append(np.concatenate(found).mean(axis=0))
    handles = []
    for name, projection in projections.items():
        mean = torch.from_numpy(np.mean(of_frames[name], axis=0)).float()

        def put(_module: Any, args: Any, mean: torch.Tensor = mean) -> Any:
            changed = args[0].clone()
            changed[:, :, columns] = mean
            return (changed,)

        handles.append(projection.register_forward_pre_hook(put))
    expected = model.sample_actions(**replay.inputs(EPISODE, 4, DUCK, 3))[0].numpy()
    for handle in handles:
        handle.remove()
    np.testing.assert_allclose(actions_of(rows["ablation:L1.H0.mean", 4]), expected, atol=2e-6)


def test_a_shuffled_model_is_put_back(
    asked: World, rows: dict[tuple[str, int], dict[str, Any]], tmp_path: Path
) -> None:
    """What runs after the shuffle is what ran before it, bit for bit; the shuffle itself shows in the actions."""
    baseline = actions_of(rows["baseline:baseline", 0])
    one, every = (actions_of(rows[f"randomised:top-{n}", 0]) for n in (1, 3))
    assert np.abs(one - baseline).max() > 1e-6
    assert np.abs(every - one).max() > 1e-6
    alone = asked.run(tmp_path, {"conditions": {"augmentation": CONDITIONS["augmentation"]}})
    assert alone.is_complete
    again = {
        (row["condition_id"], row["frame_index"]): row["actions"] for row in table_of(tmp_path, "inferences")
    }
    for key, actions in again.items():
        assert rows[key]["actions"] == actions


def test_augmentation_is_strongest_where_attention_is_low(
    asked: World, rows: dict[tuple[str, int], dict[str, Any]]
) -> None:
    for kind in ("noise", "blur"):
        row = rows[f"augmentation:L0.{kind}", 0]
        weights = json.loads(row["params"])["mean_weight"]
        assert set(weights) == {"base", "wrist"}
        assert all(0 < weight <= 0.5 for weight in weights.values())
        assert np.abs(actions_of(row) - actions_of(rows["baseline:baseline", 0])).max() > 0


def test_a_policy_without_a_language_head_says_so(asked: World) -> None:
    (issue,) = table_of(asked.lake, "issues", "vqa")
    assert issue["reason"] == "no_language_head"
    assert "answers no questions" in issue["detail"]
    assert not table_of(asked.lake, "inferences", "vqa")


def test_settings_of_a_condition_are_kept(asked: World) -> None:
    params = {row["condition_id"]: json.loads(row["params"]) for row in table_of(asked.lake, "conditions")}
    assert params["occlusion:L1.control.1.base.mean"] == {
        "arm": "control", "layer": 1, "query": "instruction", "camera": "base", "fill": "mean", "share": 0.1,
        "control": 1,
    }  # fmt: skip
    assert params["knockout:words-to-base.L2"]["layer"] == 2
    assert params["ablation:L2.H1.mean"] == {
        "layer": 2, "head": 1, "mode": "mean", "passes": ["prefix", "suffix"],
    }  # fmt: skip
    assert params["randomised:top-3"] == {"n_layers": 3}
    assert params["baseline:baseline"] == {}
