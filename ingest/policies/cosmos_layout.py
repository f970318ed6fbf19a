"""Cosmos Policy's sequence as data: latent frames are the keys of its self-attention, text slots those of its cross-attention.

Every latent frame is one region, in the order of the sequence: region k of the pass 'denoise' is frame k. The text is
not among them; frame 0, which the seed takes for text, is a blank picture. Shared by both routes to the model.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ingest.attention.layout import Camera, Layout, LayoutError, PassLayout, Query, Token, patch_tokens
from ingest.episodes.base import Observation
from ingest.episodes.trajectory import ROBOSUITE_PARTS
from ingest.errors import DataError, UnknownNameError
from ingest.identity import digest
from ingest.policies.text import Piece, Span, listed, mark
from ingest.study import Section

# Frames that show no camera: role of their tokens -> kind. A frame of any other name shows the camera of that name.
FRAME_KINDS = {
    "blank": "frame",
    "state": "state",
    "action": "action",
    "future_state": "state",
    "value": "frame",
}
PATCH = 2  # latent pixels a side of one token
TOO_LONG = "the instruction is longer than the policy takes; its end was cut"
_log = logging.getLogger(__name__)


class CosmosOptions(Section):
    """``policy.options`` of both Cosmos families.

    A frame is 'action', 'curr_last' (the last current picture), 'frameN', or the name of a frame of the suite. Which
    call of the network is kept, the seed's --prefer-call, is ``capture.denoise_steps``: first, last, all or numbers.
    """

    query_frame: str = Field("action", description="Also keep the queries of this frame.")
    visual_frame: str = Field(
        "curr_last", description="The seed's visual frame: sql/queries/frame_ratio_seed.sql."
    )
    text_frame: str = Field("frame0", description="The seed's text frame; frame 0 is blank, not text.")
    denoising_steps: int = Field(5, ge=1, description="5 as in the LIBERO evaluation; 2 make one call.")
    prefer_s: int | None = Field(
        None, description="Of the seed; every call of one query has the same length."
    )


@dataclass(frozen=True)
class Suite:
    """What the checkpoint of a benchmark sees and gives: latent frames in order, action chunk (steps, dims)."""

    frames: tuple[str, ...]
    chunk: tuple[int, int]
    state_parts: tuple[str, ...] = ()  # recorded parts that make up the state, in this order

    @property
    def cameras(self) -> tuple[str, ...]:
        """The current pictures, in order of their frames."""
        return tuple(name for name in self.frames[: self.n_given] if name not in FRAME_KINDS)

    @property
    def n_given(self) -> int:
        """Frames that the model is given clean: all before the action."""
        return self.frames.index("action")


# As `get_action` of cosmos-policy builds the sequence; the route through it reads the indices from its result.
SUITES = {
    "libero": Suite(
        frames=(
            *("blank", "state", "wrist", "primary", "action"),
            *("future_state", "future_wrist", "future_primary", "value"),
        ),
        chunk=(16, 7),
        state_parts=ROBOSUITE_PARTS,
    ),
    "robocasa": Suite(
        frames=(
            *("blank", "state", "wrist", "primary", "secondary", "action"),
            *("future_state", "future_wrist", "future_primary", "future_secondary", "value"),
        ),
        chunk=(32, 7),
        state_parts=ROBOSUITE_PARTS,
    ),
    "aloha": Suite(
        frames=(
            *("blank", "state", "left_wrist", "right_wrist", "primary", "action"),
            *("future_state", "future_left_wrist", "future_right_wrist", "future_primary", "value"),
        ),
        chunk=(50, 14),
    ),
}


def suite_of(name: str | None) -> Suite:
    """Raises UnknownNameError for a suite that Cosmos Policy has no checkpoint for."""
    if name not in SUITES:
        raise UnknownNameError(f"policy.config: expected one of {sorted(SUITES)}, found {name!r}")
    return SUITES[name]


def kept_side(size: int) -> int:
    """Pixels a side of the middle 90 % of a picture's area: pictures were cropped at random in training."""
    return int(size * 0.9**0.5)


def checked_options(options: CosmosOptions, frames: Sequence[str]) -> CosmosOptions:
    """The options, once their frames are known to exist. Raises UnknownNameError."""
    for name in (options.query_frame, options.visual_frame, options.text_frame):
        frame_index(frames, name)
    if options.prefer_s is not None:
        _log.warning("policy.options.prefer_s has no effect: every call of one query has the same length")
    return options


