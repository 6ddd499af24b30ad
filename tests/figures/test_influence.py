import numpy as np
import pytest

from rare_neurons.figures.influence import plot_influence
from tests.figures.tree import STEPS, effect


def test_total_and_within_stratum_are_drawn_on_logarithmic_axes(results):
    axes = plot_influence(results, ["a-seed0"]).axes
    assert [axis.get_yscale() for axis in axes] == ["log", "log"]
    assert [axis.get_ylabel() for axis in axes] == [
        "rms influence (nats per token)",
        "rms influence within stratum\n(nats per token)",
    ]
    rms = [np.sqrt(np.mean(effect("a-seed0", step, "common") ** 2)) for step in STEPS]
    assert axes[0].lines[0].get_ydata() == pytest.approx(rms)
    assert axes[1].lines[0].get_ydata() == pytest.approx(np.array(rms) / 4)
