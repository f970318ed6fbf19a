"""New masks or a new metric do not run the model again, and what `measure` writes is what `run` would have written.

The metrics are worked out again here in plain loops, from stored maps and the boxes that the masks were drawn from.
"""

from __future__ import annotations

import math
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from ingest.lake import RunFolder
from ingest.study import PACKAGE_ROOT
from tests.episodes.builders import Box, write_droid_episode
from tests.ingest.replay import box_coverage, box_mask, picture_share
from tests.ingest.world import (
    CUBE,
    DUCK,
    World,
    cli,
    files_below,
    only_run,
    restored,
    table_of,
    unit_bytes,
    unit_path,
    write_checkpoint,
    write_study,
)

Row = dict[str, Any]
LONG, SHORT = "success/2025-12-10/long", "failure/2025-12-10/short"
BOXES: dict[str, dict[str, Box]] = {
    LONG: {"duck": (31, 0, 93, 47), "cube": (200, 90, 251, 140)},
    SHORT: {"duck": (150, 60, 190, 122), "cube": (12, 101, 60, 180)},
}
ROLES = {LONG: {"duck": "target", "cube": "distractor"}, SHORT: {"duck": "distractor", "cube": "target"}}
# The cube of the short episode moves between its two keyframes.
MOVED: Box = (210, 20, 290, 71)
# Which keyframe of the other episode lies at the same share of it: 16 frames against 8, keyframes every 4.
OTHER_FRAME = {(LONG, 0): 0, (LONG, 4): 0, (LONG, 8): 4, (LONG, 12): 4, (SHORT, 0): 0, (SHORT, 4): 8}
OURS = (
    "mass_share",
    "area_share",
    "lift",
    "log_lift",
    "precision",
    "recall",
    "dice",
    "iou_p75",
    "iou_p90",
    "ap",
    "pointing_hit",
)
SEEDS = (
    "overlap_ratio_seed",
    "attention_concentration_seed",
    "iou_seed",
    "mean_attn_inside_seed",
    "mean_attn_outside_seed",
)


def box_of(episode_id: str, frame_index: int, category: str) -> Box:
    return MOVED if (episode_id, frame_index, category) == (SHORT, 4, "cube") else BOXES[episode_id][category]


def redraw(root: Path, episode_id: str, frame_index: int, category: str, box: Box) -> list[Path]:
    """Puts an object's masks, in both cameras, elsewhere."""
    value = 1 + list(BOXES[episode_id]).index(category)
    paths = sorted((root / episode_id / "masks").glob(f"{frame_index:05d}_*_{value}.npy"))
    assert len(paths) == 2
    x0, y0, x1, y1 = box
    for path in paths:
        mask = np.zeros((180, 320), dtype=np.bool_)
        mask[y0:y1, x0:x1] = True
        np.save(path, mask)
    return paths


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two episodes of unlike length, so that each is the other's null."""
    conditions = {"prompts": {"duck": DUCK, "cube": CUBE}}
    world = write_study(tmp_path_factory.mktemp("two"), {"conditions": conditions})
    write_checkpoint(world.checkpoint)
    for index, (episode_id, n_frames, instruction) in enumerate([(LONG, 16, DUCK), (SHORT, 8, CUBE)]):
        outcome, _, name = episode_id.partition("/")
        write_droid_episode(
            world.root,
            outcome,
            name,
            n_frames,
            instruction,
            objects=BOXES[episode_id],
            pose="cartesian_position",
            seed=index,
        )
    redraw(world.root, SHORT, 4, "cube", MOVED)
    assert world.run().is_complete
    return world


