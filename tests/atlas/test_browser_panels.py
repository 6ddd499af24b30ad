"""A page of two panels: the choice turns every view to the other one's numbers and back."""

import shutil
from dataclasses import replace

import pyarrow as pa
import pytest

pytest.importorskip("playwright", reason="Playwright (extra dev) drives the browser")

from benchmarks.atlas_tree import PANEL, SMALL, write_tree
from rare_neurons import load_shards
from rare_neurons.tables import read_table, write_table
from tests.atlas.browser import IN_BROWSER, opened, page_of, write_page

pytestmark = IN_BROWSER

OTHER = replace(SMALL, panel="beside", strata=("frequent", "seldom"))
MODEL, LAST = SMALL.runs[0], SMALL.steps[-1]


def _joined(results, other):
    """Add the other tree's panel: its shards, and its rows of joined tables that name a panel."""
    for path in other.rglob("*.parquet"):
        into = results / path.relative_to(other)
        if not into.is_file():
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into)
        elif "panel" in read_table(path).column_names and "timelines" in path.parts:
            write_table(pa.concat_tables([read_table(into), read_table(path)]), into, {})
    return results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels")
    return _joined(write_tree(folder / "results", SMALL), write_tree(folder / "other", OTHER))


@pytest.fixture(scope="module")
def atlas(results):
    with opened(write_page(results, results.parent / "atlas.html", [PANEL, OTHER.panel])) as found:
        yield found


def _strongest(results, panel, stratum):
    rows = load_shards(results, "influence", models=MODEL, steps=LAST, stratum=stratum, panel=panel)
    return rows.influence_within.abs().max()


def test_the_choice_of_a_panel_turns_every_view_to_its_numbers_and_back(atlas, results):
    box = atlas.page.locator("#choose-panel")
    assert box.locator("option").all_text_contents() == [PANEL, OTHER.panel]
    for panel, strata in ((OTHER.panel, OTHER.strata), (PANEL, SMALL.strata)):
        box.select_option(panel)
        atlas.page.evaluate("atlas.settled()")
        assert atlas.state("panel") == panel
        assert atlas.page.locator("#choose-stratum option").all_text_contents() == list(strata)
        assert atlas.state("stratum") == strata[-1]
        names = atlas.page.evaluate("[...new Set(atlas.slots().map((one) => one.view))]")
        assert {"verdict", "claims", "timelines", "neurons", "portrait", "layers", "matrices", "account"} == set(names)
        for name in names:
            atlas.see(name)
        assert {row["stratum"] for row in atlas.rows("neurons", "rank", "points")} == set(strata)
        first = next(row for row in atlas.rows("neurons", "rank", "points") if row["stratum"] == strata[-1])
        # Half precision.
        assert first["size"] == pytest.approx(_strongest(results, panel, strata[-1]), rel=2.0**-10)
        assert atlas.rows("layers", strata[0], "cells")
        text = atlas.page.locator(".portrait:visible").text_content()
        assert f"Strongest on {strata[-1]} tokens" in text
        assert atlas.complaints == []


def test_what_no_panel_changes_is_on_the_page_once(atlas):
    heads = atlas.page.evaluate("[...document.querySelectorAll('script[id^=\"array:\"]')].map((one) => one.id)")
    eigenvalues = [one for one in heads if "matrices/eigenvalues" in one]
    assert sorted(eigenvalues) == [
        f"array::matrices/eigenvalues/{model}" for model in sorted((*SMALL.runs, *SMALL.controls))
    ]
    influence = [one for one in heads if one.endswith(f":neurons/whole:{MODEL}")]
    assert influence == [f"array:{place}:neurons/whole:{MODEL}" for place in (0, 1)]


def test_a_panel_that_is_chosen_while_the_page_draws_is_turned_to_afterwards(atlas):
    """Both halves of the change are asked for at once, amid the drawing of the first panel."""
    ways = [OTHER.panel, PANEL, OTHER.panel]
    atlas.page.evaluate("atlas.see('neurons')")
    for panel in ways:
        atlas.page.evaluate(
            "(panel) => { atlas.set({part: 'whole'}); atlas.see('matrices'); atlas.set({panel}); }", panel
        )
    atlas.run("() => atlas.set({step: 8, part: 'within'})")
    assert (atlas.state("panel"), atlas.state("step")) == (OTHER.panel, 8)
    assert {row["stratum"] for row in atlas.rows("neurons", "rank", "points")} == set(OTHER.strata)
    assert atlas.complaints == []


def test_the_address_holds_the_panel(atlas):
    atlas.set(panel=OTHER.panel, stratum=OTHER.strata[0])
    address = atlas.page.evaluate("location.hash")
    again = page_of(atlas.page.context, atlas.file, address)
    assert (again.state("panel"), again.state("stratum")) == (OTHER.panel, OTHER.strata[0])
    again.page.close()


def test_a_page_of_one_panel_offers_no_choice(atlas, results, tmp_path):
    one = page_of(atlas.page.context, write_page(results, tmp_path / "atlas.html", [PANEL]))
    assert not one.page.locator("#choose-panel").is_visible()
    assert "also measured, not shown: beside" in one.page.locator("header").text_content()
    one.page.close()
