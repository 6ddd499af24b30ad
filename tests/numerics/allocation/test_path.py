"""The rule along the line, on integrands whose integrals are known."""

from fractions import Fraction

import numpy as np
import pytest

from rare_neurons.numerics.allocation.path import BOOLE, Line, next_halving, path_correlation


def test_boole_is_exact_to_degree_five_and_no_further():
    line = Line()
    for degree in range(8):
        found = sum(line.weight(x) * x**degree for x in line.nodes)
        assert (found == Fraction(1, degree + 1)) == (degree <= 5)
    assert sum(BOOLE) == 1


def test_a_quadratic_loss_is_accounted_for_by_each_weight_exactly():
    rng = np.random.default_rng(0)
    hessian, slope, start, update = rng.normal(size=(4, 4)), *rng.normal(size=(3, 4))
    hessian = hessian + hessian.T
    gradient = lambda theta: hessian @ theta + slope  # noqa: E731
    line = Line()
    values = {x: gradient(start + float(x) * update) * update for x in line.nodes}
    found = line.integrals(values).sum(0)
    # Of a quadratic, the mean gradient along the line is the gradient in its middle.
    np.testing.assert_allclose(found, gradient(start + update / 2) * update, atol=1e-14)
    loss = lambda theta: theta @ hessian @ theta / 2 + slope @ theta  # noqa: E731
    assert found.sum() == pytest.approx(loss(start + update) - loss(start), abs=1e-13)


def test_halves_reuse_the_nodes_and_are_nearer_to_the_truth():
    wave = lambda x: np.cos(7 * float(x))  # noqa: E731
    truth = np.sin(7) / 7
    line, errors, before = Line(), [], set()
    for _ in range(3):
        values = {x: np.array(wave(x)) for x in line.nodes}
        assert before <= set(line.nodes)
        assert line.integrals(values).sum() == pytest.approx(
            float(sum(float(line.weight(x)) * values[x] for x in line.nodes))
        )
        errors.append(abs(line.integrals(values).sum() - truth))
        before = set(line.nodes)
        line = line.halved(len(line.intervals) - 1).halved(0) if len(line.intervals) > 1 else line.halved(0)
    assert [len(before), len(line.intervals)] == [17, 6]
    assert errors[2] < errors[1] / 10 < errors[0] / 100


def test_uneven_intervals_follow_each_other_and_sum_to_one():
    line = Line().halved(0).halved(1).halved(0)
    assert [float(end - start) for start, end in line.intervals] == [0.25, 0.25, 0.25, 0.25]
    uneven = Line().halved(0).halved(1)
    assert uneven.intervals[0] == (0, Fraction(1, 2))
    assert uneven.intervals[2] == (Fraction(3, 4), 1)
    assert sum(uneven.weight(x) for x in uneven.nodes) == 1
    assert uneven.weight(Fraction(1, 7)) == 0
    # A place of the first half's rule is none of the second's.
    assert Line().weight(Fraction(1, 8)) == 0


def test_the_part_with_the_largest_remainder_of_judged_losses_is_halved():
    line = Line().halved(0)
    step = lambda x: np.array([float(x > Fraction(7, 8)), 1000 * float(x < Fraction(1, 8))])  # noqa: E731
    slopes = {x: np.zeros(2) for x in line.nodes}
    losses = {x: step(x) for x in line.nodes}
    assert next_halving(line, losses=losses, slopes=slopes, judged=np.array([1.0, 0.0])) == 1
    assert next_halving(line, losses=losses, slopes=slopes, judged=np.array([0.0, 1.0])) == 0


def test_path_correlation_is_pearsons_and_undefined_without_variation():
    rng = np.random.default_rng(2)
    one = rng.normal(size=50)
    two = 0.5 * one + rng.normal(size=50)
    assert path_correlation(one, two) == pytest.approx(np.corrcoef(one, two)[0, 1])
    assert path_correlation(one, 3 * one) == pytest.approx(1)
    assert path_correlation(one, np.zeros(50)) is None
    assert path_correlation(one[:1], two[:1]) is None
