"""Panels that could be had instead, drawn from the same text."""

import pytest

from rare_neurons.stages.panel import FOUND
from rare_neurons.stages.plan_panel import Text, panel_sizes
from tests.stages.panels import SETTINGS, write_corpus

HALVES = {"common": {"types": [0.0, 0.5]}, "rare": {"types": [0.5, 1.0]}}


@pytest.fixture
def sizes(tmp_path):
    """Sizes of a panel with these settings changed."""
    text = Text(**write_corpus(tmp_path))
    return lambda **changes: {size.change: size for size in panel_sizes("p", {**SETTINGS, **changes}, text)}


def test_half_and_twice_are_drawn_and_compared_with_the_panel_itself(sizes):
    found = sizes(targets_per_stratum=100, strata=HALVES)
    own, half = found[""], found["half the targets"]
    assert (own.n_targets, half.n_targets, half.n_contexts) == (200, 100, own.n_contexts)
    assert all(1 < ratio < 2**0.5 for ratio in half.errors.values())
    assert set(half.errors) == set(HALVES)
    assert found["half the contexts"].n_contexts == own.n_contexts // 2


def test_where_the_text_gives_fewer_targets_it_is_all_that_it_gives(sizes):
    found = sizes(targets_per_stratum=70)
    most = sizes(targets_per_stratum=FOUND)[""].n_targets
    assert 3 * 70 < most < 2 * 3 * 70
    twice = found["twice the targets"]
    assert twice.n_targets == most
    assert all(ratio < 1 for ratio in twice.errors.values())
    nothing_more = sizes(targets_per_stratum=FOUND)["twice the targets"]
    assert nothing_more.reason == "the text gives no more, with these caps"


def test_half_of_a_panel_that_barely_fills_its_grid_cannot_be_had(sizes):
    half = sizes()["half the targets"]
    assert (half.n_contexts, half.errors) == (None, {})
    assert "effective" in half.reason


def test_a_panel_that_cannot_be_drawn_says_why_and_has_no_others(sizes):
    found = sizes(targets_per_stratum=100_000)
    assert list(found) == [""]
    assert "the panel asks for 100000 of each" in found[""].reason
