"""All runs together: another seed, the controls, a date over seeds, and steps that runs have in common."""

import numpy as np
import pytest

from rare_neurons.numerics.evidence.history import History
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.question import Question, Rule
from rare_neurons.numerics.evidence.run_study import study_run
from rare_neurons.numerics.evidence.subject_study import declared_step, majority, study_subject
from tests.numerics.evidence.worlds import means

STEPS = (0, 1, 2, 4, 8, 16)
LOSS = Question("loss", "behaviour", "loss", "rare")


@pytest.fixture(scope="module")
def noise():
    return draw_noise(n_folds=12, rng=np.random.default_rng(0), draws=999)


def runs(truths, noise, *, question=LOSS, steps=STEPS):
    rng = np.random.default_rng(4)
    histories = [History(steps, means(truth, rng, size=0.02, memory=0.9)) for truth in truths]
    return [study_run(one, question, rule=Rule(), noise=noise) for one in histories]


def falling(end, at=3):
    return [5.0] * at + [end] * (6 - at)


def test_a_fall_of_all_runs_and_of_no_control_reaches_both_tiers(noise):
    own = runs([falling(3.0), falling(3.1), falling(2.9)], noise)
    other = runs([[5.0] * 6, [5.0] * 6], noise)
    found = study_subject(LOSS, runs=own, controls=other, step=16, rule=Rule())
    assert found.scale == "log"
    assert found.seeds.estimate == pytest.approx(np.log(3.0 / 5.0), abs=0.02)
    assert (found.seeds.p_value < 0.01, found.control.p_value < 0.01) == (True, True)
    assert (found.date.status, found.sign) == ("dated", -1)
    assert STEPS[found.date.after] <= 2 < 4 <= STEPS[found.date.by]


def test_a_fall_that_controls_share_is_not_beyond_them(noise):
    own = runs([falling(3.0), falling(3.2), falling(2.8)], noise)
    other = runs([falling(3.1), falling(2.9)], noise)
    found = study_subject(LOSS, runs=own, controls=other, step=16, rule=Rule())
    assert found.seeds.p_value < 0.01
    assert found.control.p_value > 0.2


def test_mean_squares_are_compared_as_they_are(noise):
    square = Question("any sign", "moments", "rms_influence_within", "rare")
    own = runs([falling(3.0), falling(3.1), falling(2.9)], noise, question=square)
    found = study_subject(square, runs=own, controls=[], step=16, rule=Rule())
    assert (found.scale, found.control.status) == ("linear", "too_few_controls")
    assert found.seeds.estimate == pytest.approx(-2.0, abs=0.05)


def test_runs_that_are_not_all_dated_have_no_date_together(noise):
    own = runs([falling(3.0), falling(3.1), [5.0] * 6], noise)
    found = study_subject(LOSS, runs=own, controls=[], step=16, rule=Rule())
    assert (found.date.status, found.date.reason) == ("not_dated", "2 of 3 runs are dated")


def test_without_a_common_step_nothing_is_compared(noise):
    own = runs([falling(3.0)], noise)
    found = study_subject(LOSS, runs=own, controls=[], step=None, rule=Rule())
    assert found.seeds.status == "undefined"
    assert "no good step in common" in found.seeds.reason


def test_the_declared_step_is_one_that_all_have():
    series = means([1.0] * 3, np.random.default_rng(0))
    histories = [History((0, 1, 2), series), History((0, 2, 4), series)]
    assert declared_step(histories, "last") == 2
    assert (declared_step(histories, 2), declared_step(histories, 4), declared_step(histories, 0)) == (2, None, None)
    assert declared_step([], "last") is None


@pytest.mark.parametrize(
    ("p", "expected"),
    [({"a": 0.01}, 0.01), ({"a": 0.01, "b": 0.5}, 0.5), ({"a": 0.01, "b": 0.5, "c": 0.02}, 0.02), ({"a": None}, None)],
)
def test_more_than_half_of_the_runs_must_agree(p, expected):
    assert majority(p) == expected
