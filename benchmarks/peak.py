"""``python -m benchmarks.peak SUBJECT WAY``: the peak of resident memory in one inference, in bytes, in a fresh process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# glibc keeps freed memory for itself unless it came from mmap: without this a peak would be that of its free lists.
_RETURN_AT_ONCE = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def peak_bytes(subject: str, way: str) -> int:
    """Runs this module as a process of its own. Raises CalledProcessError where it fails."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak", subject, way],
        env={**os.environ, **_RETURN_AT_ONCE},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return int(answer.stdout)


def main(subject: str, way: str) -> None:
    """Runs the way twice and prints the second run's peak: the first one also builds what torch keeps."""
    import torch

    from benchmarks import subjects
    from benchmarks.ways import ways_of

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        call = ways_of(getattr(subjects, subject)(), Path(folder))[way]
        call()
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        call()
        status = Path("/proc/self/status").read_text()
    print(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
