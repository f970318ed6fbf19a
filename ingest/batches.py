"""Running the inferences of a unit in batches, smaller ones where the device's memory does not take them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
from numpy.typing import NDArray

from ingest.attention.ablate import HeadMeans, ablated_heads, recorded_means
from ingest.attention.randomise import shuffled_weights
from ingest.attention.reduce import Item, PassCapture, Reducer
from ingest.attention.selection import Selection
from ingest.identity import noise_of
from ingest.issues import Issues
from ingest.jobs import Job
from ingest.policies.base import Policy, answers_of
from ingest.study import Study


class BatchRunner:
    """Runs jobs and fills in their actions and captures.

    A batch that does not fit into memory is halved, and so are those after it, for as long as this runner lives: the
    next unit need not find out again. One inference alone that does not fit is an error.
    """

    def __init__(self, study: Study, policy: Policy, selection: Selection) -> None:
        self._study = study
        self._policy = policy
        self._selection = selection
        self._size = study.compute.batch_size

    def run(self, jobs: Sequence[Job], episode_id: str, issues: Issues) -> None:
        """Runs the jobs that are 'ok'. One whose numbers are not finite becomes 'nan', with an issue, without captures."""
        ready = [job for job in jobs if job.status == "ok"]
        means = self._head_means(ready, episode_id) if any(_needs_means(job) for job in ready) else None
        for alike in dict.fromkeys(job.runs_with for job in ready):
            self._run_alike([job for job in ready if job.runs_with == alike], episode_id, means, issues)

    def _run_alike(
        self, waiting: Sequence[Job], episode_id: str, means: HeadMeans | None, issues: Issues
    ) -> None:
        while waiting:
            batch = waiting[: self._size]
            try:
                self._run(batch, episode_id, means, issues)
            except Exception as error:
                if not is_out_of_memory(error) or len(batch) == 1:
                    raise
                self._size = len(batch) // 2
                _free_cache()
                detail = (
                    f"{len(batch)} inferences at a time do not fit into memory; going on with {self._size}"
                )
                issues.add("infer", self._policy.device, "smaller_batches", detail, is_loss=False)
            else:
                waiting = waiting[len(batch) :]

    def _run(self, batch: Sequence[Job], episode_id: str, means: HeadMeans | None, issues: Issues) -> None:
        started = time.perf_counter()
        prepared = [job.prepared for job in batch]
        captures: list[list[PassCapture]] = [[] for _ in batch]
        with self._changed(batch, means):
            answers = answers_of(self._policy, prepared) if batch[0].wants_answer else [None] * len(batch)
            if batch[0].captures_attention:
                items = [Item(job.prepared.layout, job.frame.coverage()) for job in batch]
                reducer = Reducer(items, self._selection, self._policy.device)
                with self._policy.tapped(reducer):
                    actions = self._policy.infer(prepared, self._noise(batch, episode_id))
                captures = [reducer.captures(index) for index in range(len(batch))]
            else:
                actions = self._policy.infer(prepared, self._noise(batch, episode_id))
        seconds = (time.perf_counter() - started) / len(batch)
        for job, chunk, kept, answer in zip(batch, actions, captures, answers, strict=True):
            job.seconds, job.batch_size = seconds, len(batch)
            if np.isfinite(chunk).all() and _is_finite(kept):
                # What a policy does when it is asked a question is no action.
                job.actions, job.captures, job.answer = None if job.wants_answer else chunk, kept, answer
                continue
            job.status, job.reason = "nan", "the model gave values that are not finite"
            subject = f"{episode_id}#{job.frame.index} {job.condition.condition_id}"
            issues.add("infer", subject, "nan", f"{subject}: {job.reason}; check the weights", is_loss=True)

    def _noise(self, batch: Sequence[Job], episode_id: str) -> NDArray[np.float32]:
        """[B, *noise_shape]: the same for every condition of a frame, but for those that ask for another."""
        return np.stack(
            [
                noise_of(
                    self._study.seed,
                    self._study.noise.seeds[job.noise_index],
                    episode_id,
                    job.frame.index,
                    self._policy.geometry.noise_shape,
                    job.condition.noise_offset,
                )
                for job in batch
            ]
        )

    @contextmanager
    def _changed(self, batch: Sequence[Job], means: HeadMeans | None) -> Iterator[None]:
        """The model as the batch's conditions want it; as it was afterwards."""
        points = self._policy.points()
        shuffled = batch[0].condition.model.shuffled_layers
        with ExitStack() as stack:
            if shuffled:
                stack.enter_context(shuffled_weights(points, shuffled, self._study.seed))
            if any(job.knockouts for job in batch):
                stack.enter_context(self._policy.edited([job.knockouts for job in batch]))
            if any(job.condition.model.heads for job in batch):
                edits = [job.condition.model.heads for job in batch]
                n_heads = self._policy.geometry.n_heads
                stack.enter_context(ablated_heads(points, edits, n_heads, means))
            yield

    def _head_means(self, jobs: Sequence[Job], episode_id: str) -> HeadMeans:
        """Mean output of every head over the unit's frames, unchanged: each frame alone, so no batch decides."""
        means: list[HeadMeans] = []
        frames = {job.frame.index: job for job in jobs if job.noise_index == 0}
        for job in frames.values():
            layouts = job.prepared.layout.passes
            valid = {part.name: np.array([[one.is_valid for one in part.tokens]]) for part in layouts}
            noise = noise_of(
                self._study.seed,
                self._study.noise.seeds[0],
                episode_id,
                job.frame.index,
                self._policy.geometry.noise_shape,
            )
            with recorded_means(self._policy.points(), self._policy.geometry.n_heads, valid) as found:
                self._policy.infer([job.prepared], noise[None])
            means.append(found)
        return {key: sum(one[key] for one in means) / len(means) for key in means[0]}


def _needs_means(job: Job) -> bool:
    return any(edit.mode == "mean" for edit in job.condition.model.heads)


def _is_finite(captures: Sequence[PassCapture]) -> bool:
    return all(bool(np.isfinite(capture.masses).all()) for capture in captures)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or this machine, had no memory left. By name, so that torch need not be imported."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def _free_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
