import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from rare_neurons.errors import RequestError
from rare_neurons.figures.style import (
    COLOURS,
    CONTROL,
    axes_or_one,
    chosen,
    chosen_models,
    grid,
    keep_drawn,
    layer_colour,
    name_rows,
    named,
    nothing_to_draw,
    of_panel,
    on_page,
    one_axis,
    stratum_colours,
    stratum_marks,
    styles,
)


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


def test_a_control_is_as_grey_as_no_stratum():
    red, green, blue = to_rgb(CONTROL)
    assert red == green == blue
    assert all(max(to_rgb(colour)) - min(to_rgb(colour)) > 0.5 for colour in COLOURS.values())


def test_strata_without_colour_have_different_marks_and_eight_runs_different_lines():
    assert len(set(stratum_marks(["common", "mid", "rare", "other", "another"]).values())) == 5
    assert len(set(map(str, styles()[:8]))) == 8


def test_axes_shrink_to_a_page_but_stay_readable():
    assert on_page(2, 2, width=3, height=2) == {"width": 3, "height": 2}
    assert on_page(6, 4, width=3, height=3) == {"width": 1.8, "height": 1.75}
    assert on_page(50, 50, width=3, height=3) == {"width": 1.7, "height": 1.2}


def test_axes_are_those_of_a_page_or_the_one_given():
    size = {"width": 3, "height": 2, "too_many": "name one"}
    figure, axes = axes_or_one(1, 4, **size)
    assert axes.shape == (1, 4)
    assert figure.get_size_inches() == pytest.approx([7.2, 2])
    assert axes_or_one(1, 1, **size, ax=axes[0, 1])[1].tolist() == [[axes[0, 1]]]
    with pytest.raises(RequestError, match="name one"):
        axes_or_one(1, 4, **size, ax=axes[0, 1])


def test_axes_without_anything_are_removed():
    figure, axes = grid(2, 2, width=2, height=2)
    assert keep_drawn(axes, 3) == axes.ravel()[:3].tolist() == figure.axes


def test_rows_are_named_together_or_on_the_one_axis():
    figure, axis = one_axis(width=3, height=2)
    name_rows(figure, "loss")
    assert (figure.get_supylabel(), axis.get_ylabel()) == ("loss", "")
    name_rows(figure, "rank", axis)
    assert axis.get_ylabel() == "rank"


def test_a_control_is_named_so():
    assert [named(model, ["b"]) for model in "ab"] == ["a", "b, control"]


def test_what_is_asked_for_is_chosen_or_refused():
    assert chosen("matrix", None, "ab") == ["a", "b"]
    assert chosen("matrix", "b", "ab") == ["b"]
    with pytest.raises(RequestError, match="no matrix 'c'; there: a, b"):
        chosen("matrix", "c", "ab")
