"""Names follow from content: worked out again with hashlib alone, equal in every process, never colliding by layout."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.identity import (
    canonical_json,
    digest,
    hash_file,
    hash_files,
    hex_digest,
    inference_id_of,
    noise_of,
    run_id_of,
    token_hash_of,
    unit_of,
)
from ingest.policies.base import Prepared
from ingest.policies.tiny import TinyAdapter
from ingest.schema import SCHEMA_VERSION
from ingest.study import PACKAGE_ROOT
from tests.ingest.world import World, only_run, table_of

RUN, EPISODE = "0123456789abcdef", "success/2025-12-10/épisode 1"
Floats = NDArray[np.float32]
TEXT = st.text(max_size=20).filter(lambda text: text.isprintable())


def blake(*parts: bytes) -> bytes:
    """The rule in plain words: each part is preceded by its length, 8 bytes, little end first."""
    message = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return hashlib.blake2b(message, digest_size=32).digest()


# --- worked independently ---------------------------------------------------------------------------------------


def test_run_id() -> None:
    study = {"b": 1, "a": {"ü": [1, None, True, 0.5]}}
    text = '{"a":{"ü":[1,null,true,0.5]},"b":1}'
    assert canonical_json(study) == text
    expected = blake(text.encode(), b"ff00", b"1").hex()[:16]
    assert run_id_of(study, "ff00", 1) == expected


def test_unit() -> None:
    expected = blake(RUN.encode(), EPISODE.encode(), b"prompts").hex()[:16]
    assert unit_of(RUN, EPISODE, "prompts") == expected


@settings(deadline=None)  # a busy machine is not a slow function
@given(st.integers(0, 10**6), st.integers(0, 50), TEXT)
def test_inference_id(frame_index: int, noise_index: int, condition: str) -> None:
    hashed = blake(
        RUN.encode(),
        EPISODE.encode(),
        str(frame_index).encode(),
        condition.encode(),
        str(noise_index).encode(),
    )
    unsigned = sum(byte << (8 * place) for place, byte in enumerate(hashed[:8]))
    expected = unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned
    assert inference_id_of(RUN, EPISODE, frame_index, condition, noise_index) == expected


def test_token_hash() -> None:
    packed = b"".join(token.to_bytes(8, "little") for token in (1, 3, 1053))
    assert token_hash_of([1, 3, 1053]) == blake(packed).hex()[:16]
    assert token_hash_of([1, 3, 1053]) == token_hash_of(np.array([1, 3, 1053], dtype=np.int32).tolist())
    assert token_hash_of([1, 3]) != token_hash_of([1, 3, 0])  # padding enters the model too


def test_noise() -> None:
    key = blake(b"noise", b"42", b"7", EPISODE.encode(), b"8")[:16]
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
    expected = generator.standard_normal((4, 3), dtype=np.float32)
    found = noise_of(42, 7, EPISODE, 8, (4, 3))
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    contents = {"a.bin": b"x" * (2**20 + 7), "b/c.txt": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert hash_file(tmp_path / name) == hashlib.blake2b(content, digest_size=32).hexdigest()
    message = b"".join(
        name.encode() + b"\0" + hashlib.blake2b(content, digest_size=32).hexdigest().encode()
        for name, content in contents.items()
    )
    expected = hashlib.blake2b(message, digest_size=32).hexdigest()
    files = [tmp_path / name for name in reversed(contents)]
    assert hash_files(tmp_path, files) == expected


# --- what the rules are for -------------------------------------------------------------------------------------


def test_inference_ids_fill_the_signed_range() -> None:
    ids = [inference_id_of(RUN, EPISODE, frame, "baseline:baseline", 0) for frame in range(2000)]
    assert len(set(ids)) == len(ids)
    assert all(-(2**63) <= one < 2**63 for one in ids)
    assert min(ids) < -(2**62) < 2**62 < max(ids)


@settings(deadline=None)  # a busy machine is not a slow function
@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
def test_parts_do_not_run_together(left: list[str], right: list[str]) -> None:
    assert (digest(*left) == digest(*right)) == (left == right)


def test_text_and_number_of_the_same_digits_are_one_name() -> None:
    """Numbers are hashed as text; the parts of a name have fixed types, so this joins nothing."""
    assert digest(8, "a") == digest("8", b"a")
    assert hex_digest("a", length=5) == digest("a").hex()[:5]


@settings(deadline=None)  # a busy machine is not a slow function
@given(st.dictionaries(TEXT, st.integers() | TEXT | st.none() | st.booleans(), max_size=5))
def test_canonical_json_does_not_hang_on_order(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(value) == canonical_json(turned)
    assert json.loads(canonical_json(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_canonical_json_refuses_what_is_no_json(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_every_part_counts() -> None:
    base = (RUN, EPISODE, 8, "baseline:baseline", 0)
    changed = [
        ("f" * 16, *base[1:]),
        (RUN, "other", *base[2:]),
        (RUN, EPISODE, 9, *base[3:]),
        (RUN, EPISODE, 8, "prompt:duck", 0),
        (*base[:4], 1),
    ]
    assert len({inference_id_of(*parts) for parts in [base, *changed]}) == 6
    noises = [
        noise_of(*parts, (2,)).tobytes()  # type: ignore[arg-type]
        for parts in [(42, 0, "a", 8), (43, 0, "a", 8), (42, 1, "a", 8), (42, 0, "b", 8), (42, 0, "a", 9)]
    ]
    assert len(set(noises)) == 5


def test_noise_does_not_hang_on_what_was_drawn_before() -> None:
    first = noise_of(42, 0, "a", 0, (4, 4))
    np.random.default_rng(0).normal(size=100)
    noise_of(42, 0, "b", 0, (4, 4))
    assert np.array_equal(noise_of(42, 0, "a", 0, (4, 4)), first)
    wide = np.concatenate([noise_of(42, 0, "a", frame, (8, 4)).ravel() for frame in range(300)])
    assert abs(wide.mean()) < 0.05
    assert abs(wide.std() - 1) < 0.05


def test_ids_are_the_same_in_another_process() -> None:
    """Python's own hash changes with every process; these must not."""
    code = (
        "from ingest.identity import inference_id_of, unit_of;"
        f"print(unit_of({RUN!r}, {EPISODE!r}, 'g'), inference_id_of({RUN!r}, {EPISODE!r}, 8, 'c', 1))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE_ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [unit_of(RUN, EPISODE, "g"), str(inference_id_of(RUN, EPISODE, 8, "c", 1))]


# --- as a run uses them -----------------------------------------------------------------------------------------


def test_the_stored_run_is_named_by_study_checkpoint_and_schema(world: World) -> None:
    files = sorted(world.checkpoint.iterdir())
    assert [path.name for path in files] == ["config.json", "model.safetensors"]
    checkpoint = hash_files(world.checkpoint, files)
    text = canonical_json(world.study().resolved())
    run_id = blake(text.encode(), checkpoint.encode(), str(SCHEMA_VERSION).encode()).hex()[:16]
    assert only_run(world.lake).run_id == run_id
    (run,) = table_of(world.lake, "runs")
    assert (run["run_id"], run["config"], run["checkpoint_hash"]) == (run_id, text, checkpoint)


def test_stored_inferences_carry_their_names(world: World) -> None:
    rows = table_of(world.lake, "inferences")
    assert len({row["inference_id"] for row in rows}) == len(rows) == 64
    for row in rows:
        assert row["inference_id"] == inference_id_of(
            row["run_id"], row["episode_id"], row["frame_index"], row["condition_id"], row["noise_index"]
        )


def test_conditions_of_a_frame_share_their_noise(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the policy is given, seen at its door: frames have their own noise, the prompts of a frame the same."""
    given: dict[bytes, dict[tuple[int, ...], list[bytes]]] = {}
    original = TinyAdapter.infer

    def infer(self: TinyAdapter, batch: Sequence[Prepared], noise: Floats) -> Floats:
        for prepared, one in zip(batch, noise, strict=True):
            prompts = given.setdefault(prepared.inputs["images"].tobytes(), {})
            prompts.setdefault(prepared.token_ids, []).append(one.tobytes())
        return original(self, batch, noise)

    monkeypatch.setattr(TinyAdapter, "infer", infer)
    assert world.run(tmp_path, {"episodes.limit": 1}).is_complete
    of_frames = []
    for prompts in given.values():
        noises = list(prompts.values())
        assert len(noises) == 3  # baseline, cube, paraphrase; the duck prompt is the baseline's own
        assert all(one == noises[0] for one in noises)
        of_frames.append(set(noises[0]))
    assert [len(noises) for noises in of_frames] == [2, 2]
    assert not of_frames[0] & of_frames[1]
