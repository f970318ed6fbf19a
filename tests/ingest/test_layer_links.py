"""Links of maps: worked out again from the stored maps, and the rollout from the full weights of a replay."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.attention.rollout import Rollout
from ingest.attention.selection import select
from ingest.attention.weights import FullWeights, RowsOnDemand
from ingest.demo.tokenizer import split_words
from ingest.errors import UserError
from ingest.link_rows import add_layer_links
from ingest.measure import MapSet
from ingest.rows import Tables
from ingest.study import CaptureSection
from tests.ingest import replay
from tests.ingest.replay import Replay
from tests.ingest.world import World, cli, make_world, table_of, unit_bytes

Row = dict[str, Any]
PLACE = ("pass", "denoise_step", "layer", "query_index", "camera")


class Stored:
    """A lake's links and head-mean maps of the 'mean' rows, by inference and place."""

    def __init__(self, lake: Path) -> None:
        self.inferences = {row["inference_id"]: row for row in table_of(lake, "inferences")}
        self.links = table_of(lake, "layer_links")
        self.maps: dict[int, dict[tuple[Any, ...], Row]] = defaultdict(dict)
        for row in table_of(lake, "attention_maps"):
            if row["head"] == -1 and row["rows"] == "mean":
                self.maps[row["inference_id"]][tuple(row[name] for name in PLACE)] = row


@pytest.fixture(scope="module")
def stored(world: World) -> Stored:
    return Stored(world.lake)


def test_the_baseline_alone_has_links_one_a_map(stored: Stored) -> None:
    expected = {
        (inference_id, *place)
        for inference_id, row in stored.inferences.items()
        if row["condition_id"] == "baseline:baseline"
        for place in stored.maps[inference_id]
    }
    assert {(row["inference_id"], *(row[name] for name in PLACE)) for row in stored.links} == expected
    assert all(row["rollout_mass"] is None for row in stored.links)


def test_flow_and_steps_follow_from_the_stored_maps(stored: Stored) -> None:
    keyframe_before = {4: 0, 0: None}
    n_last, n_first = 0, 0
    for link in stored.links:
        maps = stored.maps[link["inference_id"]]
        place = tuple(link[name] for name in PLACE)
        own = np.array(maps[place]["map"])
        deeper = maps.get((*place[:2], link["layer"] + 1, *place[3:]))
        if deeper is None:
            n_last += 1
            assert link["flow"] is None
        else:
            assert link["flow"] == pytest.approx(np.corrcoef(own, deeper["map"])[0, 1], abs=1e-5)
        here = stored.inferences[link["inference_id"]]
        wanted = (here["episode_id"], keyframe_before[here["frame_index"]], here["noise_index"])
        previous = [
            inference_id
            for inference_id, row in stored.inferences.items()
            if (row["episode_id"], row["frame_index"], row["noise_index"]) == wanted
            and row["condition_id"] == "baseline:baseline"
        ]
        if not previous:
            n_first += 1
            assert link["stability_l2"] is link["stability_tv"] is link["stability_l2_raw"] is None
            continue
        other = stored.maps[previous[0]][place]
        there = np.array(other["map"])
        raw = own * maps[place]["mass"] - there * other["mass"]
        assert link["stability_l2"] == pytest.approx(np.sqrt(((own - there) ** 2).sum()), rel=1e-4)
        assert link["stability_tv"] == pytest.approx(np.abs(own - there).sum() / 2, rel=1e-4)
        assert link["stability_l2_raw"] == pytest.approx(np.sqrt((raw**2).sum()), rel=1e-4)
    # Three layers, two keyframes: a third has no next layer, half no keyframe before it.
    assert (n_last, n_first) == (len(stored.links) / 3, len(stored.links) / 2)


