import numpy as np
import pytest

from rare_neurons.numerics.onset.detect import detect_onset
from rare_neurons.numerics.onset.rule import OnsetRule

STEPS = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000])
PYTHIA_STEPS = np.concatenate([[0], 2 ** np.arange(10), np.arange(1000, 143001, 1000)])
RISE = np.array([0.0, 0.0, 0.1, 0.0, 0.2, 1.0, 3.0, 6.0, 8.0, 9.0, 9.5, 9.6])


@pytest.mark.parametrize("rises", [3, 5, 8])
def test_a_rise_at_m_increments_has_p_two_to_the_minus_m(rises):
    series = np.concatenate([np.zeros(11 - rises), np.arange(rises + 1.0)])
    found = detect_onset(STEPS, series, rule=OnsetRule())
    assert found.p_random_walk == 2.0**-rises
    assert found.minimal_intervals == 5
    assert found.detected == (rises >= 5)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e9])
def test_one_jump_in_one_run_is_never_called_and_says_why(size):
    jump = np.where(STEPS >= 64, size, 0) + 0.01 * np.random.default_rng(4).standard_normal(12)
    found = detect_onset(STEPS, jump, rule=OnsetRule())
    assert (found.status, found.detected, found.onset_by, found.peak_step) == ("ok", False, None, None)
    assert found.minimal_effect > 0
    assert found.p_white_noise >= 1 / 2000
    assert "a random walk draws such a change" in found.reason
    assert "must extend over 5 or more intervals" in found.reason


def test_the_same_jump_in_ten_runs_is_called():
    runs = np.where(STEPS >= 64, 1.0, 0) + 0.01 * np.random.default_rng(5).standard_normal((10, 12))
    found = detect_onset(STEPS, runs.mean(axis=0), seeds_values=runs, rule=OnsetRule())
    assert found.detected
    assert (found.onset_after, found.onset_by) == (32, 64)
    assert (found.onset_low, found.onset_high, found.interval_kind) == (32, 64, "seeds")


@pytest.mark.parametrize(
    ("n_seeds", "direction", "intervals"),
    [(1, "rise", 5), (2, "rise", 3), (3, "fall", 2), (5, "rise", 1), (1, "either", 6)],
)
def test_intervals_that_a_change_needs(n_seeds, direction, intervals):
    runs = np.tile(RISE, (n_seeds, 1))
    rule = OnsetRule(direction=direction)
    found = detect_onset(STEPS, RISE, seeds_values=runs, rule=rule, minimal=False)
    assert found.minimal_intervals == intervals
    assert found.minimal_effect is None


def test_drawn_p_values_are_never_zero():
    runs = np.tile(np.arange(12.0), (5, 1))
    found = detect_onset(STEPS, runs[0], seeds_values=runs, rule=OnsetRule(), draws=99)
    assert found.p_random_walk == found.p_white_noise == found.p_ar1 == 0.01


def test_a_rise_is_dated_between_two_checkpoints():
    found = detect_onset(STEPS, RISE, rule=OnsetRule())
    assert found.detected
    assert (found.onset_after, found.onset_by) == (32, 64)
    assert found.peak_step == 1000
    assert (found.offset_after, found.offset_by) == (None, None)
    assert found.interval_kind is None
    assert found.change == pytest.approx(9.5)
    assert all(p <= 0.05 for p in (found.p_white_noise, found.p_ar1, found.p_random_walk))


def test_fall_mirrors_rise_and_either_pays_twice():
    rise = detect_onset(STEPS, RISE, rule=OnsetRule())
    fall = detect_onset(STEPS, 5 - RISE, rule=OnsetRule(direction="fall"))
    either = detect_onset(STEPS, 5 - RISE, rule=OnsetRule(direction="either"))
    assert (fall.onset_after, fall.onset_by, fall.p_random_walk) == (32, 64, rise.p_random_walk)
    assert fall.change == pytest.approx(-rise.change)
    assert either.p_random_walk == pytest.approx(2 * rise.p_random_walk)
    assert (either.onset_by, either.change) == (64, pytest.approx(-rise.change))