@pytest.fixture
def lake(two: World, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(two.lake, tmp_path / "lake")
    return tmp_path / "lake"


def measure(world: World, lake: Path) -> tuple[int, str, str]:
    return tuple(cli("measure", "--study", world.study_file, "--lake", lake))  # type: ignore[return-value]


def changed_tables(before: Path, after: Path) -> set[tuple[str, str]]:
    """(condition group of the unit, table) of every file whose bytes differ."""
    here, there = unit_bytes(before), unit_bytes(after)
    folder = only_run(after)
    found = set()
    for path in set(here) | set(there):
        if here.get(path) != there.get(path):
            unit, name = path.split("/")[1:]
            manifest = folder.manifest(unit.removeprefix("unit=")) or {}
            found.add((manifest["episode_id"], manifest["condition_group"], name))
    return {(f"{episode_id.rpartition('/')[2]} {group}", name) for episode_id, group, name in found}


# --- nothing new ----------------------------------------------------------------------------------------------------


def test_measure_without_changes_changes_nothing(two: World, lake: Path) -> None:
    before = files_below(lake)
    times = {path: path.stat().st_mtime_ns for path in lake.rglob("unit=*/*")}
    code, out, err = measure(two, lake)
    assert (code, err) == (0, "")
    assert "measured 4 units, 0 changed" in out
    assert files_below(lake) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_measure_needs_neither_checkpoint_nor_torch(two: World, lake: Path) -> None:
    hidden = two.checkpoint.with_name("hidden")
    two.checkpoint.rename(hidden)
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        f"sys.argv = ['ingest', 'measure', '--study', {str(two.study_file)!r}, '--lake', {str(lake)!r}]\n"
        "from ingest.cli import main; main()"
    )
    try:
        ended = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE_ROOT, capture_output=True, text=True)
    finally:
        hidden.rename(two.checkpoint)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "measured 4 units, 0 changed" in ended.stdout


def test_lost_metrics_come_back_with_the_same_bytes(two: World, lake: Path) -> None:
    """As after a new metric: the tables of the metrics are made again, all others are written as they were."""
    folder = only_run(lake)
    with folder.writer():
        for unit in folder.units():
            manifest = folder.manifest(unit) or {}
            kept = {}
            for name in manifest["tables"]:
                content = folder.read(unit, name)
                assert content is not None
                if name == "map_shifts":
                    column = content.schema.get_field_index("jsd")
                    halved = np.asarray(content["jsd"].to_numpy(), dtype=np.float32) / 2
                    content = content.set_column(column, content.schema.field(column), [halved])
                if name not in ("object_metrics", "action_effects"):
                    kept[name] = content
            facts = {k: v for k, v in manifest.items() if k not in ("tables", "unit", "run_id")}
            folder.write(unit, kept, facts)
    assert changed_tables(two.lake, lake) >= {
        ("long baseline", "object_metrics.parquet"),
        ("long prompts", "map_shifts.parquet"),
        ("long prompts", "action_effects.parquet"),
    }
    code, out, err = measure(two, lake)
    assert (code, err) == (0, "")
    assert "measured 4 units, 4 changed" in out
    assert unit_bytes(lake) == unit_bytes(two.lake)


# --- new masks ------------------------------------------------------------------------------------------------------


@pytest.fixture
def moved_duck(two: World) -> Iterator[World]:
    """The duck of the long episode is elsewhere in frame 8, while the test lasts."""
    masks = sorted((two.root / LONG / "masks").glob("00008_*_1.npy"))
    with restored(*masks):
        assert redraw(two.root, LONG, 8, "duck", (150, 100, 220, 160)) == masks
        yield two


