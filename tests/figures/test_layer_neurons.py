import pytest

from rare_neurons.figures.layer_neurons import plot_layer_neurons
from tests.figures.layers import N_NEURONS
from tests.figures.tree import RUNS, STEPS


def test_the_strongest_neurons_of_the_last_step_are_drawn_in_every_layer(results):
    figure = plot_layer_neurons(results, RUNS, n_top=2)
    assert [axis.get_title() for axis in figure.axes] == [
        "common, layer 0",
        "common, layer 1",
        "rare, layer 0",
        "rare, layer 1",
    ]
    lines = [line for line in figure.axes[1].lines if line.get_label().isdigit()]
    assert [int(line.get_label()) for line in lines] == [N_NEURONS - 1, N_NEURONS - 2]
    assert lines[0].get_ydata() == pytest.approx([-16e-4 * step for step in STEPS])


def test_bands_are_approximation_and_sampling_together(results):
    band = plot_layer_neurons(results, RUNS, n_top=1).axes[0].collections[0]
    heights = band.get_paths()[0].vertices[:, 1]
    half = 1.645 * (1e-5**2 + 1e-4**2) ** 0.5
    assert heights.max() == pytest.approx(half)
