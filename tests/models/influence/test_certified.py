"""The certified engine never errs by more than it says, pair by pair."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rare_neurons.models.influence.scratch import CACHE, DEVICE
from tests.models.influence.layers import both_engines, random_layer


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    n_vocab=st.integers(3, 80),
    d_model=st.integers(2, 24),
    n_neurons=st.integers(2, 12),
    peak=st.sampled_from([0.0, 0.01, 0.3, 2.0, 30.0]),
    strength=st.sampled_from([1e-6, 1e-3, 3e-2, 1.0, 1e3]),
    kind=st.sampled_from(["layer_norm", "rms_norm", "none"]),
    bias=st.sampled_from([0.0, 1.0, 20.0]),
    n_classes=st.integers(1, 3),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
    tolerance=st.sampled_from([0.0, 1e-6, 1e-3, 1e9]),
    gradient_dtype=st.sampled_from([torch.float64, torch.float32]),
    how=st.fixed_dictionaries(
        {
            "chunks": st.sampled_from([CACHE, DEVICE]),
            "mostly_wide": st.booleans(),
            "enclosure_dtype": st.sampled_from([torch.float64, torch.float32]),
        }
    ),
)
def test_no_pair_beyond_its_bound(
    seed, n_vocab, d_model, n_neurons, peak, strength, kind, bias, n_classes, dtype, tolerance, gradient_dtype, how
):
    layer = random_layer(seed, n_vocab, d_model, n_neurons, peak, strength, kind, bias)
    exact, certified = both_engines(layer, n_classes, dtype, tolerance, gradient_dtype, **how)
    bound = certified.truncation + certified.rounding + exact.rounding
    for name in ("total", "within"):
        error = (getattr(certified, name) - getattr(exact, name)).abs()
        assert bool((error <= bound).all()), (name, float((error - bound).max()))
    assert bool(torch.isfinite(certified.total).all())


@pytest.mark.parametrize("enclosure_dtype", [torch.float64, torch.float32])
def test_bounds_are_not_idle(enclosure_dtype):
    """For small effects the bound is a small part of the effect, with no pair exact."""
    layer = random_layer(3, 80, 24, 12, 0.3, 1e-3, "layer_norm", 0.0)
    exact, certified = both_engines(layer, 2, torch.float32, 1e9, enclosure_dtype=enclosure_dtype)
    assert not bool(certified.exact.any())
    assert float(((certified.truncation + certified.rounding) / exact.total.abs().clamp_min(1e-12)).median()) < 1e-2


def test_what_float32_cannot_certify_is_enclosed_in_float64():
    """A tolerance below the rounding of float32 enclosures and above that of float64 ones: still no pair exact."""
    layer = random_layer(3, 80, 24, 12, 0.3, 1e-4, "layer_norm", 0.0)
    float64, float32 = (
        both_engines(layer, 2, torch.float32, 1e9, enclosure_dtype=dtype, mostly_wide=True)[1]
        for dtype in (torch.float64, torch.float32)
    )
    wanted = 2 * float((float64.truncation + float64.rounding).mean(0).max())
    assert bool((float32.rounding.mean(0) > wanted).any())
    found = both_engines(layer, 2, torch.float32, wanted, enclosure_dtype=torch.float32)[1]
    assert not bool(found.exact.any())
    assert bool((found.truncation + found.rounding).mean(0).max() <= wanted)
