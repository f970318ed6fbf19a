"""What both routes to Cosmos Policy are tried on: LIBERO's nine latent frames at a smaller size, encoders that only hash."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.base import Observation
from ingest.policies.text import Piece
from tests.conformance.case import Key, random_observation

NOW, LATER = ("blank", "state", "wrist", "primary", "action"), ("state", "wrist", "primary")
FRAMES = [*NOW, *(f"future_{name}" for name in LATER), "value"]
CAMERAS = ("wrist", "primary")
GRID, CHANNELS, SIDE = 4, 16, 64  # tokens a side, latent channels, pixels a side
CHUNK = (4, 8)
N_SLOTS, TEXT_DIM, N_CALLS = 24, 32, 3
LONG_PROMPT = "pick up the duck " * 10
STATISTICS = {
    "proprio_min": -np.ones(5),
    "proprio_max": np.full(5, 2.0),
    "actions_min": np.zeros(CHUNK[1]),
    "actions_max": np.ones(CHUNK[1]),
}


def pieces_of(prompt: str) -> tuple[tuple[int, ...], tuple[Piece, ...], bool]:
    """A piece for each word and one for the end mark, in as many slots as there are."""
    found = [Piece(word.group(), *word.span()) for word in re.finditer(r"\S+", prompt)]
    pieces = (*found[: N_SLOTS - 1], Piece("</s>", 0, 0))
    return tuple(sum(piece.text.encode()) for piece in pieces), pieces, len(found) >= N_SLOTS


def embedding_of(prompt: str) -> NDArray[np.float32]:
    """[slots, dim]: a vector for each piece, then nothing."""
    embedding = np.zeros((N_SLOTS, TEXT_DIM), dtype=np.float32)
    for slot, one in enumerate(pieces_of(prompt)[0]):
        embedding[slot] = np.random.default_rng([one, slot]).normal(size=TEXT_DIM)
    return embedding


def latents_of(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Fixed random mixes of the means of 8 x 8 pixels; one latent frame for the first picture and every four behind it."""
    n_pictures, height, width, _ = pictures.shape
    assert (n_pictures, height, width) == (1 + 4 * (len(FRAMES) - 1), SIDE, SIDE)
    kept = pictures[[0, *range(1, n_pictures, 4)]].astype(np.float64) / 127.5 - 1
    means = kept.reshape(len(FRAMES), height // 8, 8, width // 8, 8, 3).mean(axis=(2, 4))
    mix = np.random.default_rng(5).normal(size=(CHANNELS, 3))
    return np.einsum("cd,thwd->cthw", mix, means).astype(np.float32)


def observe(index: int) -> Observation:
    sizes = dict.fromkeys(CAMERAS, (96, 96))
    state = {"gripper_qpos": np.array([0.1 * index, 0.0]), "eef_pos": np.array([0.4, 0.1, 1.0])}
    return random_observation(index, sizes, state)


def keys(with_pieces: bool, pass_name: str, prompt: str, observation: Observation) -> list[Key]:
    if pass_name == "denoise":
        found = []
        for frame in FRAMES:
            for row in range(GRID):
                for col in range(GRID):
                    is_picture = frame.removeprefix("future_") in CAMERAS
                    found.append(Key("patch", frame, row, col) if is_picture else Key(frame))
        return found
    n_words = min(len(prompt.split()), N_SLOTS - 1)
    if with_pieces:
        slots = [*(Key("instruction", word_index=i) for i in range(n_words)), Key("template")]
    else:
        slots = [Key("instruction")] * (n_words + 1)
    return slots + [Key("text_pad")] * (N_SLOTS - n_words - 1)


def groups(_pass_name: str) -> dict[str, list[int]]:
    """Rows of the action frame, and those where a chunk that counts its own steps has left a step's number."""
    chunk = np.repeat(np.arange(CHUNK[0]), CHUNK[1])
    size = CHANNELS * (2 * GRID) ** 2
    frame = np.full(size, -1)
    for start in range(0, size - len(chunk) + 1, len(chunk)):
        frame[start : start + len(chunk)] = chunk
    frame = frame.reshape(CHANNELS, 2 * GRID, 2 * GRID)
    first = FRAMES.index("action") * GRID * GRID
    found = {"action": list(range(first, first + GRID * GRID))}
    for step in range(CHUNK[0]):
        found[f"chunk:{step}"] = [
            first + GRID * row + col
            for row in range(GRID)
            for col in range(GRID)
            if step in frame[:, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        ]
    last = FRAMES.index("primary") * GRID * GRID
    found["frame:3"] = list(range(last, last + GRID * GRID))
    return found
