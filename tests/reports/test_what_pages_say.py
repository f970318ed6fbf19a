"""Sentences, captions and first choices, held against the marts."""

from __future__ import annotations

import html
import re
from pathlib import Path

import duckdb
import pytest

from reports import words
from tests.reports import synthetic
from tests.reports.conftest import Site, Visit, episodes_alone

HYPOTHESES = {"H1.1", "H1.1b", "H2.1", "H2.2", "H1", "H1k", "H3", "H4", "M"}


def text_of(path: Path) -> str:
    """What a page shows, without code and scripts."""
    shown = re.sub(
        r"<(script|pre|code|style)\b.*?</\1>", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    shown = re.sub(r'<summary>SQL <span class="muted">.*?</summary>', " ", shown)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def captions(path: Path) -> dict[str, str]:
    """Title -> caption of every chart; of the last one where titles recur."""
    pattern = r"<figure.*?<bdi>(.*?)</bdi>.*?<p class=\"reading\">(.*?)</p>"
    return dict(re.findall(pattern, html.unescape(path.read_text(encoding="utf-8")), re.DOTALL))


def sections(path: Path) -> dict[str, str]:
    """Id -> HTML of every section."""
    text = path.read_text(encoding="utf-8")
    return {s.split('"')[0]: html.unescape(s) for s in text.split('<section id="')[1:]}


@pytest.mark.parametrize("study", ["rich", "little", "empty"])
def test_the_only_seed_on_a_page_is_random(study: str, request: pytest.FixtureRequest) -> None:
    built: Site = request.getfixturevalue(study)
    for path in built.pages():
        found = re.findall(r".{30}\bseed.{20}", text_of(path).replace("random seed", ""))
        assert not found, f"{path.name}: {found}"


def test_the_original_protocol_is_explained_where_one_begins(rich: Site) -> None:
    for name in ("index", "methods"):
        assert "The original protocol is what the documents" in text_of(rich.root / f"{name}.html")


def test_even_attention_and_density_stand_beside_the_ratio(rich: Site) -> None:
    found = sections(rich.root / "modality-balance.html")["step-4"]
    assert "would give a ratio of 56.9, because there are 512 image patches and 9 text tokens" in found
    assert "text gets 8.00 times and a picture's patch 0.600 times an even share" in found
    for heading in ("ratio if spread evenly", "pictures, per token", "text, per token"):
        assert f">{heading}</th>" in found
    assert "Of the actions' visual mass 30 % lies on the bars; of the instruction's words' 40 %." in found


def test_suites_show_the_marts_interval(rich: Site) -> None:
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        stored = con.execute(
            "select suite, n_episodes, exp(low), exp(high) from marts.modality_balance_by_suite "
            "where layer = -1 and denoise_step = 4 order by suite"
        ).fetchall()
    assert len(stored) == 2
    page = text_of(rich.root / "modality-balance.html")
    for suite, n, low, high in stored:
        assert f"{suite} " in page
        assert f"{words.number(low)} {words.number(high)} {n}" in page
    assert "BCa intervals of the mean log ratio" in page


def test_the_bars_of_the_actions_are_a_warning(rich: Site) -> None:
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        share = con.execute(
            "select avg(letterbox_mass) from marts.modality_balance_by_episode where layer = -1"
        ).fetchall()[0][0]
    found = text_of(rich.root / "index.html")
    assert (
        f"On average {words.percent(share)} of the action tokens' attention falls on the black bars" in found
    )
    assert "count them as vision (30 % of it)" in found


def test_what_counts_as_vision_is_what_the_regions_say(rich: Site) -> None:
    caption = captions(rich.root / "modality-balance.html")[
        "Where the action tokens' attention goes, by layer"
    ]
    parts = re.search(r"'Visual' (.*?); 'linguistic' (.*?); 'action' .*?; 'other' (.*?)\.", caption)
    assert parts is not None
    assert "letterbox" in parts[1]
    assert "start token" in parts[2]
    assert "letterbox" not in parts[3]


def test_tasks_show_their_n(rich: Site) -> None:
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        stored = con.execute(
            "select distinct 'n = ' || n_episodes || ': ' || task from marts.modality_balance_by_task where layer = -1"
        ).fetchall()
    page = (rich.root / "modality-balance.html").read_text(encoding="utf-8")
    assert len(stored) == 4
    assert all(f'"{name}"' in page for (name,) in stored)


def test_the_verdicts_chart_alone_says_that_it_is(rich: Site) -> None:
    found = sections(rich.root / "object-attention.html")
    title = "how much more the target draws than the null"
    for key, part in found.items():
        for figure in (f for f in part.split("<figure")[1:] if title in f):
            is_words = key == "prefix"
            assert ("what the verdict on H1.1 tests" in figure) == (is_words and "wrist: how" in figure)
            assert ("last prefix layer is left out" in figure) == is_words
    for path in ("object-attention.html", "modality-balance.html"):
        assert "doubles with every step" not in text_of(rich.root / path)


def test_the_naming_word_is_drawn_against_the_others(rich: Site) -> None:
    found = sections(rich.root / "object-attention.html")
    assert "the word that names the target against the other words" in found["prefix"]
    assert "the word that names the target against the other words" not in found["suffix-0"]
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        best = con.execute(
            "select exp(max(y)) from (select avg(log_lift) as y from (select episode_id, layer, avg(ln(lift)) as log_lift "
            "from marts.word_object_attention where camera = 'base' and names_target and not is_last_prefix_layer group by all) "
            "group by layer)"
        ).fetchone()
        counts = con.execute(
            "select min(n), max(n) from (select count(distinct word_index) n from marts.word_attention group by episode_id)"
        ).fetchone()
    assert best is not None
    assert counts is not None
    assert f"base {words.number(best[0])} in layer" in found["prefix"]
    assert f"({words.extent(counts)} words here)" in found["prefix"]


def test_caveats_stand_beside_the_numbers(rich: Site) -> None:
    text = text_of(rich.root / "object-attention.html")
    assert "Attention is not a cause" in text
    assert "the model card beside its weights" in text
    assert "wrist 4.0 % of it in successes and 3.0 % of it in failures" in text


def test_tests_of_outcomes_say_what_chance_would_give(rich: Site) -> None:
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        counted = con.execute(
            "select count(*), count(*) filter (p_welch < 0.05), count(*) filter (p_welch_holm < 0.05) from marts.outcome_tests "
            "where metric = 'log_lift' and p_welch_holm is not null"
        ).fetchone()
    assert counted is not None
    n, raw, holm = counted
    text = text_of(rich.root / "object-attention.html")
    assert f"{raw} of {n} tests of the log lift" in text
    assert f"{words.brief(0.05 * n)} would be expected by chance" in text
    assert f"within families {holm} remain" in text


def test_tables_begin_with_what_the_verdict_rests_on(rich: Site, visit: Visit) -> None:
    for name, section, estimand in (
        ("object-attention", "#paired", "target minus other episodes, log lift"),
        ("prompt-control", "#tests", "JSD minus paraphrases, nats"),
    ):
        page = visit.open(rich.root / f"{name}.html", charts="none")
        chosen = page.locator(f"{section} select").evaluate_all(
            "(all) => Object.fromEntries(all.map((s) => [s.dataset.filter, s.value]))"
        )
        assert chosen == {"estimand_name": estimand, "view": "Words to image", "camera": "wrist"}
        assert page.locator(f"{section} tbody tr:visible").count() > 0
        if name == "object-attention":
            of_outcomes = page.locator("#outcomes .card.wide select")
            chosen = of_outcomes.evaluate_all("(all) => all.map((s) => s.value)")
            assert chosen == ["log lift", "Words to image", "wrist"]


def test_cards_say_where_their_number_is_from(rich: Site) -> None:
    text = text_of(rich.root / "index.html")
    assert "lift: layer 1 (the third best: the rule asks for three), wrist camera" in text
    assert "JSD minus the paraphrases', nats: layer 1 (the clearest), prompt: cat, wrist camera" in text
    assert "visual / linguistic ratio: mean over layers, denoising step 4" in text
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        peaks = con.execute(
            "select camera, arg_max(layer, mean_lift), max(mean_lift) from marts.object_attention_by_layer "
            "where pass = 'prefix' and role = 'target' and against = 'own' and outcome = 'all' and \"rows\" = 'mean' "
            "and not is_last_prefix_layer group by camera order by camera"
        ).fetchall()
    told = "; ".join(f"{camera}, layer {layer}: {words.number(lift)}" for camera, layer, lift in peaks)
    assert f"Largest mean lift of the words: {told}." in text
    assert "read on the frames of 8 recorded episodes" in text


def test_warnings_begin_with_what_matters_most(rich: Site) -> None:
    found = re.findall(r'<ul class="warnings">(.*?)</ul>', (rich.root / "index.html").read_text(), re.DOTALL)
    order = [
        found[0].find(start)
        for start in ("auxiliary losses", "Small n", "Incomplete", "letterbox", "Vacuous")
    ]
    assert -1 not in order
    assert order == sorted(order)


def test_methods_show_every_rule_and_term(rich: Site) -> None:
    found = sections(rich.root / "methods.html")
    assert set(re.findall(r'<th scope="row">([^<]+)<', found["rules"])) == HYPOTHESES
    assert "noncentral t" in found["glossary"]


def test_prompt_charts_say_what_their_null_and_lines_are(rich: Site) -> None:
    text = text_of(rich.root / "prompt-control.html")
    assert "the prompt's meaning moves the map" not in text
    assert "paraphrase 0 is 'pick up the {object}'" in text
    found = captions(rich.root / "prompt-control.html")
    assert "0.9, above which" in found["base: correlation with the baseline map, by layer"]
    for title in ("correlation with the baseline map, by layer", "centroid shift, px, by layer"):
        assert "No error bars" in found[f"base: {title}"]
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        n = con.execute(
            "select max(n_episodes) from marts.prompt_shift_by_layer where condition_id = 'prompt:cat' and outcome = 'all'"
        ).fetchone()
    assert n is not None
    assert (
        f"prompt: cat {n[0]}," in found["base: how far each prompt moves the map, Jensen-Shannon divergence"]
    )


def test_the_actions_move_by_a_number_with_its_interval(rich: Site) -> None:
    with duckdb.connect(str(rich.warehouse), read_only=True) as con:
        least = con.execute(
            "select condition_id, estimate, low, high from marts.paired_tests where estimand = 'action_mse_minus_paraphrase' order by estimate"
        ).fetchone()
    assert least is not None
    name, (by, low, high) = least[0].replace(":", ": "), (words.number(x) for x in least[1:])
    told = f"larger by {by} (95 % interval {low} to {high}; n = 18) for {name}, the least of them. With fewer than 20 episodes"
    assert told in text_of(rich.root / "prompt-control.html")


def test_episodes_are_listed_at_the_verdicts_place(rich: Site) -> None:
    text = text_of(rich.root / "episodes.html")
    assert "words to image, wrist, layer 1: the camera and layer that the verdict on H1.1 rests on" in text


@pytest.fixture(scope="module")
def holed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One prompt asked at two of five keyframes; one episode without the wrist's target, one without any."""
    folder = tmp_path_factory.mktemp("holed")
    shape = synthetic.replace(synthetic.TINY, n_success=3, n_failure=0, n_keyframes=5)
    warehouse, lake = synthetic.build(folder, shape)
    with duckdb.connect(str(warehouse)) as con:
        con.execute(
            "delete from marts.frame_gallery where condition_id = 'prompt:cat' and frame_index not in (0, 32)"
        )
        con.execute(
            "delete from marts.frame_metrics where episode_id like '%/0001' and camera = 'wrist' and role = 'target'"
        )
        con.execute("delete from marts.frame_metrics where episode_id like '%/0002' and role = 'target'")
    return Site(
        folder / "site", warehouse, lake, shape, episodes_alone(warehouse, lake, folder / "site").failures
    )


def page_of(built: Site, episode: str) -> Path:
    return next(p for p in (built.root / "episodes").glob("*.html") if f"{episode}</bdi>" in p.read_text())


def test_another_camera_stands_in_for_one_without_a_lift(holed: Site) -> None:
    text = text_of(page_of(holed, "0001"))
    assert "No lift on the target is defined for wrist in this episode" in text
    assert "Target: words to image, base, layer 1." in text
    text = text_of(page_of(holed, "0002"))
    assert "No lift on the target is defined for wrist in this episode" in text
    assert "Nor is there one for another camera." in text
    assert "No lift" not in text_of(page_of(holed, "0000"))


def test_a_prompt_leads_to_the_nearest_keyframe_where_it_was_asked(holed: Site, visit: Visit) -> None:
    page = visit.open(page_of(holed, "0000"), "#frame=8")
    page.locator("select[name=condition]").select_option("prompt:cat")
    page.wait_for_selector('html[data-shown^="0|prefix"]', state="attached", timeout=10_000)
    page.locator("#strip button").nth(2).click()
    page.wait_for_selector('html[data-shown^="16|prefix"]', state="attached", timeout=10_000)
    reason = page.locator(".panel-row").first.inner_text()
    assert "was not asked at this keyframe" in reason
    assert "words' maps only" not in reason
    assert "same tokens" not in reason


def test_the_scale_says_what_its_share_is_of(rich: Site, visit: Visit) -> None:
    page = visit.open(sorted((rich.root / "episodes").glob("*.html"))[0])
    note = page.locator(".panel-row .reading").first.inner_text()
    assert "letterbox included" in note
    assert "16 × 16 patches, bilinear" in note


def test_a_phone_shows_all_of_the_navigation_and_readable_charts(rich: Site, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 800})
    for path in (rich.root / "object-attention.html", sorted((rich.root / "episodes").glob("*.html"))[0]):
        page = visit.open(path)
        ends = page.locator("header nav a").evaluate_all(
            "(all) => all.map((a) => a.getBoundingClientRect().right)"
        )
        assert max(ends) <= 360
        sizes = page.evaluate("""() => [...document.querySelectorAll("main svg text")].map((text) => {
            const svg = text.ownerSVGElement, box = svg.viewBox.baseVal, shown = svg.getBoundingClientRect().width;
            return shown && text.textContent ? parseFloat(getComputedStyle(text).fontSize) * (box && box.width ? shown / box.width : 1) : 99;
        })""")
        assert min(sizes) >= 9


