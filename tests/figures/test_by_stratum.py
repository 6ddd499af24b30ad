import numpy as np
import pytest
from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum
from rare_neurons.figures.style import COLOURS
from tests.figures.tree import HELD, RUNS, STEPS, loss, write_tree

LOSS = [("loss", "loss (nats)")]


def by_colour(axis, colour, style="-"):
    return [line for line in axis.lines if line.get_color() == colour and line.get_linestyle() == style]


def test_good_checkpoints_make_a_line_and_quarantined_ones_a_cross(results):
    axis = draw_by_stratum(results, RUNS, "behaviour", LOSS).axes[0]
    (first,) = by_colour(axis, COLOURS["rare"])
    assert first.get_xdata().tolist() == [0.5, 2, 8, 16]
    assert first.get_ydata().tolist() == [loss(RUNS[0], step, "rare") for step in STEPS]
    (second,) = by_colour(axis, COLOURS["common"], "--")
    assert second.get_ydata().tolist() == [loss(RUNS[1], step, "common") for step in STEPS[:-1]]
    crosses = [line for line in axis.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert {(*line.get_xdata(), *line.get_ydata()) for line in crosses} == {
        (16, loss(*HELD, s)) for s in COLOURS if s != "mid"
    }
    dotted = [line for line in axis.lines if line.get_linestyle() == ":"]
    assert [line.get_xdata() for line in dotted] == [[16, 16]]


def test_axes_are_labelled_and_the_legend_names_strata_and_runs(results):
    figure = draw_by_stratum(results, RUNS, "behaviour", LOSS, log=True)
    (axis,) = figure.axes
    assert (axis.get_ylabel(), axis.get_xlabel(), axis.get_yscale()) == ("loss (nats)", "step", "log")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "common",
        "rare",
        *RUNS,
        "quarantined step",
        "quarantined value",
    ]


def test_every_panel_has_its_axes_and_its_name(tmp_path):
    results = write_tree(tmp_path, panels=("heldout", "other"))
    columns = [("gini", "Gini"), ("excess_kurtosis", "kurtosis")]
    figure = draw_by_stratum(results, RUNS, "inequality", columns)
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels == ["Gini, heldout", "kurtosis, heldout", "Gini, other", "kurtosis, other"]
    (line,) = by_colour(figure.axes[2], COLOURS["rare"])
    assert np.allclose(line.get_ydata(), [0.4 + step / 100 for step in STEPS])


def test_one_axis_does_not_hold_two_panels(tmp_path):
    results = write_tree(tmp_path, panels=("heldout", "other"))
    with pytest.raises(ValueError, match=r"one axis for 1 column\(s\) of panel\(s\) heldout, other, which need 2"):
        draw_by_stratum(results, RUNS, "behaviour", LOSS, ax=Figure().subplots())
