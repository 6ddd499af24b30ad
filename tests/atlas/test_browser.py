"""The atlas in a real browser: it asks for nothing, and what a reader does changes the marks as the tables say."""

import csv
import io
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

pytest.importorskip("playwright", reason="Playwright (extra dev) drives the browser")

from benchmarks.atlas_tree import N_TOP, PANEL, SMALL, write_tree
from rare_neurons import load_shards, load_timeline
from rare_neurons.atlas.views.matrices import N_QUANTILES
from rare_neurons.atlas.views.matrices import N_TOP as N_LARGEST
from tests.atlas.browser import IN_BROWSER, opened, page_of, write_page

pytestmark = IN_BROWSER

FIRST, LAST = SMALL.runs[0], SMALL.steps[-1]
START = {"model": FIRST, "stratum": "rare", "part": "within", "step": LAST, "axis": "step", "scale": "log"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("atlas") / "results", SMALL)


@pytest.fixture(scope="module")
def browser(results):
    file = write_page(results, results.parent / "atlas.html", [PANEL])
    with opened(file) as found:
        yield found


@pytest.fixture
def atlas(browser):
    """The page as it is first seen."""
    browser.set(**START, neuron=None, matrix=None, interval=None)
    return browser


@pytest.fixture
def saving(browser):
    """A page that has saved nothing yet: Chromium drops what a page saves for the eleventh time within a second."""
    found = page_of(browser.page.context, browser.file)
    found.set(**START)
    yield found
    found.page.close()


def test_every_view_is_drawn_without_a_request_or_an_error(atlas):
    names = atlas.page.evaluate("[...new Set(atlas.slots().map((one) => one.view))]")
    assert {"verdict", "timelines", "neurons", "portrait", "layers", "matrices", "account"} <= set(names)
    for name in names:
        atlas.see(name)
    nothing = "({element}) => !element.querySelector('.chart svg, .chart canvas')"
    assert atlas.page.evaluate(f"atlas.slots().filter({nothing}).map((one) => one.view)") == []
    assert atlas.requests == [atlas.file.as_uri()]
    assert atlas.complaints == []


def test_the_slider_and_its_arrow_keys_move_every_view_to_another_step(atlas, results):
    atlas.see("matrices")
    atlas.see("neurons")
    before = atlas.texts("matrices", "map")
    atlas.page.locator("#choose-step").focus()
    atlas.page.keyboard.press("ArrowLeft")
    atlas.page.evaluate("atlas.settled()")
    step = SMALL.steps[-2]
    assert atlas.state("step") == step
    assert f"step {step}" in atlas.page.locator("#said-step").text_content()
    table = load_timeline(results, "alpha", models=FIRST, steps=step)
    shown = [float(text.strip("()")) for text in atlas.texts("matrices", "map")]
    assert len(shown) == len(SMALL.matrices)
    assert sorted(shown) == pytest.approx(sorted(table.alpha), abs=0.06)  # one decimal, from eleven bits
    assert before != atlas.texts("matrices", "map")
    (now,) = {row["x"] for row in atlas.rows("neurons", "course", "now")}
    assert now == step


def test_a_click_on_a_matrix_shows_its_eigenvalues_and_the_fit(atlas, results):
    atlas.see("matrices")
    names = [row["name"] for row in atlas.rows("matrices", "map", "cells")]
    atlas.click("matrices", "map", "rect", names.index("layer 0 W_in"))
    assert atlas.state("matrix") == "layer 0 W_in"
    words = atlas.page.locator(f"{atlas.slot('matrices', 'eigenvalues')} .head").text_content()
    assert words.startswith(f"Eigenvalues of layer 0 W_in at step {LAST}: alpha ")
    assert atlas.marks("matrices", "eigenvalues", "symbol") == N_LARGEST + N_QUANTILES
    table = load_shards(results, "eigenvalues", models=FIRST, steps=LAST, layer=0, matrix="W_in")
    falling = np.sort(table.eigenvalues.iloc[0])[::-1]
    for row in atlas.rows("matrices", "eigenvalues", "points"):
        # Half precision of a logarithm: 2^-11 of its size.
        assert math.log10(row["value"]) == pytest.approx(math.log10(falling[row["rank"] - 1]), abs=2e-3)
        assert row["share"] == row["rank"] / SMALL.width
    start, end = atlas.rows("matrices", "eigenvalues", "fit")
    slope = math.log(end["share"] / start["share"]) / math.log(end["value"] / start["value"])
    assert 1 - slope == pytest.approx(start["alpha"])


