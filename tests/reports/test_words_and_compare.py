"""The pages on words and on several runs, held against the marts."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest

from reports import site, words
from reports.pages import compare
from tests.reports import synthetic, synthetic_comparison
from tests.reports.conftest import Site, Visit
from tests.reports.drawn import specs
from tests.reports.test_numbers import rows
from tests.reports.test_what_pages_say import text_of


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Two runs that share episodes in one measure and not in others."""
    folder = tmp_path_factory.mktemp("two")
    warehouse, lake = synthetic_comparison.build(folder)
    options = site.Options(warehouse, lake, folder / "site", run=synthetic.TINY.run_id, episode_pages=1)
    report = site.build(options, say=lambda _: None)
    return Site(folder / "site", warehouse, lake, synthetic.TINY, report.failures)


def test_words_by_layer_are_means_of_the_instructions_episodes(two_runs: Site) -> None:
    spec = specs(two_runs.root / "words.html")["base: each word's attention on the target, by layer"]
    (instruction,), *_ = rows(
        two_runs,
        "select instruction from marts.episodes group by all order by count(*) desc, instruction",
    )
    with duckdb.connect(str(two_runs.warehouse), read_only=True) as con:
        stored = con.execute(
            "select word_index, word, layer, avg(lift), count(*) from marts.word_object_attention join marts.episodes using (run_id, episode_id) "
            "where instruction = $1 and camera = 'base' group by all",
            [instruction],
        ).fetchall()
    drawn = {(r["word"], r["layer"]): r for r in spec["datasets"]["data0"]}
    assert len(drawn) == len(stored) > 3
    for index, word, layer, lift, n in stored:
        cell = drawn[f"{index + 1} {word}", layer]
        assert cell["log2"] == pytest.approx(math.log2(lift), rel=1e-4, abs=1e-6)
        assert cell["n"] == n


def test_a_hostile_instruction_is_text_in_its_choice(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "words.html")
    choices = page.locator("select[data-switch]").first.locator("option").all_inner_texts()
    assert any(choice.startswith(synthetic.HOSTILE[0]) for choice in choices), choices
    for i in range(len(choices)):
        page.locator("select[data-switch]").first.select_option(index=i)
        page.wait_for_timeout(300)
    assert page.locator("img, [onerror]").count() == 0
    assert not visit.troubles


def test_differences_are_the_marts(two_runs: Site, visit: Visit) -> None:
    drawn = specs(two_runs.root / "compare.html")["Attention on the target: B minus A by layer"]
    found = next(data for data in drawn["datasets"].values() if any("low" in r for r in data))
    points = {r["layer"]: (r["y"], r["low"], r["high"]) for r in found}
    for layer, *numbers in rows(two_runs, "select layer, difference, low, high from marts.run_comparison where camera = 'base'"):  # fmt: skip
        assert points[layer] == pytest.approx(tuple(numbers))
    text = text_of(two_runs.root / "compare.html")
    assert "11 measures are shared; 6 of them are compared pair by pair" in text
    assert (
        "Of 10 with an interval 8 have one without 0" in text
    )  # layers 0 and 1 of two cameras, and the ratio
    assert "Largest difference 0.400 in layer 0; the interval leaves 0 out in layers 0–1." in text
    assert "fewer than 3" in text
    page = visit.open(two_runs.root / "compare.html")
    assert not visit.troubles
    within = page.locator("figure", has_text="Differences within episodes: B minus A")
    assert within.locator("option").all_inner_texts() == [
        "change of the actions above the paraphrases'",
        "camera attention log lift",
    ]
    within.locator("select[data-switch]").select_option(index=1)
    within.locator("svg", has_text="wrist").wait_for()
    labels = within.locator("svg text").all_text_contents()
    assert "base" in labels
    assert "wrist" in labels
    assert "prompt: cat" not in labels, "measures of another scale have a chart of their own"


def test_titles_of_axes_are_whole_on_a_phone(two_runs: Site, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 800})
    page = visit.open(two_runs.root / "compare.html")
    figure = page.locator("figure", has_text="Actions under changed prompts: B minus A")
    title = figure.locator(".role-axis-title tspan")
    assert title.all_text_contents() == ["difference of standardised", "squared change of the actions"]
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.role-axis-title text')].filter(t => { const chart = t.closest('svg').getBoundingClientRect(),
             box = t.getBoundingClientRect(); return box.left < chart.left - 1 || box.right > chart.right + 1; }).map(t => t.textContent)"""
    )
    assert outside == []


@pytest.mark.parametrize(
    ("paired", "n", "said"),
    [
        (11, 11, "all are compared pair by pair on the episodes that both runs hold"),
        (0, 3, "all are compared as independent means"),
        (1, 1, "it is compared pair by pair on the episodes that both runs hold"),
        (
            6,
            8,
            "6 of them are compared pair by pair on the episodes that both runs hold, the others as independent means",
        ),
    ],
)
def test_nothing_is_said_of_others_where_there_are_none(paired: int, n: int, said: str) -> None:
    assert compare.how_compared(paired, n) == said


def test_the_other_runs_name_is_text(two_runs: Site) -> None:
    page = (two_runs.root / "compare.html").read_text()
    assert "<img src=x" not in page
    assert words.cut(synthetic.HOSTILE[0], 40)[:30] in text_of(two_runs.root / "compare.html")


def test_one_run_says_how_to_get_another(rich: Site, little: Site) -> None:
    for one in (rich, little):
        assert "The warehouse holds one run" in text_of(one.root / "compare.html")
        assert "python -m ingest --study OTHER.yaml" in Path(one.root / "compare.html").read_text()


def test_little_studies_have_words_without_objects(little: Site, empty: Site) -> None:
    """The only layer of LITTLE is the last of the prefix."""
    for one in (little, empty):
        text = text_of(one.root / "words.html")
        assert "No attention of single words is stored for this run in a layer that counts" in text
        assert "To fill it: set" in text


@pytest.fixture(scope="module")
def unmasked(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Layers and words, but no masks."""
    folder = tmp_path_factory.mktemp("unmasked")
    shape = synthetic.replace(
        synthetic.TINY, n_success=1, n_failure=0, n_keyframes=1, masks=False, prompts=False
    )
    warehouse, lake = synthetic.build(folder, shape)
    report = site.build(site.Options(warehouse, lake, folder / "site"), say=lambda _: None)
    return Site(folder / "site", warehouse, lake, shape, report.failures)


def test_without_masks_words_are_shown_by_region(unmasked: Site, visit: Visit) -> None:
    assert not unmasked.failures
    page = visit.open(unmasked.root / "words.html")
    text = page.inner_text("main")
    assert "No object masks were found" in text
    assert "Each word's attention by region of the input" in text
    drawn = specs(unmasked.root / "words.html")["Each word's attention by region of the input"]["datasets"][
        "data0"
    ]
    stored = rows(unmasked, "select region, avg(mass) from marts.word_attention where layer < 2 and word_index = 0 group by 1")  # fmt: skip
    first = {r["region"]: r["share"] for r in drawn if r["word"].startswith("1 ")}
    assert first == pytest.approx(dict(stored))
    assert not visit.troubles
