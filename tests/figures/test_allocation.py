import pytest

from rare_neurons.figures.allocation import plot_allocation
from tests.figures.tree import RUNS, STEPS


def test_stacked_parts_add_up_to_the_change(results):
    figure = plot_allocation(results, RUNS)
    within, _, whole, _ = figure.axes
    assert [axis.get_title() for axis in figure.axes] == [
        "common, within",
        "rare, within",
        "common, whole",
        "rare, whole",
    ]
    for axis, change in ((within, 0.5), (whole, -1.0)):
        first = [bar for bar in axis.patches if bar.get_x() + bar.get_width() / 2 == pytest.approx(0)]
        assert sum(bar.get_height() for bar in first) == pytest.approx(change)
        assert axis.lines[0].get_ydata() == pytest.approx([change] * (len(STEPS) - 1))


def test_bars_of_a_sign_stand_on_each_other(results):
    whole = plot_allocation(results, RUNS).axes[2]
    first = [bar for bar in whole.patches if abs(bar.get_x() + bar.get_width() / 2) < 0.1 and bar.get_height()]
    lowest = min(bar.get_y() + min(bar.get_height(), 0) for bar in first)
    assert lowest == pytest.approx(-1.25)
    assert max(bar.get_y() + max(bar.get_height(), 0) for bar in first) == pytest.approx(0.25)


def test_every_kind_is_in_the_legend(results):
    (legend,) = plot_allocation(results, RUNS).legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[:2] == ["neurons, layer 0", "neurons, layer 1"]
    assert names[-1] == "loss change"
    assert {"heads, layer 1", "embedding", "unembedding", "norm", "other"} <= set(names)
