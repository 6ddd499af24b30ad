import pytest

from rare_neurons.figures.inequality import plot_inequality
from tests.figures.tree import STEPS


def test_four_indices_are_drawn_over_steps(results):
    axes = plot_inequality(results, ["a-seed0"]).axes
    drawn = {axis.get_ylabel(): axis.lines[0].get_ydata() for axis in axes}
    expected = {
        "effective number (neurons)": [20 - step for step in STEPS],
        "effective number\nwithin the stratum (neurons)": [10 - step / 2 for step in STEPS],
        "Gini index of |influence| (0 to 1)": [0.4 + step / 100 for step in STEPS],
        "Gini index of noise alone (0 to 1)": [0.4 for _ in STEPS],
    }
    assert list(drawn) == list(expected)
    for label, values in expected.items():
        assert drawn[label] == pytest.approx(values), label
