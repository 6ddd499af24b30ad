import numpy as np

from rare_neurons.figures.alpha import plot_alpha
from tests.figures.tree import RUNS, STEPS


def test_each_kind_of_matrix_has_an_axis_with_its_null(results):
    figure = plot_alpha(results, RUNS)
    assert [axis.get_title() for axis in figure.axes] == ["W_in", "W_out", "W_E"]
    assert {axis.get_yscale() for axis in figure.axes} == {"log"}
    for axis in figure.axes:
        (one, other) = axis.collections
        for band in (one, other):
            heights = band.get_paths()[0].vertices[:, 1]
            assert (heights.min(), heights.max()) == (4, 6)


def test_lines_are_coloured_by_layer_and_leave_quarantined_checkpoints_out(results):
    inside, _, embedding = plot_alpha(results, RUNS).axes
    lines = [line for line in inside.lines if line.get_marker() != "x" and line.get_linestyle() in ("-", "--")]
    assert [line.get_color() for line in lines] == ["#0072B2", "#0072B2"]
    assert embedding.lines[0].get_color() == "black"
    assert lines[0].get_ydata().tolist() == [2 + step / 8 for step in STEPS]
    assert np.isnan(lines[1].get_ydata()).tolist() == [False, False, False, True]
    crosses = [line for line in inside.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in crosses] == [([16], [4])]


def test_the_legend_names_layers_and_runs(results):
    (legend,) = plot_alpha(results, RUNS).legends
    assert [text.get_text() for text in legend.get_texts()] == ["layer 0", *RUNS]
