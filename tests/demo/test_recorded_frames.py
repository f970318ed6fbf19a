"""What was recorded is what the policy saw: run again on a recorded frame, it answers the recorded chunk."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from ingest.demo.model import TinyPolicy
from ingest.demo.pilot import Pilot, decode_jpeg

DEMO = Path(__file__).resolve().parents[2] / "ingest" / "demo"
EPISODES = sorted(path.parent for path in (DEMO / "episodes").glob("*/*/*/trajectory.h5"))
FOLDERS = {"base": "varied_camera_1", "wrist": "hand_camera"}


@pytest.fixture(scope="module")
def pilot() -> Pilot:
    return Pilot(TinyPolicy.from_folder(DEMO / "weights"))


@pytest.mark.parametrize("episode", EPISODES[::9], ids=lambda path: path.name)
def test_recorded_chunks_come_out_again(pilot: Pilot, episode: Path) -> None:
    instruction = (episode / "instruction.txt").read_text().strip()
    with h5py.File(episode / "trajectory.h5") as file:
        replans = list(
            zip(
                file["policy/frame_index"][()],
                file["policy/noise_seed"][()],
                file["policy/chunk"][()],
                strict=True,
            )
        )
        pose = file["observation/robot_state/cartesian_position"][()]
        opening = file["observation/robot_state/gripper_position"][()]
    for index, seed, chunk in (replans[0], replans[len(replans) // 2]):
        pictures = {
            camera: decode_jpeg(
                (episode / "recordings" / "frames" / folder / f"{index:05d}.jpg").read_bytes()
            )
            for camera, folder in FOLDERS.items()
        }
        again = pilot.chunk(pictures, instruction, [*pose[index, :3], opening[index]], int(seed))
        # Not bit-equal across machines: the number of threads and the vector units decide the last bits.
        np.testing.assert_allclose(again, chunk, atol=2e-3)
