"""Second order never errs by more than its bound, and is worth taking where changes are small."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rare_neurons.models.influence import within
from rare_neurons.models.influence.rounding import relative_errors
from rare_neurons.models.influence.scratch import GRADIENT_BLOCK, VOCAB_BLOCK
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
    n_vocab=st.integers(6, 90) | st.just(3 * (VOCAB_BLOCK + GRADIENT_BLOCK)),
    product_dtype=st.sampled_from([torch.float32, torch.bfloat16]),
    gradient_dtype=st.sampled_from([torch.float64, torch.float32]),
)
def test_no_pair_beyond_its_bound(kind, peak, strength, n_vocab, product_dtype, gradient_dtype):
    """Also of a vocabulary whose sums are made of several blocks."""
    dtypes = {"product_dtype": product_dtype, "gradient_dtype": gradient_dtype}
    block = random_block(kind=kind, peak=peak, strength=strength, n_vocab=n_vocab, n_neurons=12, **dtypes)
    found, bound, _, exact = estimates(block)
    assert bool(torch.isfinite(found).all())
    assert not bool(torch.isnan(bound).any())
    assert bool(((found - exact.within).abs() <= bound + exact.rounding).all())


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "none"])
def test_small_changes_have_bounds_like_those_of_an_enclosure(kind):
    """Where no x is larger than a hundredth (docs/methods/influence.md)."""
    block = random_block(kind=kind, strength=1e-3, n_neurons=30)
    _, bound, enclosed, exact = estimates(block)
    h = block.z - (block.p * block.z).sum(-1, keepdim=True)
    epsilon, eta = block.ablation.epsilon[..., None], block.ablation.eta[..., None]
    change = (epsilon * h[:, None] + eta * (block.W @ block.readout.A.T)).abs().amax(-1)
    small = (change <= 0.01) & (enclosed > 0)
    assert int(small.sum()) > 100
    assert float((bound / enclosed)[small].median()) < 1.02
    assert float((bound / enclosed)[small].max()) < 1.33
    assert float((bound / exact.within.abs().clamp_min(1e-12)).median()) < 0.1
