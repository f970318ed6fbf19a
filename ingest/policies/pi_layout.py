"""The key layout that Pi0, Pi0.5 and their kin share: pictures, then text, then what the action expert adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.attention.layout import (
    Camera,
    Layout,
    PassLayout,
    Token,
    action_queries,
    instruction_queries,
    patch_tokens,
)


@dataclass(frozen=True)
class Slot:
    """One picture of the prefix: a camera, or a slot that the model masks because no camera fills it.

    ``picture_share`` [rows * cols]: the share of each patch that shows picture and not letterbox.
    """

    camera: Camera
    picture_share: tuple[float, ...]
    is_masked: bool = False


def pi_layout(
    family: str,
    slots: Sequence[Slot],
    text: Sequence[Token],
    n_actions: int,
    queries: Sequence[str],
    *,
    has_state_token: bool = False,
    around: tuple[Sequence[Token], Sequence[Token]] = ((), ()),
) -> Layout:
    """Prefix keys: the slots' patches in order, then ``text``. Suffix keys: those, the state token of Pi0, actions.

    The queries of the prefix are the instruction's words; those of the suffix the actions, whose rows start at 1
    where a state token comes first. ``around`` are the tokens before and after the patches of every slot.
    """
    patches = [
        token
        for slot in slots
        for token in (
            *around[0],
            *patch_tokens(slot.camera, np.asarray(slot.picture_share), slot.is_masked),
            *around[1],
        )
    ]
    state = [Token("state", "state")] if has_state_token else []
    actions = [Token("action", "action")] * n_actions
    prefix = PassLayout("prefix", (*patches, *text), instruction_queries(text, len(patches), queries))
    suffix = PassLayout(
        "suffix", (*patches, *text, *state, *actions), action_queries(n_actions, len(state), queries)
    )
    return Layout(family, tuple(slot.camera for slot in slots if not slot.is_masked), (prefix, suffix))