def test_the_toggle_of_the_part_redraws_the_layers(atlas, results):
    atlas.see("layers")
    table = load_timeline(results, "layer_audit", models=FIRST, stratum="rare")
    for part in ("within", "whole"):
        atlas.page.locator(f'input[name="part"][value="{part}"]').check()
        atlas.page.evaluate("atlas.settled()")
        mine = table[table.part == part].set_index(["layer", "step"]).mean_square
        cells = atlas.rows("layers", "rare", "cells")
        assert (
            len(cells) == len(mine) == atlas.marks("layers", "rare", "rect") - len(SMALL.measured[:1]) * SMALL.n_layers
        )
        for cell in cells:
            assert cell["rms"] ** 2 == pytest.approx(mine[cell["layer"], cell["step"]], rel=2e-3)


@pytest.mark.parametrize(("view", "slot"), [("matrices", "course"), ("portrait", "rank")])
def test_a_quarantined_checkpoint_is_a_cross_beside_the_line(atlas, view, slot):
    model, held = SMALL.held
    atlas.set(model=model)
    atlas.see(view)
    marks = atlas.page.locator(f"{atlas.slot(view, slot)} svg .mark-symbol.role-mark > path")
    drawn = marks.evaluate_all("(all) => all.map((one) => [one.__data__.datum.step, one.getAttribute('d')])")
    circle = dict(drawn)[LAST]
    assert {step for step, path in drawn if path != circle} == {held}
    assert {step for step, _ in drawn} == set(SMALL.steps)


def test_a_click_on_a_layer_moves_the_step(atlas):
    atlas.see("layers")
    atlas.page.locator(f"{atlas.slot('layers', 'rare')} svg [aria-label*='step: 8;']").first.click(force=True)
    atlas.page.evaluate("atlas.settled()")
    assert atlas.state("step") == 8


def test_a_click_on_an_interval_splits_it_and_the_bars_add_up(atlas, results):
    atlas.see("account")
    table = load_timeline(results, "allocation", models=FIRST, stratum="rare")
    assert len(atlas.rows("account", "bars", "parts")) == len(table)
    atlas.page.locator(f"{atlas.slot('account', 'bars')} svg [aria-label*='0–8']").first.click(force=True)
    atlas.page.evaluate("atlas.settled()")
    assert atlas.state("interval") == "0–8"
    split = atlas.rows("account", "parts", "split")
    mine = table[table.step == 8]
    assert sum(row["change"] for row in split) == pytest.approx(mine.allocation_within.sum(), abs=1e-4)
    assert atlas.marks("account", "parts", "rect") == len(split) == len(mine)


def test_a_neuron_of_the_list_has_its_rank_sets_kind_and_examples(atlas, results):
    atlas.see("portrait")
    table = load_shards(results, "influence", models=FIRST, steps=LAST, stratum="rare", panel=PANEL)
    falling = table.influence_within.abs().sort_values(ascending=False, kind="stable").index
    strongest = table.neuron[falling].tolist()
    buttons = atlas.page.locator(".portrait .strongest button")
    assert [int(text) for text in buttons.all_text_contents()] == strongest[: buttons.count()]
    buttons.nth(2).press("Enter")
    atlas.page.evaluate("atlas.settled()")
    assert atlas.state("neuron") == strongest[2]
    ranks = {(row["stratum"], row["step"]): row for row in atlas.rows("portrait", "rank", "points")}
    assert len(ranks) == len(SMALL.strata) * len(SMALL.steps)
    assert ranks["rare", LAST]["rank"] == 3
    assert ranks["rare", LAST]["member"]
    atlas.set(neuron=10)
    card = atlas.page.locator(".portrait").text_content()
    assert f"rare tokens: number 1 of the top {N_TOP} of step {LAST}" in card
    assert "first a member at step 2, always from 8 on, at 75 % of the checkpoints" in card
    assert re.search(r"At step 64: .*active at [\d.]+ % of 1,000 positions", card)
    atlas.set(neuron=1)
    assert "rare tokens: not among the top" in atlas.page.locator(".portrait").text_content()
    assert atlas.page.locator(".portrait mark").all_text_contents() == ["#4"] * 3 * len(SMALL.strata)


def test_controls_are_drawn_only_while_they_are_asked_for(atlas):
    atlas.see("timelines")
    box, drawn = atlas.page.locator("#choose-control"), []
    for wanted in (True, False):
        box.set_checked(wanted)
        atlas.page.evaluate("atlas.settled()")
        labels = atlas.page.locator(f"{atlas.slot('timelines', 'q1')} svg .role-mark [aria-label]")
        text = " ".join(labels.evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))"))
        drawn.append({model for model in (*SMALL.runs, *SMALL.controls) if model in text})
    box.set_checked(True)
    assert drawn == [{*SMALL.runs, *SMALL.controls}, {*SMALL.runs}]


