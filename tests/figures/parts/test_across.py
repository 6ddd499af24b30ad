import numpy as np
import pytest
from matplotlib.figure import Figure

from rare_neurons.errors import RequestError
from rare_neurons.figures.parts.across import Across, across, named_columns
from tests.figures.tree import CONTROL, RUNS, STEPS, write_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("results"))


def test_steps_need_no_table(tmp_path):
    along = across(tmp_path, RUNS, "step")
    assert along.of(STEPS, RUNS[0]).tolist() == [0.5, 2, 8, 16]


def test_tokens_are_those_of_the_checkpoints_with_a_place_for_none(tree):
    along = across(tree, RUNS, "tokens")
    assert along.of([0, 2, 16], RUNS[0]).tolist() == [1024, 2048, 16 * 1024]
    assert np.isnan(along.of([3], RUNS[0])).all()
    assert np.isnan(along.of([2], CONTROL)).all()  # not asked for
    axis = Figure().subplots()
    along.dress(axis, STEPS)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "10k"]
    assert axis.get_xscale() == "log"


def test_loss_falls_to_the_right_and_is_averaged_over_models(tree):
    along = across(tree, RUNS, "loss")
    assert along.of(STEPS, RUNS).tolist() == [8 - step / 4 for step in STEPS]
    both = Across("loss", {("a", 1): 3.0, ("b", 1): 5.0, ("b", 2): 1.0})
    assert both.of([1, 2], ["a", "b"]).tolist() == [4, 1]
    axis = Figure().subplots()
    along.dress(axis, STEPS)
    left, right = axis.get_xlim()
    assert left > 8 > 4 > right


def test_what_the_results_do_not_know_is_refused(tree):
    with pytest.raises(RequestError, match="no axis 'epoch'; there: step, tokens, loss"):
        across(tree, RUNS, "epoch")


def test_many_columns_have_few_names():
    axis = Figure().subplots()
    named_columns(axis, list(range(154)), "a", Across())
    names = [label.get_text() for label in axis.get_xticklabels()]
    assert names[:2] == ["0", "13"]
    assert len(names) <= 12
