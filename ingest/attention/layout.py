"""The token layout of one inference: which key is what, as data. An exact partition of the keys, or an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ingest.episodes.preprocess import Fit
from ingest.identity import canonical_json, hex_digest

_CENTRED = Fit()

ROLE_KIND = {
    "patch": "visual",
    "letterbox": "visual",
    "masked_camera": "pad",
    "bos": "linguistic",
    "template": "linguistic",
    "instruction": "linguistic",
    "state": "state",
    "action": "action",
    "pad": "pad",
    # Models that denoise a sequence of latent frames (Cosmos).
    "blank": "other",
    "future_state": "state",
    "value": "other",
    "text_pad": "pad",  # unlike 'pad' not masked: these slots get attention, and act as a sink
}
_ROWS_ARE_KEYS = (
    "prefix",
    "denoise",
)  # a suffix also looks at keys before it, a cross-attention at other tokens
_CAMERA_REGIONS = {"patch": "image", "letterbox": "letterbox", "masked_camera": "masked_camera"}


class LayoutError(ValueError):
    """A layout that is no partition of the keys, or does not fit the weights it is used on."""


@dataclass(frozen=True)
class Token:
    """One key. ``row`` and ``col`` count patches from the top left; ``word_index`` counts instruction words."""

    kind: str
    role: str
    text: str | None = None
    word_index: int | None = None
    camera: str | None = None
    row: int | None = None
    col: int | None = None
    is_valid: bool = True


@dataclass(frozen=True)
class Region:
    """Keys that are added up together; ``kind`` is the modality they count as."""

    name: str
    kind: str
    keys: tuple[int, ...]


@dataclass(frozen=True)
class Query:
    """Query rows that are averaged: one token, or a group. ``rows`` count the rows of the pass's weights."""

    name: str
    kind: str
    rows: tuple[int, ...]
    word_index: int | None = None


@dataclass(frozen=True)
class Camera:
    """A camera's grid of patches, over the middle of its picture: ``kept`` of each side, where the model crops it.

    ``fit`` is how the model fits the raw picture into its input.
    """

    name: str
    rows: int
    cols: int
    kept: float = 1.0
    fit: Fit = _CENTRED

    def facts(self) -> dict[str, str | int | float]:
        """The camera as ``layouts.cameras`` stores it; what most cameras share is left out."""
        facts: dict[str, str | int | float] = {"name": self.name, "rows": self.rows, "cols": self.cols}
        if self.kept != 1:
            facts["kept"] = self.kept
        if self.fit != _CENTRED:
            facts |= {"input_size": self.fit.size, "placed": self.fit.at}
        return facts


