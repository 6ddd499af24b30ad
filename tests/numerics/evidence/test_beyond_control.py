import numpy as np
import pytest
from scipy.stats import ttest_ind

from rare_neurons.numerics.evidence.beyond_control import judge_beyond_control
from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.grid.leave_outs import LeaveOuts, combine
from tests.numerics.evidence.worlds import exactly, means


def exchangeable(n, m, rng, *, run_sd, effect=0.0):
    """Runs and controls that share the panel's noise, with scatter and evaluation noise of their own."""
    truth = run_sd * rng.standard_normal(n + m)
    truth[:n] += effect
    both = combine(np.add, means(truth, rng, size=0.5), means(np.zeros(1), rng))
    return both[:n], both[n:]


def test_without_panel_noise_it_is_welchs_test():
    x, y = np.array([1.0, 2.5, 1.7]), np.array([0.1, 0.4])
    found = judge_beyond_control(exactly(x), exactly(y))
    plain = ttest_ind(x, y, equal_var=False)
    assert found.p_value == pytest.approx(plain.pvalue)
    assert found.degrees_of_freedom == pytest.approx(plain.df)
    assert (found.n_runs, found.n_controls, found.status) == (3, 2, "tested")


@pytest.mark.parametrize("n_m", [(3, 2), (3, 3), (5, 3)])
@pytest.mark.parametrize("run_sd", [0.0, 1.0])
def test_exchangeable_runs_and_controls_have_the_level(n_m, run_sd):
    rng = np.random.default_rng(0)
    decision = Decision(direction="rise")
    sets = (exchangeable(*n_m, rng, run_sd=run_sd) for _ in range(400))
    p_values = [judge_beyond_control(runs, controls, decision=decision).p_value for runs, controls in sets]
    # .05 with a binomial standard error of .011
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_what_all_share_on_the_panel_cancels():
    rng = np.random.default_rng(1)
    shared = means(np.zeros(1), rng, size=50.0)
    runs, controls = (combine(np.add, exactly(x), shared) for x in ([1.0, 1.1, 0.9], [0.0, 0.1]))
    assert judge_beyond_control(runs, controls).p_value < 0.01


def test_one_control_has_words_but_no_tier():
    found = judge_beyond_control(exactly([1.0, 1.1, 0.9]), exactly([0.0]))
    assert found.status == "one_control"
    assert found.p_value is not None
    assert "only if controls scatter like runs" in found.reason


@pytest.mark.parametrize(("n", "m", "status"), [(2, 3, "too_few_runs"), (3, 0, "too_few_controls")])
def test_too_few(n, m, status):
    found = judge_beyond_control(exactly(np.zeros(n)), exactly(np.zeros(m)))
    assert (found.status, found.p_value) == (status, None)
    assert found.reason


def test_runs_and_controls_of_different_grids_are_refused():
    other = LeaveOuts(np.zeros(3), np.zeros((3, 8)), np.zeros((3, 8)), np.zeros((3, 8, 8)))
    with pytest.raises(ValueError, match="12 folds, controls on 8"):
        judge_beyond_control(exactly(np.zeros(3)), other)
