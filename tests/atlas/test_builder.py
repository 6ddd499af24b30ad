import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from benchmarks.atlas_tree import PANEL, SMALL
from benchmarks.atlas_tree import write_tree as write_random
from rare_neurons.atlas import builder
from rare_neurons.atlas.arrays import Packed, unpack
from rare_neurons.atlas.builder import atlas_page
from rare_neurons.atlas.registry import VIEWS
from rare_neurons.atlas.tree import Subject, Tree, find_subjects
from rare_neurons.atlas.view import View
from rare_neurons.errors import RequestError
from tests.figures.questions import RUNS, STEPS
from tests.figures.tree import N_NEURONS, STRATA, effect, write


class Page(HTMLParser):
    """Scripts by id, attributes of every element, and texts of paragraphs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements, self.scripts, self.texts = [], {}, []
        self._last = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._last = {"tag": tag, **dict(attributes)}
        self.elements.append(self._last)

    def handle_data(self, data):
        if self._last.get("tag") == "script" and "id" in self._last:
            self.scripts[self._last["id"]] = self.scripts.get(self._last["id"], "") + data
        self.texts.append(data)


@pytest.fixture(autouse=True)
def _no_bundle(monkeypatch):
    """The libraries take seconds to put together; the tests in a browser have them."""
    monkeypatch.setattr(builder, "_vega", lambda: "/* libraries */")


MINE = [view for view in VIEWS if view.name in ("verdict", "claims", "timelines", "neurons")]
"""Views whose tables the hand-made tree has."""


@pytest.fixture
def page(tree):
    return Page(atlas_page([tree], MINE))


def test_every_chart_has_its_specification_and_every_view_its_place(tmp_path):
    write_random(tmp_path, SMALL)
    page = Page(atlas_page([Tree(tmp_path, find_subjects(tmp_path), PANEL)]))
    slots = {f"{e['data-scope']}:{e['data-view']}/{e['data-slot']}" for e in page.elements if "data-slot" in e}
    assert {name.removeprefix("spec:") for name in page.scripts if name.startswith("spec:")} == slots
    assert slots
    assert {e["id"] for e in page.elements if e.get("id", "").startswith("view-")} == {f"view-{v.name}" for v in VIEWS}


def test_numbers_on_the_page_are_those_of_the_tables(page):
    name = f"array::neurons/whole:{RUNS[0]}"
    head = json.loads(next(e["data-head"] for e in page.elements if e.get("id") == name))
    values = unpack(Packed(text=page.scripts[name], **{**head, "shape": tuple(head["shape"])}))
    assert values.shape == (len(STEPS), len(STRATA), N_NEURONS)
    expected = [[effect(RUNS[0], step, stratum) for stratum in STRATA] for step in STEPS]
    np.testing.assert_allclose(values, expected, rtol=2.0**-11)


def test_the_page_may_ask_nothing_of_a_network(tree):
    text = atlas_page([tree], MINE)
    assert "default-src 'none'" in unescape(text)
    assert re.findall(r"<(?:link|img|iframe|object|video|audio)\b|\bsrc=|@import|url\(", text) == []


def test_a_view_that_lacks_its_tables_says_so_and_the_others_are_drawn(tree):
    page = Page(atlas_page([Tree(tree.results, tree.subjects, "other")]))
    assert any("Not in this results tree: influence" in text for text in page.texts)
    assert "spec::verdict/integrity" in page.scripts


def test_a_fault_in_a_view_is_not_taken_for_a_missing_table(tree):
    with pytest.raises(ModuleNotFoundError):
        atlas_page([tree], [View("misspelt", "", "", "", ())])


def test_a_tree_of_weights_alone_has_its_verdicts(tmp_path):
    verdict = {"model": "m", "step": 0, "status": "ok", "reason": None, "quarantined": False}
    write(tmp_path, "integrity/m.parquet", [verdict])
    page = Page(atlas_page([Tree(tmp_path, [Subject("m", ("m",))])]))
    assert "spec::verdict/integrity" in page.scripts
    assert json.loads(page.scripts["tree"])[0]["strata"] == []


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(RequestError, match="nothing for an atlas: No checkpoint has a verdict"):
        atlas_page([Tree(tmp_path, [Subject("m", ("m",))])])


def test_names_cannot_end_a_script_or_become_elements(tree):
    odd = Subject("</script><b>x", tree.subjects[0].runs, tree.subjects[0].controls)
    page = Page(atlas_page([Tree(tree.results, [odd], "heldout")], MINE))
    assert json.loads(page.scripts["tree"])[0]["subjects"][0]["name"] == odd.name
    assert "b" not in {e["tag"] for e in page.elements}


def test_equal_tables_give_equal_pages(tree):
    assert atlas_page([tree], MINE) == atlas_page([Tree(tree.results, tree.subjects, "heldout")], MINE)
