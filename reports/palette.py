"""Colours: one meaning, one colour, on every page. After Okabe and Ito, told apart with every common colour blindness.

Each is dark enough on paper and light enough on a dark screen (contrast of at least 3 with both backgrounds).
"""

from __future__ import annotations

OUTCOMES = {"success": "#1f78b4", "failure": "#d55e00", "all": "#7a7f87"}
MODALITIES = {
    "visual": "#3d9bd1",
    "linguistic": "#d98a00",
    "state": "#7d6bb3",
    "action": "#b0557e",
    "other": "#8d939b",
}
# Own mask against the nulls; target against distractors.
MASKS = {"own mask": "#00866a", "other episodes": "#8d939b", "distractors": "#b0557e"}
WORDS = {"names the target": "#00866a", "other words": "#8d939b"}
CAMERAS = ("#00866a", "#b8579a", "#7d6bb3", "#a67c00")
# Prompts are distinguished by shape as well.
PROMPTS = ("#b8579a", "#a67c00", "#00866a", "#3d6fd1", "#c0504d", "#5b8a3a", "#7d6bb3", "#607080")
PARAPHRASE = "#8d939b"
SEQUENTIAL = "viridis"


def camera_colours(cameras: list[str]) -> dict[str, str]:
    """Colour of each camera, in the order of the study."""
    return {camera: CAMERAS[i % len(CAMERAS)] for i, camera in enumerate(cameras)}


def prompt_colours(conditions: list[str]) -> dict[str, str]:
    """Colour of each prompt condition, in the order of the study."""
    return {condition: PROMPTS[i % len(PROMPTS)] for i, condition in enumerate(conditions)}
