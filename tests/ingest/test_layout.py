"""A layout is an exact partition of the keys, or an error; equal layouts share an id, others never do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.attention.layout import (
    ROLE_KIND,
    Camera,
    Layout,
    LayoutError,
    PassLayout,
    Query,
    Token,
    action_queries,
    instruction_queries,
    partition,
    patch_tokens,
)
from ingest.attention.reduce import Item, Reducer
from ingest.attention.selection import select
from ingest.attention.weights import FullWeights
from ingest.episodes.base import Observation
from ingest.policies.base import Prepared
from ingest.policies.registry import load_policy
from ingest.policies.tiny import TinyAdapter
from ingest.study import CaptureSection, PolicySection
from tests.ingest.world import CUBE, DUCK, DUCK_AGAIN, World

ROLES_OF_TEXT = sorted(set(ROLE_KIND) - {"patch", "letterbox", "masked_camera"})
QUERIES = ("instruction", "words", "action")


def text(*roles: str) -> list[Token]:
    return [Token("text", role, f"t{index}") for index, role in enumerate(roles)]


@pytest.fixture(scope="module")
def adapter(world: World) -> TinyAdapter:
    policy = load_policy(PolicySection(checkpoint=str(world.checkpoint)), "cpu")
    assert isinstance(policy, TinyAdapter)
    return policy


def prepared(
    adapter: TinyAdapter,
    prompt: str = DUCK,
    *,
    size: tuple[int, int] = (180, 320),
    pose: float = 0.1,
    queries: tuple[str, ...] = QUERIES,
) -> Prepared:
    observation = Observation(
        frame_index=0,
        timestamp=None,
        images={name: np.zeros((*size, 3), dtype=np.uint8) for name in ("base", "wrist")},
        state=np.zeros(7),
        gripper=0.05,
        state_parts={"cartesian_position": np.full(6, pose)},
    )
    return adapter.prepare(adapter.see(observation), prompt, queries)


# --- the partition ----------------------------------------------------------------------------------------------


@settings(deadline=None)  # a busy machine is not a slow function
@given(st.lists(st.sampled_from(ROLES_OF_TEXT), min_size=1, max_size=40))
def test_every_key_is_in_exactly_one_region(roles: list[str]) -> None:
    layout = PassLayout("prefix", tuple(text(*roles)), ())
    assert layout.region_matrix().sum(axis=1).tolist() == [1.0] * len(roles)
    assert sorted(key for region in layout.regions for key in region.keys) == list(range(len(roles)))
    firsts = [region.keys[0] for region in layout.regions]
    assert firsts == sorted(firsts)
    for region in layout.regions:
        assert {roles[key] for key in region.keys} == {region.name}
        assert region.kind == ROLE_KIND[region.name]


def test_a_key_of_unknown_role_is_an_error() -> None:
    with pytest.raises(LayoutError, match=r"token 1 has the unknown role 'wheel'.*known"):
        partition(text("bos", "wheel"))


@pytest.mark.parametrize("role", ["patch", "letterbox", "masked_camera"])
def test_a_patch_without_a_camera_is_an_error(role: str) -> None:
    with pytest.raises(LayoutError, match="without a camera"):
        partition([Token("patch", role)])


def test_a_camera_with_a_missing_patch_is_an_error() -> None:
    camera = Camera("base", 2, 3)
    tokens = patch_tokens(camera, np.ones(6))
    layout = PassLayout("prefix", tuple(tokens[:-1]), ())
    with pytest.raises(LayoutError, match="5 of 6 patches"):
        layout.patch_keys(camera)


def test_patches_are_found_wherever_they_stand() -> None:
    camera = Camera("wrist", 2, 2)
    tokens = [*text("bos"), *reversed(patch_tokens(camera, np.ones(4))), *text("pad")]
    assert PassLayout("prefix", tuple(tokens), ()).patch_keys(camera).tolist() == [4, 3, 2, 1]


def test_padding_of_the_picture_is_a_region_of_its_own() -> None:
    tokens = patch_tokens(Camera("base", 2, 2), np.array([0.0, 1e-9, 0.5, 1.0]))
    assert [token.role for token in tokens] == ["letterbox", "patch", "patch", "patch"]
    assert [(token.row, token.col) for token in tokens] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_masked_camera_is_padding() -> None:
    tokens = patch_tokens(Camera("base", 1, 2), np.ones(2), is_masked=True)
    (region,) = partition(tokens)
    assert (region.name, region.kind) == ("masked_camera:base", "pad")
    assert not any(token.is_valid for token in tokens)


def test_an_unknown_pass_is_an_error(adapter: TinyAdapter) -> None:
    with pytest.raises(LayoutError, match=r"no pass 'middle'.*prefix.*suffix"):
        prepared(adapter).layout.of("middle")


# --- weights that do not fit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 2, 536, 535), (2, 2, 536, 536), (2, 536, 536)])
def test_weights_of_another_shape_are_an_error(adapter: TinyAdapter, shape: tuple[int, ...]) -> None:
    selection = select(CaptureSection(passes=["prefix"]), 3, 2, {"prefix": 0})
    reducer = Reducer([Item(prepared(adapter).layout, {})], selection, "cpu")
    with pytest.raises(LayoutError, match="the layout wants"):
        reducer("prefix", 0, -1, torch.zeros(shape))


def test_a_layer_that_never_came_is_an_error(adapter: TinyAdapter) -> None:
    selection = select(CaptureSection(passes=["prefix"]), 3, 2, {"prefix": 0})
    reducer = Reducer([Item(prepared(adapter).layout, {})], selection, "cpu")
    for layer in (0, 2):
        reducer("prefix", layer, -1, FullWeights(torch.full((1, 2, 536, 536), 1 / 536)))
    with pytest.raises(LayoutError, match=r"prefix step -1, layers \[1\]"):
        reducer.captures(0)


# --- queries ----------------------------------------------------------------------------------------------------


def test_instruction_queries_count_the_rows_of_the_pass() -> None:
    tokens = [
        Token("text", "bos", "<bos>"),
        Token("text", "instruction", "pick", 0),
        Token("text", "instruction", "duck", 1),
        Token("text", "pad"),
    ]
    assert instruction_queries(tokens, 512, ("instruction", "words")) == (
        Query("instruction", "group", (513, 514)),
        Query("word:pick", "token", (513,), 0),
        Query("word:duck", "token", (514,), 1),
    )
    assert [query.name for query in instruction_queries(tokens, 0, ("words",))] == ["word:pick", "word:duck"]
    pieces = [Token("text", "instruction", "ban", 0), Token("text", "instruction", "ana", 0), tokens[2]]
    assert [(query.name, query.rows) for query in instruction_queries(pieces, 0, ("words",))] == [
        ("word:banana", (0,)),
        ("word:banana", (1,)),
        ("word:duck", (2,)),
    ]
    assert [query.name for query in instruction_queries(tokens, 0, ("instruction",))] == ["instruction"]
    assert instruction_queries(tokens, 0, ("action",)) == ()
    assert instruction_queries(tokens[:1], 0, ("instruction", "words")) == ()


def test_action_queries_are_the_group_and_each_action() -> None:
    assert action_queries(2, 7, ("action",)) == (
        Query("action", "group", (7, 8)),
        Query("action:0", "token", (7,)),
        Query("action:1", "token", (8,)),
    )
    assert action_queries(2, 7, ("instruction", "words")) == ()


def test_the_same_word_twice_has_two_queries(adapter: TinyAdapter) -> None:
    queries = prepared(adapter, "the duck the cube").layout.of("prefix").queries
    assert [(query.name, query.word_index, query.rows) for query in queries[1:]] == [
        ("word:the", 0, (515,)),
        ("word:duck", 1, (516,)),
        ("word:the", 2, (517,)),
        ("word:cube", 3, (518,)),
    ]


# --- ids --------------------------------------------------------------------------------------------------------


def test_layout_ids_do_not_hang_on_the_process(world: World) -> None:
    policies = [load_policy(PolicySection(checkpoint=str(world.checkpoint)), "cpu") for _ in range(2)]
    first, second = (prepared(policy).layout.layout_id for policy in policies)  # type: ignore[arg-type]
    assert first == second
    assert len(first) == 16


def test_state_digits_are_not_part_of_the_layout(adapter: TinyAdapter) -> None:
    here, there = prepared(adapter, pose=0.05), prepared(adapter, pose=0.25)
    assert here.token_ids != there.token_ids
    assert here.layout.layout_id == there.layout.layout_id
    assert [token.text for token in here.layout.of("prefix").tokens if token.role == "state"] == [None] * 4


def test_other_prompts_pictures_and_queries_have_other_layouts(adapter: TinyAdapter) -> None:
    layouts = [
        prepared(adapter),
        prepared(adapter, CUBE),
        prepared(adapter, "find the cube toy"),  # as many words
        prepared(adapter, size=(320, 180)),
        prepared(adapter, size=(224, 224)),
        prepared(adapter, queries=("action",)),
    ]
    assert len({one.layout.layout_id for one in layouts}) == len(layouts)


def test_prompts_of_the_same_words_share_a_layout(adapter: TinyAdapter) -> None:
    assert prepared(adapter).layout.layout_id == prepared(adapter, DUCK_AGAIN).layout.layout_id


def test_every_part_of_a_layout_is_hashed() -> None:
    camera = Camera("base", 1, 1)
    token = Token("patch", "patch", camera="base", row=0, col=0)
    query = Query("instruction", "group", (0,))

    def layout(
        token: Token = token,
        query: Query = query,
        camera: Camera = camera,
        name: str = "prefix",
        family: str = "tiny",
    ) -> str:
        return Layout(family, (camera,), (PassLayout(name, (token,), (query,)),)).layout_id

    changed = [
        layout(),
        layout(family="openpi"),
        layout(name="suffix"),
        layout(camera=Camera("wrist", 1, 1)),
        layout(camera=Camera("base", 2, 1)),
        layout(token=Token("patch", "letterbox", camera="base", row=0, col=0)),
        layout(token=Token("patch", "patch", camera="base", row=0, col=1)),
        layout(token=Token("patch", "patch", camera="base", row=0, col=0, is_valid=False)),
        layout(token=Token("text", "instruction", "duck", 0)),
        layout(token=Token("text", "instruction", "duck", 1)),
        layout(query=Query("instruction", "group", (1,))),
        layout(query=Query("action", "group", (0,))),
        layout(query=Query("instruction", "token", (0,))),
    ]
    assert len(set(changed)) == len(changed)
    assert layout() == changed[0]


def test_stored_tokens_tell_each_key(world: World) -> None:
    """`raw.tokens` holds what the regions are made from, key by key."""
    from tests.ingest.replay import region_of_key
    from tests.ingest.world import table_of

    layouts = {row["layout_id"]: row["prompt"] for row in table_of(world.lake, "inferences")}
    seen: dict[tuple[str, str], list[str]] = {}
    for row in table_of(world.lake, "tokens", "baseline"):
        region = row["role"]
        if row["kind"] == "patch":
            region = f"{'image' if region == 'patch' else region}:{row['camera']}"
            assert row["token_index"] % 256 == row["row"] * 16 + row["col"]
        assert row["is_valid"] == (row["role"] != "pad")
        names = seen.setdefault((row["layout_id"], row["pass"]), [])
        if row["token_index"] == len(names):  # several units of a run store the same layout
            names.append(region)
    for (layout_id, pass_name), names in seen.items():
        n_words = len(layouts[layout_id].split())
        assert len(names) == (536 if pass_name == "prefix" else 540)
        assert names == [region_of_key(key, n_words) for key in range(len(names))]


def test_no_layout_is_stored_twice_in_a_unit(world: World) -> None:
    from tests.ingest.world import only_run

    folder = only_run(world.lake)
    for unit in folder.units():
        layouts = folder.read(unit, "layouts")
        assert layouts is not None
        ids = layouts["layout_id"].to_pylist()
        assert len(ids) == len(set(ids))
