"""The viewer of an episode: choices, keyboard, pictures and maps."""

from __future__ import annotations

import cv2
import numpy as np

from tests.reports.conftest import Site, Visit


def open_first(site: Site, visit: Visit, fragment: str = "") -> object:
    return visit.open(sorted((site.root / "episodes").glob("*.html"))[0], fragment)


def shown(visit: Visit) -> list[str]:
    return str(visit.page.evaluate("document.documentElement.dataset.shown")).split("|")


def expect_shown(visit: Visit, *parts: str) -> None:
    visit.page.wait_for_selector(f'html[data-shown^="{"|".join(parts)}"]', state="attached", timeout=10_000)


def test_choices_change_what_is_shown(rich: Site, visit: Visit) -> None:
    open_first(rich, visit)
    page = visit.page
    page.locator("input[name=view][value=suffix-4]").check(force=True)
    expect_shown(visit, "0", "suffix-4")
    page.locator("input[name=layer][value='0']").check(force=True)
    expect_shown(visit, "0", "suffix-4", "0")
    page.locator("#strip button").nth(1).click()
    expect_shown(visit, "8", "suffix-4", "0")
    assert page.evaluate("location.hash") == "#frame=8&view=suffix-4&layer=0"
    page.locator("input[name=camera][value=wrist]").check(force=True)
    expect_shown(visit, "8", "suffix-4", "0", "wrist")
    assert page.locator(".panel-row").count() == 1
    assert page.locator(".panel-row .frame").count() == 3
    page.locator("input[name=contours]").uncheck()
    assert page.locator(".panel-row svg").count() == 0
    page.locator("#multiples button").nth(2).click()
    expect_shown(visit, "8", "suffix-4", "2", "wrist")
    assert not visit.troubles


def test_changed_prompts_show_the_words_maps(rich: Site, visit: Visit) -> None:
    open_first(rich, visit)
    page = visit.page
    page.locator("select[name=condition]").select_option("prompt:cat")
    expect_shown(visit, "0", "prefix")
    assert page.locator(".panel-row").first.locator("canvas").count() == 3
    page.locator("input[name=view][value=suffix-0]").check(force=True)
    expect_shown(visit, "0", "suffix-0")
    assert "keeps the words' maps only" in page.locator(".panel-row").first.inner_text()


def test_arrow_keys_walk_through_the_frames(rich: Site, visit: Visit) -> None:
    open_first(rich, visit)
    visit.page.locator("h1").click()
    visit.page.keyboard.press("ArrowRight")
    expect_shown(visit, "8")
    visit.page.keyboard.press("ArrowLeft")
    expect_shown(visit, "0")


def test_an_address_leads_to_its_frame(rich: Site, visit: Visit) -> None:
    open_first(rich, visit, "#frame=8&view=suffix-0&layer=1")
    assert shown(visit)[:3] == ["8", "suffix-0", "1"]


def test_an_address_of_nothing_does_no_harm(rich: Site, visit: Visit) -> None:
    open_first(rich, visit, "#frame=zz&view=<img>&layer=99")
    assert shown(visit)[0] == "0"
    assert not visit.troubles


def test_upsampling_is_opencvs_bilinear(rich: Site, visit: Visit) -> None:
    open_first(rich, visit)
    values = np.random.default_rng(1).gamma(1.0, 1.0, (16, 16)).astype(np.float32)
    fine = visit.page.evaluate(
        "(values) => [...window.GazehouseMaps.upsample(Float32Array.from(values), 16, 16, 224)]",
        values.ravel().tolist(),
    )
    expected = cv2.resize(values, (224, 224), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(np.array(fine).reshape(224, 224), expected, atol=2e-5 * float(values.max()))


def test_a_single_patch_has_no_ring_around_it(rich: Site, visit: Visit) -> None:
    """Cubic enlargement draws a dark ring and a bright one that no patch holds."""
    open_first(rich, visit)
    levels = visit.page.evaluate("""() => {
        const values = new Float32Array(256).fill(0.2), canvas = document.createElement("canvas");
        values[136] = 1;
        window.GazehouseMaps.paint(canvas, values, 16, 16, 1, [0, 0, 0, 0], 224);
        const data = canvas.getContext("2d").getImageData(0, 0, 224, 224).data, found = new Set();
        for (let y = 0; y < 224; y++) for (let x = 0; x < 224; x++) {
            if (Math.hypot(x - 119, y - 119) > 20) found.add(data[4 * (224 * y + x) + 1]);
        }
        return [...found];
    }""")
    assert len(levels) == 1


def test_tables_sort_and_filter(rich: Site, visit: Visit) -> None:
    page = visit.open(rich.root / "episodes.html")
    column = page.locator("th[data-key=lift]")
    column.locator("button").click()
    cells = "(rows) => rows.filter((r) => !r.hidden).map((r) => Number(r.cells[COLUMN].dataset.v))"
    index = page.locator("th").evaluate_all("(cells) => cells.findIndex((c) => c.dataset.key === 'lift')")
    values = page.locator("tbody tr").evaluate_all(cells.replace("COLUMN", str(index)))
    assert values == sorted(values)
    column.locator("button").click()
    assert page.locator("tbody tr").evaluate_all(cells.replace("COLUMN", str(index))) == values[::-1]
    page.locator("select[data-filter=outcome]").select_option("failure")
    assert page.locator("tbody tr:visible").count() == rich.shape.n_failure
    page.locator("[data-search]").fill("no such words")
    assert page.locator("tbody tr:visible").count() == 0


def test_names_of_objects_do_not_lie_on_each_other(rich: Site, visit: Visit) -> None:
    """Four toys a picture: there is room for four names, however near the toys stand."""
    for path in sorted((rich.root / "episodes").glob("*.html"))[:3]:
        page = visit.open(path)
        meeting = page.evaluate("""() => [...document.querySelectorAll("#panels .frame svg")].map((svg) => {
            const boxes = [...svg.querySelectorAll("text")].map((text) => text.getBBox());
            return boxes.filter((a, i) => boxes.some((b, j) => j < i && Math.abs(a.y - b.y) < 0.75 * a.height && a.x < b.x + b.width && b.x < a.x + a.width)).length;
        })""")
        assert meeting
        assert sum(meeting) == 0
