import numpy as np
import pytest

from rare_neurons.replication.regimes import exponents, fractions, huber, scatter, segments, window
from tests.figures.tree import N_NEURONS


def test_fractions_are_of_the_layer_and_of_the_published_sizes(tree, cells):
    rows = {row[0]: row[1:] for row in cells(fractions(tree))}
    assert rows["1,937"] == ["1.7 %", "10.9 %", "87.4 %"]
    assert rows[str(N_NEURONS)] == ["82.5 %", "17.5 %", "0.0 %"]


def test_the_window_is_read_of_noise_and_of_every_case(tree, cells):
    noise, *rows = cells(window(tree))
    assert noise[0] == "half-normal noise"
    assert noise[3] == "–"
    assert [row[0] for row in rows] == [case.label for case in tree.cases()]
    assert rows[0][1:] == ["1.00", "0.980", "0.50"] * 2
    assert rows[2][1] == "2.00"


def test_scatter_is_that_of_exponents_over_steps(tree, cells):
    ours, theirs = cells(scatter(tree))
    # Exponents rise by 1/8, 3/8 and 1/2 in one run and by 1/8 and 3/8 in the other.
    over_steps = np.sqrt((2 * (1 / 8) ** 2 + 2 * (3 / 8) ** 2 + (1 / 2) ** 2) / 5)
    assert float(ours[4]) == pytest.approx(over_steps, abs=0.005)  # two digits
    assert (ours[0], ours[1], ours[3], ours[5]) == ("rare (heldout)", "128", "–", "–")
    # Both draws were written alike.
    assert float(theirs[3]) == 0
    assert theirs[5] == theirs[4] == ours[4]
    assert float(ours[2]) > 0


def test_exponents_leave_controls_and_quarantined_checkpoints_out(tree):
    found = exponents(tree, panel="heldout", stratum="rare")
    assert found.index.tolist() == [*(("a-seed0", s) for s in (0, 2, 8, 16)), *(("a-seed1", s) for s in (0, 2, 8))]


def test_the_huber_form_is_read_at_every_case(tree, cells):
    rows = cells(huber(tree))
    assert len(rows) == 1 + len(list(tree.cases()))
    assert rows[1][1:] == ["25.0 %", "50.0 %", "25.0 %", "1.00", "0.990"]


def test_segments_are_counted_over_curves(tree, cells):
    noise, start, later, control = cells(segments(tree))
    assert noise[1] == "200"
    # 0.951 after 0.95 is no gain for BIC at 40 neurons, 0.95 after 0.8 is.
    assert start == ["runs, step 0, all strata", "4", "0", "4", "0", "100.0 %", "4", "0"]
    assert later == ["runs, later, all strata", "10", "0", "10", "0", "100.0 %", "10", "4"]
    assert control == ["controls, later, all strata", "12", "0", "12", "0", "100.0 %", "12", "4"]
