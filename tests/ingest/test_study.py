"""A study says all it will do, and what it cannot do is refused by name before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.attention.selection import select
from ingest.cli.options import parse_numbers
from ingest.conditions.base import Condition
from ingest.conditions.groups import ModelShape, condition_groups
from ingest.errors import UnknownNameError, UserError
from ingest.study import DEMO_STUDY, PACKAGE_ROOT, CaptureSection, load_study, resolve_path
from ingest.study_conditions import ConditionSection
from tests.ingest.world import World, cli

SMALLEST = {"study": "s", "episodes": {"root": "r"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "study.yaml"


def refusal(file: Path, content: Any, **overrides: Any) -> str:
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_study(file, overrides)
    message = str(caught.value)
    assert str(file) in message
    assert "\n" not in message
    return message


def merged(**changes: Any) -> dict[str, Any]:
    return {**SMALLEST, **changes}


# --- what stands in it ------------------------------------------------------------------------------------------


def test_every_default_is_visible(file: Path) -> None:
    file.write_text(yaml.safe_dump(SMALLEST))
    assert load_study(file).resolved() == {
        "study": "s",
        "policy": {
            "family": "tiny",
            "checkpoint": "demo",
            "config": None,
            "dtype": "float32",
            "attention": "default",
            "options": {},
        },
        "episodes": {
            "source": "droid",
            "root": "r",
            "dataset": None,
            "cameras": {"base": "varied_camera_1", "wrist": "hand_camera"},
            "keyframes": {"every": 8, "first": None, "at_most": None},
            "limit": None,
            "table_height": None,
        },
        "objects": {
            "source": "none",
            "camera": "wrist",
            "min_score": 0.0,
            "roles": "from_instruction",
            "null_masks": 4,
            "named_roles": {},
        },
        "capture": {
            "profile": "default",
            "layers": "all",
            "heads": "all",
            "passes": ["prefix", "suffix"],
            "denoise_steps": ["first", "last"],
            "queries": ["instruction", "words", "action"],
            "rollout": False,
        },
        "conditions": {
            "prompts": {},
            "paraphrases": [],
            "repeats": 0,
            "occlusion": None,
            "knockout": [],
            "ablation": None,
            "randomised": None,
            "augmentation": None,
            "vqa": [],
            "every": 1,
        },
        "noise": {"seeds": [0]},
        "statistics": {"alpha": 0.05, "bootstrap": 10000, "min_episodes": 20},
        "compute": {"device": "cpu", "batch_size": 8, "workers": 1},
        "seed": 42,
    }


def test_a_resolved_study_is_a_study(file: Path) -> None:
    file.write_text(yaml.safe_dump(SMALLEST))
    study = load_study(file)
    file.write_text(yaml.safe_dump(study.resolved()))
    assert load_study(file) == study


def test_the_bundled_study_is_valid() -> None:
    study = load_study(DEMO_STUDY)
    assert study.conditions.prompts
    assert resolve_path(study.episodes.root).is_absolute() or Path.cwd() == PACKAGE_ROOT


def test_a_study_cannot_be_changed(file: Path) -> None:
    file.write_text(yaml.safe_dump(SMALLEST))
    study = load_study(file)
    with pytest.raises(ValueError, match="frozen"):
        study.seed = 1
    with pytest.raises(ValueError, match="frozen"):
        study.capture.profile = "full"


def test_overrides_take_the_place_of_the_files_values(file: Path) -> None:
    file.write_text(yaml.safe_dump(merged(seed=1, compute={"batch_size": 2})))
    overrides = {
        "seed": 3,
        "compute.device": "cuda:0",
        "compute.batch_size": None,
        "capture.layers": [4, 0, 4],
    }
    study = load_study(file, overrides)
    assert (study.seed, study.compute.device, study.compute.batch_size) == (3, "cuda:0", 2)
    assert study.capture.layers == [0, 4]  # sorted, each once


def test_overrides_are_checked_too(file: Path) -> None:
    assert "compute.batch_size" in refusal(file, SMALLEST, **{"compute.batch_size": 0})
    assert "compute: expected a mapping, found int" in _without_path(
        file, merged(compute=3), "compute.device"
    )


def _without_path(file: Path, content: Any, name: str) -> str:
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError) as caught:
        load_study(file, {name: "cpu"})
    return str(caught.value)


def test_the_same_study_in_another_order_is_the_same_run(file: Path) -> None:
    file.write_text(yaml.safe_dump(SMALLEST))
    here = load_study(file).resolved()
    file.write_text("episodes: {root: r}\nseed: 42\nstudy: s\n")
    assert load_study(file).resolved() == here


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "unknown", "nearest"),
    [
        ({"capturee": {}}, "capturee", "capture"),
        ({"Seed": 1}, "Seed", "seed"),
        ({"xyz": 1}, "xyz", "study"),
        ({"capture": {"layer": [0]}}, "capture.layer", "layers"),
        ({"episodes": {"root": "r", "keyframes": {"evry": 2}}}, "episodes.keyframes.evry", "every"),
        ({"policy": {"chekpoint": "demo"}}, "policy.chekpoint", "checkpoint"),
        ({"objects": {"score": 1}}, "objects.score", "source"),
        ({"conditions": {"prompt": {}}}, "conditions.prompt", "prompts"),
        ({"noise": {"seed": [0]}}, "noise.seed", "seeds"),
        ({"statistics": {"alhpa": 0.1}}, "statistics.alhpa", "alpha"),
        ({"compute": {"gpu": 1}}, "compute.gpu", None),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(
    file: Path, changes: dict[str, Any], unknown: str, nearest: str | None
) -> None:
    message = refusal(file, merged(**changes))
    assert f"unknown key {unknown!r}" in message
    assert "the nearest known key is" in message
    if nearest not in (None, "study"):
        assert f"the nearest known key is {nearest!r}" in message


def test_every_unknown_key_is_named(file: Path) -> None:
    message = refusal(file, merged(aa=1, capture={"bb": 2}))
    assert "'aa'" in message
    assert "'capture.bb'" in message


@pytest.mark.parametrize(
    ("conditions", "says"),
    [
        (
            {"occlusion": {"layer": [1]}},
            "unknown key 'conditions.occlusion.layer'; the nearest known key is 'layers'",
        ),
        (
            {"occlusion": {"percentile": 100}},
            "conditions.occlusion.percentile: input should be less than 100",
        ),
        ({"occlusion": {"regions": [{"name": "r"}]}}, "a region is either an 'object' or a 'box'"),
        ({"occlusion": {"regions": [{"name": "r", "box": [0, 0, 1, 1]}]}}, "a box needs a camera"),
        (
            {"knockout": [{"name": "k", "key": "image:base"}]},
            "unknown key 'conditions.knockout.0.key'; the nearest known key is 'keys'",
        ),
        ({"ablation": {"modes": ["half"]}}, "conditions.ablation.modes.0: input should be 'zero' or 'mean'"),
        ({"vqa": [{"name": "q", "prompt": ""}]}, "conditions.vqa.0.prompt: string should have at least 1"),
    ],
)
def test_conditions_that_cannot_be(file: Path, conditions: dict[str, Any], says: str) -> None:
    assert says in refusal(file, merged(conditions=conditions))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"seed": "many"}, "seed"),
        ({"study": ""}, "study"),
        ({"study": 3}, "study"),
        ({"policy": "demo"}, "policy"),
        ({"policy": {"dtype": "float8"}}, "policy.dtype"),
        ({"episodes": {}}, "episodes.root"),
        ({"episodes": {"root": "r", "cameras": {}}}, "episodes.cameras"),
        ({"episodes": {"root": "r", "limit": 0}}, "episodes.limit"),
        ({"episodes": {"root": "r", "keyframes": {"every": 0}}}, "episodes.keyframes.every"),
        ({"episodes": {"root": "r", "source": "zip"}}, "episodes.source"),
        ({"objects": {"source": "guess"}}, "objects.source"),
        ({"objects": {"null_masks": 0}}, "objects.null_masks"),
        ({"capture": {"layers": "some"}}, "capture.layers"),
        ({"capture": {"layers": []}}, "capture.layers"),
        ({"capture": {"heads": []}}, "capture.heads"),
        ({"capture": {"passes": []}}, "capture.passes"),
        ({"capture": {"passes": ["middle"]}}, "capture.passes"),
        ({"capture": {"denoise_steps": []}}, "capture.denoise_steps"),
        ({"capture": {"denoise_steps": ["middle"]}}, "capture.denoise_steps"),
        ({"capture": {"queries": []}}, "capture.queries"),
        ({"capture": {"queries": ["wheels"]}}, "capture.queries"),
        ({"capture": {"profile": "huge"}}, "capture.profile"),
        ({"conditions": {"prompts": ["duck"]}}, "conditions.prompts"),
        ({"conditions": {"prompts": {"duck": 3}}}, "conditions.prompts.duck"),
        ({"conditions": {"every": 0}}, "conditions.every"),
        ({"noise": {"seeds": []}}, "noise.seeds"),
        ({"statistics": {"alpha": 1.5}}, "statistics.alpha"),
        ({"statistics": {"min_episodes": 2}}, "statistics.min_episodes"),
        ({"compute": {"batch_size": 0}}, "compute.batch_size"),
        ({"compute": {"workers": -1}}, "compute.workers"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(file: Path, changes: dict[str, Any], where: str) -> None:
    assert where in refusal(file, merged(**changes))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n- b\n", "expected a mapping of sections (study, policy, episodes, ...), found list"),
        ("just words", "expected a mapping of sections (study, policy, episodes, ...), found str"),
        ("", "found NoneType"),
        ("study: [unclosed", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_what_is_no_study_is_refused(file: Path, text: str, says: str) -> None:
    assert says in refusal(file, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00study")
    for path in (tmp_path / "missing.yaml", tmp_path, binary):
        with pytest.raises(UserError, match=r"cannot be read.*--study FILE"):
            load_study(path)


# --- against the model's geometry -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capture", "says"),
    [
        ({"layers": [0, 18]}, "unknown layer 18: the model's layers are 0 to 17"),
        ({"layers": [-1]}, "unknown layer -1: the model's layers are 0 to 17"),
        ({"heads": [8]}, "unknown head 8: the model's heads are 0 to 7"),
        ({"denoise_steps": [10]}, "unknown denoising step 10: the model's denoising steps are 0 to 9"),
        ({"denoise_steps": ["first", -2]}, "unknown denoising step -2"),
    ],
)
def test_an_unknown_layer_head_or_step_names_the_range(capture: dict[str, Any], says: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        select(CaptureSection(**capture), 18, 8, {"prefix": 0, "suffix": 10})
    assert says in str(caught.value)


def test_a_pass_that_the_model_lacks() -> None:
    with pytest.raises(UnknownNameError, match=r"no pass 'prefix'; it has \['denoise'\]"):
        select(CaptureSection(passes=["prefix"]), 2, 2, {"denoise": 35})


@pytest.mark.parametrize(
    ("steps", "profile", "expected"),
    [
        (["first", "last"], "default", (0, 9)),
        (["last", 3, 0, "first"], "default", (0, 3, 9)),
        (["all"], "default", tuple(range(10))),
        ([5, "all"], "default", tuple(range(10))),
        (["first"], "full", (0,)),
        ([0, 2, 4], "full", (0, 2, 4)),
    ],
)
def test_steps_in_words_and_numbers(steps: list[Any], profile: Any, expected: tuple[int, ...]) -> None:
    capture = CaptureSection(denoise_steps=steps, profile=profile)
    selection = select(capture, 18, 8, {"prefix": 0, "suffix": 10})
    assert selection.steps == {"prefix": (-1,), "suffix": expected}
    assert selection.layers == tuple(range(18))
    assert selection.wants("suffix", 17, expected[0])
    assert not selection.wants("suffix", 18, expected[0])
    assert not selection.wants("denoise", 0, 0)


def test_the_full_profile_has_every_step_where_none_is_named() -> None:
    """And says so in the resolved study, which reads back as the same run."""
    capture = CaptureSection(profile="full")
    assert capture.denoise_steps == ["all"]
    assert select(capture, 2, 2, {"prefix": 0, "suffix": 3}).steps == {"prefix": (-1,), "suffix": (0, 1, 2)}
    assert CaptureSection.model_validate(capture.model_dump(mode="json")) == capture
    assert CaptureSection().denoise_steps == ["first", "last"]


def test_numbers_of_the_command_line() -> None:
    assert parse_numbers("--layers", "0,4,7-9") == [0, 4, 7, 8, 9]
    assert parse_numbers("--layers", " all ") == "all"
    assert parse_numbers("--layers", "3") == [3]
    assert parse_numbers("--layers", "9998-9999") == [9998, 9999]
    for text in ("", "a", "1-", "-1", "1,,2", "2-1", "1.5", "0-5-7", "²", "0-9999999999", "9" * 5000):
        with pytest.raises(UserError, match="--layers: expected numbers"):
            parse_numbers("--layers", text)


# --- what YAML allows and a study does not ----------------------------------------------------------------------


# Ten lines of aliases: a8 is a list of a thousand million words.
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
)
SMALLEST_TEXT = yaml.safe_dump(SMALLEST)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SMALLEST_TEXT + "study: again\n", "the key 'study' is given twice"),
        (SMALLEST_TEXT + 'conditions: {prompts: {a: "x", a: "y"}}\n', "the key 'a' is given twice"),
        ("study: " + "[" * 3000 + "]" * 3000, "nested deeper than 40 levels"),
        (SMALLEST_TEXT + "seed: " + "9" * 5000, "Exceeds the limit"),
        (
            SMALLEST_TEXT + "seed: 0x" + "f" * 9000,
            "less than 9223372036854775808, found a number of thousands",
        ),
        ("study: 2020-13-45", "month must be in 1..12"),
        ('study: "a\\uD800b"', "half of a surrogate pair is no text"),
        (f"{BOMB}\nstudy: *a8\nepisodes: {{root: r}}", "study: input should be a valid string, found [["),
        ("a: " + "x" * 2_000_000, "larger than 1048576 bytes"),
    ],
)
def test_yaml_that_is_no_study_is_one_short_line(file: Path, text: str, says: str) -> None:
    message = refusal(file, text)
    assert says in message
    assert len(message) < 5000


def test_keys_may_be_merged_and_overridden(file: Path) -> None:
    """A merge is no key that is given twice."""
    file.write_text(
        "study: s\nepisodes: {root: r}\n"
        "conditions:\n  prompts: &p {a: one, b: two}\n"
        "objects: {named_roles: {<<: &roles {duck: decoy}, duck: target}}\n"
    )
    study = load_study(file)
    assert study.objects.named_roles == {"duck": "target"}
    assert study.conditions.prompts == {"a": "one", "b": "two"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": 2**63}, "seed: input should be less than 9223372036854775808"),
        ({"seed": -(2**63) - 1}, "seed: input should be greater than or equal to -9223372036854775808"),
        ({"noise": {"seeds": [0, 10**30]}}, "noise.seeds.1: input should be less than"),
        (
            {"noise": {"seeds": [3, 1, 3]}},
            "noise.seeds: value error, a seed is given twice; each counts once",
        ),
        ({"objects": {"min_score": float("nan")}}, "objects.min_score: input should be a finite number"),
        ({"objects": {"min_score": float("-inf")}}, "objects.min_score: input should be a finite number"),
        ({"policy": {"options": {"x": float("nan")}}}, "finite number, found nan"),
        ({"conditions": {"prompts": {"": "find the duck"}}}, "expected text, found ''"),
        ({"conditions": {"prompts": {" ": "find the duck"}}}, "expected text, found ' '"),
        (
            {"conditions": {"paraphrases": ["take the {object}", " "]}},
            "paraphrases.1: value error, expected text",
        ),
        ({"compute": {"device": "meta"}}, "torch's 'meta' computes nothing"),
        ({"compute": {"device": "meta:0"}}, "torch's 'meta' computes nothing"),
        ({"conditions": {"paraphrases": [3] * 50}}, "; and 40 more"),
    ],
)
def test_values_that_no_run_can_have(file: Path, changes: dict[str, Any], says: str) -> None:
    assert says in refusal(file, merged(**changes))


def test_the_widest_seeds(file: Path) -> None:
    file.write_text(yaml.safe_dump(merged(seed=2**63 - 1, noise={"seeds": [-(2**63)]})))
    assert load_study(file).seed == 2**63 - 1


def test_an_empty_prompt_is_a_prompt(file: Path) -> None:
    """Attention without words is a control; its name says what it is."""
    file.write_text(yaml.safe_dump(merged(conditions={"prompts": {"empty": ""}})))
    assert load_study(file).conditions.prompts == {"empty": ""}


def test_what_is_captured_is_named_once(file: Path) -> None:
    """So that two ways to say the same are the same run."""
    twice = {
        "layers": [4, 0, 4],
        "queries": ["action", "words", "action"],
        "passes": ["suffix", "prefix", "suffix"],
        "denoise_steps": ["first", 0, "last", "last"],
    }
    once = {
        "layers": [0, 4],
        "queries": ["action", "words"],
        "passes": ["suffix", "prefix"],
        "denoise_steps": [0, "last"],
    }
    studies = []
    for capture in (twice, once):
        file.write_text(yaml.safe_dump(merged(capture=capture)))
        studies.append(load_study(file).resolved())
    assert studies[0] == studies[1]
    assert studies[0]["capture"]["denoise_steps"] == ["first", "last"]


@pytest.mark.parametrize("root", ["~nosuchuser/x", "a\0b", "loop"])
def test_a_path_that_cannot_be_is_one_line(world: World, tmp_path: Path, root: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    study = yaml.safe_load(world.study_file.read_text())
    study["episodes"]["root"] = str(tmp_path / "loop") if root == "loop" else root
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(study))
    ended = cli("check", "--study", file, "--lake", tmp_path / "lake")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "cannot be followed" in ended.err


# --- conditions -------------------------------------------------------------------------------------------------


SHAPE = ModelShape(cameras=("base", "wrist"), passes=("prefix", "suffix"), n_layers=2, n_heads=2)


def test_the_baseline_comes_first_and_groups_are_named() -> None:
    section = ConditionSection(prompts={"a": "x", "b": "y"}, paraphrases=["z"], every=3)
    groups = condition_groups(section, SHAPE)
    assert [(group.name, group.every) for group in groups] == [
        ("baseline", 1),
        ("prompts", 3),
        ("paraphrases", 3),
    ]
    ids = [one.condition_id for group in groups for one in group.conditions]
    assert ids == ["baseline:baseline", "prompt:a", "prompt:b", "paraphrase:0"]
    assert [group.name for group in condition_groups(ConditionSection(), SHAPE)] == ["baseline"]


def test_a_paraphrase_counts_once() -> None:
    with pytest.raises(UserError, match="given twice"):
        condition_groups(ConditionSection(paraphrases=["a", "b", "a"]), SHAPE)


def test_a_prompt_is_data_and_no_format_string() -> None:
    prompt = Condition("prompt", "p", "prompts", "take the {object} {0} {x!r} {{}}")
    assert prompt.prompt("ignored", "duck") == "take the duck {0} {x!r} {{}}"
    assert prompt.prompt("ignored", None) is None
    assert Condition("prompt", "p", "prompts", "{0.__class__}").prompt("i", None) == "{0.__class__}"
    assert Condition("baseline", "baseline", "baseline").prompt("own words", "duck") == "own words"


# --- at the command line ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("layer", "unknown layer 3: the model's layers are 0 to 2"),
        ("head", "unknown head 2: the model's heads are 0 to 1"),
        ("step", "unknown denoising step 3: the model's denoising steps are 0 to 2"),
        ("key", "unknown key 'capture.layrs'; the nearest known key is 'layers'"),
        ("occlusion", "conditions.occlusion.layers: unknown layer 3; the model's layers are 0 to 2"),
        ("knockout", "expected 'top:' and a percentile between 0 and 100, found 'top:200'"),
        ("ablation", "no head 2 in layer 0; the model has 3 layers of 2 heads"),
        ("randomised", "expected 1 to 3 layers, found 4"),
        ("camera", "the policy sees ['base', 'wrist'], the study names ['base', 'left']"),
        ("objects", "objects.camera is 'left'"),
        ("family", "unknown family 'tinny'; the nearest known one is 'tiny'"),
        ("dtype", "the tiny policy runs in float32"),
        ("root", "is not a directory"),
        ("device", "'cuba' cannot be used"),
        ("paraphrases", "conditions.paraphrases: 'a' is given twice"),
    ],
)
def test_nothing_is_started(world: World, tmp_path: Path, change: str, says: str) -> None:
    """Exit code 2, one line, no lake."""
    raw = yaml.safe_load(world.study_file.read_text())
    changes: dict[str, dict[str, Any]] = {
        "layer": {"capture": {"layers": [0, 3]}},
        "head": {"capture": {"heads": [2]}},
        "step": {"capture": {"denoise_steps": [3]}},
        "key": {"capture": {"layrs": [0]}},
        "occlusion": {"conditions": {"occlusion": {"layers": [3]}}},
        "knockout": {"conditions": {"knockout": [{"name": "k", "keys": "top:200"}]}},
        "ablation": {"conditions": {"ablation": {"heads": [[0, 2]]}}},
        "randomised": {"conditions": {"randomised": {"top": [4]}}},
        "camera": {
            "objects": {"source": "none"},
            "episodes": {**raw["episodes"], "cameras": {"base": "hand_camera", "left": "hand_camera"}},
        },
        "objects": {"objects": {"source": "dinox", "camera": "left"}},
        "family": {"policy": {**raw["policy"], "family": "tinny"}},
        "dtype": {"policy": {**raw["policy"], "dtype": "bfloat16"}},
        "root": {"episodes": {"root": str(tmp_path / "none")}},
        "device": {"compute": {"device": "cuba"}},
        "paraphrases": {"conditions": {"paraphrases": ["a", "a"]}},
    }
    file, lake = tmp_path / "study.yaml", tmp_path / "lake"
    file.write_text(yaml.safe_dump({**raw, **changes[change]}))
    for command in ("run", "check"):
        ended = cli(command, "--study", file, "--lake", lake)
        assert ended.code == 2
        assert ended.err.startswith("error: ")
        assert says in ended.err
        assert ended.err.count("\n") == 1
    assert not lake.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.yaml"]
