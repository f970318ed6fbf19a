"""Presets make the prompts they say from an episode's instruction, the same ones every time, and a run stores them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.conditions.base import Condition
from ingest.conditions.groups import ModelShape, condition_groups
from ingest.conditions.presets import contradiction, opposite, random_words, shuffled_words, synonym
from ingest.conditions.vocabulary import OPPOSITES, PRESET_NAMES, SEED_SENTENCES, SYNONYMS, UNRELATED_WORDS
from ingest.study import Study
from ingest.study_conditions import ConditionSection
from tests.ingest.world import CUBE, World, cli, make_world, only_run, table_of, unit_bytes, unit_path

EVERY = list(PRESET_NAMES)
SHAPE = ModelShape(cameras=("base",), passes=("prefix",), n_layers=2, n_heads=2)
# What no table replaces, but for 'cube' in CUBE.
NUDGE = "nudge the duck"
WORDS = st.lists(st.sampled_from(["pick", "up", "the", "The", "duck", "утку", "x."]), min_size=0, max_size=12)
SEEDS = st.integers(-(2**63), 2**63 - 1)


def prompts_of(instruction: str, named_object: str | None, seed: int = 42) -> dict[str, str]:
    """Name -> prompt, as a run asks its conditions."""
    groups = condition_groups(ConditionSection(presets=EVERY), SHAPE, seed)
    made = {one.name: one.prompt(instruction, named_object) for one in groups[1].conditions}
    return {name: prompt for name, prompt in made.items() if prompt is not None}


# --- worked examples --------------------------------------------------------------------------------------------


def test_every_preset_by_hand() -> None:
    assert prompts_of("pick up the duck", "duck") == {
        "duck": "pick up the duck",
        "banana": "pick up the banana",
        "cat": "pick up the cat",
        "bottle": "pick up the bottle",
        "empty": "",
        "shuffled_words": "pick the duck up",
        "synonym": "grab the duck",
        "opposite": "put down the duck",
        "random_words": "thursday patience seldom often",
        "contradiction": "pick up the duck, but do not pick up the duck",
    }


@pytest.mark.parametrize("named_object", [None, "screen"])
def test_where_no_object_is_known_the_seed_decides(named_object: str | None) -> None:
    """Without masks, and where the recording states a target that the instruction does not name."""
    prompts = prompts_of("pick up the duck", named_object)
    assert {name: prompts[name] for name in SEED_SENTENCES} == {
        "duck": "find the duck toy and pick it up",
        "banana": "find the banana and pick it up",
        "cat": "find the cat toy and pick it up",
        "bottle": "find the bottle and pick it up",
    }


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("find the duck toy and pick it up", "look for the duck plaything and grab it"),
        ("Put the spoon in the bowl.", "Place the spoon in the dish."),
        ("look  for the cup", "find the mug"),
        ("turn on the lamp next to the big plate", "switch on the lamp beside the large plate"),
        ("outtake the replaced cup-holder", "outtake the replaced cup-holder"),
    ],
)
def test_a_synonym(instruction: str, expected: str) -> None:
    assert synonym(instruction) == expected


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("find the duck toy and pick it up", "hide the duck toy and put it down"),
        ("Open the left drawer!", "Close the right drawer!"),
        ("put the spoon in the bowl", "remove the spoon out of the bowl"),
        ("push the cup towards you, then turn it off", "pull the cup away from you, then turn it on"),
        ("move it close to the box", "move it far from the box"),
        ("close it", "open it"),
        ("nudge the duck", "nudge the duck"),
    ],
)
def test_an_opposite(instruction: str, expected: str) -> None:
    assert opposite(instruction) == expected


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Pick up the duck.", "Pick up the duck, but do not pick up the duck"),
        ("PICK it up", "PICK it up, but do not PICK it up"),
        (" ", " "),
        ("", ""),
    ],
)
def test_a_contradiction(instruction: str, expected: str) -> None:
    assert contradiction(instruction) == expected


# --- properties -------------------------------------------------------------------------------------------------


@given(WORDS, SEEDS)
def test_shuffled_are_the_same_words_in_another_order(words: list[str], seed: int) -> None:
    shuffled = shuffled_words(" ".join(words), seed).split()
    assert Counter(shuffled) == Counter(words)
    assert (shuffled == words) == (len(set(words)) < 2)
    folded = [word.casefold() for word in words]
    assert ([word.casefold() for word in shuffled] == folded) == (len(set(folded)) < 2)


@given(WORDS, SEEDS)
def test_random_words_are_as_many_and_of_the_list(words: list[str], seed: int) -> None:
    drawn = random_words(" ".join(words), seed).split()
    assert len(drawn) == len(words) == len(set(drawn))
    assert set(drawn) <= set(UNRELATED_WORDS)


def test_more_random_words_than_the_list_holds() -> None:
    n = len(UNRELATED_WORDS)
    drawn = random_words("up " * (n + 3), 0).split()
    assert drawn[n:] == drawn[:3]
    assert set(drawn) == set(UNRELATED_WORDS)


@given(st.text(), st.sampled_from([None, "duck", "red bowl"]), SEEDS)
def test_any_instruction_has_the_same_prompts_every_time(
    instruction: str, named_object: str | None, seed: int
) -> None:
    prompts = prompts_of(instruction, named_object, seed)
    assert list(prompts) == [name for names in PRESET_NAMES.values() for name in names]
    assert prompts == prompts_of(instruction, named_object, seed)


def test_seed_and_instruction_decide_what_is_drawn() -> None:
    instruction = "find the small yellow duck and pick it up"
    for draw in (shuffled_words, random_words):
        assert len({draw(instruction, seed) for seed in range(20)}) == 20
        assert draw(instruction, 0).split() != draw(f"{instruction} now", 0).split()[:9]


def test_no_word_is_its_own_replacement_and_unrelated_words_are_in_no_table() -> None:
    for table in (SYNONYMS, OPPOSITES):
        assert not [word for word, other in table.items() if word == other]
        assert not [word for word in table if word != " ".join(word.casefold().split())]
        tasks = {part for pair in table.items() for words in pair for part in words.split()}
        assert not tasks & set(UNRELATED_WORDS)
    assert len(set(UNRELATED_WORDS)) == len(UNRELATED_WORDS)


# --- the study --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "says"),
    [
        ({"presets": ["emtpy"]}, "presets.0\n  Input should be 'objects', 'empty', 'shuffled_words'"),
        ({"presets": ["empty", "empty"]}, "a preset is given twice; each counts once"),
        (
            {"presets": ["empty"], "prompts": {"empty": " "}},
            "'empty' makes a prompt named 'empty', and so does",
        ),
        (
            {"presets": ["objects"], "prompts": {"cat": "x"}},
            "'objects' makes a prompt named 'cat', and so does",
        ),
    ],
)
def test_presets_that_no_study_can_have(conditions: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        ConditionSection.model_validate(conditions)
    assert says in str(error.value)


def test_the_order_of_presets_is_the_same_run() -> None:
    assert ConditionSection(presets=EVERY[::-1]) == ConditionSection(presets=EVERY)


def test_a_study_without_presets_is_the_study_it_was_before_there_were_any() -> None:
    """Its run id is a hash of what `resolved` gives."""
    smallest: dict[str, Any] = {"study": "s", "episodes": {"root": "r"}}
    plain = Study.model_validate(smallest)
    assert "presets" not in plain.resolved()["conditions"]
    assert Study.model_validate({**smallest, "conditions": {"presets": []}}).resolved() == plain.resolved()
    some = Study.model_validate({**smallest, "conditions": {"presets": ["synonym", "empty"]}})
    assert some.resolved()["conditions"]["presets"] == ["empty", "synonym"]
    assert Study.model_validate(some.resolved()) == some


def test_presets_stand_behind_prompts_in_their_group() -> None:
    section = ConditionSection(prompts={"mine": "x"}, presets=["synonym", "empty"])
    group = condition_groups(section, SHAPE)[1]
    assert group.name == "prompts"
    assert [one.condition_id for one in group.conditions] == ["prompt:mine", "prompt:empty", "prompt:synonym"]
    assert all(one.changes_prompt for one in group.conditions)
    assert not Condition("baseline", "baseline", "baseline").changes_prompt


# --- a run ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two episodes, 'nudge the duck' and 'pick up the cube', two keyframes each, under every preset."""
    sections = {"conditions": {"presets": EVERY, "prompts": {"mine": CUBE}}}
    world = make_world(tmp_path_factory.mktemp("presets"), sections, count=2, instructions=(NUDGE, CUBE))
    assert world.run().is_complete
    return world


