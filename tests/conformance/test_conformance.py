"""Every adapter passes every check; every broken copy of it fails one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from torch import nn

from ingest.attention.edit import EditError
from ingest.policies.base import Policy
from tests.conformance.case import Case
from tests.conformance.checks import CHECKS, WITHOUT_TAP, quick_first
from tests.conformance.mutations import MUTATIONS, OfWeights, RotaryLeftOut, Untapped
from tests.conformance.run import Run


@pytest.fixture(scope="module")
def policy(case: Case) -> Policy:
    return case.build()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_adapter(case: Case, policy: Any, check: Callable[[Case, Policy], None]) -> None:
    untapped: Any = Untapped(policy)
    check(case, untapped if check in WITHOUT_TAP else policy)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_copy_is_noticed(case: Case, policy: Policy, name: str) -> None:
    if name in case.without:
        pytest.skip(case.without[name])
    mutant: Any = MUTATIONS[name](policy)
    assert any(fails(check, case, mutant) for check in quick_first(mutant))


def fails(check: Callable[[Case, Policy], None], case: Case, mutant: Any) -> bool:
    try:
        check(case, mutant)
    except (AssertionError, ValueError, EditError):  # LayoutError is a ValueError
        return True
    return False


def traces(policy: Any) -> list[Any]:
    """What an adapter may have left behind in its model: hooks, and attributes put on instances."""
    model: nn.Module = policy.model
    found = []
    for name, module in model.named_modules():
        hooks = (len(module._forward_hooks), len(module._forward_pre_hooks))
        config = getattr(module, "config", None)
        impl = getattr(config, "_attn_implementation", None)
        own = sorted(key for key in vars(module) if not key.startswith("_") and key != "training")
        processor = id(getattr(module, "processor", None))
        found.append(
            (
                name,
                hooks,
                impl,
                own,
                processor,
                id(getattr(module, "forward", None)) and "forward" in vars(module),
            )
        )
    return found


def registered() -> set[str]:
    try:
        from transformers.masking_utils import AttentionMaskInterface
        from transformers.modeling_utils import AttentionInterface
    except ImportError:
        return set()
    return {*AttentionInterface().keys(), *AttentionMaskInterface().keys()}


@pytest.mark.parametrize("where", ["nowhere", "in the sink", "in the model"])
def test_nothing_stays_installed(case: Case, policy: Any, where: str) -> None:
    run = Run(case, policy)
    policy.infer(run.batch, run.noise)  # some networks keep something of their last call
    before, names = traces(policy), registered()
    with ExitStack() as stack:
        if where != "nowhere":
            stack.enter_context(pytest.raises(RuntimeError, match="on purpose"))
        if where == "in the model":
            last = [module for module in policy.model.modules() if isinstance(module, nn.Linear)][-1]
            stack.callback(last.register_forward_pre_hook(explode).remove)
        stack.enter_context(policy.tapped(explode if where == "in the sink" else lambda *_: None))
        stack.enter_context(policy.edited([[] for _ in run.batch]))
        policy.infer(run.batch, run.noise)
    assert traces(policy) == before
    assert registered() == names


def explode(*_: Any) -> None:
    raise RuntimeError("on purpose")


def test_what_could_not_be_imported_is_in_the_summary(left_out: str | None) -> None:
    """As a skipped test, because workers of pytest-xdist tell the summary nothing else."""
    if left_out is not None:
        pytest.skip(left_out)


def test_mutants_are_otherwise_the_policy(case: Case, policy: Any) -> None:
    """So that a mutation is noticed for what it does, and not because a mutant cannot run.

    Checks that open no tap would not meet the mutant.
    """
    mutant: Any = OfWeights(policy)  # hands on what it gets, as it is
    for check in CHECKS:
        if check not in WITHOUT_TAP:
            check(case, mutant)
    assert MUTATIONS["rotary embedding left out"] is RotaryLeftOut