def test_peak_and_offset_of_a_quantity_that_comes_and_goes():
    values = np.array([0, 0, 1, 2, 4, 7, 9, 10, 8, 2, 1, 1.0])
    found = detect_onset(STEPS, values, rule=OnsetRule())
    assert found.detected
    # The largest change that two checkpoints hold is 9 (steps 32 and 64), so the level is 4.5. The steep fall after
    # the peak does not count against the rise.
    assert found.change == 9
    assert (found.onset_after, found.onset_by, found.peak_step) == (8, 16, 64)
    assert (found.offset_after, found.offset_by) == (128, 256)


def test_an_absolute_threshold_dates_its_own_crossing():
    rule = OnsetRule(threshold=0.9)
    assert detect_onset(STEPS, RISE, rule=rule).onset_by == 16
    never = detect_onset(STEPS, RISE, rule=OnsetRule(threshold=50.0))
    assert not never.detected
    assert never.reason == "the level was never held for 2 consecutive checkpoints"
    fall = detect_onset(STEPS, -RISE, rule=OnsetRule(threshold=-0.9, direction="fall"))
    assert fall.onset_by == 16


@pytest.mark.parametrize("missing", [np.nan, None])
def test_missing_checkpoints_widen_the_censoring(missing):
    values = list(RISE)
    values[7] = missing
    found = detect_onset(STEPS, values, rule=OnsetRule())
    assert (found.n_steps, found.onset_after, found.onset_by) == (11, 32, 128)


def test_a_checkpoint_missing_in_one_seed_is_left_out():
    runs = RISE + 0.01 * np.random.default_rng(6).standard_normal((3, 12))
    runs[1, 6] = np.nan
    found = detect_onset(STEPS, np.nanmean(runs, axis=0), seeds_values=runs, rule=OnsetRule())
    assert (found.n_steps, found.onset_after, found.onset_by) == (11, 16, 64)


@pytest.mark.parametrize("n_steps", [0, 1, 5])
def test_too_few_checkpoints_are_a_status_with_a_reason(n_steps):
    found = detect_onset(STEPS[:n_steps], RISE[:n_steps], rule=OnsetRule())
    assert (found.status, found.detected, found.p_value, found.minimal_effect) == (
        "not_identifiable",
        False,
        None,
        None,
    )
    assert f"{n_steps} checkpoints to test" in found.reason
    assert "6 are needed" in found.reason


def test_all_values_missing_is_not_identifiable():
    assert detect_onset(STEPS, np.full(12, np.nan), rule=OnsetRule()).status == "not_identifiable"


@pytest.mark.parametrize("direction", ["rise", "fall", "either"])
def test_a_constant_series_has_no_onset(direction):
    found = detect_onset(STEPS, np.full(12, 3.0), rule=OnsetRule(direction=direction))
    assert (found.status, found.detected, found.p_value) == ("ok", False, 1.0)


def test_doublings_read_a_dense_schedule_as_a_log_spaced_one():
    values = np.interp(np.log2(PYTHIA_STEPS + 1), [0, 6, 13, 18], [0, 0, 7, 7])
    values = values + 0.1 * np.random.default_rng(7).standard_normal(len(values))
    at_doublings = detect_onset(PYTHIA_STEPS, values, rule=OnsetRule())
    at_all = detect_onset(PYTHIA_STEPS, values, rule=OnsetRule(grid="all"))
    assert at_doublings.detected
    assert at_doublings.n_steps == 154
    # Each of the 136 late checkpoints adds its evaluation noise to the walk.
    assert at_doublings.minimal_effect < at_all.minimal_effect


