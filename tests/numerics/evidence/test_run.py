import numpy as np
import pytest

from rare_neurons.numerics.evidence.noise_draws import draw_noise, draw_t, t_values
from rare_neurons.numerics.evidence.run import change_from_start, detect_change
from tests.numerics.evidence.worlds import exactly, means
from tests.reference.evidence import slow_first_exit, slow_largest_held

STEP = np.repeat([0.0, 1.0], 6)


def judged(series, rng, draws=999, **how):
    return detect_change(series, noise=draw_noise(n_folds=12, rng=rng, draws=draws), **how)


@pytest.mark.parametrize("persistence", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_rule_written_as_loops(seed, persistence):
    rng = np.random.default_rng(seed)
    series = means(0.15 * seed * STEP, rng, memory=0.8)
    noise = draw_noise(n_folds=12, rng=rng, draws=199)
    found = detect_change(series, noise=noise, persistence=persistence, level=0.2)
    change = change_from_start(series)
    null = [slow_largest_held(row, persistence) for row in draw_t(change, noise)]
    t = t_values(change)
    observed = slow_largest_held(t, persistence)
    assert found.p_value == pytest.approx((1 + sum(x >= observed for x in null)) / 200)
    if found.status == "changed":
        assert (found.exit, found.sign) == slow_first_exit(t, found.critical_value, persistence)
    else:
        assert slow_first_exit(t, found.critical_value, persistence) is None
        assert "largest held t" in found.reason


def test_without_a_change_detections_have_the_level():
    rng = np.random.default_rng(0)
    found = [judged(means(np.zeros(12), rng, memory=0.8), rng, 499).status == "changed" for _ in range(400)]
    # .05 with a binomial standard error of .011
    assert 0.02 <= np.mean(found) <= 0.08


def test_a_plain_change_is_found_with_its_sign_in_one_run():
    rng = np.random.default_rng(1)
    found = judged(means(5 - 3 * STEP, rng), rng)
    assert (found.status, found.sign, found.exit, found.reason) == ("changed", -1, 6, "")
    assert found.p_value == 0.001
    assert found.change[0] == 0
    assert found.standard_error.shape == (12,)


def test_a_change_that_is_not_held_is_none():
    rng = np.random.default_rng(2)
    spike = np.where(np.arange(12) == 5, 3.0, 0.0)
    assert judged(means(spike, rng, size=0.5), rng).status == "no_change"
    assert judged(means(spike, rng, size=0.5), rng, persistence=1).status == "changed"


def test_a_declared_direction_does_not_see_the_other():
    rng = np.random.default_rng(3)
    series = means(2 * STEP, rng)
    assert judged(series, rng, direction="rise").status == "changed"
    assert judged(series, rng, direction="fall").status == "no_change"
    with pytest.raises(ValueError, match="known: either, rise, fall"):
        judged(series, rng, direction="up")


def test_identical_checkpoints_are_no_change_and_no_noise_is_undefined():
    rng = np.random.default_rng(4)
    series = means(2 * STEP, rng)
    same = series[[0, 0, 0, *range(1, 12)]]
    assert judged(same, rng).exit == judged(series, rng).exit + 2
    assert judged(exactly(np.zeros(5)), rng).status == "undefined"


def test_too_few_checkpoints_are_refused():
    with pytest.raises(ValueError, match="persistence=2"):
        judged(exactly(np.zeros(2)), np.random.default_rng(0))
