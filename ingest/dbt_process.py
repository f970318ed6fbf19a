"""``python -m ingest.dbt_process PROJECT``: dbt reads its project, then runs the command that comes as a line of JSON.

What failed goes out as a line of JSON. dbt's own command words each of its thousands of messages, though hardly one is
read, and tells of a data test that failed no more than how many rows it found.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import threading

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

# dbt words no message and writes no artefact: seconds of every build.
QUIET = ("--no-write-json", "--log-level", "none", "--log-level-file", "none")
FAILED = ("error", "fail", "partial success")


def main(project: str) -> int:
    """0 when all went well or no command came, else 1; the last line of the output is a list of {name, message, query}.

    The list is empty when all went well. `query` finds the rows that a data test objects to; it is null where a model could not be built. `name` is empty
    where dbt could not even begin.
    """
    read = dbtRunner().invoke([*QUIET, "parse", "--project-dir", project])
    import_what_models_use()
    command = sys.stdin.buffer.readline()
    if not command:  # whoever wanted it has gone
        return 0
    threading.Thread(target=end_with_whoever_wants_it, daemon=True).start()
    # The project stays to the end, and going through it again and again finds nothing to free.
    gc.freeze()
    gc.disable()
    # A project that could not be read is read again, and what is wrong with it then told.
    manifest = read.result if isinstance(read.result, Manifest) else None
    ended = dbtRunner(manifest=manifest).invoke([*QUIET, *json.loads(command)])
    failed = [
        {
            "name": result.node.name,
            "message": result.message or str(result.status),
            "query": result.node.compiled_code if str(result.status) == "fail" else None,
        }
        for result in getattr(ended.result, "results", [])
        if str(result.status) in FAILED
    ]
    if not ended.success and (ended.exception is not None or not failed):
        failed.append({"name": "", "message": str(ended.exception or "dbt gave no reason"), "query": None})
    print(json.dumps(failed), flush=True)
    return 0 if ended.success else 1


def import_what_models_use() -> None:
    """A second, while rows are loaded; the models in Python would need it while others wait."""
    for name in ("cv2", "polars", "scipy.stats"):
        importlib.import_module(name)


def end_with_whoever_wants_it() -> None:
    """Waits until nobody holds the other end of the standard input, and then ends this process as it is."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
