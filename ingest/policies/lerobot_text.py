"""What the text that enters a LeRobot policy says, token by token, read back from what its preprocessor returned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from lerobot.utils.constants import OBS_LANGUAGE_ATTENTION_MASK, OBS_LANGUAGE_TOKENS

from ingest.attention.layout import LayoutError, Token
from ingest.policies.text import Piece, Span, mark

# What the processors make of the instruction.
_LINE = re.compile(r"(?P<instruction>.*?)\n?", re.DOTALL)
_TEMPLATES = {
    "pi0": _LINE,
    "smolvla": _LINE,
    "pi05": re.compile(r"Task: (?P<instruction>.*), State: (?P<state>[-\d ]*);\nAction: ", re.DOTALL),
}


class Entered(NamedTuple):
    """The tokens that entered, padding included."""

    tokens: tuple[Token, ...]
    ids: tuple[int, ...]
    warnings: tuple[str, ...]


def text_of(kind: str, batch: Mapping[str, Any], step: Any) -> Entered:
    """``batch`` is what the preprocessor returned, ``step`` its tokenizer step.

    Raises LayoutError where the prompt has another form than this version of LeRobot gives it, or other tokens entered.
    """
    whole = batch["task"][0]
    found = _TEMPLATES[kind].fullmatch(whole)
    if found is None:
        raise LayoutError(f"the prompt that entered has another form than that of {kind}: {whole!r}")
    spans = [Span(role, *found.span(role)) for role in found.groupdict()]
    ids = batch[OBS_LANGUAGE_TOKENS][0].tolist()
    is_real = batch[OBS_LANGUAGE_ATTENTION_MASK][0].tolist()
    encoded = step.input_tokenizer(whole, return_offsets_mapping=True)
    if encoded["input_ids"][: len(ids)] != [one for one, real in zip(ids, is_real, strict=True) if real]:
        raise LayoutError(f"the tokens that entered are not the first ones of {whole!r}")
    names = step.input_tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    pieces = [Piece(name, *at) for name, at in zip(names, encoded["offset_mapping"], strict=True)]
    marked = mark(whole, pieces, spans, len(ids), pads_left=step.padding_side == "left")
    # The digits change with every frame; without them the frames of a prompt share more layouts.
    tokens = tuple(replace(one, text=None) if one.role == "state" else one for one in marked.tokens)
    if len(pieces) <= len(ids):
        return Entered(tokens, tuple(ids), ())
    lost = f", with the words {' '.join(marked.lost_words)}" if marked.lost_words else ""
    warning = f"the prompt has {len(pieces)} tokens and the policy takes {len(ids)}: its end was cut{lost}"
    return Entered(tokens, tuple(ids), (warning,))
