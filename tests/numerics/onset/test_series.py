"""Runs and checkpoints that can be compared."""

import numpy as np

from rare_neurons.numerics.onset.series import at_doublings, mean_resamples, on_common_steps, usable_runs

NAN = float("nan")


def test_a_run_without_a_value_takes_no_steps_from_the_others():
    series = [{0: 1.0, 1: NAN}, {5: NAN}, {0: NAN, 2: 3.0}]
    assert usable_runs(series) == [0, 2]
    assert usable_runs([]) == []


def test_common_steps_are_those_of_all_runs_in_order():
    steps, values = on_common_steps([{4: 1.0, 0: 2.0, 9: 0.0}, {0: 5.0, 4: NAN}])
    assert steps.tolist() == [0, 4]
    np.testing.assert_array_equal(values, [[2.0, 1.0], [5.0, NAN]])
    steps, values = on_common_steps([{0: 1.0}, {1: 1.0}])
    assert (steps.size, values.shape) == (0, (2, 0))


def test_resamples_are_averaged_over_runs_draw_by_draw():
    runs = [{0: [1.0, 2.0], 8: [3.0, 4.0]}, {0: [3.0, 6.0]}]
    found = mean_resamples(runs, [0, 8], n_resamples=2)
    np.testing.assert_array_equal(found, [[2.0, NAN], [4.0, NAN]])
    assert mean_resamples(runs, [], n_resamples=2).shape == (2, 0)


def test_a_dense_schedule_is_read_as_a_log_spaced_one():
    pythia = np.concatenate([[0], 2 ** np.arange(10), np.arange(1000, 143001, 1000)])
    # From 16000 on a step of 1000 reaches the factor 1.9 before it reaches 2.
    late = [1000, 2000, 4000, 8000, 16000, 31000, 59000, 113000]
    assert pythia[at_doublings(pythia)].tolist() == [0, *(2 ** np.arange(10)).tolist(), *late]
    assert at_doublings([]).size == 0
