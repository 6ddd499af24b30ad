"""Equal checkpoints: blocks that stand still, and places that serve another place's weights."""

import numpy as np
import pytest

from rare_neurons.numerics.integrity.repeats import find_repeats


def test_where_no_place_fits_better_none_keeps_the_weights():
    assert find_repeats("1A2A3", np.ones((5, 5)) - np.eye(5)).duplicate == {1: (), 3: ()}
    assert find_repeats("AA", np.zeros((2, 2)), places=[0, 2]).duplicate == {0: (1,)}


def test_what_is_settled_is_a_neighbour_to_the_rest():
    served = np.array([0, 20, 30, 20, 60, 30, 80.0])  # H belongs to place 2, and then G to place 1
    found = find_repeats("aGHGcHd", np.abs(np.subtract.outer(served, served)))
    assert found.duplicate == {3: (1,), 5: (2,)}


def test_losses_decide_where_distances_cannot():
    labels, log_loss = "01A34A6", np.array([6.0, 5, 4, 3, 2, 4, 0])
    everywhere_equal = np.ones((7, 7)) - np.eye(7)
    assert find_repeats(labels, everywhere_equal, log_loss=log_loss).duplicate == {5: (2,)}
    assert find_repeats(labels, everywhere_equal).duplicate == {2: (), 5: ()}


@pytest.mark.parametrize(("labels", "kept"), [("AAAA123", 0), ("123AAAA", 6)])
def test_a_block_too_long_to_be_believed_keeps_the_end_of_the_run(labels, kept):
    place = np.arange(7.0)
    distances = np.abs(np.subtract.outer(place, place))
    found = find_repeats(labels, distances, max_unchanged=3)
    members = [i for i, label in enumerate(labels) if label == "A"]
    assert found.unchanged == {}
    assert found.duplicate == {i: (kept,) for i in members if i != kept}
    still = find_repeats(labels, distances, max_unchanged=4)
    assert still.duplicate == {}
    assert still.unchanged == {i: tuple(j for j in members if j != i) for i in members}
