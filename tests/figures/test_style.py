import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rare_neurons.figures.style import (
    COLOURS,
    chosen_models,
    grid,
    layer_colour,
    legend,
    nothing_to_draw,
    of_panel,
    one_axis,
    step_axis,
    stratum_colours,
    x,
)


def test_step_0_has_a_place_on_the_logarithmic_axis():
    assert x([0, 1, 1000]).tolist() == [0.5, 1, 1000]
    axis = Figure().subplots()
    step_axis(axis, [0, 3, 1000])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "1", "10", "100", "1,000"]
    assert axis.get_xlim()[0] < 0.5
    assert axis.get_xlim()[1] > 1000


def test_strata_without_a_colour_of_their_own_get_different_ones():
    found = stratum_colours(["top-half", "rare", "bottom-half", "rare"])
    assert list(found) == ["top-half", "rare", "bottom-half"]
    assert found["rare"] == COLOURS["rare"]
    assert len(set(found.values())) == 3


def test_layers_are_told_apart_by_hue_where_few_and_by_depth_where_many():
    assert layer_colour(float("nan"), [0, 1]) == "black"
    assert layer_colour(1, [0, 1]) == "#D55E00"
    many = [layer_colour(layer, range(12)) for layer in range(12)]
    assert len(set(many)) == 12
    assert np.all(np.diff([sum(colour[:3]) for colour in many]) > 0)  # viridis grows lighter


def test_a_new_figure_has_the_size_of_its_axes_and_a_given_one_keeps_its_own():
    figure, axes = grid(2, 3, width=2, height=1, sharey=True)
    assert axes.shape == (2, 3)
    assert figure.get_size_inches().tolist() == [6, 2]
    given = Figure(figsize=(5, 5), layout="tight")
    engine = given.get_layout_engine()
    assert grid(2, 3, width=2, height=1, figure=given)[0] is given
    assert given.get_size_inches().tolist() == [5, 5]
    assert given.get_layout_engine() is engine


def test_one_axis_is_new_or_the_one_given():
    figure, axis = one_axis(width=3, height=2)
    assert figure.axes == [axis]
    assert one_axis(width=3, height=2, ax=axis) == (figure, axis)
    with pytest.raises(ValueError, match="give the axis alone"):
        one_axis(width=3, height=2, ax=axis, figure=figure)


def test_a_legend_on_an_axis_leaves_the_figure_without():
    figure, axis = one_axis(width=3, height=2)
    legend(figure, {"rare": "red"}, ["only"], ax=axis)
    assert figure.legends == []
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["rare"]  # one model needs no line style


def test_panels_are_named_where_there_are_several():
    assert of_panel(pd.DataFrame({"panel": ["a", "a"]}), "a") == ""
    assert of_panel(pd.DataFrame({"panel": ["a", "b"]}), "a") == ", a"


def test_nothing_to_draw_is_said_on_a_figure_or_an_axis():
    figure, axis = one_axis(width=3, height=2)
    assert nothing_to_draw(ax=axis) is figure
    assert [text.get_text() for text in axis.texts] == ["no checkpoint that could be measured"]
    assert figure.texts == []


def test_one_model_is_as_good_as_a_list_of_one(results):
    assert chosen_models(results, "a-seed1") == chosen_models(results, ["a-seed1"]) == ["a-seed1"]
    assert len(chosen_models(results, None)) > 1
