import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.figures.layers import plot_layers
from tests.figures.layers import LAYERS, UNRESOLVED, square
from tests.figures.tree import CONTROL, RUNS, STEPS


def test_each_stratum_and_part_has_a_map_of_layers_by_steps(results):
    figure = plot_layers(results, RUNS)
    maps = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in maps] == [
        "common, whole",
        "common, within",
        "rare, whole",
        "rare, within",
    ]
    values = maps[0].collections[0].get_array()
    assert values.shape == (len(LAYERS), len(STEPS))
    for layer in LAYERS:
        for column, step in enumerate(STEPS):
            if step != UNRESOLVED:
                assert values[layer, column] == pytest.approx(np.sqrt(square(layer, step)))


def test_what_is_within_its_noise_has_no_colour(results):
    values = plot_layers(results, RUNS).axes[0].collections[0].get_array()
    assert np.ma.getmaskarray(values)[:, STEPS.index(UNRESOLVED)].all()
    assert not np.ma.getmaskarray(values)[:, 1:].any()


def test_colours_are_explained_only_where_there_are_any(results, monkeypatch):
    assert plot_layers(results, RUNS).axes[-1].get_ylabel() == "rms influence of a neuron\n(nats per token)"
    monkeypatch.setattr("rare_neurons.figures.layers._RESOLVED", np.inf)
    assert all(axis.get_title() for axis in plot_layers(results, RUNS).axes)


def test_controls_have_a_row_of_their_own(results):
    titles = [axis.get_title() for axis in plot_layers(results, RUNS, controls=[CONTROL]).axes]
    assert titles[0] == "common, whole\nruns"
    assert titles[4] == "common, whole\ncontrols"


def test_an_unknown_stratum_is_refused_with_those_that_are_there(results):
    with pytest.raises(RequestError, match="no stratum 'typo'; there: "):
        plot_layers(results, strata=["typo"])
