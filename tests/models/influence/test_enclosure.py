"""The enclosure holds for any distribution, shrinks with the effect, and is exact for one column."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rare_neurons.models.influence.enclosure import Z_ORDER, GroupMoments, Interval, enclose, enclose_direct


def moments(p, h, U, *, first_order: bool) -> GroupMoments:
    """Moments of one position and one neuron, as plain sums; `p`, `h`, `U` `[vocab]`."""

    def one(value) -> torch.Tensor:
        return torch.tensor([[float(value)]], dtype=torch.float64)

    return GroupMoments(
        h=torch.tensor([[(p * h**j).sum() for j in range(Z_ORDER + 1)]], dtype=torch.float64),
        h_square=one((p * h**2).sum()),
        h_low=one(h.min()),
        h_high=one(h.max()),
        U=one((p * U).sum()),
        hU=one((p * h * U).sum()) if first_order else None,
        UU=one((p * U**2).sum()),
        U_low=one(U.min())[0],
        U_high=one(U.max())[0],
    )


def one_pair(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def enclosed(group, *, epsilon, eta):
    return enclose(group, epsilon=epsilon, eta=eta, sizes=(epsilon.abs(), eta.abs()))


def random_group(seed: int, n: int):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(n, 0.3)) * rng.uniform(0.01, 1)
    return p, rng.standard_normal(n) * 3, rng.standard_normal(n)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 12),
    epsilon=st.floats(-2, 2),
    eta=st.floats(-3, 3),
    first_order=st.booleans(),
)
def test_the_sum_lies_in_its_enclosure(seed, n, epsilon, eta, first_order):
    p, h, U = random_group(seed, n)
    group = moments(p, h, U, first_order=first_order)
    found, _ = enclosed(group, epsilon=one_pair(epsilon), eta=one_pair(eta))
    truth = (p * np.expm1(epsilon * h + eta * U)).sum()
    # float64 sums of a dozen terms, as large as the growth of e^x
    slack = 1e-13 * (p * np.exp(np.abs(epsilon * h) + np.abs(eta * U))).sum()
    assert float(found.low) - slack <= truth <= float(found.high) + slack
    direct = enclose_direct(U=group.U, UU=group.UU, U_range=Interval(group.U_low, group.U_high), eta=one_pair(eta))
    assert float(direct.low) - slack <= (p * np.expm1(eta * U)).sum() <= float(direct.high) + slack


@pytest.mark.parametrize(("first_order", "order"), [(False, 2), (True, 3)])
def test_the_width_falls_with_the_order_of_what_is_left_out(first_order, order):
    """Halving the effect divides the width by four without the mixed moment, by eight with it."""
    group = moments(*random_group(1, 10), first_order=first_order)
    widths = []
    for size in (1e-3, 5e-4):
        found, _ = enclosed(group, epsilon=one_pair(size), eta=one_pair(size))
        widths.append(float(found.high - found.low))
    assert widths[0] / widths[1] == pytest.approx(2**order, rel=0.02)  # the next order adds a thousandth or so


def test_without_any_change_nothing_changes():
    found, sensitive = enclosed(moments(*random_group(2, 5), first_order=True), epsilon=one_pair(0), eta=one_pair(0))
    assert float(found.low) == float(found.high) == float(sensitive) == 0


def test_a_part_that_follows_the_squares_covers_an_error_in_them():
    """A relative error of Σ p U² moves neither end by more than that error times the sensitive part."""
    p, h, U = random_group(3, 8)
    group, error = moments(p, h, U, first_order=False), 1e-3
    wrong = GroupMoments(**{**vars(group), "UU": group.UU * (1 - error)})
    change = {"epsilon": one_pair(0.05), "eta": one_pair(0.2)}
    (right, sensitive), (moved, _) = enclosed(group, **change), enclosed(wrong, **change)
    for end in ("low", "high"):
        assert float((getattr(right, end) - getattr(moved, end)).abs()) <= error * float(sensitive)
