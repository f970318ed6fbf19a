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
# What an object is to the task; target and distractor as in MASKS.
ROLES = {
    "target": "#00866a",
    "distractor": "#b0557e",
    "decoy": "#a67c00",
    "gripper": "#3d6fd1",
    "goal": "#7d6bb3",
    "occluder": "#c0504d",
}
CAMERAS = ("#00866a", "#b8579a", "#7d6bb3", "#a67c00")
# Prompts are distinguished by shape as well.
PROMPTS = ("#b8579a", "#a67c00", "#00866a", "#3d6fd1", "#c0504d", "#5b8a3a", "#7d6bb3", "#607080")
RUNS = {"A": "#3d6fd1", "B": "#a67c00"}
PARAPHRASE = "#8d939b"
SEQUENTIAL = "viridis"
DIVERGING = "blueorange"  # around a value of no preference


def camera_colours(cameras: list[str]) -> dict[str, str]:
    """Colour of each camera, in the order of the study."""
    return {camera: CAMERAS[i % len(CAMERAS)] for i, camera in enumerate(cameras)}


def role_colours(roles: list[str]) -> dict[str, str]:
    """Colour of each role that is there, the known ones first; a role of a study's own is grey."""
    known = {role: colour for role, colour in ROLES.items() if role in roles}
    return known | {role: MASKS["other episodes"] for role in roles if role not in known}


def prompt_colours(conditions: list[str]) -> dict[str, str]:
    """Colour of each prompt condition, in the order of the study."""
    return {condition: PROMPTS[i % len(PROMPTS)] for i, condition in enumerate(conditions)}
