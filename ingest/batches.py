"""Running the inferences of a unit in batches, smaller ones where the device's memory does not take them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from ingest.attention.reduce import Item, PassCapture, Reducer
from ingest.attention.selection import Selection
from ingest.identity import noise_of
from ingest.issues import Issues
from ingest.jobs import Job
from ingest.policies.base import Policy
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
        waiting = [job for job in jobs if job.status == "ok"]
        while waiting:
            batch = waiting[: self._size]
            try:
                self._run(batch, episode_id, issues)
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

    def _run(self, batch: Sequence[Job], episode_id: str, issues: Issues) -> None:
        started = time.perf_counter()
        noise = np.stack(
            [
                noise_of(
                    self._study.seed,
                    self._study.noise.seeds[job.noise_index],
                    episode_id,
                    job.frame.index,
                    self._policy.geometry.noise_shape,
                )
                for job in batch
            ]
        )
        items = [Item(job.prepared.layout, job.frame.coverage()) for job in batch]
        reducer = Reducer(items, self._selection, self._policy.device)
        with self._policy.tapped(reducer):
            actions = self._policy.infer([job.prepared for job in batch], noise)
        captures = [reducer.captures(index) for index in range(len(batch))]
        seconds = (time.perf_counter() - started) / len(batch)
        for job, chunk, kept in zip(batch, actions, captures, strict=True):
            job.seconds, job.batch_size = seconds, len(batch)
            if np.isfinite(chunk).all() and _is_finite(kept):
                job.actions, job.captures = chunk, kept
                continue
            job.status, job.reason = "nan", "the model gave values that are not finite"
            subject = f"{episode_id}#{job.frame.index} {job.condition.condition_id}"
            issues.add("infer", subject, "nan", f"{subject}: {job.reason}; check the weights", is_loss=True)


def _is_finite(captures: Sequence[PassCapture]) -> bool:
    return all(bool(np.isfinite(capture.masses).all()) for capture in captures)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or this machine, had no memory left. By name, so that torch need not be imported."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def _free_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