@dataclass(frozen=True)
class PassLayout:
    """Keys and queries of one forward pass ('prefix', 'suffix'), or of one of its attentions ('denoise', 'cross')."""

    name: str
    tokens: tuple[Token, ...]
    queries: tuple[Query, ...]
    regions: tuple[Region, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regions", partition(self.tokens))

    @property
    def n_keys(self) -> int:
        return len(self.tokens)

    @property
    def rows_are_keys(self) -> bool:
        """Whether the rows of the pass's weights are its own keys."""
        return self.name in _ROWS_ARE_KEYS

    @cached_property
    def bos(self) -> int | None:
        """Key of the BOS token, or None."""
        return next((index for index, token in enumerate(self.tokens) if token.role == "bos"), None)

    def patch_keys(self, camera: Camera) -> NDArray[np.int64]:
        """[rows * cols] keys of a camera's patches, row by row.

        Raises LayoutError when the camera's patches are not exactly its grid.
        """
        keys = np.full((camera.rows, camera.cols), -1, dtype=np.int64)
        for index, token in enumerate(self.tokens):
            if token.camera == camera.name and token.row is not None and token.col is not None:
                keys[token.row, token.col] = index
        if (keys < 0).any():
            raise LayoutError(
                f"camera {camera.name!r} has {(keys >= 0).sum()} of {keys.size} patches in {self.name}"
            )
        return keys.ravel()

    def region_matrix(self) -> NDArray[np.float64]:
        """[keys, regions] one-hot: each key in exactly one region."""
        matrix = np.zeros((self.n_keys, len(self.regions)))
        for column, region in enumerate(self.regions):
            matrix[list(region.keys), column] = 1.0
        return matrix


@dataclass(frozen=True)
class Layout:
    """The layouts of all passes of one inference."""

    model_family: str
    cameras: tuple[Camera, ...]
    passes: tuple[PassLayout, ...]

    @cached_property
    def layout_id(self) -> str:
        """Hash of the content; inferences with equal layouts share it."""
        content = [
            self.model_family,
            [
                [
                    camera.name,
                    camera.rows,
                    camera.cols,
                    *([camera.kept] if camera.kept != 1 else []),
                    *([camera.fit.size, camera.fit.at] if camera.fit != _CENTRED else []),
                ]
                for camera in self.cameras
            ],
            [
                [
                    p.name,
                    [list(vars(t).values()) for t in p.tokens],
                    [list(vars(q).values()) for q in p.queries],
                ]
                for p in self.passes
            ],
        ]
        return hex_digest(canonical_json(content))

    def cameras_in(self, part: PassLayout) -> tuple[Camera, ...]:
        """The cameras whose patches are keys of a pass: all of the layout's, or none (text alone, as in cross-attention)."""
        return self.cameras if any(token.camera is not None for token in part.tokens) else ()

    def of(self, pass_name: str) -> PassLayout:
        """The layout of a pass. Raises LayoutError when there is none of that name."""
        for candidate in self.passes:
            if candidate.name == pass_name:
                return candidate
        raise LayoutError(f"no pass {pass_name!r}; the layout has {[p.name for p in self.passes]}")


def partition(tokens: Sequence[Token]) -> tuple[Region, ...]:
    """Regions in order of their first key; every key in exactly one.

    Raises LayoutError for a token of unknown role, or a patch without a camera.
    """
    keys: dict[tuple[str, str], list[int]] = {}
    for index, token in enumerate(tokens):
        kind = ROLE_KIND.get(token.role)
        if kind is None:
            raise LayoutError(
                f"token {index} has the unknown role {token.role!r}; known: {sorted(ROLE_KIND)}"
            )
        keys.setdefault((_region_name(index, token), kind), []).append(index)
    return tuple(Region(name, kind, tuple(members)) for (name, kind), members in keys.items())


def patch_tokens(camera: Camera, picture_share: NDArray[np.float64], is_masked: bool = False) -> list[Token]:
    """Row-major patch tokens of a camera; ``picture_share`` [rows * cols] is 0 where a patch is padding alone."""
    tokens = []
    for index, share in enumerate(picture_share):
        row, col = divmod(index, camera.cols)
        role = "masked_camera" if is_masked else "patch" if share > 0 else "letterbox"
        tokens.append(Token("patch", role, camera=camera.name, row=row, col=col, is_valid=not is_masked))
    return tokens


def instruction_queries(tokens: Sequence[Token], first_row: int, wanted: Iterable[str]) -> tuple[Query, ...]:
    """The group 'instruction' and one query a word token, from text tokens that start at query row ``first_row``.

    A word that the tokenizer cut into pieces gives one query a piece, all under the word's name.
    """
    rows = [(first_row + index, token) for index, token in enumerate(tokens) if token.role == "instruction"]
    queries = []
    if rows and "instruction" in wanted:
        queries.append(Query("instruction", "group", tuple(row for row, _ in rows)))
    if "words" in wanted:
        words: dict[int | None, str] = {}
        for _, token in rows:
            words[token.word_index] = words.get(token.word_index, "") + (token.text or "")
        queries += [
            Query(f"word:{words[token.word_index].strip()}", "token", (row,), token.word_index)
            for row, token in rows
        ]
    return tuple(queries)


def action_queries(n_actions: int, first_row: int, wanted: Iterable[str]) -> tuple[Query, ...]:
    """The group 'action' and one query an action token."""
    if "action" not in wanted:
        return ()
    rows = range(first_row, first_row + n_actions)
    group = Query("action", "group", tuple(rows))
    return (group, *(Query(f"action:{index}", "token", (row,)) for index, row in enumerate(rows)))


def _region_name(index: int, token: Token) -> str:
    prefix = _CAMERA_REGIONS.get(token.role)
    if prefix is None:
        return token.role
    if token.camera is None:
        raise LayoutError(f"token {index} is a {token.role} without a camera")
    return f"{prefix}:{token.camera}"
