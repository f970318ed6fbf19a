"""One closed-loop episode: the policy sees what would be recorded, replans every second control step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.demo.pilot import Pilot, decode_jpeg, encode_jpeg
from ingest.demo.prompts import SEEN_TEMPLATES, UNSEEN_FRAMES, UNSEEN_NAMES
from ingest.demo.world.judge import Trace, Verdict
from ingest.demo.world.placement import Scenario, place
from ingest.demo.world.scene import CAMERAS
from ingest.demo.world.simulator import Placement, World

REPLAN_EVERY = 2  # control steps
MAX_STEPS = 34


@dataclass(frozen=True)
class Task:
    """What to do, and in which scene: everything follows from ``seed``, ``scenario`` and ``target``."""

    scenario: Scenario
    target: str
    seed: int

    def setting(self) -> tuple[Placement, str]:
        """The scene and the instruction."""
        rng = np.random.default_rng([self.seed, 7])
        placement = place(rng, self.scenario, self.target)
        return placement, self._instruction(rng)

    def _instruction(self, rng: np.random.Generator) -> str:
        if self.scenario != "unseen_wording":
            return str(rng.choice(SEEN_TEMPLATES)).format(object=self.target)
        if rng.random() < 0.5:
            return str(rng.choice(UNSEEN_FRAMES)).format(object=self.target)
        return str(rng.choice(UNSEEN_NAMES[self.target]))


@dataclass
class Replan:
    """One call of the policy: the frame it saw, the seed of its noise, the chunk it answered."""

    frame_index: int
    noise_seed: int
    chunk: NDArray[np.float32]


@dataclass
class Rollout:
    """An episode of T control steps; frame t shows the scene before action t."""

    task: Task
    instruction: str
    verdict: Verdict
    trace: Trace  # T + 1 entries: also after the last action
    actions: list[NDArray[np.float32]]
    replans: list[Replan]
    frames: list[dict[str, bytes]] = field(default_factory=list)  # JPEG by camera, when recorded
    labels: list[dict[str, NDArray[np.uint8]]] = field(default_factory=list)
    camera_poses: list[dict[str, NDArray[np.float64]]] = field(default_factory=list)


def run(world: World, pilot: Pilot, task: Task, record: bool = False) -> Rollout:
    """Plays one episode; with ``record`` every frame, label map and camera pose is kept."""
    placement, instruction = task.setting()
    world.reset(placement)
    bodies = _bodies(task, placement)
    trace = Trace([world.state()], [_positions(world, bodies)])
    rollout = Rollout(task, instruction, Verdict("failure"), trace, [], [])
    for step in range(MAX_STEPS):
        is_replanning = step % REPLAN_EVERY == 0
        if is_replanning or record:
            frame = {camera: encode_jpeg(world.picture(camera)) for camera in CAMERAS}
        if record:
            rollout.frames.append(frame)
            rollout.labels.append({camera: world.labels(camera) for camera in CAMERAS})
            rollout.camera_poses.append({camera: world.camera_pose(camera) for camera in CAMERAS})
        if is_replanning:
            noise_seed = task.seed * 1000 + step
            pictures = {camera: decode_jpeg(data) for camera, data in frame.items()}
            chunk = pilot.chunk(pictures, instruction, world.state(), noise_seed)
            rollout.replans.append(Replan(step, noise_seed, chunk))
        action = rollout.replans[-1].chunk[step % REPLAN_EVERY]
        rollout.actions.append(action)
        world.step(action)
        trace.states.append(world.state())
        trace.bodies.append(_positions(world, bodies))
        if trace.is_over():
            break
    rollout.verdict = trace.judge(task.target)
    return rollout


def _bodies(task: Task, placement: Placement) -> list[str]:
    """What the gripper can be said to have approached; a pad under a toy is no other place than the toy."""
    return [*placement.poses, *(["pad"] if task.scenario == "pad_apart" else [])]


def _positions(world: World, bodies: list[str]) -> dict[str, NDArray[np.float64]]:
    return {name: world.position(name) for name in bodies}
