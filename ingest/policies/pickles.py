"""Files that can run code while they are read: refused, unless the study says that it trusts them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import torch

from ingest.errors import CheckpointError

CONSENT = "policy.options.trust_pickles: true"


def refuse_pickle(key: str, path: str, instead: str) -> NoReturn:
    """Raises CheckpointError: what was named at ``key`` of the study is a pickle, and what to do ``instead``."""
    raise CheckpointError(
        f"{key}: {path} is a pickle, which can run any code while it is read; {instead}, "
        f"or set {CONSENT} if you trust where it comes from"
    )


@contextmanager
def no_pickles() -> Iterator[None]:
    """While open, nothing that a loader reads through `torch.load` or `pickle.load` can run code.

    `torch.load` takes tensors and plain containers alone (``weights_only=True``, whatever its caller says), and raises
    UnpicklingError for a file with more; `pickle.load` is refused with CheckpointError. Both are back at the end.
    """
    load, unpickle = torch.load, pickle.load

    def of_weights_only(*args: Any, **options: Any) -> Any:
        return load(*args, **{**options, "weights_only": True, "pickle_module": None})

    def refused(file: Any, *_args: Any, **_options: Any) -> NoReturn:
        refuse_pickle("policy", str(getattr(file, "name", "a file")), "use a checkpoint without it")

    torch.load, pickle.load = of_weights_only, refused
    try:
        yield
    finally:
        torch.load, pickle.load = load, unpickle
