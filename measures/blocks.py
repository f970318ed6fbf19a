"""Tasks as blocks: when labels of success and failure may be exchanged only within a task. METHODS 7."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def can_block(x_labels: Sequence[object], y_labels: Sequence[object]) -> bool:
    """Whether exchanging episodes within their task leaves something to exchange.

    x_labels, y_labels: the task of each episode of either group. True for two tasks or more when those with episodes
    of both groups hold at least half of either group. Otherwise, as in a study where every episode has a task of its
    own, a blocked test would look at next to no rearrangement and its p-value would be 1 whatever the data.
    """
    shared = set(x_labels) & set(y_labels)
    if len(set(x_labels) | set(y_labels)) < 2 or not shared:
        return False
    return all(np.mean([label in shared for label in labels]) >= 0.5 for labels in (x_labels, y_labels))
