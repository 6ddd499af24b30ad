"""Second order never errs by more than its bound, and is worth taking where changes are small."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rare_neurons.models.influence import within
from rare_neurons.models.influence.rounding import relative_errors
from rare_neurons.models.influence.second_order import SecondOrder
from tests.models.influence.blocks import random_block
from tests.models.influence.test_within import columns_of, exactly

PAIRS = 2**10


def estimates(block):
    """Second-order effects, their bounds, the enclosure's bounds, and the exact effects with their rounding."""
    columns = columns_of(block)
    moments = within._within_moments(columns)
    relative = relative_errors(block.visitor)
    known = {"norms": block.directions.norms, "U_y": columns.U_y, "h_y": columns.h_y, "relative": relative}
    found, bound = SecondOrder.of(moments, **known).estimate(block.ablation, PAIRS)
    return found, bound, within._estimate(columns, moments, block.ablation)[1], exactly(block, columns)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(["layer_norm", "rms_norm", "none"]),
    peak=st.sampled_from([0.0, 0.01, 0.3, 2.0, 30.0]),
    strength=st.sampled_from([1e-6, 1e-3, 3e-2, 1.0, 1e3]),
    n_vocab=st.integers(6, 90),
    gradient_dtype=st.sampled_from([torch.float64, torch.float32]),
)
def test_no_pair_beyond_its_bound(kind, peak, strength, n_vocab, gradient_dtype):
    block = random_block(
        kind=kind, peak=peak, strength=strength, n_vocab=n_vocab, n_neurons=12, gradient_dtype=gradient_dtype
    )
    found, bound, _, exact = estimates(block)
    assert bool(torch.isfinite(found).all())
    assert not bool(torch.isnan(bound).any())
    assert bool(((found - exact.within).abs() <= bound + exact.rounding).all())


@pytest.mark.parametrize("strength", [1e-3, 1e-2])
def test_small_changes_have_bounds_like_those_of_an_enclosure(strength):
    _, bound, enclosed, exact = estimates(random_block(strength=strength, n_neurons=30))
    some = enclosed > 0
    assert float((bound[some] / enclosed[some]).median()) < 1.5
    assert float((bound / exact.within.abs().clamp_min(1e-12)).median()) < 0.1
