"""The tiny policy, but for pictures that it puts into the lower right corner of its input, as SmolVLA does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Fit
from ingest.policies import tiny
from ingest.policies.base import Seen
from ingest.policies.tiny import TinyAdapter
from ingest.study import PolicySection

FIT = Fit(at="end")


class LowerRight(TinyAdapter):
    def see(self, observation: Observation) -> Seen:
        seen = super().see(observation)
        boxes = {
            name: FIT.letterbox(box.source_height, box.source_width) for name, box in seen.letterboxes.items()
        }
        pictures = {
            name: np.roll(
                seen.pictures[name], (boxes[name].top - box.top, boxes[name].left - box.left), (0, 1)
            )
            for name, box in seen.letterboxes.items()
        }
        return replace(seen, pictures=pictures, letterboxes=boxes)


def load(section: PolicySection, device: str) -> LowerRight:
    policy = forgetful(section, device)
    policy.geometry = replace(policy.geometry, fits=dict.fromkeys(policy.geometry.cameras, FIT))
    policy._cameras = tuple(replace(camera, fit=FIT) for camera in policy._cameras)
    return policy


def forgetful(section: PolicySection, device: str) -> LowerRight:
    """One that does not say so."""
    policy = tiny.load(section, device)
    policy.__class__ = LowerRight
    assert isinstance(policy, LowerRight)
    return policy
