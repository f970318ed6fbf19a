"""The inferences of a unit: every frame under every condition with every noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.attention.reduce import PassCapture
from ingest.conditions import Condition, ConditionGroup
from ingest.episodes.base import Episode
from ingest.identity import inference_id_of, token_hash_of
from ingest.issues import Issues
from ingest.objects.base import EpisodeObjects
from ingest.objects.roles import named_category
from ingest.policies.base import Policy, Prepared
from ingest.scene import FrameScene
from ingest.study import Study


@dataclass
class Job:
    """One inference: a frame under a condition with a noise, and what came of it."""

    frame: FrameScene
    condition: Condition
    noise_index: int
    inference_id: int
    prompt: str
    named_object: str | None
    prepared: Prepared
    token_hash: str
    status: str = "ok"
    reason: str | None = None
    actions: NDArray[np.float32] | None = None
    captures: list[PassCapture] = field(default_factory=list)
    seconds: float = 0.0
    batch_size: int = 0

    @property
    def is_baseline(self) -> bool:
        return self.condition.kind == "baseline"


def named_object_of(episode: Episode, objects: EpisodeObjects) -> str | None:
    """What the episode is about: the target of its masks, else what its metadata or its instruction names."""
    target = next((category for category, role in objects.roles.items() if role == "target"), None)
    stated = episode.metadata.get("target")
    return target or (stated if isinstance(stated, str) else None)


def make_jobs(
    run_id: str,
    study: Study,
    policy: Policy,
    group: ConditionGroup,
    episode: Episode,
    objects: EpisodeObjects,
    frames: Sequence[FrameScene],
    issues: Issues,
) -> list[Job]:
    """Jobs in the order of frames, conditions and noises. A prompt with the baseline's tokens is 'vacuous'."""
    own_object = named_object_of(episode, objects)
    queries = study.capture.queries
    told: set[str] = set()

    def tell_once(subject: str, reason: str, detail: str, *, is_loss: bool) -> None:
        if subject + reason not in told:
            told.add(subject + reason)
            issues.add("read", subject, reason, detail, is_loss=is_loss)

    jobs = []
    for frame in frames:
        if frame.seen is None:
            continue
        plain = token_hash_of(policy.prepare(frame.seen, episode.instruction, queries).token_ids)
        for condition in group.conditions:
            name = condition.condition_id
            prompt = condition.prompt(episode.instruction, own_object)
            if prompt is None:
                detail = f"{name} asks for an {{object}}, but the instruction names none that the masks know"
                tell_once(name, "no_object_named", detail, is_loss=False)
                continue
            prepared = policy.prepare(frame.seen, prompt, queries)
            for warning in prepared.warnings:
                tell_once(name, "prompt_warning", f"{prompt!r}: {warning}", is_loss=False)
            token_hash = token_hash_of(prepared.token_ids)
            is_vacuous = condition.kind != "baseline" and token_hash == plain
            for noise_index in range(len(study.noise.seeds)):
                jobs.append(
                    Job(
                        frame=frame,
                        condition=condition,
                        noise_index=noise_index,
                        inference_id=inference_id_of(
                            run_id, episode.episode_id, frame.index, name, noise_index
                        ),
                        prompt=prompt,
                        named_object=own_object
                        if condition.kind == "baseline"
                        else named_category(prompt, objects.categories),
                        prepared=prepared,
                        token_hash=token_hash,
                        status="vacuous" if is_vacuous else "ok",
                        reason="the model gets the same tokens as in the baseline" if is_vacuous else None,
                    )
                )
    return jobs
