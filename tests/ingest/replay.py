"""What ingest should have stored, worked out again from full attention weights by code that shares none of its own.

Only what leads up to the weights is public code of ours: the resize, the tokenizer, the noise. Spans, regions, maps,
masks and sums are plain loops here, with the geometry of a 180 x 320 picture worked out by hand:
224 / 320 = 0.7, so 126 of 224 rows are picture, between bars of 49.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ingest.demo.model import TinyPolicy
from ingest.demo.tokenizer import TinyTokenizer, discretise_state
from ingest.episodes.preprocess import resize_with_pad
from ingest.identity import noise_of
from tests.episodes.builders import Box

CAMERAS = {"base": "varied_camera_1", "wrist": "hand_camera"}
FIRST_KEY = {"base": 0, "wrist": 256}
FIRST_TEXT_KEY = 512
N_TEXT = 24
FIRST_WORD = FIRST_TEXT_KEY + 3  # behind <bos> Task :
FIRST_ACTION_KEY = FIRST_TEXT_KEY + N_TEXT
HORIZON = 4
# Rows 0-2 and 13-15 of the grid are bars alone; rows 3 and 12 are half bar.
LETTERBOX_ROWS = (0, 1, 2, 13, 14, 15)
TOP_BAR = 49
PICTURE_ROWS = 126

Weights = dict[tuple[str, int, int], NDArray[np.float64]]


class Replayed(NamedTuple):
    """Full weights [heads, queries, keys] by (pass, layer, step), and the actions."""

    weights: Weights
    actions: NDArray[np.float32]


class Replay:
    """A model of its own, with hooks of its own."""

    def __init__(self, root: Path, checkpoint: Path, study_seed: int = 42) -> None:
        self.root = root
        self.study_seed = study_seed
        self.model = TinyPolicy.from_folder(checkpoint)
        self._done: dict[tuple[str, int, str, int], Replayed] = {}

    def run(self, episode_id: str, frame_index: int, prompt: str, noise_seed: int) -> Replayed:
        key = (episode_id, frame_index, prompt, noise_seed)
        if key not in self._done:
            with self._hooked() as weights:
                actions = self.model.sample_actions(**self.inputs(*key))
            self._done[key] = Replayed(weights, actions[0].numpy())
        return self._done[key]

    def inputs(
        self, episode_id: str, frame_index: int, prompt: str, noise_seed: int
    ) -> dict[str, torch.Tensor]:
        """A batch of one."""
        episode = self.root / episode_id
        pictures = []
        for folder in CAMERAS.values():
            path = episode / "recordings" / "frames" / folder / f"{frame_index:05d}.jpg"
            picture = resize_with_pad(np.asarray(Image.open(path).convert("RGB")))
            pictures.append(torch.from_numpy(picture).permute(2, 0, 1))
        with h5py.File(episode / "trajectory.h5") as file:
            robot = file["observation/robot_state"]
            state = [*robot["cartesian_position"][frame_index][:3], robot["gripper_position"][frame_index]]
        text = TinyTokenizer(N_TEXT).encode(prompt, discretise_state(state).tolist())
        noise = noise_of(self.study_seed, noise_seed, episode_id, frame_index, (HORIZON, 4))
        return {
            "images": torch.stack(pictures).float()[None] / 127.5 - 1.0,
            "tokens": torch.tensor([text.ids]),
            "token_mask": torch.tensor([text.mask]),
            "noise": torch.from_numpy(noise)[None],
        }

    @contextmanager
    def _hooked(self) -> Iterator[Weights]:
        weights: Weights = {}
        handles = []

        def keep(pass_name: str, layer: int) -> Any:
            def hook(_module: Any, _inputs: Any, output: Any) -> None:
                step = -1
                if pass_name == "suffix":
                    step = sum(key[:2] == (pass_name, layer) for key in weights)
                weights[pass_name, layer, step] = output[1][0].double().numpy()

            return hook

        for pass_name, blocks in (("prefix", self.model.prefix_layers), ("suffix", self.model.expert_layers)):
            for layer, block in enumerate(blocks):
                handles.append(block.self_attn.register_forward_hook(keep(pass_name, layer)))
        self.model.set_attention("eager")
        try:
            yield weights
        finally:
            for handle in handles:
                handle.remove()


def query_rows(pass_name: str, query_index: int, n_words: int) -> list[int]:
    """The rows of the weights behind a stored query: 0 is the group, then one a word or action."""
    if pass_name == "prefix":
        rows = [FIRST_WORD + word for word in range(n_words)]
    else:
        rows = list(range(HORIZON))
    return rows if query_index == 0 else [rows[query_index - 1]]


def region_of_key(key: int, n_words: int) -> str:
    for camera, first in FIRST_KEY.items():
        if first <= key < first + 256:
            is_bar = (key - first) // 16 in LETTERBOX_ROWS
            return f"{'letterbox' if is_bar else 'image'}:{camera}"
    if key >= FIRST_ACTION_KEY:
        return "action"
    at = key - FIRST_TEXT_KEY
    if at == 0:
        return "bos"
    if at < 3:
        return "template"
    if at < 3 + n_words:
        return "instruction"
    if at < 3 + n_words + 3:
        return "template"  # , State :
    if at < 3 + n_words + 3 + 4:
        return "state"
    if at < 3 + n_words + 3 + 4 + 3:
        return "template"  # ; Action :
    return "pad"


def mean_row(weights: NDArray[np.float64], rows: list[int]) -> list[float]:
    """weights [queries, keys] -> the mean of some rows."""
    return [sum(float(weights[row, key]) for row in rows) / len(rows) for key in range(weights.shape[1])]


def region_masses(row: list[float], n_words: int) -> dict[str, float]:
    masses: dict[str, float] = {}
    for key, weight in enumerate(row):
        name = region_of_key(key, n_words)
        masses[name] = masses.get(name, 0.0) + weight
    return masses


@lru_cache
def box_mask(box: Box) -> NDArray[np.bool_]:
    """bool [224, 224] of a box of raw pixels, in exact fractions.

    An input pixel is the object's where the box covers at least half of it.
    """
    x0, y0, x1, y1 = box

    def shares(count: int, low: int, high: int) -> list[Fraction]:
        side = Fraction(10, 7)  # raw pixels an input pixel
        found = []
        for index in range(count):
            covered = min((index + 1) * side, Fraction(high)) - max(index * side, Fraction(low))
            found.append(max(covered, Fraction(0)) / side)
        return found

    across, down = shares(224, x0, x1), shares(PICTURE_ROWS, y0, y1)
    mask = np.zeros((224, 224), dtype=np.bool_)
    for y, of_row in enumerate(down):
        for x, of_column in enumerate(across):
            if of_row and of_column and of_row * of_column >= Fraction(1, 2):
                mask[TOP_BAR + y, x] = True
    return mask


@lru_cache
def box_coverage(box: Box) -> list[float]:
    """Share of each of the 256 patches that a box of raw pixels covers."""
    counts = [0] * 256
    for y, x in np.argwhere(box_mask(box)).tolist():
        counts[(y // 14) * 16 + x // 14] += 1
    return [count / 196 for count in counts]


def picture_share() -> list[float]:
    """Share of each patch that is picture: rows 3 and 12 of the grid are cut in half by the bars."""
    of_row = [0.0] * 3 + [0.5] + [1.0] * 8 + [0.5] + [0.0] * 3
    return [of_row[index // 16] for index in range(256)]


def object_mass(row: list[float], camera: str, coverage: list[float]) -> float:
    first = FIRST_KEY[camera]
    return sum(row[first + patch] * coverage[patch] for patch in range(256))


def raw_map(
    weights: NDArray[np.float64], rows: list[int], camera: str, head: int, joined: str
) -> list[float]:
    """A camera's 256 sums of weights [heads, queries, keys].

    head -1 is the mean over heads, -2 the largest head; ``joined`` says whether rows are averaged or the largest
    taken, after the heads were joined.
    """
    first = FIRST_KEY[camera]
    n_heads = len(weights)
    found = []
    for key in range(first, first + 256):
        by_head = [[float(weights[one, row, key]) for row in rows] for one in range(n_heads)]
        means = [sum(values) / len(rows) for values in by_head]
        if joined == "max" and head == -2:
            found.append(max(max(values) for values in by_head))
        elif joined == "max":
            found.append(max(sum(values[row] for values in by_head) / n_heads for row in range(len(rows))))
        elif head == -2:
            found.append(max(means))
        elif head == -1:
            found.append(sum(means) / n_heads)
        else:
            found.append(means[head])
    return found


def total_variation(stored: list[float], expected: list[float]) -> float:
    """Of two maps, each scaled to a sum of 1."""
    here, there = sum(stored), sum(expected)
    return sum(abs(a / here - b / there) for a, b in zip(stored, expected, strict=True)) / 2
