import pytest

from rare_neurons.figures.kinds import plot_kinds
from tests.figures.activity import share
from tests.figures.layers import LAYERS
from tests.figures.tree import CONTROL, RUNS, STEPS

NAMED = ("dead", "token_detector", "bigram_detector", "trigram_detector", "undecided")


def test_bars_of_a_layer_are_stacked_shares_by_step(results):
    figure = plot_kinds(results, RUNS)
    assert [axis.get_title() for axis in figure.axes] == ["layer 0, not counted", "layer 1"]
    for layer, axis in zip(LAYERS, figure.axes, strict=True):
        assert [label.get_text() for label in axis.get_xticklabels()] == [str(step) for step in STEPS]
        for column, step in enumerate(STEPS):
            below = 0.0
            for kind, bars in zip(NAMED, axis.containers, strict=True):
                bar = bars[column]
                assert (bar.get_y(), bar.get_height()) == pytest.approx((below, share(layer, step, kind)))
                below += bar.get_height()
            assert axis.get_ylim()[1] > below


def test_controls_have_a_row_of_their_own(results):
    titles = [axis.get_title() for axis in plot_kinds(results, RUNS, controls=[CONTROL]).axes]
    assert titles == [f"layer {end}\n{side}" for side in ("runs", "controls") for end in ("0, not counted", "1")]
