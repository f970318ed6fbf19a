"""Rendering without a display: mujoco reads this when it is first imported, whichever test does that."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")
