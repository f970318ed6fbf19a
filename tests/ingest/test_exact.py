"""Every stored number equals the reduction of the full attention weights; hooked actions equal unhooked ones."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import torch

from ingest.attention.layout import Layout, PassLayout, Token
from ingest.attention.reduce import Item, Reducer
from ingest.attention.selection import select
from ingest.attention.taps import TapError, TapPoint, module_hooks
from ingest.attention.weights import FullWeights, RowsOnDemand, Weights
from ingest.demo.tokenizer import split_words
from ingest.episodes.droid import DroidSource
from ingest.identity import noise_of
from ingest.policies.base import Prepared
from ingest.policies.registry import load_policy
from ingest.policies.tiny import TinyAdapter
from ingest.study import CaptureSection, PolicySection
from tests.ingest import replay
from tests.ingest.replay import Replay
from tests.ingest.world import BOXES, CONFIG, CUBE, DUCK, FORGETFUL, World, table_of

# METHODS 9, float32.
MASS_TOLERANCE = 1e-5
MAP_TOLERANCE = 1e-5
SUM_TOLERANCE = 1e-4
# Actions under eager attention against those of the model's default (sdpa): another kernel, the same sums.
ACTION_TOLERANCE = 1e-5
QUERIES = ("instruction", "words", "action")

Row = dict[str, Any]


class Stored:
    """What a lake holds, indexed for comparison with a replay."""

    def __init__(self, lake: Path) -> None:
        self.masses = table_of(lake, "attention_masses")
        self.inferences = {row["inference_id"]: row for row in table_of(lake, "inferences")}
        self.maps = defaultdict(list)
        for row in table_of(lake, "attention_maps"):
            self.maps[key_of(row)].append(row)
        self.regions = defaultdict(dict)
        for row in table_of(lake, "regions"):
            self.regions[row["layout_id"], row["pass"]][row["region_index"]] = row["name"]
        self.objects = defaultdict(list)
        for row in table_of(lake, "objects"):
            self.objects[row["episode_id"], row["frame_index"]].append(row)

    def sample(self, count: int, seed: int) -> list[Row]:
        """Random rows, as many of either pass."""
        draw = random.Random(seed)
        by_pass = [[row for row in self.masses if row["pass"] == name] for name in ("prefix", "suffix")]
        return [row for rows in by_pass for row in draw.sample(rows, count // 2)]


def key_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("inference_id", "pass", "denoise_step", "layer"))


def compare(stored: Stored, again: Replay, rows: list[Row], noise_seeds: tuple[int, ...] = (0, 7)) -> None:
    """Asserts that stored rows, and the maps of their inference, step and layer, follow from the full weights."""
    for row in rows:
        inference = stored.inferences[row["inference_id"]]
        episode_id, frame_index, prompt = (
            inference[name] for name in ("episode_id", "frame_index", "prompt")
        )
        replayed = again.run(episode_id, frame_index, prompt, noise_seeds[inference["noise_index"]])
        weights = replayed.weights[row["pass"], row["layer"], row["denoise_step"]]
        n_words = len(split_words(prompt))

        rows_of_query = replay.query_rows(row["pass"], row["query_index"], n_words)
        expected = replay.mean_row(weights[row["head"]], rows_of_query)
        compare_masses(row, expected, stored.regions[inference["layout_id"], row["pass"]], n_words)
        boxes = BOXES[int(episode_id[-1])]
        for found, value in zip(stored.objects[episode_id, frame_index], row["object_masses"], strict=True):
            coverage = replay.box_coverage(boxes[found["category"]])
            assert value == near(replay.object_mass(expected, found["camera"], coverage)), found["category"]

        maps = stored.maps[key_of(row)]
        assert maps
        for one in maps:
            rows_of_map = replay.query_rows(row["pass"], one["query_index"], n_words)
            raw = replay.raw_map(weights, rows_of_map, one["camera"], one["head"], one["rows"])
            assert one["mass"] == pytest.approx(sum(raw), rel=1e-5, abs=MASS_TOLERANCE)
            assert sum(one["map"]) == pytest.approx(1, abs=1e-6)
            assert replay.total_variation(one["map"], raw) <= MAP_TOLERANCE, (one["head"], one["rows"])


def compare_masses(row: Row, expected: list[float], regions: dict[int, str], n_words: int) -> None:
    masses = {regions[index]: mass for index, mass in enumerate(row["masses"])}
    wanted = replay.region_masses(expected, n_words)
    assert masses == {name: near(mass) for name, mass in wanted.items()}
    assert row["top_key"] == max(range(len(expected)), key=expected.__getitem__)
    assert row["top_share"] == near(max(expected))
    assert row["sink_share"] == near(expected[replay.FIRST_TEXT_KEY])


def near(value: float) -> Any:
    return pytest.approx(value, abs=MASS_TOLERANCE)


@pytest.fixture(scope="module")
def again(world: World) -> Replay:
    return Replay(world.root, world.checkpoint)


@pytest.fixture(scope="module")
def stored(world: World) -> Stored:
    return Stored(world.lake)


@pytest.fixture(scope="module", params=["default", "eager"])
def adapter(world: World, request: pytest.FixtureRequest) -> TinyAdapter:
    section = PolicySection(checkpoint=str(world.checkpoint), attention=request.param)
    policy = load_policy(section, "cpu")
    assert isinstance(policy, TinyAdapter)
    return policy


@pytest.fixture(scope="module")
def batch(world: World, adapter: TinyAdapter) -> list[Prepared]:
    """Two frames under prompts of different lengths, in one batch."""
    source = DroidSource(world.root, replay.CAMERAS)
    episode = source.open(source.discover()[0])
    return [
        adapter.prepare(adapter.see(episode.observation(frame)), prompt, QUERIES)
        for frame, prompt in ((0, DUCK), (4, CUBE), (0, "cat"))
    ]


@pytest.fixture(scope="module")
def noise() -> np.ndarray:  # type: ignore[type-arg]
    return np.stack([noise_of(42, 0, "some episode", frame, (4, 4)) for frame in (0, 4, 0)])


def test_twenty_random_rows_equal_the_full_weights(stored: Stored, again: Replay) -> None:
    rows = stored.sample(20, seed=20)
    assert {row["head"] for row in rows} == {0, 1}
    assert {row["layer"] for row in rows} == {0, 1, 2}
    assert {row["denoise_step"] for row in rows} == {-1, 0, 2}
    compare(stored, again, rows)


def test_a_frame_with_fewer_objects_than_its_batch(stored: Stored, again: Replay) -> None:
    assert [row["category"] for row in stored.objects[FORGETFUL, 4]] == ["duck", "duck", "cube"]
    assert len(stored.objects[FORGETFUL, 0]) == 4
    of_frame = {
        inference["inference_id"]
        for inference in stored.inferences.values()
        if (inference["episode_id"], inference["frame_index"]) == (FORGETFUL, 4)
    }
    rows = [row for row in stored.masses if row["inference_id"] in of_frame]
    assert {len(row["object_masses"]) for row in rows} == {3}
    compare(stored, again, random.Random(8).sample(rows, 3))


def test_the_attention_compared_is_not_degenerate(stored: Stored) -> None:
    """Uniform or one-hot weights would hide a mixed-up layer, head or camera."""
    tops = [row["top_share"] for row in stored.masses]
    assert 0.02 < np.median(tops) < 0.9
    by_head = defaultdict(list)
    for row in stored.masses:
        by_head[row["pass"], row["layer"], row["head"]].append(row["masses"][1] + row["masses"][3])
    means = sorted(float(np.mean(values)) for values in by_head.values())
    assert min(b - a for a, b in itertools.pairwise(means)) > 10 * MASS_TOLERANCE


def test_regions_stand_in_the_order_of_their_first_key(stored: Stored) -> None:
    names = ["letterbox:base", "image:base", "letterbox:wrist", "image:wrist"]
    names += ["bos", "template", "instruction", "state", "pad"]
    for (_, pass_name), regions in stored.regions.items():
        wanted = names if pass_name == "prefix" else [*names, "action"]
        assert [regions[index] for index in range(len(regions))] == wanted


def test_queries_are_the_words_and_the_actions(world: World, stored: Stored) -> None:
    queries = defaultdict(dict)
    for row in table_of(world.lake, "queries"):
        queries[row["layout_id"], row["pass"]][row["query_index"]] = (row["name"], row["kind"], row["n_rows"])
    for inference in stored.inferences.values():
        words = split_words(inference["prompt"])
        prefix = [("instruction", "group", len(words)), *((f"word:{word}", "token", 1) for word in words)]
        suffix = [("action", "group", 4), *((f"action:{index}", "token", 1) for index in range(4))]
        assert list(queries[inference["layout_id"], "prefix"].values()) == prefix
        assert list(queries[inference["layout_id"], "suffix"].values()) == suffix


def test_masses_of_every_row_sum_to_one(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        off = connection.execute(
            "select max(abs(list_sum(masses::double[]) - 1)), count(*) from raw.attention_masses"
        ).fetchall()
    assert off[0][0] < SUM_TOLERANCE
    assert off[0][1] > 0


def test_masked_keys_get_exactly_nothing(stored: Stored) -> None:
    for row in stored.masses:
        inference = stored.inferences[row["inference_id"]]
        regions = stored.regions[inference["layout_id"], row["pass"]]
        (pad,) = [index for index, name in regions.items() if name == "pad"]
        assert row["masses"][pad] == 0.0


def test_padded_queries_are_not_used(batch: list[Prepared]) -> None:
    for prepared in batch:
        prefix, suffix = prepared.layout.of("prefix"), prepared.layout.of("suffix")
        used = {row for query in prefix.queries for row in query.rows}
        assert {prefix.tokens[row].role for row in used} == {"instruction"}
        assert {row for query in suffix.queries for row in query.rows} == set(range(CONFIG.horizon))


def test_rows_that_no_query_names_change_nothing(adapter: TinyAdapter, batch: list[Prepared]) -> None:
    """Padding, patches, template and state rows can hold anything."""
    selection = select(CaptureSection(passes=["prefix"]), 1, 2, {"prefix": 0})
    items = [Item(prepared.layout, {}) for prepared in batch]
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(3, 2, 536, 536, generator=generator)
    weights /= weights.sum(-1, keepdim=True)
    spoilt = torch.full_like(weights, 0.5)
    for index, prepared in enumerate(batch):
        for query in prepared.layout.of("prefix").queries:
            spoilt[index, :, list(query.rows)] = weights[index, :, list(query.rows)]
    captures = []
    for given in (weights, spoilt):
        reducer = Reducer(items, selection, "cpu")
        reducer("prefix", 0, -1, FullWeights(given))
        captures.append([reducer.captures(index)[0] for index in range(3)])
    for clean, dirty in zip(*captures, strict=True):
        assert np.array_equal(clean.masses, dirty.masses)
        assert np.array_equal(clean.top_key, dirty.top_key)
        assert np.array_equal(clean.head_maps, dirty.head_maps)
        for left, right in zip(clean.maps, dirty.maps, strict=True):
            assert np.array_equal(left.values, right.values)


def test_hooked_actions_are_the_unhooked_ones(
    adapter: TinyAdapter,
    batch: list[Prepared],
    noise: np.ndarray,  # type: ignore[type-arg]
) -> None:
    seen: list[tuple[Any, ...]] = []
    with adapter.tapped(lambda *args: seen.append(args[:3])):
        hooked = adapter.infer(batch, noise)
    default = adapter.infer(batch, noise)
    adapter.model.set_attention("eager")
    eager = adapter.infer(batch, noise)
    adapter.model.set_attention("sdpa")
    assert np.array_equal(hooked, default if adapter.attention_impl == "sdpa" else eager)
    assert 0 < np.abs(eager - default).max() <= ACTION_TOLERANCE
    assert sorted(seen) == sorted(
        [("prefix", layer, -1) for layer in range(3)]
        + [("suffix", layer, step) for layer in range(3) for step in range(3)]
    )


def test_both_taps_see_the_same_attention(world: World, batch: list[Prepared], noise: np.ndarray) -> None:  # type: ignore[type-arg]
    """The rows computed beside SDPA against the rows of the weights that an eager run forms."""
    seen: dict[str, dict[tuple[str, int, int], torch.Tensor]] = {"default": {}, "eager": {}}
    index, heads = torch.tensor([[0, 513, 515]] * 3), torch.tensor([1, 0])

    def keep(attention: str) -> Callable[[str, int, int, Weights], None]:
        def sink(name: str, layer: int, step: int, weights: Weights) -> None:
            assert weights.shape == (3, 2, 536 if name == "prefix" else 4, 536 if name == "prefix" else 540)
            rows = index if name == "prefix" else index % 4
            seen[attention][name, layer, step] = weights.rows(rows, heads)

        return sink

    for attention in seen:
        policy = load_policy(PolicySection(checkpoint=str(world.checkpoint), attention=attention), "cpu")
        with policy.tapped(keep(attention)):
            policy.infer(batch, noise)
    assert seen["default"].keys() == seen["eager"].keys()
    assert len(seen["default"]) == 12
    for key, rows in seen["default"].items():
        torch.testing.assert_close(rows, seen["eager"][key], atol=1e-5, rtol=0)


def test_stored_actions_are_the_unhooked_ones(stored: Stored, again: Replay) -> None:
    """The baseline of an episode is one batch here, so its actions can be had again bit for bit."""
    inferences = [row for row in stored.inferences.values() if row["condition_id"] == "baseline:baseline"]
    by_episode = defaultdict(list)
    for row in inferences:
        by_episode[row["episode_id"]].append(row)
    assert len(by_episode) == 4
    again.model.set_attention("sdpa")
    for episode_id, rows in by_episode.items():
        inputs = [
            again.inputs(episode_id, row["frame_index"], row["prompt"], (0, 7)[row["noise_index"]])
            for row in rows
        ]
        batched = {name: torch.cat([one[name] for one in inputs]) for name in inputs[0]}
        actions = again.model.sample_actions(**batched).numpy()
        assert np.array_equal(np.asarray([row["actions"] for row in rows], dtype=np.float32), actions)


def test_a_prompt_moves_the_actions(stored: Stored) -> None:
    """Otherwise equal actions would prove little."""
    rows = [row for row in stored.inferences.values() if row["status"] == "ok" and row["noise_index"] == 0]
    first = [row for row in rows if row["episode_id"] == rows[0]["episode_id"] and row["frame_index"] == 0]
    chunks = [np.asarray(row["actions"]) for row in first]
    assert len(chunks) == 3
    assert all(np.abs(a - b).max() > 1e-3 for a, b in itertools.pairwise(chunks))


def hooks_of(adapter: TinyAdapter) -> int:
    return sum(len(module._forward_hooks) for module in adapter.model.modules())


@pytest.mark.parametrize("where", ["sink", "model"])
def test_nothing_stays_installed_after_an_error(
    adapter: TinyAdapter,
    batch: list[Prepared],
    noise: np.ndarray,  # type: ignore[type-arg]
    where: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = adapter.infer(batch, noise)

    def fail(*_: Any) -> Any:
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patch:
        if where == "model":
            patch.setattr(adapter.model.expert_layers[1].mlp, "forward", fail)
        with (
            pytest.raises(RuntimeError, match="on purpose"),
            adapter.tapped(fail if where == "sink" else lambda *_: None),
        ):
            adapter.infer(batch, noise)
    assert hooks_of(adapter) == 0
    assert adapter.model._prefix_attention._attn_implementation == "sdpa"
    assert adapter.model._expert_attention._attn_implementation == "sdpa"
    assert np.array_equal(adapter.infer(batch, noise), before)


def test_attention_without_weights_is_an_error(
    adapter: TinyAdapter,
    batch: list[Prepared],
    noise: np.ndarray,  # type: ignore[type-arg]
) -> None:
    point = TapPoint("prefix", 1, adapter.model.prefix_layers[1].self_attn, False)
    with pytest.raises(TapError, match="prefix layer 1"), module_hooks([point], lambda *_: None):
        adapter.infer(batch, noise)
    assert hooks_of(adapter) == 0


# --- a capture of less and of more than the default -------------------------------------------------------------


def test_chosen_layers_heads_and_the_full_profile(world: World, again: Replay, tmp_path: Path) -> None:
    """All steps, and maps of every head, word and action."""
    capture = {"profile": "full", "layers": [2, 0], "heads": [1]}
    overrides = {"episodes.limit": 1, "conditions": {}, "noise": {"seeds": [7]}, "capture": capture}
    assert world.run(tmp_path, overrides).is_complete
    stored = Stored(tmp_path)
    assert {(row["layer"], row["head"]) for row in stored.masses} == {(0, 1), (2, 1)}
    assert {row["denoise_step"] for row in stored.masses} == {-1, 0, 1, 2}
    some = stored.sample(4, seed=1)
    # "Over heads" means over the heads that are kept.
    kept = _OnlyHead(again, 1)
    compare(stored, kept, some, noise_seeds=(7,))  # type: ignore[arg-type]
    kinds = {(row["head"], row["rows"], row["query_index"]) for row in stored.maps[key_of(some[0])]}
    n_queries = 1 + len(split_words(stored.inferences[some[0]["inference_id"]]["prompt"]))
    groups = {(-1, "mean", 0), (-1, "max", 0), (-2, "mean", 0)}
    if some[0]["pass"] == "prefix":
        groups.add((-2, "max", 0))  # the seed's map of causal fidelity
    every = {(head, "mean", query) for head in (-1, 1) for query in range(n_queries)}
    assert kinds == groups | every


def test_the_full_profile_keeps_the_steps_that_are_named(world: World, tmp_path: Path) -> None:
    capture = {"profile": "full", "layers": [0], "heads": [1], "denoise_steps": ["first", 2]}
    assert world.run(
        tmp_path, {"episodes.limit": 1, "conditions": {}, "noise": {"seeds": [7]}, "capture": capture}
    ).is_complete
    assert {row["denoise_step"] for row in Stored(tmp_path).masses} == {-1, 0, 2}


class _OnlyHead:
    """A replay that shows one head in the place of all, as maps over kept heads do."""

    def __init__(self, again: Replay, head: int) -> None:
        self._again, self._head = again, head

    def run(self, *args: Any) -> replay.Replayed:
        found = self._again.run(*args)
        alone = {
            key: np.repeat(values[self._head : self._head + 1], len(values), axis=0)
            for key, values in found.weights.items()
        }
        return replay.Replayed(alone, found.actions)


def test_head_focus_equals_the_heads_own_map(world: World, stored: Stored, again: Replay) -> None:
    """Entropy and top share of single heads' maps, which the default profile does not keep."""
    draw = random.Random(4)
    for row in draw.sample(table_of(world.lake, "head_focus"), 6):
        inference = stored.inferences[row["inference_id"]]
        assert inference["condition_id"] == "baseline:baseline"
        weights = again.run(
            inference["episode_id"],
            inference["frame_index"],
            inference["prompt"],
            (0, 7)[inference["noise_index"]],
        ).weights[row["pass"], row["layer"], row["denoise_step"]]
        rows = replay.query_rows(row["pass"], row["query_index"], len(split_words(inference["prompt"])))
        raw = replay.raw_map(weights, rows, row["camera"], row["head"], "mean")
        unit = [value / sum(raw) for value in raw]
        entropy = -sum(value * math.log(value) for value in unit if value > 0)
        assert row["entropy"] == pytest.approx(entropy, rel=1e-4)
        assert row["participation"] == pytest.approx(1 / sum(value**2 for value in unit), rel=1e-4)


