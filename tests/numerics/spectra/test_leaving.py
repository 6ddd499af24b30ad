import pytest

from rare_neurons.numerics.spectra.gaussian_null import GaussianNull
from rare_neurons.numerics.spectra.leaving import alpha_in_null, date_leaving, ratio_in_null, xmin_jumps

TEN = [float(i) for i in range(1, 11)]
NULL = GaussianNull(96, 96, 10, TEN, TEN, 0.5)


@pytest.mark.parametrize(("value", "alpha_p", "ratio_p"), [(0.5, 1, 11), (3.0, 4, 9), (3.5, 4, 8), (11.0, 11, 1)])
def test_p_counts_the_draws_at_least_as_extreme_ties_among_them(value, alpha_p, ratio_p):
    alpha = alpha_in_null(value, NULL, mean_square=1.0)
    assert alpha.p == pytest.approx(alpha_p / 11)
    assert ratio_in_null(value, NULL).p == pytest.approx(ratio_p / 11)
    assert (alpha.low, alpha.median, alpha.high) == pytest.approx((1.45, 5.5, 9.55))


def test_without_a_value_there_is_no_p_and_without_draws_no_quantile():
    assert ratio_in_null(None, NULL).p is None
    assert ratio_in_null(None, NULL).median == pytest.approx(5.5)
    small = GaussianNull(96, 12, 10, [], TEN, None)
    empty = alpha_in_null(None, small, mean_square=1.0)
    assert (empty.p, empty.low, empty.high) == (None, None, None)


@pytest.mark.parametrize(("mean_square", "known"), [(2.1e-5, True), (2e-5, False), (0.0, False)])
def test_weights_so_small_that_the_cut_reaches_the_tails_are_not_placed(mean_square, known):
    assert (alpha_in_null(3.0, NULL, mean_square=mean_square) is not None) == known


def test_it_leaves_between_the_last_checkpoint_inside_and_the_first_of_two_outside():
    steps = [0, 1, 2, 4, 8, 16]
    found = date_leaving(steps, [0.5, 0.001, 0.4, 0.02, 0.001, 0.001], level=0.0025)
    assert (found.status, found.after_step, found.by_step, found.stays) == ("left", 4, 8, True)
    assert (found.n_checkpoints, found.p_at_start, found.reason) == (6, 0.5, "")
    back = date_leaving(steps, [0.5, 0.0025, 0.001, 0.02, 0.001, 0.001], level=0.0025)
    assert (back.after_step, back.by_step, back.stays) == (0, 1, False)


@pytest.mark.parametrize(
    ("steps", "p", "status", "reason"),
    [
        ([], [], "no_start", "no value at step 0"),
        ([1, 2, 4], [0.5, 0.001, 0.001], "no_start", "no value at step 0"),
        ([0, 1, 2], [0.002, 0.001, 0.001], "outside_at_start", "p = 0.002 at step 0, but it must lie above 0.0025"),
        ([0, 1], [0.5, 0.001], "too_few_checkpoints", "1 checkpoint(s) with a value after step 0, but a date needs 2"),
        ([0, 1, 2, 4], [0.5, 0.001, 0.5, 0.001], "inside", "no 2 checkpoints in a row have p of at most 0.0025"),
    ],
)
def test_without_a_date_there_is_a_status_and_why(steps, p, status, reason):
    found = date_leaving(steps, p, level=0.0025)
    assert (found.status, found.after_step, found.by_step, found.stays) == (status, None, None, None)
    assert found.n_checkpoints == len(steps)
    assert found.reason.startswith(reason)


def test_a_jump_is_a_third_of_the_eigenvalues_either_way():
    assert xmin_jumps([10, 42, 41, 9, 10], 96).tolist() == [True, False, True, False]
    assert xmin_jumps([10], 96).tolist() == []
