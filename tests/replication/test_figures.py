import numpy as np
import pytest
from matplotlib.figure import Figure

from rare_neurons.replication.figures import plot_inequality, plot_ranked
from tests.replication.tree import N_NEURONS, STEPS


def test_ranked_curves_are_over_their_median_beside_noise(tree):
    figure = plot_ranked(tree)
    curves, exponents = figure.axes
    ranked = [line for line in curves.lines if len(line.get_xdata()) == N_NEURONS]
    assert len(ranked) == 2 + 2 + 2  # step 0 and last of two runs, last of two controls
    expected = 1 / np.arange(1, N_NEURONS + 1)
    assert ranked[0].get_ydata() == pytest.approx(expected / np.median(expected))
    (band,) = curves.collections
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(tree.noise_band.high.max())
    cuts = [line.get_xdata()[0] for line in curves.lines if line.get_linestyle() == ":"]
    assert cuts == pytest.approx(np.exp([3.5, 5.5]))
    assert exponents.lines[0].get_ydata().tolist() == [1 + step / 16 for step in STEPS]
    (span,) = exponents.patches
    assert span.get_y() == tree.noise_band.exponent_low
    labels = [text.get_text() for text in exponents.get_legend().get_texts()]
    assert labels[:3] == ["rare (heldout)", "rare (half)", "rare (half-redrawn)"]


def test_inequality_of_runs_and_controls_is_drawn_beside_that_of_noise(tree):
    given = Figure()
    assert plot_inequality(tree, figure=given) is given
    gini, kurtosis, without = given.axes
    assert gini.lines[0].get_ydata() == pytest.approx([0.4 + step / 100 for step in STEPS])
    assert gini.lines[1].get_ydata() == pytest.approx([0.3] * len(STEPS))  # of noise alone, beside it
    of_models = [style for style in ("-", "--", ":", ":") for _ in ("measured", "of noise")]
    assert [line.get_linestyle() for line in gini.lines] == [*of_models * 2, "-"]
    assert [line.get_linestyle() for line in kurtosis.lines] == [*["-", "--", ":", ":"] * 2, "-"]
    assert list(gini.lines[-1].get_ydata()) == pytest.approx([2**0.5 - 1] * 2)
    assert kurtosis.get_ylim() == without.get_ylim()