# --- the comparison would notice --------------------------------------------------------------------------------


def _shift_layout(patch: pytest.MonkeyPatch) -> None:
    """Every key is taken for its neighbour."""
    original = TinyAdapter._layout.__wrapped__

    def shifted(self: TinyAdapter, *args: Any) -> Layout:
        layout = original(self, *args)
        passes = [PassLayout(p.name, (*p.tokens[1:], p.tokens[0]), p.queries) for p in layout.passes]
        return Layout(layout.model_family, layout.cameras, tuple(passes))

    patch.setattr(TinyAdapter, "_layout", shifted)


def _swap_cameras(patch: pytest.MonkeyPatch) -> None:
    """The wrist's patches are reported as the exterior camera's."""
    original = TinyAdapter._layout.__wrapped__
    other = {"base": "wrist", "wrist": "base", None: None}

    def swapped(self: TinyAdapter, *args: Any) -> Layout:
        layout = original(self, *args)
        passes = [
            PassLayout(
                p.name, tuple(Token(**{**vars(t), "camera": other[t.camera]}) for t in p.tokens), p.queries
            )
            for p in layout.passes
        ]
        return Layout(layout.model_family, layout.cameras, tuple(passes))

    patch.setattr(TinyAdapter, "_layout", swapped)


def _rename_layers(patch: pytest.MonkeyPatch) -> None:
    """Layer k is reported as k + 1, the last one as the first."""

    def renamed(pass_name: str, layer: int, module: Any, has_steps: bool) -> TapPoint:
        return TapPoint(pass_name, (layer + 1) % CONFIG.n_layers, module, has_steps)

    patch.setattr("ingest.policies.tiny.TapPoint", renamed)