def test_conditions_say_which_preset_they_are(asked: World) -> None:
    rows = {row["name"]: row for row in table_of(asked.lake, "conditions") if row["kind"] == "prompt"}
    assert rows.pop("mine")["prompt_template"] == CUBE
    assert {name: row["prompt_template"] for name, row in rows.items()} == {
        name: "" if name == "empty" else None for names in PRESET_NAMES.values() for name in names
    }
    params = {name: json.loads(row["params"]) for name, row in rows.items()}
    assert params["cat"] == {"preset": "objects", "object": "cat"}
    assert params["random_words"] == {"preset": "random_words"}
    assert params["synonym"] == {"preset": "synonym", "is_same_object": True}


def test_inferences_hold_the_prompts_and_what_changed_nothing_is_vacuous(asked: World) -> None:
    episodes = {row["episode_id"]: row["instruction"] for row in table_of(asked.lake, "episodes")}
    rows = table_of(asked.lake, "inferences", "prompts")
    assert len(rows) == 2 * 2 * 11
    vacuous = set()
    for row in rows:
        instruction, name = episodes[row["episode_id"]], row["condition_id"].removeprefix("prompt:")
        own = "duck" if instruction == NUDGE else "cube"
        assert row["prompt"] == ({"mine": CUBE} | prompts_of(instruction, own))[name]
        named = {"empty": None, "random_words": None, "duck": "duck", "mine": "cube"}
        swapped = dict.fromkeys(("banana", "cat", "bottle"))  # no masks of these
        assert row["named_object"] == (named | swapped).get(name, own)
        assert row["prompt"] != instruction or row["status"] == "vacuous"
        if row["status"] == "vacuous":
            vacuous.add((instruction, name))
            assert row["actions"] is None
            assert "same tokens" in row["reason"]
        else:
            assert row["status"] == "ok"
    assert vacuous == {(NUDGE, "duck"), (NUDGE, "synonym"), (NUDGE, "opposite"), (CUBE, "mine")}
    shifted = {row["inference_id"] for row in table_of(asked.lake, "action_effects", "prompts")}
    assert shifted == {row["inference_id"] for row in rows if row["status"] == "ok"}