def the_square(observation: Observation, camera: str) -> NDArray[np.uint8]:
    """A camera's picture. Raises DataError where it is missing or not square."""
    subject = f"frame {observation.frame_index}"
    image = observation.images.get(camera)
    if image is None:
        raise DataError(
            f"{subject}: no picture of camera {camera!r}, found {sorted(observation.images)}",
            subject=subject,
            reason="missing_camera",
        )
    if image.shape[0] != image.shape[1]:
        raise DataError(
            f"{subject}: camera {camera} gives {image.shape[0]} x {image.shape[1]} pixels, but Cosmos Policy was "
            "trained on square pictures and would stretch them; crop them to a square",
            subject=subject,
            reason="picture_not_square",
        )
    return image


def state_of(observation: Observation, suite: Suite, wanted: int | None) -> NDArray[np.float64]:
    """The suite's parts of the state one after the other, or the whole state where they are not recorded apart.

    Raises DataError where it has not the ``wanted`` length, or is not finite.
    """
    parts = [observation.state_parts[name] for name in suite.state_parts if name in observation.state_parts]
    is_whole = len(parts) == len(suite.state_parts) > 0
    state = np.concatenate(parts) if is_whole else np.asarray(observation.state, dtype=np.float64)
    subject, named = f"frame {observation.frame_index}", ", ".join(suite.state_parts) or "the joint positions"
    if wanted is not None and len(state) != wanted:
        raise DataError(
            f"{subject}: the checkpoint's state has {wanted} numbers, found {len(state)}; record {named}",
            subject=subject,
            reason="missing_state",
        )
    if not np.isfinite(state).all():
        raise DataError(
            f"{subject}: {named} are not all finite; leave the frame out with a white_list.json",
            subject=subject,
            reason="state_not_finite",
        )
    return state


@dataclass(frozen=True)
class Text:
    """A prompt as it enters: ``embedding`` [slots, dim], zero where there is no text, and what is known of its pieces.

    ``pieces`` are the encoder's tokens with their characters in the prompt, or None where only the embedding is at
    hand; ``token_ids`` then come from its bytes.
    """

    embedding: NDArray[np.float32]
    token_ids: tuple[int, ...]
    pieces: tuple[Piece, ...] | None = None
    is_cut: bool = False

    @property
    def n_real(self) -> int:
        """Slots that hold text. Raises LayoutError unless they are the first ones."""
        is_real: NDArray[np.bool_] = np.any(self.embedding != 0, axis=1)
        count = int(is_real.sum())
        if not is_real[:count].all():
            raise LayoutError("the text embedding has empty slots between those with text")
        return count

    @classmethod
    def from_embedding(cls, embedding: NDArray[np.float32]) -> Text:
        """Text of which nothing but the embedding is known."""
        values = np.ascontiguousarray(embedding, dtype="<f4")
        return cls(values, tuple(np.frombuffer(digest(values.tobytes()), dtype="<i8").tolist()))


def text_tokens(prompt: str, text: Text) -> tuple[Token, ...]:
    """The keys of the cross-attention. Empty slots are 'text_pad': not masked, with keys of zero, they draw attention.

    Without pieces every slot with text is 'instruction', of no known word. Raises LayoutError where the pieces are not
    as many as the slots with text.
    """
    n_slots = len(text.embedding)
    if text.pieces is None:
        real = (Token("text", "instruction"),) * text.n_real
    else:
        if len(text.pieces) != text.n_real:
            raise LayoutError(
                f"{len(text.pieces)} pieces of text, but {text.n_real} slots of the embedding hold any"
            )
        marked = mark(prompt, text.pieces, (Span("instruction", 0, len(prompt)),), n_slots).tokens
        # T5 has no <bos>: an empty prompt's first piece is the end mark.
        real = tuple(
            Token(token.kind, "template", token.text) if token.role == "bos" else token
            for token in marked[: text.n_real]
        )
    return (*real, *[Token("pad", "text_pad")] * (n_slots - len(real)))


def cut_warning(prompt: str, text: Text) -> tuple[str, ...]:
    """What was cut of a prompt that is too long: its words, where the pieces that entered are known."""
    if text.pieces is None:
        # A prompt that fills every slot exactly looks the same.
        return (TOO_LONG,) if text.is_cut or text.n_real == len(text.embedding) else ()
    if not text.is_cut:
        return ()
    end = max(piece.end for piece in text.pieces)
    lost = [word.group() for word in re.finditer(r"\S+", prompt) if word.end() > end]
    return (f"{TOO_LONG}: {listed(lost)}",)


