"""Words and state of the tiny policy as token ids, in the shape of Pi0.5's prompt.

``<bos> Task : find the duck toy , State : 131 12 255 254 ; Action :`` - one token a word, one token a state bin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Role = Literal["bos", "template", "instruction", "state", "pad"]

PAD, BOS, UNKNOWN = "<pad>", "<bos>", "<unk>"
OBJECT_WORDS = ("duck", "banana", "cat", "bottle", "cube")
_INSTRUCTION_WORDS = ("find", "the", "toy", "and", "pick", "it", "up", "lift", "take")
_TEMPLATE_WORDS = ("Task", ":", ",", "State", ";", "Action")

WORDS: tuple[str, ...] = (PAD, BOS, UNKNOWN, *_TEMPLATE_WORDS, *OBJECT_WORDS, *_INSTRUCTION_WORDS)
N_STATE_BINS = 256
STATE_NAMES = ("x", "y", "z", "opening")
FIRST_STATE_ID = len(WORDS)
VOCABULARY_SIZE = FIRST_STATE_ID + len(STATE_NAMES) * N_STATE_BINS

# Metres, in the base frame: the box the gripper can reach, and the gap between its fingers.
STATE_LOW = np.array([0.28, -0.26, 0.00, 0.00])
STATE_HIGH = np.array([0.64, 0.26, 0.26, 0.09])


class Piece(NamedTuple):
    """What one token stands for; ``word_index`` counts the words of the instruction and is None elsewhere."""

    text: str
    role: Role
    word_index: int | None


class EncodedText(NamedTuple):
    """One prompt: ``ids``, ``mask`` and ``pieces`` all have the length ``max_token_len``."""

    ids: list[int]
    mask: list[bool]
    pieces: list[Piece]
    truncated: bool


def split_words(prompt: str) -> list[str]:
    """The lower-cased words of an instruction, punctuation dropped."""
    return re.findall(r"[\w'-]+", prompt.lower())


def discretise_state(state: ArrayLike) -> NDArray[np.int64]:
    """Bins 0..255 of a state ``[4]``: gripper x, y, z (metres, base frame) and opening (metres).

    Values outside ``STATE_LOW``..``STATE_HIGH`` fall into the outermost bins.
    Raises ValueError for another shape or values that are not finite.
    """
    values = np.asarray(state, dtype=np.float64)
    if values.shape != (len(STATE_NAMES),) or not np.isfinite(values).all():
        raise ValueError(f"a state is 4 finite numbers {STATE_NAMES}, found {values!r}")
    share = (values - STATE_LOW) / (STATE_HIGH - STATE_LOW)
    return np.clip(np.floor(share * N_STATE_BINS), 0, N_STATE_BINS - 1).astype(np.int64)


class TinyTokenizer:
    """Prompt and state bins -> ids, mask and the role of every token, padded to ``max_token_len``."""

    def __init__(self, max_token_len: int = 28) -> None:
        if max_token_len < _N_FIXED_TOKENS + 1:
            raise ValueError(f"max_token_len must be at least {_N_FIXED_TOKENS + 1}, found {max_token_len}")
        self.max_token_len = max_token_len
        self._id_of_word = {word: index for index, word in enumerate(WORDS)}

    def encode(self, prompt: str, state_bins: Sequence[int]) -> EncodedText:
        """Encodes an instruction and the four state bins.

        An instruction that does not fit is cut at its end, never the state, and ``truncated`` says so.
        Raises ValueError when there are not four bins or one lies outside 0..255.
        """
        bins = [int(value) for value in state_bins]
        if len(bins) != len(STATE_NAMES) or not all(0 <= value < N_STATE_BINS for value in bins):
            raise ValueError(f"expected {len(STATE_NAMES)} state bins in 0..{N_STATE_BINS - 1}, found {bins}")
        words = split_words(prompt)
        room = self.max_token_len - _N_FIXED_TOKENS
        kept = words[:room]

        pieces = [Piece(BOS, "bos", None)]
        pieces += [Piece(text, "template", None) for text in _BEFORE_INSTRUCTION]
        pieces += [Piece(word, "instruction", index) for index, word in enumerate(kept)]
        pieces += [Piece(text, "template", None) for text in _BEFORE_STATE]
        pieces += [Piece(str(value), "state", None) for value in bins]
        pieces += [Piece(text, "template", None) for text in _AFTER_STATE]
        n_valid = len(pieces)
        pieces += [Piece(PAD, "pad", None)] * (self.max_token_len - n_valid)

        # Instruction words are lower case and bare, so none can read as a template token ("Task", ":", ...).
        unknown = self._id_of_word[UNKNOWN]
        ids = [self._id_of_word.get(piece.text, unknown) if piece.role != "state" else -1 for piece in pieces]
        first_state = ids.index(-1)
        for dimension, value in enumerate(bins):
            # Each dimension has its own ids, so that a bin's meaning does not hang on its place in the prompt.
            ids[first_state + dimension] = FIRST_STATE_ID + dimension * N_STATE_BINS + value
        mask = [position < n_valid for position in range(self.max_token_len)]
        return EncodedText(ids, mask, pieces, truncated=len(kept) < len(words))


_BEFORE_INSTRUCTION = ("Task", ":")
_BEFORE_STATE = (",", "State", ":")
_AFTER_STATE = (";", "Action", ":")
_N_FIXED_TOKENS = 1 + len(_BEFORE_INSTRUCTION) + len(_BEFORE_STATE) + len(STATE_NAMES) + len(_AFTER_STATE)