def test_a_new_mask_changes_what_follows_from_it_and_nothing_else(
    moved_duck: World, lake: Path, tmp_path: Path
) -> None:
    code, out, err = measure(moved_duck, lake)
    assert code == 0
    assert "measured 4 units, 4 changed" not in out
    assert err == (
        f"{LONG}: stale_object_masses: masks changed: per-head object masses need the model "
        "(`python -m ingest run --fresh`); they are null now\n"
    )
    assert changed_tables(moved_duck.lake, lake) == {
        ("long baseline", "objects.parquet"),
        ("long baseline", "object_metrics.parquet"),
        ("long baseline", "attention_masses.parquet"),
        ("long baseline", "unit.json"),
        ("long prompts", "object_metrics.parquet"),
        ("long prompts", "attention_masses.parquet"),
        ("long prompts", "unit.json"),
        ("short baseline", "object_metrics.parquet"),  # whose null the long episode is
        ("short baseline", "unit.json"),
    }
    assert cli("status", "--verify", "--lake", lake).code == 0

    # What the model would have given, in another lake, is the same, but for the masses that need it.
    clean = tmp_path / "clean"
    moved_duck.run(clean)
    for table in ("object_metrics", "objects", "frames", "map_shifts", "action_effects", "attention_maps"):
        assert table_of(lake, table) == table_of(clean, table)
    masses = table_of(lake, "attention_masses")
    by_episode = defaultdict(set)
    of_inference = {row["inference_id"]: row["episode_id"] for row in table_of(lake, "inferences")}
    for row, there in zip(masses, table_of(clean, "attention_masses"), strict=True):
        by_episode[of_inference[row["inference_id"]]].add(row["object_masses"] is None)
        assert {**row, "object_masses": None} == {**there, "object_masses": None}
    assert by_episode == {LONG: {True}, SHORT: {False}}
    here, there_too = (files_below(only_run(one).path / "pictures") for one in (lake, clean))
    assert here == there_too
    assert here != files_below(only_run(moved_duck.lake).path / "pictures")

    # Asked again there is nothing new.
    code, out, err = measure(moved_duck, lake)
    assert (code, err) == (0, "")
    assert "0 changed" in out


def test_a_fresh_run_brings_the_object_masses_back(two: World, moved_duck: World, lake: Path) -> None:
    assert measure(moved_duck, lake)[0] == 0
    for path in sorted((two.root / LONG / "masks").glob("00008_*_1.npy")):
        mask = np.zeros((180, 320), dtype=np.bool_)
        x0, y0, x1, y1 = BOXES[LONG]["duck"]
        mask[y0:y1, x0:x1] = True
        np.save(path, mask)
    code, _, err = measure(two, lake)
    assert code == 0
    assert "stale_object_masses" in err
    differing = {name for _, name in changed_tables(two.lake, lake)}
    assert differing == {"attention_masses.parquet", "unit.json"}
    ended = cli("run", "--no-load", "--fresh", "--study", two.study_file, "--lake", lake)
    assert ended.code == 0
    run_unit = only_run(lake).run_unit
    assert {k: v for k, v in unit_bytes(lake).items() if run_unit not in k} == {
        k: v for k, v in unit_bytes(two.lake).items() if run_unit not in k
    }


@pytest.mark.parametrize("n_written", [0, 1, 2])
def test_a_killed_measure_is_made_good(
    moved_duck: World, lake: Path, monkeypatch: pytest.MonkeyPatch, n_written: int
) -> None:
    """Object masses of old masks must not survive because the new masks were already stored when it died."""

    class Killed(BaseException):
        pass

    original, calls = RunFolder.write, [0]

    def dying(self: RunFolder, *args: Any) -> None:
        calls[0] += 1
        if calls[0] > n_written:
            raise Killed
        original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", dying)
        with pytest.raises(Killed):
            measure(moved_duck, lake)
    assert measure(moved_duck, lake)[0] == 0
    stale = {row["object_masses"] is None for row in rows_of(lake, LONG, "attention_masses")}
    assert stale == {True}


def rows_of(lake: Path, episode_id: str, table: str) -> list[Row]:
    folder = only_run(lake)
    found: list[Row] = []
    for group in ("baseline", "prompts"):
        content = folder.read(unit_path(folder, episode_id, group).name.removeprefix("unit="), table)
        assert content is not None
        found += content.to_pylist()
    return found