def test_the_axis_goes_from_steps_to_tokens(atlas):
    atlas.see("matrices")
    seen = []
    for axis in ("step", "tokens"):
        atlas.page.locator(f'input[name="axis"][value="{axis}"]').check()
        atlas.page.evaluate("atlas.settled()")
        seen.append([row["x"] for row in atlas.rows("matrices", "course", "points")][1:])
        assert f"training {axis}" in atlas.page.locator(f"{atlas.slot('matrices', 'course')} svg").text_content()
    assert [tokens / step for step, tokens in zip(*seen, strict=True)] == [2_097_152] * (len(SMALL.steps) - 1)


@pytest.mark.parametrize("view", ["layers", "matrices", "account", "portrait", "neurons", "timelines"])
def test_every_view_is_saved_as_the_rows_and_the_marks_that_it_draws(saving, view):
    saving.see(view)
    with saving.page.expect_download() as download:
        saving.page.locator(f"#view-{view} .save-csv").click()
    text = download.value.path().read_text(encoding="utf-8")
    saved = list(csv.DictReader(io.StringIO(text)))
    slots = saving.page.evaluate("(v) => atlas.slots().filter((one) => one.view === v).map((one) => one.slot)", view)
    drawn = [
        (slot, data, row)
        for slot in slots
        for data, rows in saving.page.evaluate("([v, s]) => atlas.rowsOf(v, s)", [view, slot]).items()
        for row in rows
    ]
    assert [(row["chart"], row["data"]) for row in saved] == [(slot, data) for slot, data, _ in drawn]
    for row, (_, _, known) in zip(saved, drawn, strict=True):
        numbers = {name: value for name, value in known.items() if type(value) in (int, float) and name[0] != "_"}
        assert {name: float(row[name]) for name in numbers} == numbers
    with saving.page.expect_download() as download:
        saving.page.locator(f"#view-{view} .save-svg").click()
    root = ElementTree.parse(download.value.path()).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    charts = [one for one in root if one.tag.endswith("}svg")]
    assert len(charts) == len(slots)
    assert all(len(list(chart.iter("{http://www.w3.org/2000/svg}path"))) > 10 for chart in charts)


def test_a_chart_is_used_by_keys_alone(atlas):
    atlas.see("matrices")
    chart = atlas.page.locator(f"{atlas.slot('matrices', 'map')} .chart")
    assert "arrow keys" in chart.get_attribute("aria-label")
    chart.focus()
    for key in ("ArrowRight", "ArrowRight"):
        atlas.page.keyboard.press(key)
    said = chart.locator(".said").text_content()
    atlas.page.keyboard.press("Enter")
    atlas.page.evaluate("atlas.settled()")
    second = atlas.rows("matrices", "map", "cells")[1]
    label = dict(part.split(": ", 1) for part in said.split("; "))
    assert (label["matrix"], int(label["layer"])) == (second["matrix"], second["layer"])
    assert float(label["alpha"]) == pytest.approx(second["alpha"], rel=1e-4)
    assert atlas.state("matrix") == second["name"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("step=abc&neuron=-3&model=nope&axis=zz&control=maybe&panel=none&stratum=zz&other=1", {}),
        ("model=toString&neuron=1.5&stratum=zz", {}),
        ("which-neurons", {}),
        (f"subject=small&model={SMALL.runs[1]}&step=7", {"model": SMALL.runs[1], "step": 8}),
        (
            "axis=loss&scale=linear&control=false&neuron=3",
            {"axis": "loss", "scale": "linear", "control": False, "neuron": 3},
        ),
    ],
)
def test_an_address_chooses_what_the_page_has_and_nothing_else(saving, address, expected):
    begun = saving.page.evaluate("({...atlas.state})")
    saving.set(stratum="common")  # not the one that a page begins with
    before = {**begun, "stratum": "common"}
    saving.page.evaluate("(address) => { location.hash = address; }", address)
    saving.page.evaluate("new Promise((done) => setTimeout(done))")
    saving.page.evaluate("atlas.settled()")
    assert saving.page.evaluate("({...atlas.state})") == {**before, **expected}
    again = page_of(saving.page.context, saving.file, f"#{address}")
    assert again.page.evaluate("({...atlas.state})") == {**begun, **expected}
    assert (saving.complaints, again.complaints) == ([], [])
    again.page.close()


def test_a_control_that_is_looked_at_stays_in_its_subject(atlas):
    atlas.page.locator("#choose-model").select_option(SMALL.controls[0])
    assert (atlas.state("model"), atlas.state("subject")) == (SMALL.controls[0], SMALL.subject)


def test_everything_that_is_chosen_can_be_reached_by_the_tab_key(atlas):
    found = atlas.page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter((one) => one.tabIndex < 0 || !("
        "one.getAttribute('aria-label') || one.title || one.closest('label')?.textContent.trim()"
        " || one.textContent.trim())).map((one) => one.outerHTML)"
    )
    assert found == []
