"""The checks, each a plain function: the suite runs them on an adapter, and again on broken copies of it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.attention.edit import knockout
from ingest.attention.layout import PassLayout, Query
from ingest.attention.reduce import Item, PassCapture, Reducer
from ingest.identity import noise_of, token_hash_of
from ingest.policies.base import Policy
from ingest.policies.pictures_once import pictures_once
from tests.conformance.case import QUERIES, Case, Key
from tests.conformance.run import Run as Run

# --- layout -----------------------------------------------------------------------------------------------------


def layout_is_a_partition(case: Case, policy: Policy) -> None:
    for prepared in Run(case, policy).batch:
        for part in prepared.layout.passes:
            keys = Counter(itertools.chain.from_iterable(region.keys for region in part.regions))
            assert keys == Counter(range(part.n_keys)), part.name
            assert set(part.region_matrix().sum(axis=1)) == {1.0}


def spans_are_the_models_own(case: Case, policy: Policy) -> None:
    prompts = [*case.prompts, "go", "", *([case.long_prompt] if case.long_prompt else [])]
    run = Run(case, policy, prompts)
    for prompt, observation, prepared in zip(prompts, run.observations, run.batch, strict=True):
        for part in prepared.layout.passes:
            found = [Key(t.role, t.camera, t.row, t.col, t.word_index) for t in part.tokens]
            wanted = [Key(*key) for key in case.keys(part.name, prompt, observation)]
            assert len(found) == len(wanted), (part.name, prompt)
            for index, pair in enumerate(zip(found, wanted, strict=True)):
                assert pair[0] == pair[1], (part.name, prompt, index)


def a_cut_prompt_is_told(case: Case, policy: Policy) -> None:
    if case.long_prompt is None:
        return
    short, long = Run(case, policy, [case.prompts[0], case.long_prompt]).batch
    assert not short.warnings
    assert any("cut" in warning for warning in long.warnings), long.warnings
    if any(token.word_index is not None for part in long.layout.passes for token in part.tokens):
        assert any(case.long_prompt.split()[-1] in warning.split("cut")[1] for warning in long.warnings)


def masked_keys_get_nothing_and_padded_queries_are_not_used(case: Case, policy: Policy) -> None:
    run = Run(case, policy)
    truth = run.truth()
    captures, _ = run.captured_before()
    for index, prepared in enumerate(run.batch):
        for part in prepared.layout.passes:
            blind = [key for key, token in enumerate(part.tokens) if not token.is_valid]
            rows = sorted({row for query in part.queries for row in query.rows})
            for (name, _layer, _step), weights in truth.items():
                if name == part.name and blind:
                    assert weights[index][:, rows][..., blind].max() == 0.0
        for capture in captures[index]:
            part = prepared.layout.of(capture.pass_name)
            for column, region in enumerate(part.regions):
                if all(not part.tokens[key].is_valid for key in region.keys):
                    assert (capture.masses[..., column] == 0).all(), region.name


# --- numbers ----------------------------------------------------------------------------------------------------


def masses_and_maps_are_those_of_the_full_weights(case: Case, policy: Policy) -> None:
    run = Run(case, policy)
    truth = run.truth()
    captures, _ = run.captured_before()
    assert {(c.pass_name, layer, c.step) for c in captures[0] for layer in c.layers} == set(truth)
    differs = False
    for index, prepared in enumerate(run.batch):
        for capture in captures[index]:
            part = prepared.layout.of(capture.pass_name)
            for position, layer in enumerate(capture.layers):
                weights = truth[capture.pass_name, layer, capture.step][index]
                differs |= bool(np.ptp(weights[:, [r for q in part.queries for r in q.rows]]) > 0.01)
                cameras = prepared.layout.cameras if any(token.camera for token in part.tokens) else ()
                _compare(case, capture, position, part, run.coverage[index], weights, cameras)
    assert differs, "the attention of the small model is uniform: nothing would be noticed"


def _compare(
    case: Case,
    capture: PassCapture,
    position: int,
    part: PassLayout,
    coverage: dict[str, NDArray[np.float64]],
    weights: NDArray[np.float64],
    cameras: Any,
) -> None:
    """weights [H, Q, K] of one layer against what is kept of it, by loops over queries and keys."""

    def near(found: Any, wanted: Any) -> None:
        np.testing.assert_allclose(found, wanted, atol=case.mass_tolerance, rtol=0)

    per_query = [weights[:, list(query.rows)].mean(axis=1) for query in part.queries]  # [H, K] each
    place = {(t.camera, t.row, t.col): key for key, t in enumerate(part.tokens)}
    patches = {
        camera.name: [place[camera.name, r, c] for r in range(camera.rows) for c in range(camera.cols)]
        for camera in cameras
    }
    order = [key for camera in cameras for key in patches[camera.name]]
    for q, rows in enumerate(per_query):
        of_regions = [rows[:, list(region.keys)].sum(axis=1) for region in part.regions]
        near(capture.masses[position, :, q], np.stack(of_regions, axis=1))
        of_objects = [
            sum((rows[:, patches[c.name]] @ coverage[c.name][number] for c in cameras), np.zeros(len(rows)))
            for number in range(2)
        ]
        near(capture.object_masses[position, :, q], np.stack(of_objects, axis=1))
        top = capture.top_key[position, :, q, None]
        near(capture.top_share[position, :, q], rows.max(axis=1))
        near(np.take_along_axis(rows, top, axis=1)[:, 0], rows.max(axis=1))
        if capture.sink_share is not None:
            bos = next(k for k, t in enumerate(part.tokens) if t.role == "bos")
            near(capture.sink_share[position, :, q], rows[:, bos])
    assert abs(capture.masses[position].sum(-1) - 1).max() < case.sum_tolerance
    groups = [q for q, query in enumerate(part.queries) if query.kind == "group"]
    assert list(capture.group_indices) == groups
    if groups:
        near(capture.head_maps[position], np.stack([per_query[q][:, order] for q in groups], axis=1))
    for block in capture.maps:
        wanted = []
        for q in block.query_indices:
            rows = weights[:, list(part.queries[q].rows)]
            if block.rows == "max":
                of_heads = rows.max(axis=0) if block.head == -2 else rows.mean(axis=0)
                wanted.append(of_heads.max(axis=0))
            elif block.head == -1:
                wanted.append(per_query[q].mean(axis=0))
            elif block.head == -2:
                wanted.append(per_query[q].max(axis=0))
            else:
                wanted.append(per_query[q][block.head])
        if wanted:
            near(block.values[position], np.stack(wanted)[:, order])


def queries_are_there(case: Case, policy: Policy) -> None:
    """The instruction as a group and by its words in the prefix; actions as a group and one by one in their pass."""
    for prepared in Run(case, policy).batch:
        names = {query.name for part in prepared.layout.passes for query in part.queries}
        assert names >= set(case.query_groups)
        for part in prepared.layout.passes:
            if case.groups is not None:
                found = {query.name: list(query.rows) for query in part.queries}
                assert found == {name: list(rows) for name, rows in case.groups(part.name).items()}
                continue
            for query in part.queries:
                _is_right_query(part, query)


def _is_right_query(part: PassLayout, query: Query) -> None:
    if query.kind == "group":
        members = [
            q
            for q in part.queries
            if q.kind == "token"
            and q.name.split(":")[0] == {"instruction": "word"}.get(query.name, query.name)
        ]
        assert sorted(query.rows) == sorted(row for one in members for row in one.rows), query.name
    else:
        assert len(query.rows) == 1


# --- behaviour --------------------------------------------------------------------------------------------------


def capture_changes_no_action(case: Case, policy: Policy) -> None:
    run = Run(case, policy)
    before = policy.infer(run.batch, run.noise)
    _, during = run.captured()
    after = policy.infer(run.batch, run.noise)
    assert np.array_equal(before, after)
    assert np.isfinite(before).all()
    if case.action_tolerance == 0:
        assert np.array_equal(before, during)
    else:
        assert np.abs(before - during).max() <= case.action_tolerance


def every_layer_is_tapped_as_often_as_it_runs(case: Case, policy: Policy) -> None:
    run = Run(case, policy)
    seen: list[tuple[str, int, int]] = []
    with policy.tapped(lambda name, layer, step, _weights: seen.append((name, layer, step))):
        policy.infer(run.batch, run.noise)
    wanted = [
        (name, layer, -1 if policy.geometry.passes[name] == 0 else step)
        for name, n_calls in case.n_calls.items()
        for step in range(n_calls)
        for layer in range(policy.geometry.n_layers)
    ]
    assert Counter(seen) == Counter(wanted)


def a_changed_prompt_changes_the_tokens(case: Case, policy: Policy) -> None:
    observation = case.observe(0)
    seen = policy.see(observation)
    hashes = [token_hash_of(policy.prepare(seen, prompt, QUERIES).token_ids) for prompt in case.prompts]
    assert len(set(hashes)) == len(case.prompts)
    assert hashes[0] == token_hash_of(policy.prepare(seen, case.prompts[0], QUERIES).token_ids)
    batch = [policy.prepare(seen, prompt, QUERIES) for prompt in case.prompts]
    noise = np.stack([noise_of(1, 0, "same", 0, policy.geometry.noise_shape)] * len(batch))
    actions = policy.infer(batch, noise)
    assert np.abs(actions[0] - actions[1]).max() > 0


def a_batch_equals_its_singles(case: Case, policy: Policy) -> None:
    run = Run(case, policy)
    together, actions = run.captured_before()
    for index in range(len(run.batch)):
        item = Item(run.batch[index].layout, run.coverage[index])
        reducer = Reducer([item], run.selection(), "cpu")
        with policy.tapped(reducer):
            alone = policy.infer([run.batch[index]], run.noise[index : index + 1])
        np.testing.assert_allclose(alone[0], actions[index], atol=case.batch_tolerance, rtol=0)
        for one, other in zip(reducer.captures(0), together[index], strict=True):
            np.testing.assert_allclose(one.masses, other.masses, atol=case.batch_tolerance, rtol=0)
            np.testing.assert_allclose(one.head_maps, other.head_maps, atol=case.batch_tolerance, rtol=0)


def a_picture_shared_between_prompts_changes_nothing(case: Case, policy: Policy) -> None:
    seen = policy.see(case.observe(0))
    batch = [policy.prepare(seen, prompt, QUERIES) for prompt in case.prompts]
    noise = np.stack([noise_of(1, 0, "shared", 0, policy.geometry.noise_shape)] * len(batch))
    alone = policy.infer(batch, noise)
    with pictures_once(policy):
        policy.infer(batch[:1], noise[:1])
        together = policy.infer(batch, noise)
    np.testing.assert_allclose(together, alone, atol=case.batch_tolerance, rtol=0)
    assert np.array_equal(policy.infer(batch, noise), alone)


def a_knockout_cuts_and_renormalises(case: Case, policy: Policy) -> None:
    run = Run(case, policy)
    before, actions = run.captured_before()
    passes = [part for part in run.batch[0].layout.passes if part.queries]
    without_pictures = [part for part in passes if not _pictures(part)]
    for name in dict.fromkeys(part.name for part in (passes[0], *without_pictures)):
        _cut_and_look(run, name, before, actions)
    assert np.array_equal(policy.infer(run.batch, run.noise), actions) or case.action_tolerance > 0


def _pictures(part: PassLayout) -> list[str]:
    return [region.name for region in part.regions if region.name.startswith("image:")]


def _cut_and_look(
    run: Run, pass_name: str, before: list[list[PassCapture]], actions: NDArray[np.float32]
) -> None:
    """Cuts the first inference's first query from a picture, or from the pass's first region; the others stay."""
    part = run.batch[0].layout.of(pass_name)
    region = (_pictures(part) or [part.regions[0].name])[0]
    cut = knockout(part, part.queries[0].name, region)
    with run.policy.edited([[cut], *([] for _ in run.batch[1:])]):
        after, moved = run.captured()
    column = next(c for c, r in enumerate(part.regions) if r.keys == cut.keys)
    for old, new in zip(before[0], after[0], strict=True):
        assert abs(new.masses.sum(-1) - 1).max() < run.case.sum_tolerance
        if new.pass_name == part.name:
            assert old.masses[:, :, 0, column].min() > 0
            assert (new.masses[:, :, 0, column] == 0).all()
    for index in range(1, len(run.batch)):
        np.testing.assert_allclose(moved[index], actions[index], atol=1e-5)


CHECKS: tuple[Callable[[Case, Policy], None], ...] = (
    layout_is_a_partition,
    spans_are_the_models_own,
    a_cut_prompt_is_told,
    queries_are_there,
    masked_keys_get_nothing_and_padded_queries_are_not_used,
    masses_and_maps_are_those_of_the_full_weights,
    capture_changes_no_action,
    every_layer_is_tapped_as_often_as_it_runs,
    a_changed_prompt_changes_the_tokens,
    a_batch_equals_its_singles,
    a_picture_shared_between_prompts_changes_nothing,
    a_knockout_cuts_and_renormalises,
)

# These look at layouts, tokens and actions alone. `test_adapter` sees to it that they open no tap.
WITHOUT_TAP = (
    layout_is_a_partition,
    spans_are_the_models_own,
    a_cut_prompt_is_told,
    queries_are_there,
    a_changed_prompt_changes_the_tokens,
    a_picture_shared_between_prompts_changes_nothing,
)


def quick_first(mutant: object) -> list[Callable[[Case, Policy], None]]:
    """All checks in the order in which a broken copy costs least: what notices most of its kind comes first.

    A copy that prepares as the policy does has the policy's layouts, so what looks at those alone comes last.
    """
    of_layouts = (spans_are_the_models_own, queries_are_there)
    first = (*of_layouts, masses_and_maps_are_those_of_the_full_weights)
    if not hasattr(type(mutant), "prepare"):
        return sorted(CHECKS, key=lambda check: (check in WITHOUT_TAP, check not in first))
    return sorted(CHECKS, key=lambda check: check not in first)
