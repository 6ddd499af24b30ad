import numpy as np
import pytest

from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.evidence.seeds import change_between, date_over_seeds, judge_seeds, log_or_linear
from rare_neurons.numerics.grid.jackknife import two_way_variance
from rare_neurons.numerics.grid.leave_outs import combine, stack
from tests.numerics.evidence.worlds import exactly, means


def runs_on_one_panel(truth, rng, *, run_sd, own=0.3):
    """Changes of runs that share the panel's noise and have a little of their own."""
    truth = np.asarray(truth) + run_sd * rng.standard_normal(len(truth))
    shared, own_noise = means(np.zeros(1), rng), means(truth, rng, size=own)
    return combine(np.add, own_noise, shared)


def test_variance_is_that_of_seeds_and_of_the_panel():
    rng = np.random.default_rng(0)
    changes = runs_on_one_panel(np.ones(4), rng, run_sd=0.5)
    found = judge_seeds(changes)
    variance = changes.value.var(ddof=1) / 4 + two_way_variance(changes.mean())
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert 3 < found.degrees_of_freedom < 14


@pytest.mark.parametrize("run_sd", [0.0, 0.1, 1.0])
def test_other_seeds_on_other_panels_have_the_level(run_sd):
    rng = np.random.default_rng(1)
    decision = Decision(direction="rise")
    sets = (runs_on_one_panel(np.zeros(3), rng, run_sd=run_sd) for _ in range(500))
    p_values = [judge_seeds(changes, decision=decision).p_value for changes in sets]
    # .05 with a binomial standard error of .01
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_two_runs_are_too_few():
    found = judge_seeds(exactly([1.0, 2.0]))
    assert (found.status, found.n_runs, found.estimate) == ("too_few_runs", 2, None)
    with pytest.raises(ValueError, match="one axis holds the runs"):
        judge_seeds(exactly(1.0))


def test_changes_are_logarithms_where_all_is_positive():
    before, after = exactly([2.0, 4.0]), exactly([1.0, 1.0])
    assert log_or_linear([before, after]) == "log"
    np.testing.assert_allclose(change_between(after, before, scale="log").row[1], -np.log(4))
    assert log_or_linear([before, exactly([-1.0])]) == "linear"
    assert change_between(after, before, scale="linear").value.tolist() == [-1, -3]
    with pytest.raises(ValueError, match="no logarithm"):
        change_between(exactly([-1.0]), exactly([1.0]), scale="log")
    with pytest.raises(ValueError, match="known: log, linear"):
        change_between(after, before, scale="root")


def test_dates_of_seeds_that_agree_are_one_cell_wide_or_little_more():
    found = date_over_seeds([6, 6, 6], n_steps=12)
    assert (found.after, found.by, found.status) == (5, 6, "dated")


def test_dates_that_scatter_widen_outward_and_may_have_no_end():
    assert date_over_seeds([5, 6, 7], n_steps=12).after <= 4
    assert date_over_seeds([8, 10, 11], n_steps=12).status == "open_end"
    assert date_over_seeds([8, 10], n_steps=12).status == "too_few_runs"
    wider = date_over_seeds([6, 6, 6], n_steps=12, panel_variance=1.0)
    assert wider.by > 6
    with pytest.raises(ValueError, match="indices from 1 to 11"):
        date_over_seeds([0, 3, 4], n_steps=12)


def test_a_set_of_runs_can_be_stacked_from_single_ones():
    singles = [exactly(1.0), exactly(2.0), exactly(3.0)]
    assert judge_seeds(stack(singles)).n_runs == 3