def test_check_counts_them_and_a_second_run_and_measure_change_nothing(asked: World) -> None:
    ended = cli("check", "--dry-run", "--study", asked.study_file, "--lake", asked.lake)
    assert ended.code == 0
    assert "  prompts: 2 units, 44 inferences" in ended.out
    before = unit_bytes(asked.lake)
    ended = cli("run", "--no-load", "--study", asked.study_file, "--lake", asked.lake)
    assert (ended.code, ended.err) == (0, "")
    assert "nothing to do, all 4 units are in the lake" in ended.out
    ended = cli("measure", "--study", asked.study_file, "--lake", asked.lake)
    assert ended.code == 0, ended.err
    assert unit_bytes(asked.lake) == before


def test_a_resumed_run_makes_the_same_unit(asked: World, tmp_path: Path) -> None:
    """A unit of prompts that is missing from the lake comes back with the bytes it had."""
    lake = tmp_path / "lake"
    shutil.copytree(asked.lake, lake)
    folder = only_run(lake)
    lost = unit_path(folder, "success/2025-12-10/episode_0", "prompts")
    shutil.rmtree(lost)
    summary = asked.run(lake)
    assert [result.group for result in summary.results] == ["prompts"]
    assert unit_bytes(lake) == unit_bytes(asked.lake)