def test_evaluation_noise_is_a_null_and_makes_the_interval_of_one_run():
    rng = np.random.default_rng(8)
    quiet = detect_onset(STEPS, RISE, rule=OnsetRule(), resamples=RISE + 0.8 * rng.standard_normal((200, 12)))
    assert quiet.detected
    assert quiet.interval_kind == "evaluation_only"
    assert quiet.onset_low <= quiet.onset_after < quiet.onset_by <= quiet.onset_high
    loud = detect_onset(STEPS, RISE, rule=OnsetRule(), resamples=RISE + 30 * rng.standard_normal((200, 12)))
    assert not loud.detected
    assert loud.p_value == loud.p_evaluation > 0.05
    assert "evaluation noise" in loud.reason


def test_a_bias_of_the_resampled_statistic_is_not_noise():
    resamples = RISE + 0.3 * np.random.default_rng(13).standard_normal((100, 12))
    biased = resamples + np.linspace(0, 50, 12)
    assert detect_onset(STEPS, RISE, rule=OnsetRule(), resamples=biased).p_evaluation == pytest.approx(
        detect_onset(STEPS, RISE, rule=OnsetRule(), resamples=resamples).p_evaluation
    )


def test_two_seeds_are_not_a_law():
    runs = RISE + 0.1 * np.random.default_rng(9).standard_normal((2, 12))
    resamples = runs.mean(axis=0) + 0.3 * np.random.default_rng(9).standard_normal((100, 12))
    found = detect_onset(STEPS, runs.mean(axis=0), seeds_values=runs, resamples=resamples, rule=OnsetRule())
    assert found.detected
    assert found.interval_kind == "evaluation_only"


def test_seeds_that_disagree_widen_the_interval():
    apart = np.array([np.interp(np.arange(12), [at, at + 5], [0, 1]) for at in (1.0, 3.0, 5.0)])
    found = detect_onset(STEPS, apart.mean(axis=0), seeds_values=apart, rule=OnsetRule())
    assert found.interval_kind == "seeds"
    low, high = np.searchsorted(STEPS, [found.onset_low, found.onset_high])
    # t(0.95, 2) x 2 / sqrt(3) = 3.4 checkpoints on each side of 5.5, to whole cells.
    assert (low, high) == (2, 9)


def test_noise_of_the_shared_contexts_widens_the_interval_of_seeds():
    runs = RISE + 0.01 * np.random.default_rng(12).standard_normal((3, 12))
    # Resampled contexts move the onset by a checkpoint either way.
    moved = np.stack([np.roll(RISE, shift) for shift in (-1, 0, 1)] * 20)
    moved[:, :2] = 0
    moved[:, -1] = 9.6
    found = detect_onset(STEPS, runs.mean(axis=0), seeds_values=runs, resamples=moved, rule=OnsetRule())
    alone = detect_onset(STEPS, runs.mean(axis=0), seeds_values=runs, rule=OnsetRule())
    assert (alone.onset_low, alone.onset_high) == (32, 64)
    assert found.onset_low < 32
    assert found.onset_high > 64


def test_equal_seeds_give_equal_answers():
    noisy = RISE + np.random.default_rng(11).standard_normal(12)
    assert detect_onset(STEPS, noisy, rule=OnsetRule(), seed=5) == detect_onset(STEPS, noisy, rule=OnsetRule(), seed=5)


def test_wrong_shapes_and_orders_are_refused():
    with pytest.raises(ValueError, match=r"values \(11,\) must have the shape of steps \(12,\)"):
        detect_onset(STEPS, RISE[:-1], rule=OnsetRule())
    with pytest.raises(ValueError, match=r"16 resamples cannot reach level 0\.05; use at least 19"):
        detect_onset(STEPS, RISE, resamples=np.zeros((16, 12)), rule=OnsetRule())
    with pytest.raises(ValueError, match=r"99 draws cannot reach level 0\.001; use at least 999"):
        detect_onset(STEPS, RISE, rule=OnsetRule(level=0.001), draws=99)
    with pytest.raises(ValueError, match="steps must increase"):
        detect_onset(STEPS[::-1], RISE, rule=OnsetRule())
    with pytest.raises(ValueError, match=r"seeds_values \(3, 11\) must be \[row, step\] with 12 steps"):
        detect_onset(STEPS, RISE, seeds_values=np.zeros((3, 11)), rule=OnsetRule())
