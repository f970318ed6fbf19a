"""Training batches from the rendered observations: some patches of some pictures, with every prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ingest.demo.prompts import SEEN_TEMPLATES
from ingest.demo.tokenizer import OBJECT_WORDS, UNKNOWN, WORDS, TinyTokenizer, discretise_state

_TOP_BAR = 49  # rows of the letterbox above and below the picture
_UNKNOWN_ID = WORDS.index(UNKNOWN)
_OBJECT_IDS = tuple(WORDS.index(word) for word in OBJECT_WORDS)

Fields = dict[str, NDArray[Any]]
# Changes what a batch is made of before it is made; see `ingest.demo.planted.alterations`.
Alteration = Callable[[Fields, np.random.Generator], Fields]


def unaltered(fields: Fields, rng: np.random.Generator) -> Fields:
    return fields


@dataclass(frozen=True)
class Batch:
    """B pictures x N prompts; sequence s belongs to picture s // N and names its toy s % N.

    N is 5, one prompt a toy; or 1 where a picture was made for one toy (`pad.npy`, which toy stood on the pad).
    """

    patches: Tensor  # [B, K, pixels] in -1..1
    patch_index: Tensor  # [B, K] place among all patches of all cameras
    on_toy: Tensor  # [B, K, N] share of the patch that each named toy covers
    tokens: Tensor  # [N B, T]
    token_mask: Tensor  # [N B, T]
    name_index: Tensor  # [N B] which token is the toy's name
    toys: Tensor  # [B, N, 2] metres
    state: Tensor  # [B, 4] metres
    chunks: Tensor  # [N B, horizon, 4]
    has_chunk: Tensor  # [N B]

    @property
    def n_prompts(self) -> int:
        return self.toys.shape[1]


class Observations:
    """The rendered observations of one folder, read as memory maps."""

    def __init__(self, folder: Path, tokenizer: TinyTokenizer, alter: Alteration = unaltered) -> None:
        names = ["pictures", "coverage", "state", "toys", "chunks", "has_chunk"]
        names += ["pad"] if (folder / "pad.npy").exists() else []
        self._fields = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
        self._tokenizer = tokenizer
        self._alter = alter

    def __len__(self) -> int:
        return len(self._fields["state"])

    def batch(self, rows: NDArray[np.int64], n_patches: int | None, rng: np.random.Generator) -> Batch:
        """All prompts of the given pictures, with ``n_patches`` patches each (None: all of them).

        Chosen are first the patches on toys, then those on the gripper, then others, at random within each.
        """
        field = self._alter({name: np.asarray(values[rows]) for name, values in self._fields.items()}, rng)
        patches = _patches(field["pictures"])
        coverage = field["coverage"]
        count = len(rows)
        if n_patches is None:
            index = np.broadcast_to(np.arange(patches.shape[1]), (count, patches.shape[1])).copy()
        else:
            rank = rng.random(coverage.shape[:2])
            rank += 2.0 * (coverage[..., :-1].max(axis=2) > 3) + 1.0 * (coverage[..., -1] > 3)
            index = np.sort(np.argpartition(-rank, n_patches, axis=1)[:, :n_patches], axis=1)
        chosen = np.take_along_axis(patches, index[..., None], axis=1)
        named = field["pad"][:, None] if "pad" in field else np.tile(np.arange(len(OBJECT_WORDS)), (count, 1))
        on_toy = np.take_along_axis(coverage[..., :-1], index[..., None], axis=1)
        ids, mask, names = self._text(field["state"], named, rng)
        return Batch(
            patches=torch.from_numpy(chosen.astype(np.float32) / 127.5 - 1.0),
            patch_index=torch.from_numpy(index),
            on_toy=torch.from_numpy(_of_named(on_toy, named, axis=2).astype(np.float32) / 100),
            tokens=torch.from_numpy(ids),
            token_mask=torch.from_numpy(mask),
            name_index=torch.from_numpy(names),
            toys=torch.from_numpy(_of_named(field["toys"], named)),
            state=torch.from_numpy(field["state"]),
            chunks=torch.from_numpy(_of_named(field["chunks"], named)).flatten(0, 1),
            has_chunk=torch.from_numpy(_of_named(field["has_chunk"], named)).flatten(),
        )

    def _text(
        self, states: NDArray[np.float32], named: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
        ids, masks, names = [], [], []
        for state, toys in zip(states, named, strict=True):
            bins = discretise_state(state)
            for toy in toys:
                word, object_id = OBJECT_WORDS[toy], _OBJECT_IDS[toy]
                prompt = SEEN_TEMPLATES[rng.integers(len(SEEN_TEMPLATES))].format(object=word)
                text = self._tokenizer.encode(prompt, bins.tolist())
                row = np.array(text.ids)
                names.append(int(np.flatnonzero(row == object_id)[0]))
                # Now and then an instruction word other than the name is unknown, so that <unk> gets a meaning:
                # a word that does not matter.
                for position, piece in enumerate(text.pieces):
                    if piece.role == "instruction" and position != names[-1] and rng.random() < 0.08:
                        row[position] = _UNKNOWN_ID
                ids.append(row)
                masks.append(text.mask)
        # Padding behind the longest prompt of the batch is left away: nothing attends to it.
        mask = np.array(masks)
        longest = int(mask.sum(axis=1).max())
        return np.array(ids)[:, :longest], mask[:, :longest], np.array(names)


def _of_named(values: NDArray[Any], named: NDArray[np.int64], axis: int = 1) -> NDArray[Any]:
    """The entries of a field [B, ...] with the toys along ``axis`` that the prompts ``named`` [B, N] name."""
    index = np.expand_dims(named, [other for other in range(1, values.ndim) if other != axis])
    return np.take_along_axis(values, index, axis=axis)


def _patches(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[B, cameras, 126, 224, 3] -> [B, cameras * 256, 3 * 14 * 14] as ``TinyPolicy.patchify`` orders them."""
    square = np.pad(pictures, ((0, 0), (0, 0), (_TOP_BAR, _TOP_BAR), (0, 0), (0, 0)))
    batch, cameras = square.shape[:2]
    parts = square.reshape(batch, cameras, 16, 14, 16, 14, 3).transpose(0, 1, 2, 4, 6, 3, 5)
    return parts.reshape(batch, cameras * 256, 3 * 14 * 14)
