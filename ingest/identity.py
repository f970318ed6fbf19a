"""Names that follow from content: the same question always has the same run, unit and inference ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 20


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(*parts: str | bytes | int) -> bytes:
    """32-byte blake2b of the parts; their lengths are hashed too, so that ('ab', 'c') differs from ('a', 'bc')."""
    state = hashlib.blake2b(digest_size=32)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.digest()


def hex_digest(*parts: str | bytes | int, length: int = 16) -> str:
    """The first ``length`` hex digits of :func:`digest`."""
    return digest(*parts).hex()[:length]


def run_id_of(resolved_study: dict[str, Any], checkpoint_hash: str, schema_version: int) -> str:
    """16 hex digits; the same study on the same checkpoint is the same run."""
    return hex_digest(canonical_json(resolved_study), checkpoint_hash, schema_version)


def unit_of(run_id: str, episode_id: str, condition_group: str) -> str:
    """16 hex digits: the unit's folder in the lake. Episode ids are data, so they never become a path."""
    return hex_digest(run_id, episode_id, condition_group)


def inference_id_of(
    run_id: str, episode_id: str, frame_index: int, condition_id: str, noise_index: int
) -> int:
    """Signed 64-bit integer."""
    parts = digest(run_id, episode_id, frame_index, condition_id, noise_index)
    return int.from_bytes(parts[:8], "little", signed=True)


def token_hash_of(token_ids: Sequence[int]) -> str:
    """Hash of the token ids that entered the model; padding included, as the model sees it."""
    return hex_digest(np.asarray(token_ids, dtype="<i8").tobytes())


def noise_of(
    study_seed: int,
    noise_seed: int,
    episode_id: str,
    frame_index: int,
    shape: Sequence[int],
    repeat: int = 0,
) -> NDArray[np.float32]:
    """Standard normal noise of ``shape``: the same for every condition of a frame, whatever ran before it.

    ``repeat`` counts the other noises of conditions that ask for some.
    """
    repeats = ("repeat", repeat) if repeat else ()
    key = int.from_bytes(
        digest("noise", study_seed, noise_seed, episode_id, frame_index, *repeats)[:16], "little"
    )
    return np.random.Generator(np.random.Philox(key=key)).standard_normal(tuple(shape), dtype=np.float32)


def hash_files(root: Path, files: Iterable[Path]) -> str:
    """64 hex digits over names (relative to ``root``) and content of the files, in sorted order."""
    state = hashlib.blake2b(digest_size=32)
    for path in sorted(files):
        state.update(path.relative_to(root).as_posix().encode() + b"\0")
        state.update(hash_file(path).encode())
    return state.hexdigest()


def hash_file(path: Path) -> str:
    """64 hex digits: blake2b of one file's bytes."""
    state = hashlib.blake2b(digest_size=32)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
