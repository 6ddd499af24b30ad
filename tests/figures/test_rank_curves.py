import io

import numpy as np
import pytest

from rare_neurons.figures import rank_curves
from rare_neurons.figures.rank_curves import plot_rank_curves
from tests.figures.tree import RUNS, STEPS, effect


def test_bins_that_are_not_told_from_zero_are_not_drawn(results):
    axis = plot_rank_curves(results, RUNS).axes[0]
    assert axis.get_title() == "a-seed0: common"
    for step, line in zip(STEPS, axis.lines, strict=True):
        values = np.abs(effect("a-seed0", step, "common")[:3])
        assert line.get_ydata()[[0, 2]].tolist() == values[[0, 2]].tolist()
        assert np.isnan(line.get_ydata()[1])


def test_each_run_has_a_row_each_stratum_a_column_and_each_step_a_colour(results):
    figure = plot_rank_curves(results, RUNS)
    axes = figure.axes
    assert [axis.get_title() for axis in axes] == [f"{m}: {s}" for m in RUNS for s in ("common", "rare")]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:-1] == [f"step {step:,}" for step in STEPS]
    assert {(axis.get_xscale(), axis.get_yscale()) for axis in axes} == {("log", "log")}


def test_a_quarantined_checkpoint_is_left_out(results):
    axes = plot_rank_curves(results, RUNS, ["rare"]).axes
    drawn = [sum(len(line.get_xdata()) > 0 for line in axis.lines) for axis in axes[:2]]
    assert drawn == [len(STEPS), len(STEPS) - 1]


@pytest.mark.parametrize("sign", [1, -1])
def test_where_no_bin_is_told_from_zero_the_axes_are_empty_and_can_be_saved(results, monkeypatch, sign):
    def unresolved(*given, **more):
        return load(*given, **more).assign(low=-1.0, high=sign * 1e-3)

    load = rank_curves.load_shards
    monkeypatch.setattr(rank_curves, "load_shards", unresolved)
    figure = plot_rank_curves(results, RUNS)
    assert all(np.isnan(line.get_ydata()).all() for axis in figure.axes for line in axis.lines)
    figure.savefig(io.BytesIO())


def test_a_stratum_that_is_not_drawn_decides_no_axis(results, monkeypatch):
    def resolved_elsewhere(*given, **more):
        table = load(*given, **more)
        return table.assign(low=table.low.where(table.stratum == "common", -1.0))

    load = rank_curves.load_shards
    monkeypatch.setattr(rank_curves, "load_shards", resolved_elsewhere)
    figure = plot_rank_curves(results, RUNS, ["rare"])
    assert all(np.isnan(line.get_ydata()).all() for axis in figure.axes for line in axis.lines)
    figure.savefig(io.BytesIO())