def test_a_broken_mask_is_told_and_the_rest_is_measured(two: World, lake: Path) -> None:
    path = sorted((two.root / SHORT / "masks").glob("00000_hand*_1.npy"))[0]
    with restored(path):
        np.save(path, np.ones((10, 10), dtype=np.uint8))
        code, out, err = measure(two, lake)
    assert code == 1
    assert f"{SHORT}: wrong_mask_size: {path.relative_to(two.root).as_posix()} is 10x10" in err
    assert "measured 4 units" in out
    assert {row["frame_index"] for row in table_of(lake, "objects") if row["episode_id"] == SHORT} == {4}


@pytest.mark.parametrize("group", ["baseline", "prompts"])
def test_a_unit_that_lost_its_maps_is_told(two: World, lake: Path, group: str) -> None:
    """Without its maps there is nothing to measure; `run` makes the unit anew."""
    folder = only_run(lake)
    manifests = {unit: folder.manifest(unit) or {} for unit in folder.units()}
    unit = next(unit for unit, manifest in manifests.items() if manifest["condition_group"] == group)
    path = folder.unit_path(unit) / "attention_maps.parquet"
    path.unlink()
    before = files_below(lake)
    code, out, err = measure(two, lake)
    assert code == 1
    assert err.count("\n") == 1
    assert (
        f"damaged_unit: unit={unit}/attention_maps.parquet is missing or damaged; run the study again" in err
    )
    assert "0 changed" in out
    assert files_below(lake) == before
    assert two.run(lake).is_complete
    assert measure(two, lake)[0] == 0
    assert unit_bytes(lake) == unit_bytes(two.lake)


def test_a_group_that_keeps_no_maps_is_measured_without_a_word(two: World, tmp_path: Path) -> None:
    sections = {
        "policy": {"family": "tiny", "checkpoint": str(two.checkpoint)},
        "episodes": {"root": str(two.root), "keyframes": {"every": 4}, "limit": 1},
        "conditions": {"augmentation": {"kinds": ["blur"]}},
    }
    world = write_study(tmp_path, sections)
    assert world.run().is_complete
    code, out, err = measure(world, world.lake)
    assert (code, err) == (0, "")
    assert "measured 2 units, 0 changed" in out


def test_measure_wants_the_study_that_was_run(two: World, lake: Path) -> None:
    ended = cli("measure", "--study", two.study_file, "--lake", lake, "--seed", "7")
    assert ended.code == 2
    assert "no run of the study 'test' as given" in ended.err


# --- the numbers, worked out by hand --------------------------------------------------------------------------------


class Found(NamedTuple):
    """The tables of the two episodes, and their inferences by id."""

    inferences: dict[int, Row]
    metrics: list[Row]
    maps: dict[tuple[Any, ...], Row]
    objects: dict[tuple[str, int, int], Row]
    shifts: list[Row]
    effects: list[Row]


MAP_KEYS = ("inference_id", "pass", "denoise_step", "layer", "head", "query_index", "rows", "camera")


@pytest.fixture(scope="module")
def found(two: World) -> Found:
    return Found(
        {row["inference_id"]: row for row in table_of(two.lake, "inferences")},
        table_of(two.lake, "object_metrics"),
        {tuple(row[name] for name in MAP_KEYS): row for row in table_of(two.lake, "attention_maps")},
        {
            (row["episode_id"], row["frame_index"], row["object_index"]): row
            for row in table_of(two.lake, "objects")
        },
        table_of(two.lake, "map_shifts"),
        table_of(two.lake, "action_effects"),
    )


def sample(rows: list[Row], against: str, count: int, seed: int = 5) -> list[Row]:
    return random.Random(seed).sample([row for row in rows if row["against"] == against], count)


