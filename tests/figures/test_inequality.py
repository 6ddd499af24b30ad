import pytest

from rare_neurons.figures.inequality import plot_inequality
from tests.figures.tree import STEPS


def test_three_indices_are_drawn_over_steps_and_that_of_noise_beside(results):
    axes = plot_inequality(results, ["a-seed0"]).axes[::2]
    drawn = {axis.get_ylabel().replace("\n", " "): axis.lines[0].get_ydata() for axis in axes}
    expected = {
        "effective number (neurons)": [20 - step for step in STEPS],
        "effective number within stratum (neurons)": [10 - step / 2 for step in STEPS],
        "Gini index of |influence| (0 to 1)": [0.4 + step / 100 for step in STEPS],
    }
    assert list(drawn) == list(expected)
    for label, values in expected.items():
        assert drawn[label] == pytest.approx(values), label
    assert axes[2].lines[1].get_ydata() == pytest.approx([0.4] * len(STEPS))


def test_one_column_is_drawn_alone(results):
    figure = plot_inequality(results, ["a-seed0"], column="gini")
    assert [axis.get_ylabel() for axis in figure.axes] == ["Gini index\nof |influence|\n(0 to 1)", ""]
