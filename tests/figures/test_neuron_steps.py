import numpy as np

from rare_neurons.figures.neuron_steps import plot_neuron_steps
from tests.figures.tree import CONTROL, RUNS, STEPS, effect


def maps(figure):
    return [(axis, axis.collections[0].get_array()) for axis in figure.axes if axis.get_label() != "<colorbar>"]


def test_the_strongest_neurons_at_the_last_step_are_drawn_with_their_sign(results):
    figure = plot_neuron_steps(results, RUNS)
    (common, _), (rare, values) = maps(figure)
    assert [axis.get_title() for axis in (common, rare)] == ["a-seed0: common", "a-seed0: rare"]
    order = [int(label.get_text()) for label in rare.get_yticklabels()]
    assert order == list(range(24))  # the tree's influence falls with the neuron's number
    assert values.shape == (24, len(STEPS))
    expected = np.array([effect(RUNS[0], step, "rare")[:24] / 4 for step in STEPS]).T
    beyond = np.abs(expected) > 1.645 * 1e-5
    assert 0 < beyond.sum() < beyond.size
    assert np.ma.getmaskarray(values).tolist() == (~beyond).tolist()
    np.testing.assert_array_equal(values[beyond], expected[beyond])


def test_the_first_control_is_below_without_its_quarantined_steps(results):
    figure = plot_neuron_steps(results, [RUNS[1]], ["rare"], controls=[CONTROL, RUNS[0]])
    (_, values), (control, _) = maps(figure)
    assert values.shape[1] == len(STEPS) - 1
    assert control.get_title() == "shuffled, control: rare"


def test_columns_are_named_by_steps_tokens_or_loss(results):
    for name, last in (("step", "16"), ("tokens", "16.4k"), ("loss", "4.00")):
        (axis, _), *_ = maps(plot_neuron_steps(results, RUNS, axis=name))
        assert axis.get_xticklabels()[-1].get_text() == last