def overlap(attention: Sequence[float], coverage: Sequence[float]) -> dict[str, float]:
    """METHODS 2, ours: exact patch areas, the letterbox left out."""
    shows = picture_share()
    a = [value if share > 0 else 0.0 for value, share in zip(attention, shows, strict=True)]
    c = [min(covered, share) for covered, share in zip(coverage, shows, strict=True)]
    patches = range(256)
    area, object_area = sum(shows), sum(c)
    mass_share = sum(a[p] * c[p] for p in patches) / sum(a[p] * shows[p] for p in patches)
    area_share = object_area / area

    def inside(hot: list[int]) -> tuple[float, float]:
        return sum(c[p] for p in hot), sum(shows[p] for p in hot)

    hit, hot_area = inside([p for p in patches if a[p] > 0.3 * max(a)])
    ious = []
    for percent in (75, 90):
        seen = sorted(a[p] for p in patches if shows[p] > 0)
        place = (len(seen) - 1) * percent / 100
        low = math.floor(place)
        threshold = seen[low] + (seen[low + 1] - seen[low]) * (place - low)
        both, hot = inside([p for p in patches if a[p] >= threshold and a[p] > 0])
        ious.append(both / (hot + object_area - both))
    ap = covered = passed = 0.0
    for p in sorted(patches, key=lambda p: -a[p]):
        covered, passed = covered + c[p], passed + shows[p]
        ap += c[p] * covered / passed if c[p] else 0.0
    top = max(patches, key=lambda p: a[p])
    return {
        "mass_share": mass_share,
        "area_share": area_share,
        "lift": mass_share / area_share,
        "log_lift": math.log(mass_share / area_share),
        "precision": hit / hot_area,
        "recall": hit / object_area,
        "dice": 2 * hit / (hot_area + object_area),
        "iou_p75": ious[0],
        "iou_p90": ious[1],
        "ap": ap / object_area,
        "pointing_hit": float(c[top] > 0 and c[top] >= min(shows[top] / 2, max(c))),
    }


def seed_overlap(attention: Sequence[float], mask: np.ndarray) -> dict[str, float]:  # type: ignore[type-arg]
    """METHODS 2, the seed: enlarged to pixels, clipped, divided by the maximum."""
    small = np.asarray(attention, dtype=np.float32).reshape(16, 16)
    large = cv2.resize(small, (224, 224), interpolation=cv2.INTER_CUBIC).clip(min=0).astype(np.float64)
    large /= large.max()
    inside, outside = large[mask], large[~mask]
    hot = large > 0.3
    return {
        "overlap_ratio_seed": inside.sum() / (large.sum() + 1e-8),
        "attention_concentration_seed": inside.mean() / (outside.mean() + 1e-8),
        "iou_seed": (hot & mask).sum() / ((hot | mask).sum() + 1e-8),
        "mean_attn_inside_seed": inside.mean(),
        "mean_attn_outside_seed": outside.mean(),
    }


def agree(row: Row, expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=2e-5, abs=1e-6), name


def test_objects_are_where_they_were_drawn(found: Found) -> None:
    assert len(found.objects) == 6 * 4  # keyframes, and two objects in either camera
    for (episode_id, frame_index, index), row in found.objects.items():
        coverage = box_coverage(box_of(episode_id, frame_index, row["category"]))
        assert row["coverage"] == pytest.approx(coverage, abs=1e-7)
        assert row["area_share"] == pytest.approx(sum(coverage) * 196 / (126 * 224), rel=1e-6)
        assert row["role"] == ROLES[episode_id][row["category"]]
        assert row["camera"] == ("base" if index < 2 else "wrist")


def test_own_metrics(found: Found) -> None:
    for row in sample(found.metrics, "own", 12):
        inference, stored = found.inferences[row["inference_id"]], found.maps[tuple(row[k] for k in MAP_KEYS)]
        episode_id, frame_index = inference["episode_id"], inference["frame_index"]
        one = found.objects[episode_id, frame_index, row["object_index"]]
        assert one["camera"] == row["camera"]
        box = box_of(episode_id, frame_index, one["category"])
        agree(row, overlap(stored["map"], box_coverage(box)))
        if inference["condition_id"] == "baseline:baseline":
            agree(row, seed_overlap(stored["map"], box_mask(box)))
        else:
            assert all(row[name] is None for name in SEEDS)
        assert row["reason"] is None


