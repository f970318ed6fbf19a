"""The process that worker processes are forked from: it imports what all of them need, once, while the run starts."""

from __future__ import annotations

import signal
from multiprocessing import forkserver

from ingest.study import Study

_WORKERS = "ingest.workers"
# Only what starts no threads when it is imported: a fork would lose those. So the libraries of other people's models
# are left to the workers.
_LIBRARIES = {"tiny": "ingest.policies.tiny"}


def preload(study: Study) -> None:
    """Starts that process, unless the study wants no workers."""
    if study.compute.workers > 1:
        forkserver.set_forkserver_preload([_WORKERS, _LIBRARIES.get(study.policy.family, "torch")])
        # Ctrl-C goes to all processes of the terminal: this one, which inherits what is ignored, leaves it to the run.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            forkserver.ensure_running()
        finally:
            signal.signal(signal.SIGINT, before)
