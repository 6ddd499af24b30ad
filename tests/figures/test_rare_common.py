import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.figures.rare_common import plot_rare_common
from tests.figures.tree import CONTROL, HELD, N_NEURONS, RUNS, effect, write_tree

ERROR = 1e-5
"""Standard error of every influence in the tree."""


def points(axis):
    return {line.get_color(): line for line in axis.lines if line.get_linestyle() == "None"}


def test_every_neuron_is_a_point_coloured_by_what_is_beyond_noise(results):
    axis = plot_rare_common(results, RUNS[:1], step=0).axes[0]
    sides = [effect(RUNS[0], 0, stratum) / 4 for stratum in ("common", "rare")]
    first, second = (np.abs(side) > 1.645 * ERROR for side in sides)
    counts = [len(line.get_xdata()) for line in points(axis).values()]
    wanted = [(~first & ~second).sum(), (first & ~second).sum(), (~first & second).sum(), (first & second).sum()]
    assert counts == wanted
    assert sum(counts) == N_NEURONS
    assert sorted(np.concatenate([line.get_ydata() for line in points(axis).values()])) == sorted(sides[1])


def test_the_floor_of_noise_is_that_of_the_standard_errors(results):
    upright, across = plot_rare_common(results, RUNS[:1]).axes[0].patches
    assert (upright.get_x(), upright.get_width()) == pytest.approx((-1.645 * ERROR, 2 * 1.645 * ERROR))
    assert (across.get_y(), across.get_height()) == pytest.approx((-1.645 * ERROR, 2 * 1.645 * ERROR))


def test_each_run_is_read_at_its_last_good_step_and_the_control_is_beside(results):
    titles = [axis.get_title() for axis in plot_rare_common(results, RUNS, controls=[CONTROL]).axes]
    assert (RUNS[1], 16) == HELD
    assert titles == ["a-seed0: step 16", "a-seed1: step 8", "shuffled, control: step 16"]


def test_one_panel_is_drawn_and_another_on_request(tmp_path):
    results = write_tree(tmp_path, panels=("heldout", "other"))
    assert len(plot_rare_common(results, RUNS[:1]).axes) == 1
    assert len(plot_rare_common(results, RUNS[:1], panel="other").axes) == 1
    with pytest.raises(RequestError, match="no panel 'third'; there: heldout, other"):
        plot_rare_common(results, RUNS[:1], panel="third")
