"""Roles and words of prompt tokens, by character offsets written out by hand."""

from __future__ import annotations

import pytest

from ingest.policies.text import Piece, Span, mark, spans_of

TEMPLATE = "Task: {instruction}, State: {state};\nAction: "


def test_parts_are_found_in_the_filled_template() -> None:
    text, spans = spans_of(TEMPLATE, instruction="pick up", state="12 7")
    assert text == "Task: pick up, State: 12 7;\nAction: "
    assert spans == (Span("instruction", 6, 13), Span("state", 22, 26))
    assert text[22:26] == "12 7"


def test_an_instruction_that_looks_like_the_template_is_still_one_part() -> None:
    instruction = "say State: {state};\nAction: now"
    text, spans = spans_of(TEMPLATE, instruction=instruction, state="1")
    (begin, end) = spans[0][1:]
    assert text[begin:end] == instruction
    assert spans[1].begin == end + len(", State: ")


def pieces_of(text: str, *surfaces: str) -> list[Piece]:
    """<bos>, then surfaces that lie in the text one behind the other."""
    pieces, at = [Piece("<bos>", 0, 0)], 0
    for surface in surfaces:
        begin = text.index(surface, at)
        assert begin == at
        at = begin + len(surface)
        pieces.append(Piece(surface, begin, at))
    return pieces


def test_roles_words_and_padding() -> None:
    text, spans = spans_of("Task: {instruction}, State: {state};\n", instruction="grab bananas", state="9 10")
    surfaces = ("Task", ":", " grab", " ban", "anas", ",", " State", ":", " 9", " 10", ";", "\n")
    marked = mark(text, pieces_of(text, *surfaces), spans, 15)
    assert [token.role for token in marked.tokens] == (
        ["bos", "template", "template", "instruction", "instruction", "instruction"]
        + ["template"] * 3 + ["state", "state", "template", "template", "pad", "pad"]
    )  # fmt: skip
    assert [(token.text, token.word_index) for token in marked.tokens if token.role == "instruction"] == [
        ("grab", 0),
        ("ban", 1),
        ("anas", 1),
    ]
    assert [token.kind for token in marked.tokens][9:11] == ["state", "state"]
    assert [token.is_valid for token in marked.tokens] == [True] * 13 + [False] * 2
    assert marked.lost_words == ()


def test_a_piece_that_is_blank_alone_or_joins_two_parts() -> None:
    """A piece counts to the part of its first visible character; blanks alone to where they lie."""
    text, spans = spans_of("Do: {instruction}.", instruction="go  now")
    pieces = [Piece("Do", 0, 2), Piece(": go", 2, 6), Piece(" ", 6, 7), Piece(" now.", 7, 12)]
    marked = mark(text, pieces, spans, 4)
    assert [token.role for token in marked.tokens] == ["template", "template", "instruction", "instruction"]
    assert [token.word_index for token in marked.tokens] == [None, None, 1, 1]


def test_what_is_cut_is_named_and_left_padding_stands_in_front() -> None:
    text, spans = spans_of("{instruction}\n", instruction="find the yellow duck")
    pieces = pieces_of(text, "find", " the", " yel", "low", " duck", "\n")
    marked = mark(text, pieces, spans, 4)
    assert [token.text for token in marked.tokens] == ["<bos>", "find", "the", "yel"]
    assert marked.lost_words == ("duck",)  # half of 'yellow' is still there
    padded = mark(text, pieces, spans, 9, pads_left=True)
    assert [token.role for token in padded.tokens] == ["pad", "pad", "bos", *["instruction"] * 5, "template"]
    assert padded.lost_words == ()


@pytest.mark.parametrize("instruction", ["наведи на утку", "抓 鸭子", "pick 🦆 up"])
def test_unicode_words_count_characters(instruction: str) -> None:
    text, spans = spans_of("Task: {instruction}\n", instruction=instruction)
    first = 6
    pieces = [Piece(text[:first], 0, first)]
    pieces += [Piece(character, first + i, first + i + 1) for i, character in enumerate(instruction)]
    marked = mark(text, pieces, spans, len(pieces))
    words = instruction.split()
    seen = [token for token in marked.tokens if token.word_index is not None]
    for index, word in enumerate(words):
        # The blank before a word counts to it.
        assert "".join(token.text or "" for token in seen if token.word_index == index).strip() == word