def test_metrics_against_other_episodes(found: Found) -> None:
    """The only other episode's object of the same role, at the same share of the episode."""
    other = {LONG: SHORT, SHORT: LONG}
    of_role = {episode: {role: name for name, role in roles.items()} for episode, roles in ROLES.items()}
    for row in sample(found.metrics, "other_episode", 12):
        inference, stored = found.inferences[row["inference_id"]], found.maps[tuple(row[k] for k in MAP_KEYS)]
        episode_id, frame_index = inference["episode_id"], inference["frame_index"]
        role = found.objects[episode_id, frame_index, row["object_index"]]["role"]
        there = other[episode_id]
        box = box_of(there, OTHER_FRAME[episode_id, frame_index], of_role[there][role])
        agree(row, overlap(stored["map"], box_coverage(box)))
        assert all(row[name] is None for name in SEEDS)


def test_the_moved_mask_is_met_at_its_time(found: Found) -> None:
    """The null of the long episode's second half is the short one's moved cube."""
    areas = defaultdict(set)
    for row in found.metrics:
        inference = found.inferences[row["inference_id"]]
        if row["against"] == "other_episode" and inference["episode_id"] == LONG and row["object_index"] == 0:
            areas[inference["frame_index"]].add(round(row["area_share"], 6))
    shares = [
        round(sum(box_coverage(box)) / sum(picture_share()), 6) for box in (BOXES[SHORT]["cube"], MOVED)
    ]
    assert areas == {0: {shares[0]}, 4: {shares[0]}, 8: {shares[1]}, 12: {shares[1]}}


def test_metrics_against_a_uniform_map(found: Found) -> None:
    for row in sample(found.metrics, "uniform", 6):
        inference = found.inferences[row["inference_id"]]
        category = found.objects[inference["episode_id"], inference["frame_index"], row["object_index"]][
            "category"
        ]
        coverage = box_coverage(box_of(inference["episode_id"], inference["frame_index"], category))
        area_share = sum(coverage) / sum(picture_share())
        agree(
            row,
            {
                "mass_share": area_share,
                "area_share": area_share,
                "lift": 1.0,
                "log_lift": 0.0,
                "ap": area_share,
            },
        )


def test_every_map_is_measured_against_what_is_due(found: Found) -> None:
    """Baselines: every head-mean map against its own masks, the 'mean' rows against both nulls. Others: 'mean', own."""
    due = set()
    for key, stored in found.maps.items():
        inference = found.inferences[stored["inference_id"]]
        if stored["head"] != -1:
            continue
        is_baseline = inference["condition_id"] == "baseline:baseline"
        nulls = ["other_episode", "uniform"] if is_baseline and stored["rows"] == "mean" else []
        own = ["own"] if is_baseline or stored["rows"] == "mean" else []
        for (episode_id, frame_index, index), one in found.objects.items():
            at = (inference["episode_id"], inference["frame_index"], stored["camera"])
            if (episode_id, frame_index, one["camera"]) == at:
                due |= {(*key, index, against) for against in own + nulls}
    rows = [(*(row[name] for name in MAP_KEYS), row["object_index"], row["against"]) for row in found.metrics]
    assert len(rows) == len(set(rows))
    assert set(rows) == due


def test_no_other_episode_is_a_reason(two: World, tmp_path: Path) -> None:
    two.run(tmp_path, {"episodes.limit": 1, "conditions": {}, "capture.layers": [0]})
    rows = [row for row in table_of(tmp_path, "object_metrics") if row["against"] == "other_episode"]
    assert rows
    for row in rows:
        assert row["reason"] == "no mask of this role in other episodes"
        assert all(row[name] is None for name in OURS)


