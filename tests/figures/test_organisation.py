import numpy as np

from rare_neurons.figures.organisation import plot_organisation
from tests.figures.activity import value
from tests.figures.tree import CONTROL, HELD, RUNS, STEPS, STRATA


def test_each_run_and_stratum_has_its_set_beside_the_placebo_and_matched_sets(results):
    figure = plot_organisation(results, RUNS)
    assert [axis.get_title() for axis in figure.axes] == [f"{s}: {model}" for model in RUNS for s in STRATA]
    for k, axis in enumerate(figure.axes):
        model, stratum = RUNS[k // 2], STRATA[k % 2]
        expected = [value(step, stratum) for step in STEPS if (model, step) != HELD]
        placebo, own = (line.get_ydata() for line in axis.lines)
        np.testing.assert_allclose(own, expected)
        np.testing.assert_allclose(placebo, np.array(expected) / 2)
        (band,) = axis.collections
        assert set(np.round(band.get_paths()[0].vertices[:, 1], 6)) == {0.001, 0.002}


def test_controls_come_last_and_say_so(results):
    titles = [axis.get_title() for axis in plot_organisation(results, RUNS, controls=[CONTROL]).axes]
    assert titles[-2:] == [f"{s}: {CONTROL}, control" for s in STRATA]