def test_no_step_over_a_keyframe_that_could_not_be_read() -> None:
    def maps(inference_id: int) -> MapSet:
        keys = {"pass": "prefix", "denoise_step": -1, "layer": 0, "query_index": 0, "rows": "mean"}
        columns = {name: np.array([value]) for name, value in keys.items()}
        values = np.full((1, 4), 0.25, dtype=np.float32)
        return MapSet(inference_id, "base", columns, values, np.ones(1, dtype=np.float32))

    inferences = [
        {"inference_id": i, "frame_index": frame, "noise_index": 0} for i, frame in enumerate([0, 8, 24, 32])
    ]
    tables = Tables("run")
    add_layer_links(tables, inferences, [maps(i) for i in range(4)], [], [0, 8, 16, 24, 32])
    assert tables["layer_links"].finish()["stability_l2"].to_pylist() == [None, 0.0, None, 0.0]


# --- rollout --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(
        tmp_path_factory.mktemp("rolled"), {"capture": {"rollout": True}, "conditions": {}}, count=2
    )
    assert world.run().is_complete
    return world


def test_the_rollout_is_the_product_over_the_layers(rolled: World) -> None:
    again = Replay(rolled.root, rolled.checkpoint)
    inferences = {row["inference_id"]: row for row in table_of(rolled.lake, "inferences")}
    links = {(r["inference_id"], *(r[n] for n in PLACE)): r for r in table_of(rolled.lake, "layer_links")}
    maps = [row for row in table_of(rolled.lake, "attention_maps") if row["head"] == -3]
    # The suffix looks at keys whose rows are not its own: no rollout there.
    assert {row["pass"] for row in maps} == {"prefix"}
    assert {row["layer"] for row in maps} == {0, 1, 2}
    for one in random.Random(3).sample(maps, 12):
        inference = inferences[one["inference_id"]]
        replayed = again.run(inference["episode_id"], inference["frame_index"], inference["prompt"], 0)
        product = None
        for layer in range(one["layer"] + 1):
            weights = np.asarray(replayed.weights["prefix", layer, -1], dtype=np.float64)
            mixed = weights.mean(axis=0) / 2 + np.eye(weights.shape[-1]) / 2
            product = mixed if product is None else mixed @ product
        assert product is not None
        assert product.sum(axis=1) == pytest.approx(1, abs=1e-5)
        rows = replay.query_rows("prefix", one["query_index"], len(split_words(inference["prompt"])))
        raw = np.array(replay.raw_map(product[None], rows, one["camera"], -1, "mean"))
        assert one["mass"] == pytest.approx(raw.sum(), rel=1e-5)
        assert np.array(one["map"]) == pytest.approx(raw / raw.sum(), abs=1e-6)
        link = links[one["inference_id"], *(one[name] for name in PLACE)]
        assert link["rollout_mass"] == one["mass"]
        own = next(
            row
            for row in table_of(rolled.lake, "attention_maps")
            if (row["head"], row["rows"], row["inference_id"]) == (-1, "mean", one["inference_id"])
            and all(row[name] == one[name] for name in PLACE)
        )
        assert link["rollout_correlation"] == pytest.approx(np.corrcoef(own["map"], raw)[0, 1], abs=1e-5)


def test_measure_leaves_the_rollout_as_it_is(rolled: World) -> None:
    before = unit_bytes(rolled.lake)
    ended = cli("measure", "--study", rolled.study_file, "--lake", rolled.lake)
    assert (ended.code, ended.err) == (0, "")
    assert unit_bytes(rolled.lake) == before


def test_a_rollout_over_some_layers_is_refused() -> None:
    with pytest.raises(UserError, match=r"capture\.rollout: it is a product over all layers"):
        select(CaptureSection(rollout=True, layers=[1]), 3, 2, {"prefix": 0, "suffix": 3})


def test_the_rollout_needs_no_weights_that_the_model_formed() -> None:
    """From queries and keys alone it is the same, grouped keys and a mask included."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    query, key = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 5, 8)
    mask = torch.ones(5, 5, dtype=torch.bool)
    mask[:, 4] = False
    scores = query @ key.repeat_interleave(2, dim=1).transpose(2, 3) / 8**0.5
    full = scores.masked_fill(~mask, -torch.inf).softmax(-1)
    on_demand = RowsOnDemand(query, key, 8**-0.5, mask[None, None])
    eager, asked = Rollout("cpu"), Rollout("cpu")
    for layer in range(3):
        assert torch.allclose(eager.add(layer, FullWeights(full)), asked.add(layer, on_demand), atol=1e-6)
