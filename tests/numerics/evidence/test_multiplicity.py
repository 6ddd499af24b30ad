import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_neurons.numerics.evidence.multiplicity import adjust_questions
from tests.reference.evidence import slow_decisions, slow_holm

P = st.integers(0, 400).map(lambda k: k / 2000 + 0.00013)
"""Off the decision's own bounds, where rounding would decide."""


@given(st.lists(P, min_size=1, max_size=4), st.lists(P, max_size=6))
def test_the_adjusted_p_value_is_the_decision(primary, secondary):
    found = adjust_questions(primary=primary, secondary=secondary)
    accepted = [p <= 0.05 for p in found.primary], [p <= 0.05 for p in found.secondary]
    assert accepted == slow_decisions(primary, secondary)


@given(st.lists(P, min_size=1, max_size=8))
def test_without_primary_questions_it_is_holm(secondary):
    assert adjust_questions(primary=[], secondary=secondary).secondary == pytest.approx(slow_holm(secondary))


@given(st.lists(P, min_size=1, max_size=4), st.lists(P, max_size=6))
def test_adjusting_never_lowers_a_p_value_and_keeps_the_order_of_primaries(primary, secondary):
    found = adjust_questions(primary=primary, secondary=secondary)
    assert all(a >= p for a, p in zip(found.primary, primary, strict=True))
    assert all(a >= p for a, p in zip(found.secondary, secondary, strict=True))
    assert list(found.primary) == sorted(found.primary)


@given(st.lists(P, min_size=1, max_size=4), st.lists(P, max_size=6))
def test_primaries_that_pay_for_each_other_are_rejected_step_by_step(primary, secondary):
    found = adjust_questions(primary=primary, secondary=secondary, in_order=False)
    left, held = sorted(primary), 0
    while left and left[0] <= 0.8 * 0.05 / len(left):
        left, held = left[1:], held + 1
    assert sum(p <= 0.05 for p in found.primary) == held
    assert sorted(found.primary) == [found.primary[k] for k in np.argsort(primary, kind="stable")]
    shared = 0.05 if not left else 0.2 * 0.05
    assert [p <= 0.05 for p in found.secondary] == [p <= shared for p in slow_holm(secondary)]


def test_out_of_order_what_could_not_be_asked_pays_for_nothing_and_keeps_the_others_at_their_share():
    found = adjust_questions(primary=[0.02, None, 0.001], secondary=[0.001], in_order=False)
    assert found.primary == (pytest.approx(0.025), None, pytest.approx(0.0025))
    assert found.secondary[0] == pytest.approx(0.005)


def test_what_could_not_be_asked_stops_the_primaries_and_does_not_count_among_the_others():
    found = adjust_questions(primary=[0.001, None, 0.001], secondary=[0.001, None])
    assert found.primary[0] == pytest.approx(0.00125)
    assert found.primary[1:] == (None, 1.0)
    assert found.secondary[0] == pytest.approx(0.005)
    assert found.secondary[1] is None


@pytest.mark.parametrize("in_order", [True, False])
def test_the_family_error_is_at_most_the_level(in_order):
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(3000):
        z = np.sqrt(0.5) * rng.standard_normal() + np.sqrt(0.5) * rng.standard_normal(11)
        p = 0.5 * np.array([_erfc(x) for x in z])
        found = adjust_questions(primary=p[:3].tolist(), secondary=p[3:].tolist(), in_order=in_order)
        wrong.append(min((*found.primary, *found.secondary)) <= 0.05)
    assert np.mean(wrong) <= 0.06


def _erfc(z):
    from math import erfc, sqrt

    return erfc(z / sqrt(2))


def test_impossible_p_values_are_refused():
    with pytest.raises(ValueError, match=r"got \[1.2\]"):
        adjust_questions(primary=[1.2])
    with pytest.raises(ValueError, match="primary_share=1"):
        adjust_questions(primary=[0.1], primary_share=1)
