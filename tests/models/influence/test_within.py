"""The within-stratum effect alone never errs by more than its bound, and equals that of the whole enclosure."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rare_neurons.models.influence import within
from rare_neurons.models.influence.budget import Budget
from rare_neurons.models.influence.directions import project_classes
from rare_neurons.models.influence.exact import measure_exactly
from rare_neurons.models.influence.within import OwnColumns, measure_within, measure_within_exactly
from tests.models.influence.blocks import random_block


def columns_of(block) -> OwnColumns:
    moments = block.visitor.finish(block.tokens, project_classes(block.tokens, block.W))
    U_y = block.readout.A[block.tokens.target] @ block.W.T
    return OwnColumns(block.tokens, block.visitor, moments, U_y, block.own)


def exactly(block, columns):
    return measure_exactly(block.tokens, block.ablation, U=block.W @ block.readout.A.T, U_y=columns.U_y, own=block.own)


def budget_of(block, tolerance) -> Budget:
    n_pos, n_neurons = block.ablation.eta.shape
    return Budget(
        n_positions=n_pos, n_neurons=n_neurons, tolerance=tolerance, tolerance_se=0.0, device=torch.device("cpu")
    )


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "none"])
def test_exact_equals_the_exact_engine(kind):
    block = random_block(kind=kind)
    columns = columns_of(block)
    found = measure_within_exactly(
        block.tokens, block.ablation, U=block.W @ block.readout.A.T, U_y=columns.U_y, own=block.own
    )
    torch.testing.assert_close(found, exactly(block, columns).within, rtol=1e-10, atol=1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(["layer_norm", "rms_norm", "none"]),
    peak=st.sampled_from([0.0, 0.01, 0.3, 2.0, 30.0]),
    strength=st.sampled_from([1e-6, 1e-3, 3e-2, 1.0, 1e3]),
    tolerance=st.sampled_from([0.0, 1e-6, 1e-3, 1e9]),
    n_vocab=st.integers(6, 90),
    gradient_dtype=st.sampled_from([torch.float64, torch.float32]),
)
def test_no_pair_beyond_its_bound(kind, peak, strength, tolerance, n_vocab, gradient_dtype):
    """Sharp to flat outputs, neurons from zero to huge; the sum of bounds is what the budget has spent."""
    block = random_block(
        kind=kind, peak=peak, strength=strength, n_vocab=n_vocab, n_neurons=12, gradient_dtype=gradient_dtype
    )
    columns, budget = columns_of(block), budget_of(block, tolerance)
    (found,) = measure_within(columns, [block.ablation], [budget])
    exact = exactly(block, columns)
    error = (found - exact.within).abs().sum(0)
    assert bool(torch.isfinite(found).all())
    assert bool((error <= budget.spent + exact.rounding.sum(0)).all()), float((error - budget.spent).max())


def test_every_pair_alone_is_within_its_own_bound():
    block = random_block(strength=0.02, n_neurons=30)
    columns = columns_of(block)
    middle, bound = within._estimate(columns, within._within_moments(columns), block.ablation)
    exact = exactly(block, columns).within
    known = torch.isfinite(bound)
    assert bool(((middle - exact).abs() <= bound)[known].all())
    assert float(known.double().mean()) > 0.9
    assert float((bound / exact.abs().clamp_min(1e-12)).median()) < 0.1  # bounds are not idle


def test_ablations_share_directions_and_keep_their_budgets_apart():
    block = random_block()
    columns, budgets = columns_of(block), [budget_of(block, 0.0), budget_of(block, 1e9)]
    first, second = measure_within(columns, [block.ablation] * 2, budgets)
    assert bool((budgets[0].spent < budgets[1].spent).any())
    exact = exactly(block, columns).within
    # every pair in float32, the larger changes off by the rounding of e^x
    torch.testing.assert_close(first, exact, rtol=1e-5, atol=2.0**-22)
    assert not torch.equal(first, second)


def test_without_ablations_nothing_is_multiplied():
    assert measure_within(columns_of(random_block()), [], []) == []
