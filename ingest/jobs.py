"""The inferences of a unit: every frame under every condition with every noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.attention.edit import Knockout
from ingest.attention.reduce import PassCapture
from ingest.conditions.base import Condition, ConditionGroup, Inapplicable, Params, filled
from ingest.conditions.view import BaselineMaps, FrameView
from ingest.episodes.base import Episode
from ingest.identity import inference_id_of, token_hash_of
from ingest.issues import Issues
from ingest.metric_rows import Baseline
from ingest.objects.base import EpisodeObjects
from ingest.objects.roles import named_category
from ingest.policies.base import Policy, Prepared, can_answer, without_answers
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
    captures_attention: bool = True
    wants_answer: bool = False
    knockouts: tuple[Knockout, ...] = ()
    params: Params = field(default_factory=dict)
    status: str = "ok"
    reason: str | None = None
    actions: NDArray[np.float32] | None = None
    answer: str | None = None
    captures: list[PassCapture] = field(default_factory=list)
    seconds: float = 0.0
    batch_size: int = 0

    @property
    def is_baseline(self) -> bool:
        return self.condition.kind == "baseline"

    @property
    def runs_with(self) -> tuple[bool, bool, int]:
        """Jobs can share a batch where this is equal: taps and shuffled weights concern a whole batch."""
        return self.captures_attention, self.wants_answer, self.condition.model.shuffled_layers


def named_object_of(episode: Episode, objects: EpisodeObjects) -> str | None:
    """What the episode is about: the target of its masks, else what its metadata or its instruction names."""
    target = next((category for category, role in objects.roles.items() if role == "target"), None)
    stated = episode.metadata.get("target")
    return target or (stated if isinstance(stated, str) else None)


class JobMaker:
    """Makes the jobs of one unit; says once a condition what keeps it from being asked."""

    def __init__(
        self,
        run_id: str,
        study: Study,
        policy: Policy,
        group: ConditionGroup,
        episode: Episode,
        objects: EpisodeObjects,
        baseline: Baseline | None,
        issues: Issues,
    ) -> None:
        self._run_id = run_id
        self._study = study
        self._policy = policy
        self._group = group
        self._episode = episode
        self._categories = objects.categories
        self._baseline = baseline
        self._issues = issues
        self._own_object = named_object_of(episode, objects)
        self._number = {index: number for number, index in enumerate(episode.keyframes())}
        self._told: set[str] = set()

    def jobs(self, frames: Sequence[FrameScene]) -> list[Job]:
        """In the order of frames, conditions and noises. A prompt with the baseline's tokens is 'vacuous'."""
        made: list[Job] = []
        if self._group.asks and not can_answer(self._policy):
            self._tell_once(self._group.name, "no_language_head", without_answers(self._policy))
            return made
        for frame in frames:
            if frame.seen is None:
                continue
            plain = self._policy.prepare(frame.seen, self._episode.instruction, self._study.capture.queries)
            for condition in self._group.conditions:
                if self._group.runs(condition, self._number[frame.index]):
                    made += self._of_condition(frame, condition, plain)
        return made

    def n_lost(self, frames: Sequence[FrameScene]) -> int:
        """Inferences that were planned of frames that could not be read, whatever their masks would have allowed."""
        if self._group.asks and not can_answer(self._policy):
            return 0
        n_runs = sum(
            self._group.runs(condition, self._number[frame.index])
            for frame in frames
            if frame.seen is None
            for condition in self._group.conditions
        )
        return n_runs * len(self._study.noise.seeds)

    def _of_condition(self, frame: FrameScene, condition: Condition, plain: Prepared) -> Iterator[Job]:
        name = condition.condition_id
        prompt = condition.prompt(self._episode.instruction, self._own_object)
        if prompt is None:
            detail = f"{name} asks for an {{object}}, but the instruction names none that the masks know"
            self._tell_once(name, "no_object_named", detail)
            return
        try:
            prepared, knockouts, params = self._prepared(frame, condition, prompt, plain)
        except Inapplicable as reason:
            subject = f"frame {frame.index}, {name}"
            self._issues.add("infer", subject, reason.reason, f"{subject}: {reason}", is_loss=False)
            return
        for warning in prepared.warnings:
            self._tell_once(name, "prompt_warning", f"{prompt!r}: {warning}")
        token_hash = token_hash_of(prepared.token_ids)
        is_vacuous = condition.changes_prompt and token_hash == token_hash_of(plain.token_ids)
        for noise_index in range(len(self._study.noise.seeds)):
            yield Job(
                frame=frame,
                condition=condition,
                noise_index=noise_index,
                inference_id=inference_id_of(
                    self._run_id, self._episode.episode_id, frame.index, name, noise_index
                ),
                prompt=prompt,
                named_object=self._own_object
                if condition.keeps_object
                else named_category(prompt, self._categories),
                prepared=prepared,
                token_hash=token_hash,
                captures_attention=self._group.captures,
                wants_answer=self._group.asks,
                knockouts=knockouts,
                params=params,
                status="vacuous" if is_vacuous else "ok",
                reason="the model gets the same tokens as in the baseline" if is_vacuous else None,
            )

    def _prepared(
        self, frame: FrameScene, condition: Condition, prompt: str, plain: Prepared
    ) -> tuple[Prepared, tuple[Knockout, ...], Params]:
        """What enters the model, the edges to cut, and what was done to the frame. Raises Inapplicable."""
        queries = self._study.capture.queries
        if condition.picture is not None:
            observation, params = condition.picture.change(self._view(frame, plain))
            return self._policy.prepare(self._policy.see(observation), prompt, queries), (), params
        if frame.seen is None:
            raise Inapplicable("frame_failed", "the frame could not be read")
        prepared = (
            plain if not condition.changes_prompt else self._policy.prepare(frame.seen, prompt, queries)
        )
        if condition.attention is not None:
            knockouts, params = condition.attention.knockouts(self._view(frame, plain), prepared.layout)
            return prepared, knockouts, params
        expected = condition.params.get("expects")
        answer = filled(expected, self._own_object) if isinstance(expected, str) else None
        return prepared, (), {} if answer is None else {"expected": answer}

    def _view(self, frame: FrameScene, plain: Prepared) -> FrameView:
        baseline_id = None if self._baseline is None else self._baseline.ids.get((frame.index, 0))
        if self._baseline is None or baseline_id is None:
            raise Inapplicable("no_baseline", "the frame's baseline was not run")
        maps = BaselineMaps(self._baseline.attention_maps, baseline_id)
        return FrameView(frame, plain.layout, maps, (self._study.seed, self._episode.episode_id, frame.index))

    def _tell_once(self, subject: str, reason: str, detail: str) -> None:
        if subject + reason not in self._told:
            self._told.add(subject + reason)
            self._issues.add("read", subject, reason, detail, is_loss=False)
