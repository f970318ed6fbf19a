"""Family name -> adapter. An adapter's module, and with it its model library, is imported only when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from ingest.errors import UnknownNameError, UserError
from ingest.policies.base import Policy
from ingest.study import PolicySection

FAMILIES = {
    "tiny": "ingest.policies.tiny",
    "huggingface": "ingest.policies.huggingface",
    "openpi": "ingest.policies.openpi",
    "lerobot": "ingest.policies.lerobot",
    "cosmos": "ingest.policies.cosmos",
    "cosmos_diffusers": "ingest.policies.cosmos_diffusers",
}
# What to do when a family's library is missing.
_INSTALL = {
    "tiny": "`make demo` installs it, or: pip install -e '.[demo]'",
    "huggingface": "pip install -e '.[hf]'",
    "openpi": "run inside openpi's own environment, with Gazehouse installed there",
    "lerobot": "run inside an environment with LeRobot 0.6, with Gazehouse installed there",
    "cosmos": "run inside cosmos-policy's own environment, with Gazehouse installed there",
    "cosmos_diffusers": "pip install -e '.[diffusers]'",
}
# Adapters of other packages: each entry point is a function (section, device) -> Policy.
ENTRY_POINTS = "gazehouse.policies"


def load_policy(section: PolicySection, device: str) -> Policy:
    """Loads the study's policy, from here or from an installed package that registers its family as an entry point.

    Raises UnknownNameError for a family that nobody registered, UserError where its library is not installed, and
    CheckpointError for a checkpoint that cannot be used.
    """
    return _loader_of(section.family)(section, device)


def _loader_of(family: str) -> Callable[[PolicySection, str], Policy]:
    elsewhere = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if family not in FAMILIES and family not in elsewhere:
        known = [*FAMILIES, *elsewhere]
        nearest = difflib.get_close_matches(family, known, n=1, cutoff=0)[0]
        raise UnknownNameError(
            f"policy.family: unknown family {family!r}; the nearest known one is {nearest!r}"
        )
    try:
        if family in FAMILIES:
            loader: Callable[[PolicySection, str], Policy] = importlib.import_module(FAMILIES[family]).load
            return loader
        return _loaded(elsewhere[family])
    except ModuleNotFoundError as error:
        how = _INSTALL.get(family, "install it")
        raise UserError(f"policy.family {family!r} needs the package {error.name!r}; {how}") from error


def _loaded(point: EntryPoint) -> Callable[[PolicySection, str], Policy]:
    loader: Callable[[PolicySection, str], Policy] = point.load()
    return loader
