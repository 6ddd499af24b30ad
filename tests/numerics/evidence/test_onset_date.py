import numpy as np
import pytest

from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.onset_date import date_onset
from tests.numerics.evidence.worlds import means

STEP = np.repeat([0.0, 1.0], 6)


def dated(series, rng, draws=999, **how):
    return date_onset(series, noise=draw_noise(n_folds=12, rng=rng, draws=draws), **how)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sharp_change_is_dated_between_two_checkpoints(sign):
    rng = np.random.default_rng(0)
    found = dated(means(3 + sign * STEP, rng, size=0.1), rng, sign=sign)
    assert (found.status, found.after, found.by) == ("dated", 5, 6)
    assert (found.crossed_after, found.crossed_by) == (5, 6)
    assert found.reason == ""


def test_a_ramp_is_dated_where_half_of_it_is_reached():
    rng = np.random.default_rng(1)
    ramp = np.clip((np.arange(12) - 2) / 6, 0, 1)
    found = dated(means(ramp, rng, size=0.02), rng, sign=1)
    assert found.after < 5 <= found.by
    assert dated(means(ramp, rng, size=0.02), rng, sign=1, fraction=0.9).crossed_by == 8


def test_the_interval_covers_the_planted_date():
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(150):
        found = dated(means(0.9 * STEP, rng, memory=0.8), rng, 299, sign=1)
        inside.append(found.after < 6 and (found.by is None or found.by >= 6))
    assert np.mean(inside) >= 0.9


def test_the_reference_is_a_held_change_not_a_spike():
    rng = np.random.default_rng(3)
    spiked = STEP + 9 * (np.arange(12) == 8)
    found = dated(means(spiked, rng, size=0.05), rng, sign=1)
    assert found.peak != 8
    assert found.crossed_by == 6


def test_weak_changes_have_an_open_end_and_absent_ones_no_date():
    rng = np.random.default_rng(4)
    assert dated(means(0.3 * STEP, rng, size=1.5), rng, sign=1).status in ("open_end", "no_change")
    found = dated(means(-STEP - 0.1 * np.arange(12), rng, size=0.01), rng, sign=1)
    assert (found.status, found.by) == ("no_change", None)
    assert "above the first" in found.reason


@pytest.mark.parametrize("how", [{"sign": 0}, {"sign": 1, "fraction": 1.0}, {"sign": 1, "confidence": 90}])
def test_refusals(how):
    rng = np.random.default_rng(5)
    with pytest.raises(ValueError, match="need ±1"):
        dated(means(STEP, rng), rng, **how)
