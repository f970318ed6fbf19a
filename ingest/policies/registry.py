"""Family name -> adapter. An adapter's module, and with it its model library, is imported only when asked for."""

from __future__ import annotations

import difflib
import importlib

from ingest.errors import UnknownNameError, UserError
from ingest.policies.base import Policy
from ingest.study import PolicySection

FAMILIES = {"tiny": "ingest.policies.tiny"}


def load_policy(section: PolicySection, device: str) -> Policy:
    """Loads the study's policy.

    Raises UnknownNameError for a family that nobody registered, UserError where its library is not installed, and
    CheckpointError for a checkpoint that cannot be used.
    """
    module_name = FAMILIES.get(section.family)
    if module_name is None:
        nearest = difflib.get_close_matches(section.family, FAMILIES, n=1, cutoff=0)[0]
        raise UnknownNameError(
            f"policy.family: unknown family {section.family!r}; the nearest known one is {nearest!r}"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"policy.family {section.family!r} needs the package {error.name!r}; `make demo` installs it, or: pip install -e '.[demo]'"
        ) from error
    policy: Policy = module.load(section, device)
    return policy
