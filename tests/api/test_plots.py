import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rare_neurons.api.plots import PLOTS, draw_alpha, draw_ranked, draw_stable_rank, draw_strata
from rare_neurons.errors import RequestError

RNG = np.random.default_rng(0)
NEURONS = pd.DataFrame(
    {
        "stratum": np.repeat(["common", "rare"], 40),
        "neuron": np.tile(np.arange(40), 2),
        "influence": RNG.normal(0, 1e-3, 80),
        "influence_se": 1e-3,
        "influence_within": RNG.normal(0, 1e-4, 80),
        "influence_within_se": 1e-4,
    }
)
MATRICES = pd.DataFrame(
    {
        "layer": [0, 1, 0, 1, np.nan],
        "matrix": ["W_in", "W_in", "W_out", "W_out", "W_E"],
        "alpha": [2.0, 3.0, 2.5, None, 1.5],
        "stable_rank": [4.0, 5.0, 6.0, 7.0, 8.0],
    }
)


def axis_of(figure):
    (axis,) = figure.axes
    return axis


def test_the_ranked_curve_falls_beside_that_of_its_standard_errors():
    axis = axis_of(draw_ranked(NEURONS))
    curve, noise = axis.lines[2].get_ydata(), axis.lines[3].get_ydata()
    assert curve.tolist() == sorted(NEURONS.influence[40:].abs(), reverse=True)
    # Values are drawn from the very noise: the curves agree within the scatter of 40 values.
    assert np.sqrt(np.mean(np.square(noise))) == pytest.approx(np.sqrt(np.mean(np.square(curve))), rel=0.3)


def test_neurons_within_noise_on_both_strata_are_grey():
    axis = axis_of(draw_strata(NEURONS))
    z = np.abs(NEURONS.influence.to_numpy().reshape(2, 40)) / 1e-3
    grey, coloured = (len(line.get_xdata()) for line in axis.lines[:2])
    assert (grey, coloured) == (int((z <= 1.645).all(0).sum()), int((z > 1.645).any(0).sum()))
    assert min(grey, coloured) > 0


@pytest.mark.parametrize(("draw", "column"), [(draw_alpha, "alpha"), (draw_stable_rank, "stable_rank")])
def test_matrices_stand_at_their_layers(draw, column):
    axis = axis_of(draw(MATRICES))
    lines = {line.get_label(): line.get_xydata().tolist() for line in axis.lines}
    assert lines["W_in"] == [[0.0, MATRICES[column][0]], [1.0, MATRICES[column][1]]]
    assert lines["W_E"] == [[-1.0, MATRICES[column][4]]]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["none", "0", "1"]
    colours = {line.get_color() for line in axis.lines}
    assert len(colours) == 3


def test_another_quantity_is_drawn_on_request_and_one_that_is_none_refused():
    axis = axis_of(draw_ranked(NEURONS, column="influence_within"))
    assert axis.lines[0].get_ydata()[0] == NEURONS.influence_within[:40].abs().max()
    assert axis.get_ylabel() == "|influence within stratum| (nats per token)"
    with pytest.raises(RequestError, match="no column 'stratum' in this figure; there: influence, influence_within"):
        draw_strata(NEURONS, column="stratum")
    with pytest.raises(RequestError, match="no column 'rows' in this figure; there: alpha, stable_rank"):
        draw_alpha(MATRICES, column="rows")


@pytest.mark.parametrize("table", PLOTS)
def test_every_figure_says_its_units_and_takes_an_axis(table):
    layers = NEURONS.assign(layer=NEURONS.neuron % 2, exact=NEURONS.neuron < 9)
    frame = {"influence": NEURONS, "layer_influence": layers, "spectra": MATRICES}[table]
    for draw in PLOTS[table].values():
        given = Figure().subplots()
        assert draw(frame, given) is given.figure
        assert given.get_xlabel()
        assert given.get_ylabel()
        assert given.get_legend() is not None
