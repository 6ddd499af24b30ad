import numpy as np

from rare_neurons.figures.rank_curves import plot_rank_curves
from tests.figures.tree import RUNS, STEPS, effect


def test_bins_that_are_not_told_from_zero_are_not_drawn(results):
    axis = plot_rank_curves(results, RUNS).axes[0]
    assert axis.get_title() == "a-seed0: common"
    for step, line in zip(STEPS, axis.lines, strict=True):
        values = np.abs(effect("a-seed0", step, "common")[:3])
        assert line.get_ydata()[[0, 2]].tolist() == values[[0, 2]].tolist()
        assert np.isnan(line.get_ydata()[1])


def test_each_run_has_a_row_each_stratum_a_column_and_steps_a_bar(results):
    *axes, bar = plot_rank_curves(results, RUNS).axes
    assert [axis.get_title() for axis in axes] == [f"{m}: {s}" for m in RUNS for s in ("common", "rare")]
    assert bar.get_ylabel() == "step + 1"
    assert {(axis.get_xscale(), axis.get_yscale()) for axis in axes} == {("log", "log")}


def test_a_quarantined_checkpoint_is_left_out(results):
    axes = plot_rank_curves(results, RUNS, ["rare"]).axes
    drawn = [sum(len(line.get_xdata()) > 0 for line in axis.lines) for axis in axes[:2]]
    assert drawn == [len(STEPS), len(STEPS) - 1]
