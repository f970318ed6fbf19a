"""What each text token of openpi's Pi0 and Pi0.5 is: its prompt written again, and compared with the ids it gave."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.attention.layout import LayoutError, Token
from ingest.policies.text import Piece, Span, mark, spans_of


class Given(NamedTuple):
    """What openpi's ``TokenizePrompt`` was given; ``state`` (normalised) where it becomes part of the text."""

    prompt: str
    state: NDArray[np.float64] | None


class Text(NamedTuple):
    tokens: tuple[Token, ...]
    warnings: tuple[str, ...]


def text_tokens(
    tokenizer: Any, given: Given, ids: NDArray[np.int64], mask: NDArray[np.bool_], bins: int = 256
) -> Text:
    """The tokens of the text, padding included, and a warning where it was cut.

    ``tokenizer`` is the policy's sentencepiece model, ``ids`` [L] and ``mask`` [L] are what it gave. The texts are
    those of openpi's ``PaligemmaTokenizer.tokenize``. Raises LayoutError where they do not give these ids.
    """
    found, text, spans = _pieces(tokenizer, given, bins)
    kept = [piece.id for piece in found[: len(ids)]]
    if ids[mask].tolist() != kept or not mask[: len(kept)].all():
        raise LayoutError(f"the text {text!r} does not give the token ids that openpi's tokenizer gave")
    marked = mark(text, [one.piece for one in found], spans, len(ids))
    tokens = list(marked.tokens)
    for index, token in enumerate(tokens):
        # A state's digits change with every frame; without them the frames of a prompt share one layout. The name of
        # a word is put together from its tokens: each character once.
        if token.role == "state" or (index < len(kept) and found[index].is_first_bytes):
            tokens[index] = dataclasses.replace(token, text=None)
    return Text(tuple(tokens), _cut(len(found), len(ids), marked.lost_words))


class _Encoded(NamedTuple):
    """``is_first_bytes``: a byte of a character that the vocabulary lacks, but not its last one."""

    id: int
    piece: Piece
    is_first_bytes: bool


def _pieces(tokenizer: Any, given: Given, bins: int) -> tuple[list[_Encoded], str, tuple[Span, ...]]:
    """All pieces from <bos> on, the text they are pieces of, and its parts."""
    cleaned = given.prompt.strip().replace("_", " ").replace("\n", " ")
    if given.state is None:
        text, spans = spans_of("{instruction}\n", instruction=cleaned)
        found = [*_encode(tokenizer, cleaned, 0), *_encode(tokenizer, "\n", len(cleaned))]
    else:
        digits = np.digitize(given.state, np.linspace(-1, 1, bins + 1)[:-1]) - 1
        text, spans = spans_of(
            "Task: {instruction}, State: {state};\nAction: ",
            instruction=cleaned,
            state=" ".join(map(str, digits)),
        )
        found = _encode(tokenizer, text, 0)
    bos = tokenizer.bos_id()
    return [_Encoded(bos, Piece(tokenizer.id_to_piece(bos), 0, 0), False), *found], text, spans


def _encode(tokenizer: Any, text: str, begin: int) -> list[_Encoded]:
    """The pieces of ``text``, which starts at character ``begin`` of the whole.

    By their surfaces, which are the text cut up: the offsets beside them count characters in some releases of
    sentencepiece and bytes in others. Of a character in bytes only the last has a surface; all of them belong to it.
    """
    encode = getattr(tokenizer, "encode_as_immutable_proto", None) or tokenizer.encode_as_proto
    pieces = list(encode(text).pieces)
    if "".join(piece.surface for piece in pieces) != text:
        raise LayoutError(f"the tokenizer changes the text {text!r}: its pieces cannot be found in it")
    found, surface, end = [], "", begin + len(text)
    for piece in reversed(pieces):
        surface = piece.surface or surface
        end -= len(piece.surface)
        found.append(_Encoded(piece.id, Piece(surface, end, end + len(surface)), not piece.surface))
    return found[::-1]


def _cut(n_found: int, n_taken: int, lost_words: Sequence[str]) -> tuple[str, ...]:
    if n_found <= n_taken:
        return ()
    lost = " ".join(lost_words) or "the end of the text, but no whole word of the instruction"
    return (f"the text has {n_found} tokens and the policy takes {n_taken}; cut: {lost}",)
