"""Charts that are drawn on a canvas, used by keys alone: what is said, where the ring is, what Enter chooses."""

import pytest

pytest.importorskip("playwright", reason="Playwright (extra dev) drives the browser")

from benchmarks.atlas_tree import PANEL, SMALL, write_tree
from tests.atlas.browser import IN_BROWSER, opened, write_page

pytestmark = IN_BROWSER

PIXEL = """([selector, [left, top]]) => {
  const canvas = document.querySelector(selector + " canvas"), box = canvas.getBoundingClientRect();
  const chart = document.querySelector(selector + " .chart").getBoundingClientRect(), scale = canvas.width / box.width;
  const at = [left + chart.x - box.x, top + chart.y - box.y].map((one) => Math.round(one * scale));
  return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
}"""
"""Red, green, blue and opacity of the drawing at a place of the chart: what the ring is around, as a reader sees it."""
RING = "(all) => all.map((one) => [parseFloat(one.style.left), parseFloat(one.style.top)])"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    with opened(write_page(write_tree(folder / "results", SMALL), folder / "atlas.html", [PANEL])) as found:
        yield found


@pytest.fixture
def atlas(browser):
    """The page as it is first seen."""
    browser.set(model=SMALL.runs[0], step=SMALL.steps[-1], stratum="rare", neuron=None)
    browser.see("neurons")
    return browser


def pressed(atlas, slot, *keys):
    """What is said of the mark that keys lead to, and where rings are."""
    chart = atlas.page.locator(f"{atlas.slot('neurons', slot)} .chart")
    chart.focus()
    for key in keys:
        atlas.page.keyboard.press(key)
    atlas.page.evaluate("atlas.settled()")
    return chart.locator(".said").text_content(), chart.locator(".ring").evaluate_all(RING)


def test_ranked_neurons_of_the_chosen_tokens_come_in_their_order_and_enter_chooses_one(atlas):
    third = [row for row in atlas.rows("neurons", "rank", "points") if row["stratum"] == "rare"][2]
    said, (ring,) = pressed(atlas, "rank", *["ArrowRight"] * 4, "ArrowLeft")
    assert said.startswith(f"neuron {third['neuron']}; rank 3 on rare tokens; influence ")
    red, _, blue, opacity = atlas.page.evaluate(PIXEL, [atlas.slot("neurons", "rank"), ring])
    # The colour of rare tokens, over whatever is behind it; beside a mark the canvas is clear or a grey line.
    assert (opacity > 150, red > blue + 60) == (True, True)
    # The ring stays at the mark after the chart is drawn with other rows.
    assert pressed(atlas, "rank", "Enter") == (said, [ring])
    assert atlas.state("neuron") == third["neuron"]
    assert {row["neuron"] for row in atlas.rows("neurons", "rank", "chosen")} == {third["neuron"]}


def test_the_scatter_begins_with_the_strongest_and_escape_leaves_it(atlas):
    points = sorted(atlas.rows("neurons", "scatter", "points"), key=lambda row: -abs(row["y"]))
    said, _ = pressed(atlas, "scatter", "ArrowDown")
    assert said.startswith(f"neuron {points[0]['neuron']}; ")
    assert " on common, " in said
    last, _ = pressed(atlas, "scatter", "End")
    assert last.startswith(f"neuron {points[-1]['neuron']}; ")
    assert pressed(atlas, "scatter", "Escape") == ("", [])


def test_a_neurons_course_is_gone_along_step_by_step_and_stays_that_neurons(atlas):
    said, (ring,) = pressed(atlas, "course", "Home", "ArrowRight", "ArrowRight")
    assert said.startswith(f"step {SMALL.steps[2]}; influence ")
    assert said.endswith("on rare tokens")
    # Another neuron is the strongest there, but the course that was looked at is still drawn.
    assert pressed(atlas, "course", " ") == (said, [ring])
    assert atlas.state("step") == SMALL.steps[2]


def test_a_ring_leaves_with_the_focus_once_rows_change(atlas):
    _, rings = pressed(atlas, "rank", "Home")
    assert len(rings) == 1
    atlas.page.locator("#choose-step").focus()
    atlas.page.keyboard.press("ArrowLeft")
    atlas.page.evaluate("atlas.settled()")
    assert atlas.page.locator(".ring").count() == 0


def test_every_chart_that_answers_a_click_answers_keys(atlas):
    for view in ("timelines", "portrait", "layers", "matrices", "account"):
        atlas.see(view)
    silent = (
        """({element, view}) => !["claims", "verdict"].includes(view) && element.querySelector(".chart").tabIndex < 0"""
    )
    assert atlas.page.evaluate(f"atlas.slots().filter({silent}).map((one) => one.slot)") == []