def _swap_heads(patch: pytest.MonkeyPatch) -> None:
    original = RowsOnDemand.rows
    patch.setattr(RowsOnDemand, "rows", lambda self, index, heads: original(self, index, heads.flip(0)))


def _shift_words(patch: pytest.MonkeyPatch) -> None:
    """Each word's numbers are those of the token before it."""
    from ingest.policies import pi_layout

    original = pi_layout.instruction_queries
    patch.setattr(
        pi_layout,
        "instruction_queries",
        lambda tokens, first_row, wanted: original(tokens, first_row - 1, wanted),
    )


def _mix_up_steps(patch: pytest.MonkeyPatch) -> None:
    original = Reducer.__call__

    def mixed(self: Reducer, name: str, layer: int, step: int, weights: torch.Tensor) -> None:
        original(self, name, layer, step if step < 0 else CONFIG.n_steps - 1 - step, weights)

    patch.setattr(Reducer, "__call__", mixed)


@pytest.fixture
def mutated(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    TinyAdapter._layout.cache_clear()
    with monkeypatch.context() as patch:
        yield patch
    TinyAdapter._layout.cache_clear()


@pytest.mark.parametrize(
    "mutate", [_shift_layout, _swap_cameras, _rename_layers, _swap_heads, _shift_words, _mix_up_steps]
)
def test_the_comparison_notices(
    mutate: Callable[[pytest.MonkeyPatch], None],
    mutated: pytest.MonkeyPatch,
    world: World,
    again: Replay,
    tmp_path: Path,
) -> None:
    mutate(mutated)
    overrides = {"episodes.limit": 1, "episodes.keyframes": {"every": 8}, "conditions": {}}
    assert world.run(tmp_path, overrides).is_complete
    stored = Stored(tmp_path)
    with pytest.raises(AssertionError):
        compare(stored, again, stored.sample(4, seed=3))
