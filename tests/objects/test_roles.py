"""Which object an instruction means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.objects.roles import assign_roles, named_category, with_other_object

TOYS = ["duck toy", "banana", "cat toy", "bottle", "cube"]


@pytest.mark.parametrize(
    ("instruction", "target"),
    [
        ("find the duck toy and pick it up", "duck toy"),
        ("find the banana and pick it up", "banana"),
        ("pick up the DUCK", "duck toy"),
        ("Take the toy duck.", "duck toy"),
        ("take the bananas", "banana"),
        ("pick up two cubes", "cube"),
        ("move to the bottle", "bottle"),
        ("grab the yellow bird", None),
        ("pick up the duckling", None),
        ("pick up the toy", None),
        ("", None),
    ],
)
def test_the_named_toy_is_the_target(instruction: str, target: str | None) -> None:
    roles = assign_roles(TOYS, instruction)
    assert roles == {toy: "target" if toy == target else "distractor" for toy in sorted(TOYS)}
    assert named_category(instruction, TOYS) == target


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("put the duck in the bowl", {"duck": "target", "bowl": "goal", "cup": "distractor"}),
        (
            "pick up the duck and place it onto the bowl",
            {"duck": "target", "bowl": "goal", "cup": "distractor"},
        ),
        ("in the bowl put the duck", {"duck": "target", "bowl": "distractor", "cup": "distractor"}),
        ("pick up the duck next to the bowl", {"duck": "target", "bowl": "distractor", "cup": "distractor"}),
        ("take the duck from the cup", {"duck": "target", "bowl": "distractor", "cup": "distractor"}),
        ("move the duck from the cup to the bowl", {"duck": "target", "bowl": "goal", "cup": "distractor"}),
        ("pick up the duck and the cup", {"duck": "target", "bowl": "distractor", "cup": "target"}),
    ],
)
def test_where_to_is_the_goal(instruction: str, expected: dict[str, str]) -> None:
    assert assign_roles(expected, instruction) == expected


def test_the_longest_category_takes_its_words() -> None:
    assert assign_roles(["duck", "duck toy"], "find the duck toy") == {
        "duck": "distractor",
        "duck toy": "target",
    }
    assert assign_roles(["duck", "duck toy"], "find the duck") == {"duck": "target", "duck toy": "distractor"}
    assert assign_roles(["cube", "red cube", "blue cube"], "stack the red cube on the blue cube") == {
        "blue cube": "goal",
        "cube": "distractor",
        "red cube": "target",
    }


@pytest.mark.parametrize(
    ("category", "word"),
    [("box", "boxes"), ("berry", "berries"), ("glass", "glasses"), ("vase", "vases"), ("blocks", "block")],
)
def test_simple_plurals_are_the_same_word(category: str, word: str) -> None:
    assert named_category(f"pick up the {word}", [category]) == category


def test_underscores_and_width_do_not_matter() -> None:
    assert named_category("pick up the red cube", ["red_cube"]) == "red_cube"
    assert named_category("pick up the ＤＵＣＫ", ["duck"]) == "duck"
    assert named_category("拿起 鸭子", ["鸭子"]) == "鸭子"


def test_the_gripper_is_never_the_target() -> None:
    roles = assign_roles(["duck", "Robot Gripper"], "move the robot gripper to the duck")
    assert roles == {"Robot Gripper": "gripper", "duck": "target"}
    assert named_category("close the gripper", ["gripper", "duck"]) is None


def test_a_stated_target_decides() -> None:
    assert assign_roles(TOYS, "grab the yellow bird", "duck")["duck toy"] == "target"
    roles = assign_roles(["banana", "duck"], "pick up the duck", "banana")
    assert roles == {"banana": "target", "duck": "distractor"}
    assert assign_roles(["duck", "duck toy"], "pick it up", "duck") == {
        "duck": "target",
        "duck toy": "distractor",
    }


def test_a_stated_target_that_was_not_detected_leaves_none() -> None:
    assert assign_roles(["duck"], "pick up the duck", "bottle") == {"duck": "distractor"}


@settings(deadline=None)  # a busy machine is not a slow function
@given(categories=st.lists(st.text(max_size=12), max_size=6), instruction=st.text(max_size=60))
def test_any_text_gets_a_role_for_every_category(categories: list[str], instruction: str) -> None:
    roles = assign_roles(categories, instruction)
    assert set(roles) == set(categories)
    assert list(roles) == sorted(roles)
    assert named_category(instruction, categories) in {None, *categories}


def test_named_roles_hold_whatever_the_instruction_says() -> None:
    roles = assign_roles(
        ["cube", "decoy", "screen"],
        "put the decoy beside the screen",
        named_roles={"decoy": "decoy", "screen": "occluder"},
    )
    assert roles == {"cube": "distractor", "decoy": "decoy", "screen": "occluder"}


@pytest.mark.parametrize(
    ("instruction", "category", "expected"),
    [
        ("find the duck toy and pick it up", "duck", "find the cat toy and pick it up"),
        ("find the duck toy and pick it up", "duck toy", "find the cat and pick it up"),
        ("find the Ducks, then lift a duck!", "duck", "find the cat, then lift a cat!"),
        ("take the toy yellow duck", "yellow duck toy", "take the cat"),
        ("take an apple or an\tapple", "apple", "take a cat or a\tcat"),
        ("take the duck", "duck toy", "take the cat"),
        ("take the ducking", "duck", None),
        ("take it", "duck", None),
        ("", "duck", None),
        ("lift the Cat toy", "cat toy", "lift the Cat toy"),
        ("lift the cats", "cat", "lift the cats"),
    ],
)
def test_another_object_in_an_instruction(instruction: str, category: str, expected: str | None) -> None:
    assert with_other_object(instruction, category, "cat") == expected


@given(st.text(), st.text())
def test_any_text_has_another_object_or_none(instruction: str, category: str) -> None:
    found = with_other_object(instruction, category, "cat")
    assert found is None or found == instruction or "cat" in found