def test_map_shifts(found: Found) -> None:
    for row in random.Random(6).sample(found.shifts, 12):
        inference, baseline = found.inferences[row["inference_id"]], found.inferences[row["baseline_id"]]
        assert baseline["condition_id"] == "baseline:baseline"
        for name in ("episode_id", "frame_index", "noise_index"):
            assert inference[name] == baseline[name]
        assert inference["condition_id"] != "baseline:baseline"
        here, there = (
            found.maps[(row[which], *(row[name] for name in MAP_KEYS[1:]))]
            for which in ("inference_id", "baseline_id")
        )
        raw, raw_there = ([value * one["mass"] for value in one["map"]] for one in (here, there))
        difference = [a - b for a, b in zip(raw, raw_there, strict=True)]
        l2 = math.sqrt(sum(d * d for d in difference))
        p, q = ([value / sum(one["map"]) for value in one["map"]] for one in (here, there))
        middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        kl = [sum(a * math.log(a / m) for a, m in zip(one, middle, strict=True) if a > 0) for one in (p, q)]
        centres = [
            (
                sum(v * (14 * (i % 16) + 6.5) for i, v in enumerate(one)),
                sum(v * (14 * (i // 16) + 6.5) for i, v in enumerate(one)),
            )
            for one in (p, q)
        ]
        agree(
            row,
            {
                "mean_diff": sum(difference) / 256,
                "abs_mean_diff": sum(map(abs, difference)) / 256,
                "max_increase": max(difference),
                "max_decrease": min(difference),
                "l2_distance": l2,
                "shift_magnitude": l2 / math.sqrt(sum(v * v for v in raw_there)),
                "correlation": float(np.corrcoef(raw, raw_there)[0, 1]),
                "centroid_shift_px": math.dist(*centres),
                "l2_unit": math.dist(p, q),
                "total_variation": sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2,
                "jsd": sum(kl) / 2,
            },
        )


def test_every_changed_map_has_its_shift(found: Found) -> None:
    due = {
        key
        for key, stored in found.maps.items()
        if stored["head"] == -1
        and found.inferences[stored["inference_id"]]["condition_id"] != "baseline:baseline"
    }
    assert {tuple(row[name] for name in MAP_KEYS) for row in found.shifts} == due
    assert len(found.shifts) == len(due) > 0


def test_a_camera_that_a_prompt_does_not_move_shows_it(found: Found) -> None:
    """The first layer's patches do not know the prompt, but its words do: nothing here is 0 by construction."""
    assert all(row["total_variation"] > 0 for row in found.shifts if row["head"] == -1)


def test_action_effects(found: Found) -> None:
    chunks = defaultdict(list)
    for row in found.inferences.values():
        if row["condition_id"] == "baseline:baseline":
            chunks[row["episode_id"]].append(row["actions"])
    assert len(found.effects) == 6
    for row in found.effects:
        inference, baseline = found.inferences[row["inference_id"]], found.inferences[row["baseline_id"]]
        steps = [step for chunk in chunks[inference["episode_id"]] for step in chunk]
        per_dim, standardised = [], []
        for dim in range(4):
            pairs = zip(inference["actions"], baseline["actions"], strict=True)
            squared = [(a[dim] - b[dim]) ** 2 for a, b in pairs]
            per_dim.append(sum(squared) / len(squared))
            mean = sum(step[dim] for step in steps) / len(steps)
            variance = sum((step[dim] - mean) ** 2 for step in steps) / (len(steps) - 1)
            standardised.append(per_dim[-1] / variance)
        assert row["per_dim"] == pytest.approx(per_dim, rel=1e-9)
        agree(row, {"mse": sum(per_dim) / 4, "mse_standardised": sum(standardised) / 4})
