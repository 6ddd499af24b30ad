import numpy as np

from rare_neurons.figures.lineage import plot_lineage
from tests.figures.tree import STEPS


def test_overlap_is_drawn_beside_its_ceiling_and_chance(results):
    figure = plot_lineage(results, ["a-seed0"])
    last, before = figure.axes
    assert (last.get_title(), before.get_title()) == ("shared with the last step", "shared with the step before")
    thick, thin = last.lines[:2]
    assert thick.get_ydata().tolist() == [step / 16 for step in STEPS]
    assert thin.get_ydata().tolist() == [0.7] * len(STEPS)
    assert thick.get_linewidth() > thin.get_linewidth()
    assert np.isnan(before.lines[0].get_ydata()).tolist() == [True, False, False, False]
    for axis in figure.axes:
        assert list(axis.lines[-1].get_ydata()) == [0.05, 0.05]


def test_quarantined_checkpoints_are_left_out(results):
    last = plot_lineage(results, ["a-seed1"]).axes[0]
    assert last.lines[0].get_xdata().tolist() == [0.5, 2, 8]