def frames_from_indices(indices: Mapping[str, int], cameras: Mapping[str, str]) -> tuple[str, ...]:
    """The frames of a sequence, from cosmos-policy's ``*_latent_idx``; -1 stands for a frame that there is not.

    ``cameras`` maps its names ('wrist_image', 'image2') to those of the study. The one frame without an index is the
    blank one. Raises LayoutError where the indices leave another gap, or meet.
    """
    names = {"action_latent_idx": "action", "value_latent_idx": "value"}
    for when, prefix in (("current", ""), ("future", "future_")):
        names[f"{when}_proprio_latent_idx"] = f"{prefix}state"
        for theirs, ours in cameras.items():
            names[f"{when}_{theirs}_latent_idx"] = f"{prefix}{ours}"
    found = {index: names[name] for name, index in indices.items() if index >= 0 and name in names}
    unknown = sorted(name for name, index in indices.items() if index >= 0 and name not in names)
    count = sum(index >= 0 for index in indices.values())
    missing = sorted(set(range(max(found, default=0) + 1)) - set(found))
    if unknown or len(found) != count or missing != [0]:
        raise LayoutError(f"latent indices that are no sequence with one blank frame: {dict(indices)}")
    return ("blank", *(found[index] for index in sorted(found)))


def frame_index(frames: Sequence[str], name: str) -> int:
    """The latent frame that an option names. Raises UnknownNameError."""
    if name == "curr_last":
        return max(i for i, one in enumerate(frames[: frames.index("action")]) if one not in FRAME_KINDS)
    number = re.fullmatch(r"frame(\d+)", name)
    if number and int(number[1]) < len(frames):
        return int(number[1])
    if name in frames:
        return list(frames).index(name)
    raise UnknownNameError(
        f"policy.options: no frame {name!r}; there are curr_last, frame0 to frame{len(frames) - 1}, "
        f"{', '.join(frames)}"
    )


def chunk_rows(latent: tuple[int, int, int], chunk: tuple[int, int]) -> list[tuple[int, ...]]:
    """For each step of the chunk, the tokens of the action frame that carry it; ``latent`` is (channels, height, width).

    The chunk [steps, dims] is written into the frame again and again, channel by channel and row by row, and read as
    the mean of its whole repeats; a token holds PATCH x PATCH latent pixels of every channel. Several steps may share
    their tokens: in LIBERO steps t and t + 4.
    """
    n_steps, n_dims = chunk
    channels, height, width = latent
    place = np.arange(channels * height * width)
    step = np.where(
        place < len(place) // (n_steps * n_dims) * (n_steps * n_dims),
        place % (n_steps * n_dims) // n_dims,
        -1,
    )
    token = place % (height * width) // width // PATCH * (width // PATCH) + place % width // PATCH
    return [tuple(np.unique(token[step == number]).tolist()) for number in range(n_steps)]


def cosmos_layout(
    family: str,
    frames: Sequence[str],
    latent: tuple[int, int, int],
    text: Sequence[Token],
    wanted: Sequence[str],
    chunk: tuple[int, int],
    query_frame: str = "action",
    kept: float = 1.0,
) -> Layout:
    """Passes 'denoise' and 'cross'. Their queries, rows of the latent sequence, are groups.

    'action' (the action frame), 'chunk:t' (its tokens that carry step t, unless that is all of them) and, for another
    query frame, 'frame:N'. The instruction has no queries in this model. ``kept`` is :attr:`Camera.kept`.
    """
    side = latent[1] // PATCH
    cameras = tuple(Camera(name, side, side, kept) for name in frames if name not in FRAME_KINDS)
    by_name = {camera.name: camera for camera in cameras}
    tokens: list[Token] = []
    for name in frames:
        if name in by_name:
            tokens += patch_tokens(by_name[name], np.ones(side * side))
        else:
            tokens += [Token(FRAME_KINDS[name], name)] * (side * side)
    queries = _queries(frames, latent, wanted, chunk, query_frame) if "action" in wanted else ()
    passes = (PassLayout("denoise", tuple(tokens), queries), PassLayout("cross", tuple(text), queries))
    return Layout(family, cameras, passes)


def _queries(
    frames: Sequence[str],
    latent: tuple[int, int, int],
    wanted: Sequence[str],
    chunk: tuple[int, int],
    query_frame: str,
) -> tuple[Query, ...]:
    size = latent[1] // PATCH * (latent[2] // PATCH)

    def rows_of(index: int) -> range:
        return range(index * size, (index + 1) * size)

    action, other = frame_index(frames, "action"), frame_index(frames, query_frame)
    queries = [Query("action", "group", tuple(rows_of(action)))]
    for step, tokens in enumerate(chunk_rows(latent, chunk)):
        if 0 < len(tokens) < size:
            queries.append(Query(f"chunk:{step}", "group", tuple(rows_of(action)[token] for token in tokens)))
    if other != action:
        queries.append(Query(f"frame:{other}", "group", tuple(rows_of(other))))
    return tuple(queries)
