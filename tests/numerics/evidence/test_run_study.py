"""Tier `run` of one statistic: what is found where it was planted, and what is said where nothing was."""

import numpy as np
import pytest

from rare_neurons.numerics.evidence.history import History
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.question import Question, Rule
from rare_neurons.numerics.evidence.run_study import study_run
from tests.numerics.evidence.worlds import means

QUESTION = Question("q", "behaviour", "loss", "rare")
STEPS = (0, 1, 2, 4, 8, 16, 32, 64)


@pytest.fixture(scope="module")
def noise():
    return draw_noise(n_folds=12, rng=np.random.default_rng(0), draws=1999)


def study(truth, noise, *, size=0.05, question=QUESTION, steps=STEPS):
    history = History(steps[: len(truth)], means(truth, np.random.default_rng(3), size=size, memory=0.9))
    return study_run(history, question, rule=Rule(), noise=noise)


def test_a_planted_fall_is_found_dated_and_turned(noise):
    found = study([5, 5, 5, 5, 3, 3, 3, 3.0], noise)
    assert (found.status, found.evidence.sign, found.minimal_effect) == ("changed", -1, None)
    assert (found.onset.crossed_after, found.onset.crossed_by) == (3, 4)
    (move,) = found.moves
    assert (move.start <= 3, move.end >= 4, move.change < -1.5) == (True, True, True)


def test_a_rise_and_a_fall_are_two_turns(noise):
    moves = study([5, 5, 7, 7, 7, 3, 3, 3.0], noise).moves
    assert [np.sign(move.change) for move in moves] == [1, -1]
    assert moves[0].end <= moves[1].start


def test_without_a_change_the_effect_that_would_be_found_is_told(noise):
    flat = study([5.0] * 8, noise)
    assert (flat.status, flat.onset) == ("no_change", None)
    assert flat.p_value > 0.05
    larger = study([5, 5, 5, 5, *[5 + 1.5 * flat.minimal_effect] * 4], noise)
    assert larger.status == "changed"


def test_the_direction_that_was_not_asked_for_does_not_count(noise):
    rising = Question("q", "behaviour", "loss", "rare", direction="rise")
    assert study([5, 5, 5, 5, 3, 3, 3, 3.0], noise, question=rising).status == "no_change"


def test_too_few_checkpoints_are_said(noise):
    short = study([5.0, 3.0], noise)
    assert (short.status, short.p_value, short.moves) == ("too_few_checkpoints", None, ())
    assert "2 good checkpoints" in short.reason
