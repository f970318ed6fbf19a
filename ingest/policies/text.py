"""Which token of a prompt is template, instruction or state: from character offsets, never from token counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ingest.attention.layout import Token

_WORD = re.compile(r"\S+")


class Piece(NamedTuple):
    """One token of the encoded text. ``begin`` and ``end`` are characters of that text; equal for <bos> and the like."""

    text: str
    begin: int
    end: int


class Span(NamedTuple):
    """Characters ``begin`` to ``end`` of the encoded text play one role: 'instruction', 'state' or 'template'."""

    role: str
    begin: int
    end: int


class Marked(NamedTuple):
    """The tokens of a prompt, padded to its length, and the words of the instruction that did not fit."""

    tokens: tuple[Token, ...]
    lost_words: tuple[str, ...]


def spans_of(template: str, **parts: str) -> tuple[str, tuple[Span, ...]]:
    """Fills ``{instruction}`` and ``{state}`` into a template: the text, and where each part lies in it.

    >>> spans_of("Task: {instruction}, State: {state};", instruction="pick", state="3 4")
    ('Task: pick, State: 3 4;', (Span(role='instruction', begin=6, end=10), Span(role='state', begin=19, end=22)))
    """
    text, spans = "", []
    for index, piece in enumerate(re.split(r"\{(\w+)\}", template)):
        value = parts[piece] if index % 2 else piece
        if index % 2:
            spans.append(Span(piece, len(text), len(text) + len(value)))
        text += value
    return text, tuple(spans)


def mark(
    text: str, pieces: Sequence[Piece], spans: Sequence[Span], length: int, *, pads_left: bool = False
) -> Marked:
    """The tokens of ``text``, cut or padded to ``length``.

    A piece belongs to the part in which its first visible character lies; what lies in none is 'template'. A piece of
    the instruction counts to the word (between blanks) that this character is part of, a blank alone to the next. ``pieces`` are those that the
    model would be given without a limit; those beyond ``length`` are cut from the end, as the models do it.
    """
    kept = pieces[:length]
    tokens = [_token(text, piece, spans, is_first=index == 0) for index, piece in enumerate(kept)]
    padding = [Token("pad", "pad", is_valid=False)] * (length - len(tokens))
    whole = {token.word_index for token in tokens if token.role == "instruction"}
    cut = {
        token.word_index
        for token in (_token(text, piece, spans, is_first=False) for piece in pieces[length:])
        if token.role == "instruction"
    }
    words = [text[begin:end] for begin, end in _words(text, spans)]
    lost = tuple(words[index] for index in sorted(index for index in cut - whole if index is not None))
    return Marked(tuple([*padding, *tokens] if pads_left else [*tokens, *padding]), lost)


def listed(words: Sequence[str], limit: int = 12) -> str:
    """Words for a warning: of many only the first ones and the last.

    >>> listed(["and", "the", "duck"], limit=2)
    'and ... duck (3 words)'
    """
    if len(words) <= limit:
        return " ".join(words)
    return f"{' '.join(words[: limit - 1])} ... {words[-1]} ({len(words)} words)"


def _token(text: str, piece: Piece, spans: Sequence[Span], *, is_first: bool) -> Token:
    if piece.begin >= piece.end:
        return Token("text", "bos" if is_first else "template", piece.text)
    surface = text[piece.begin : piece.end]
    at = piece.begin + len(surface) - len(surface.lstrip())
    at = min(at, piece.end - 1)
    role = next((span.role for span in spans if span.begin <= at < span.end), "template")
    shown = surface.strip() or surface
    if role == "instruction":
        return Token("text", role, shown, _word_at(text, spans, at))
    return Token("state" if role == "state" else "text", role, shown)


def _word_at(text: str, spans: Sequence[Span], at: int) -> int | None:
    """The word that a character is part of; a blank counts to the word behind it, the last ones to the word before."""
    words = list(_words(text, spans))
    return next(
        (index for index, (_, end) in enumerate(words) if at < end), len(words) - 1 if words else None
    )


def _words(text: str, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    for span in spans:
        if span.role == "instruction":
            for found in _WORD.finditer(text, span.begin, span.end):
                yield found.span()
