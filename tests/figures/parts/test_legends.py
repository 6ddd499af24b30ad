import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.parts.across import Across
from rare_neurons.figures.parts.legends import draw_quarantined, explain, legend, of_models, quarantine_marks
from rare_neurons.figures.style import CONTROL, one_axis

VERDICTS = pd.DataFrame({"model": ["a", "a", "b"], "step": [0, 8, 8], "quarantined": [False, True, True]})


def names(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_a_legend_on_an_axis_leaves_the_figure_without():
    figure, axis = one_axis(width=3, height=2)
    legend(figure, {"rare": "red"}, ["only"], ax=axis)
    assert figure.legends == []
    assert names(axis.get_legend()) == ["rare"]  # one model needs no line style


def test_several_runs_have_a_line_each_and_controls_one_together():
    handles = of_models(["a", "b"], controls=True)
    assert [(one.get_label(), one.get_color()) for one in handles] == [
        ("a", "black"),
        ("b", "black"),
        ("control", CONTROL),
    ]
    assert of_models(["a"]) == []


def test_a_legend_below_all_axes_is_no_wider_than_they():
    for inches in (3, 7):
        figure = Figure(figsize=(inches, 4), layout="constrained")
        figure.subplots()
        explain(figure, [Line2D([], [], label=f"entry number {k}") for k in range(12)])
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
        assert 0.4 * inches < box.width / figure.dpi <= inches


def test_quarantined_steps_are_marked_once_each():
    axis = Figure().subplots()
    draw_quarantined(axis, VERDICTS, Across())
    assert [line.get_xdata() for line in axis.lines] == [[8, 8]]


def test_quarantine_is_explained_where_there_is_any():
    assert [one.get_label() for one in quarantine_marks(VERDICTS)] == ["quarantined step", "quarantined value"]
    assert quarantine_marks(VERDICTS[:1]) == []
