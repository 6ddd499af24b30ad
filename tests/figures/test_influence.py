import numpy as np
import pytest
from matplotlib.figure import Figure

from rare_neurons.errors import RequestError
from rare_neurons.figures.influence import plot_influence
from tests.figures.tree import STEPS, effect

MODEL = "a-seed0"


def test_root_mean_square_and_mean_are_drawn_in_total_and_within_the_stratum(results):
    axes = plot_influence(results, [MODEL]).axes
    labels = [axis.get_ylabel().replace("\n", " ") for axis in axes if axis.get_ylabel()]
    assert labels == [
        "rms influence (1e−4 nats per token)",
        "rms influence within stratum (1e−4 nats per token)",
        "mean influence (1e−4 nats per token)",
        "mean influence within stratum (1e−5 nats per token)",
    ]
    rms = [np.sqrt(np.mean(effect(MODEL, step, "common") ** 2)) for step in STEPS]
    mean = [effect(MODEL, step, "common").mean() for step in STEPS]
    for axis, values in zip(axes[::2], (rms, np.divide(rms, 4), mean, np.divide(mean, 4)), strict=True):
        assert axis.lines[0].get_ydata() == pytest.approx(np.array(values))


def test_one_column_is_drawn_alone_and_another_refused(results):
    axis = Figure().subplots()
    plot_influence(results, [MODEL], column="mean_influence", ax=axis)
    assert axis.get_ylabel().startswith("mean influence")
    with pytest.raises(RequestError, match="no column 'gini'; there: rms_influence, rms_influence_within"):
        plot_influence(results, column="gini")
