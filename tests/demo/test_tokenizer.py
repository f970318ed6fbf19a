"""Every token of a prompt knows its role, and nothing but the instruction is ever cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.demo.tokenizer import STATE_HIGH, STATE_LOW, UNKNOWN, WORDS, TinyTokenizer, discretise_state

BINS = [1, 20, 0, 255]
TOKENIZER = TinyTokenizer(28)


def roles(prompt: str) -> list[str]:
    return [piece.role for piece in TOKENIZER.encode(prompt, BINS).pieces]


def test_pi05_shape() -> None:
    text = TOKENIZER.encode("Pick up the duck!", BINS)
    valid = [piece.text for piece, is_valid in zip(text.pieces, text.mask, strict=True) if is_valid]
    assert " ".join(valid) == "<bos> Task : pick up the duck , State : 1 20 0 255 ; Action :"
    assert roles("Pick up the duck!") == (
        ["bos"]
        + ["template"] * 2
        + ["instruction"] * 4
        + ["template"] * 3
        + ["state"] * 4
        + ["template"] * 3
        + ["pad"] * 11
    )
    assert [piece.word_index for piece in text.pieces if piece.role == "instruction"] == [0, 1, 2, 3]
    assert {piece.word_index for piece in text.pieces if piece.role != "instruction"} == {None}
    assert not text.truncated


def test_unknown_words_keep_their_text() -> None:
    text = TOKENIZER.encode("grab the duck", BINS)
    assert text.pieces[3].text == "grab"
    assert text.ids[3] == WORDS.index(UNKNOWN)
    assert text.ids[5] == WORDS.index("duck")


@pytest.mark.parametrize("word", ["Task", "state", "ACTION", ":", ";", "<pad>", "<bos>"])
def test_an_instruction_cannot_spell_the_template(word: str) -> None:
    text = TOKENIZER.encode(word, BINS)
    own = [index for index, piece in zip(text.ids, text.pieces, strict=True) if piece.role == "instruction"]
    assert set(own) <= {WORDS.index(UNKNOWN)}


def test_a_bin_has_another_id_in_each_dimension() -> None:
    text = TOKENIZER.encode("", [7, 7, 7, 7])
    states = [index for index, piece in zip(text.ids, text.pieces, strict=True) if piece.role == "state"]
    assert len(set(states)) == 4


@settings(deadline=None)  # a busy machine is not a slow tokenizer
@given(st.text(max_size=300))
def test_any_prompt_fits(prompt: str) -> None:
    text = TOKENIZER.encode(prompt, BINS)
    assert len(text.ids) == len(text.mask) == len(text.pieces) == 28
    assert [piece.text for piece in text.pieces if piece.role == "state"] == ["1", "20", "0", "255"]
    assert sum(text.mask) == sum(piece.role != "pad" for piece in text.pieces)
    assert min(text.ids) >= 0


def test_too_long_is_cut_at_the_end_of_the_instruction() -> None:
    text = TOKENIZER.encode("pick up the duck " * 6, BINS)
    assert text.truncated
    assert all(text.mask)
    assert sum(piece.role == "instruction" for piece in text.pieces) == 15
    assert text.pieces[-1].text == ":"


@pytest.mark.parametrize("bins", [[1, 2, 3], [0, 0, 0, 256], [-1, 0, 0, 0]])
def test_bad_bins_are_refused(bins: list[int]) -> None:
    with pytest.raises(ValueError, match="bins"):
        TOKENIZER.encode("duck", bins)


def test_states_fall_into_256_bins() -> None:
    assert discretise_state(STATE_LOW).tolist() == [0] * 4
    assert discretise_state(STATE_HIGH).tolist() == [255] * 4
    assert discretise_state((STATE_LOW + STATE_HIGH) / 2).tolist() == [128] * 4
    assert discretise_state([-9, 9, -9, 9]).tolist() == [0, 255, 0, 255]
    with pytest.raises(ValueError, match="finite"):
        discretise_state(np.array([0, 0, 0, np.nan]))