def test_a_table_that_goes_on_says_so(little: Site, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 800})
    page = visit.open(little.root / "episodes.html")
    assert "→" in page.locator(".scroll-hint:not([hidden])").inner_text(timeout=10_000)
    visit.page.set_viewport_size({"width": 2560, "height": 2400})
    page.wait_for_selector(".scroll-hint[hidden]", state="attached", timeout=10_000)


def test_labels_of_lines_stand_right_of_the_points(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "object-attention.html", charts=".vega")
    ends = page.locator("figure.chart .vega").first.evaluate("""(chart) => {
        const label = [...chart.querySelectorAll("text")].find((t) => t.textContent.includes("preference") && !t.textContent.includes("lift"));
        const points = [...chart.querySelectorAll(".mark-symbol path")].filter((p) => !p.closest(".role-legend"));
        return [label.getBoundingClientRect().left, Math.max(...points.map((p) => p.getBoundingClientRect().right))];
    }""")
    assert ends[0] > ends[1]


def test_causes_stand_against_controls_and_the_noise_floor(rich: Site) -> None:
    text, found = text_of(rich.root / "causes.html"), captions(rich.root / "causes.html")
    assert "Another noise alone moves the actions by 0.15" in text
    assert "Covering what a layer attends to most (black), against as many patches elsewhere" in found
    assert "Cutting attention to some keys, against cutting it to as many patches elsewhere" in found
    assert "words-to-base" in text  # no control: in the table alone
    assert "Layer 4, all cameras together: fidelity above 0" in text


def test_a_study_without_experiments_has_no_causes(little: Site) -> None:
    assert "attention stays a correlate" in text_of(little.root / "causes.html")
