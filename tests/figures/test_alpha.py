import numpy as np

from rare_neurons.figures.alpha import plot_alpha
from tests.figures.tree import CONTROL, RUNS, STEPS


def drawn(axis, marker):
    return [line for line in axis.lines if line.get_marker() == marker and len(line.get_xdata())]


def test_each_kind_of_matrix_has_an_axis_with_its_null(results):
    figure = plot_alpha(results, RUNS)
    assert [axis.get_title() for axis in figure.axes] == ["W_in", "W_out", "W_E"]
    assert {axis.get_yscale() for axis in figure.axes} == {"log"}
    for axis in figure.axes:
        band = axis.collections[0]
        heights = band.get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == (4, 6)


def test_lines_are_coloured_by_layer_and_leave_quarantined_checkpoints_out(results):
    inside, _, embedding = plot_alpha(results, RUNS).axes
    lines = [line for line in inside.lines if line.get_linestyle() in ("-", "--")]
    assert [line.get_color() for line in lines] == ["#0072B2", "#0072B2"]
    assert embedding.lines[0].get_color() == "black"
    assert lines[0].get_ydata().tolist() == [2 + step / 8 for step in STEPS]
    assert np.isnan(lines[1].get_ydata()).tolist() == [False, False, False, True]
    crosses = drawn(inside, "x")
    assert [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in crosses] == [([16], [4])]


def test_a_dot_marks_where_a_matrix_leaves_and_a_bar_where_its_tail_jumps(results):
    inside, _, embedding = plot_alpha(results, RUNS).axes
    assert [line.get_xdata().tolist() for line in drawn(inside, "o")] == [[2], [8]]
    assert drawn(embedding, "o") == []
    assert [line.get_xdata().tolist() for line in drawn(embedding, "|")] == [[8], [8]]


def test_each_axis_says_when_runs_and_control_are_outside(results):
    texts = [axis.texts[0].get_text() for axis in plot_alpha(results, RUNS, controls=[CONTROL, RUNS[0]]).axes]
    both = "outside from step 2 to 8\ncontrol: from step 14"
    assert texts == [both, both, "outside never\ncontrol: never"]
    alone = plot_alpha(results, [CONTROL], controls=[CONTROL]).axes[0]
    assert alone.texts[0].get_text() == "outside from step 14"


def test_the_legend_names_layers_runs_and_marks(results):
    (legend,) = plot_alpha(results, RUNS).legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [
        "layer 0",
        "of no layer",
        *RUNS,
        "90 % of Gaussian matrices of the shape",
        "leaves",
        "tail starts elsewhere",
        "quarantined step",
        "quarantined value",
    ]
